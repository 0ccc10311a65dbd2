import DurableFiles
import LedgerFormat

/// The sound frames behind a damaged ledger's prefix, in the order in which they stand.
struct Salvage {
    /// What becomes of one.
    struct Survivor {
        /// What takes it over; nil if it is only left in the evidence.
        var draft: Draft?
        var isProven: Bool
    }

    private let view: LedgerView
    private let survey: Survey
    private let prefix: RepairPlan.Prefix
    /// The seq of the last one that was taken over: seqs rise strictly.
    private var lastSeq: UInt64

    init(_ view: LedgerView, _ survey: Survey, behind prefix: RepairPlan.Prefix) {
        self.view = view
        self.survey = survey
        self.prefix = prefix
        lastSeq = prefix.seq
    }

    /// Shows all of them; the view refers to the bytes that come with it.
    func walk(_ visit: (Survivor, FrameView, Span<UInt8>) -> Void) throws(StorageError) {
        var walk = self
        for run in survey.runs { try walk.add(run, visit) }
    }

    private mutating func add(
        _ run: Survey.Run, _ visit: (Survivor, FrameView, Span<UInt8>) -> Void
    ) throws(StorageError) {
        // The prefix's own run may go on a little: with the beginning of a decision that is not whole.
        let isPrefix = prefix.seq > 0 && run.start.segment == 1 && run.start.offset == 0
        if isPrefix, run.tip.seq == prefix.seq { return }
        var reader = try SegmentReader(view.storage)
        let start = isPrefix ? prefix.end : run.start
        var verifier = ChainVerifier(at: start, of: run.tip.ledger, key: nil, keys: view.keyring.keys)
        var left = isPrefix ? run.tip.seq - prefix.seq : run.entryCount
        var decision = OpenDecision()
        _ = try reader.scan(
            &verifier,
            visit: { frame, bytes in
                let copy = bytes.copy(frame.frame)
                for (whole, bytes) in decision.add(frame, copy) { show(whole, bytes, run.holdsHead, visit) }
                left -= 1
                return left > 0
            })
        // A decision without its end never was one.
        for bytes in decision.rest { show(false, bytes, false, visit) }
    }

    private mutating func show(
        _ isWhole: Bool, _ bytes: [UInt8], _ holdsHead: Bool, _ visit: (Survivor, FrameView, Span<UInt8>) -> Void
    ) {
        guard case .frame(let frame) = FrameView.find(in: bytes.span, at: 0) else { preconditionFailure("it was found before") }
        let found = Readmission.draft(of: frame, in: bytes.span, isProven: isWhole && holdsHead)
        guard let found, found.seq > lastSeq else {
            visit(Survivor(draft: nil, isProven: false), frame, bytes.span)
            return
        }
        lastSeq = found.seq
        visit(Survivor(draft: found.draft, isProven: found.isProven), frame, bytes.span)
    }

    /// Holds the entries of a decision back until all of them are there.
    private struct OpenDecision {
        private(set) var rest: [[UInt8]] = []
        private var isWhole = true

        /// The frames whose fate is known now.
        mutating func add(_ frame: FrameView, _ bytes: [UInt8]) -> [(isWhole: Bool, bytes: [UInt8])] {
            guard let part = frame.part else { return [(true, bytes)] }
            if rest.isEmpty { isWhole = part.index == 1 }
            rest.append(bytes)
            guard part.isLast else { return [] }
            defer { rest = [] }
            return rest.map { (isWhole, $0) }
        }
    }
}
