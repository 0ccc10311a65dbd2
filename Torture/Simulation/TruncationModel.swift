import DurableFiles
import Ledger
import LedgerFormat

/// HEAD, as a truncated ledger is found with it.
enum FoundHead: Sendable, Equatable {
    /// It vouches for everything up to a frame, by index.
    case valid(upTo: Int)
    case missing
    case empty

    var name: String {
        switch self {
        case .valid: "old HEAD"
        case .missing: "missing HEAD"
        case .empty: "empty HEAD"
        }
    }
}

/// What must be found in a ledger that was cut off, and done about it: design §3's table, reckoned from where the frames lie.
struct TruncationModel: Sendable {
    enum Outcome: Sendable, Equatable {
        /// Whole: a writer goes on from here.
        case adopted
        /// A crash's work: from this frame on it is kept as evidence and cut.
        case tailCut(from: Int)
        /// Whole, but HEAD is gone: a new one, in alert.
        case rebuilt
        /// Nothing is written but the alert, where there is a HEAD to raise it in.
        case refused
    }

    static let recentFrameCount = 20

    private let ledger: SampleLedger
    private let segment: Int
    private let byteCount: Int
    /// How many frames are whole.
    let wholeCount: Int
    /// Behind the last whole frame, where the rest of the next one stands, if anything does.
    let end: Place

    init(_ ledger: SampleLedger, segment: Int, byteCount: Int) {
        self.ledger = ledger
        self.segment = segment
        self.byteCount = byteCount
        let found = ledger.segments[segment]
        let whole = found.frames.prefix { ledger.frames[$0].bytes.upperBound <= byteCount }
        wholeCount = whole.upperBound
        let offset = whole.last.map { ledger.frames[$0].bytes.upperBound } ?? 0
        end = Place(segment: found.firstSeq, offset: offset, seq: UInt64(whole.upperBound + 1))
    }

    var endsInsideFrame: Bool { byteCount > end.offset }

    /// The last whole frame asks for another.
    var isInsideDecision: Bool { wholeCount > 0 && !ledger.frames[wholeCount - 1].isLastOfDecision }

    private var isWhole: Bool { !endsInsideFrame && !isInsideDecision }

    /// The first frame that does not count: the start of a decision that is not all there.
    private var firstLost: Int { isInsideDecision ? ledger.frames[wholeCount - 1].decision.lowerBound : wholeCount }

    func outcome(_ head: FoundHead) -> Outcome {
        switch head {
        case .missing, .empty: return isWhole && wholeCount > 0 ? .rebuilt : .refused
        case .valid(let frame):
            if wholeCount <= frame { return .refused }
            if isWhole { return .adopted }
            return isNear(frame) ? .tailCut(from: firstLost) : .refused
        }
    }

    /// A tear lies in HEAD's segment or in the one behind it: no writer leaves HEAD further back.
    private func isNear(_ frame: Int) -> Bool {
        let place = ledger.frames[frame].place
        return ledger.segments[segment].firstSeq == place.segment
            || segment > 0 && ledger.segments[segment - 1].firstSeq == place.segment
    }

    /// What an audit says, and where.
    func verdict(_ head: FoundHead) -> (AuditReport.Verdict, Place) {
        let lastWhole = UInt64(wholeCount)
        switch outcome(head) {
        case .adopted: return (.intact, Place(segment: end.segment, offset: end.offset, seq: lastWhole))
        case .tailCut(let frame): return (.torn, place(of: frame))
        case .rebuilt: return (.tampered, Place(segment: 0, offset: 0, seq: lastWhole))
        case .refused:
            // A frame that is cut short is named where it is. Else the frames are all right: they fail to reach HEAD, or to end
            // the decision, which is then named; or there are none.
            if endsInsideFrame { return (.tampered, end) }
            if case .valid(let frame) = head, wholeCount <= frame { return (.tampered, end) }
            return isInsideDecision ? (.tampered, place(of: firstLost)) : (.tampered, Place(segment: 0, offset: 0, seq: 0))
        }
    }

    private func place(of frame: Int) -> Place { frame == wholeCount ? end : ledger.frames[frame].place }

    /// The bytes that are evidence when everything from a frame on is cut.
    func evidence(from frame: Int) -> [UInt8] { Array(ledger.segments[segment].bytes[place(of: frame).offset..<byteCount]) }

    /// A frame, before the last, that a HEAD of earlier may have vouched for.
    func olderHead(_ random: inout SeededGenerator) -> Int {
        let frame =
            switch random.below(4) {
            case 0: 0
            case 1: ledger.frames.count - Self.recentFrameCount - 1
            case 2: wholeCount - 1 - random.below(6)
            default: random.below(ledger.frames.count)
            }
        let beforeLast = (ledger.frames.last?.decision.lowerBound ?? 1) - 1
        return ledger.decisionEnd(atOrBefore: min(frame, beforeLast))
    }
}
