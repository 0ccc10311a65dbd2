import DurableFiles
import LedgerFormat
import PlantedDefects

/// The sound frames behind a damaged ledger's prefix: each entry once, in the order of the seqs under which it was recorded.
///
/// An entry that an earlier repair took over counts under its own seq, not under that of the `ledger.readmitted` around it. So order is
/// restored where whole frames changed places, and also where a ledger that was repaired before is damaged again.
struct Salvage {
    /// Frames that stand one behind the other, and whose own seqs do too.
    private struct Stretch {
        var start: Place
        var seqs: ClosedRange<UInt64>
        var isProven: Bool
    }

    /// What is taken over of a stretch.
    private struct Piece {
        var stretch: Stretch
        var seqs: ClosedRange<UInt64>
    }

    private let view: LedgerView
    private var stretches: [Stretch] = []
    private var pieces: [Piece] = []
    /// Of all sound frames, also of those that are left out: the highest seq, with the key that the chain calls for behind it.
    private(set) var last: (seq: UInt64, key: KeyID)?
    private(set) var frameCount: UInt64 = 0

    /// Reads all of them once; only where they stand is kept.
    init(_ view: LedgerView, _ survey: Survey, behind prefix: RepairPlan.Prefix) throws(StorageError) {
        self.view = view
        for run in survey.runs { try find(run, behind: prefix) }
        choose(without: prefix.taken)
    }

    /// Shows what is taken over; the view refers to the bytes that come with it. A nil draft is nested too deeply.
    func walk(_ visit: (_ draft: Draft?, _ isProven: Bool, FrameView, Span<UInt8>) -> Void) throws(StorageError) {
        for piece in pieces {
            var reader = try SegmentReader(view.storage)
            var verifier = verifier(at: piece.stretch.start)
            var seq = piece.stretch.seqs.lowerBound
            _ = try reader.scan(
                &verifier,
                visit: { frame, bytes in
                    if piece.seqs.contains(seq) {
                        let found = Readmission.draft(of: frame, in: bytes, isProven: piece.stretch.isProven)
                        visit(found?.draft, found?.isProven ?? false, frame, bytes)
                    }
                    seq += 1
                    return seq <= piece.seqs.upperBound
                })
        }
    }

    private func verifier(at place: Place) -> ChainVerifier {
        ChainVerifier(at: place, of: view.ledger ?? LedgerID(0, 0), key: nil, keys: view.keyring.keys)
    }
}

// Where they stand
extension Salvage {
    private mutating func find(_ run: Survey.Run, behind prefix: RepairPlan.Prefix) throws(StorageError) {
        // The prefix's own run may go on a little: with the beginning of a decision that is not whole.
        let isPrefix = prefix.seq > 0 && run.start.segment == 1 && run.start.offset == 0
        if isPrefix, run.tip.seq == prefix.seq { return }
        let start = isPrefix ? prefix.end : run.start
        var reader = try SegmentReader(view.storage)
        var verifier = verifier(at: start)
        var left = isPrefix ? run.tip.seq - prefix.seq : run.entryCount
        // Entries of a decision, until all of them are there.
        var open: [Stretch] = []
        let first = stretches.count
        // One segment after the other: a view does not say where it stands.
        for segment in reader.segments where segment >= start.segment && left > 0 {
            var place = Place(segment: segment, offset: segment == start.segment ? start.offset : 0, seq: 0)
            let size = try reader.open(segment: segment).status().size
            _ = try reader.scan(
                &verifier, upTo: Place(segment: segment, offset: size, seq: 0),
                visit: { frame, bytes in
                    place.seq = frame.seq
                    note(frame, bytes)
                    let own = Readmission(frame, of: bytes)?.entry.seq ?? frame.seq
                    let one = Stretch(start: place, seqs: own...own, isProven: run.holdsHead && view.isHeadProven)
                    place.offset += frame.frame.count
                    if let part = frame.part {
                        // A decision without its beginning or its end never was one.
                        open.append(one)
                        if part.isLast {
                            let isWhole = open.count == part.count
                            for one in open { add(one, isWhole: isWhole, behind: first) }
                            open = []
                        }
                    } else {
                        add(one, isWhole: true, behind: first)
                    }
                    left -= 1
                    return left > 0
                })
        }
        for one in open { add(one, isWhole: false, behind: first) }
    }

    private mutating func note(_ frame: FrameView, _ bytes: Span<UInt8>) {
        frameCount += 1
        if frame.seq > last?.seq ?? 0 { last = (frame.seq, ChainTip(frame, of: bytes).key) }
    }

    private mutating func add(_ one: Stretch, isWhole: Bool, behind first: Int) {
        var one = one
        one.isProven = (one.isProven && isWhole) || planted(.everythingProven)
        if stretches.count > first, let before = stretches.last, before.seqs.upperBound + 1 == one.seqs.lowerBound,
            before.isProven == one.isProven
        {
            stretches[stretches.count - 1].seqs = before.seqs.lowerBound...one.seqs.upperBound
        } else {
            stretches.append(one)
        }
    }

    /// Of several frames with one seq a proven one counts, and else the first.
    private mutating func choose(without taken: [ClosedRange<UInt64>]) {
        var taken = taken
        for stretch in stretches.filter(\.isProven) + stretches.filter({ !$0.isProven }) {
            var free = [stretch.seqs]
            for range in taken { free = free.flatMap { $0.without(range) } }
            if planted(.doublesReadmitted) { free = [stretch.seqs] }
            taken += free
            pieces += free.map { Piece(stretch: stretch, seqs: $0) }
        }
        pieces.sort { $0.seqs.lowerBound < $1.seqs.lowerBound }
    }
}

extension ClosedRange<UInt64> {
    /// What of it does not lie in another range.
    fileprivate func without(_ other: ClosedRange<UInt64>) -> [ClosedRange<UInt64>] {
        guard overlaps(other) else { return [self] }
        var rest: [ClosedRange<UInt64>] = []
        if lowerBound < other.lowerBound { rest.append(lowerBound...other.lowerBound - 1) }
        if upperBound > other.upperBound { rest.append(other.upperBound + 1...upperBound) }
        return rest
    }
}

extension LedgerView {
    /// Whether HEAD's MAC was checked, under a key of ours: only then it proves entries.
    fileprivate var isHeadProven: Bool {
        HeadFinding(headBytes, keys: keyring.keys).head.map { keyring.keys[$0.key] != nil && $0.ledger == ledger } ?? false
    }
}
