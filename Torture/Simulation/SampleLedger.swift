import CanonicalJSON
import DurableFiles
import Ledger
import LedgerFormat
import TestSupport

/// A ledger of some variety, the same for the same seed, and where its frames lie.
///
/// The places are read off the files by LENGTH alone and the decisions are remembered from the writing, so that what is
/// expected of a damaged ledger does not rest on the reader that is tried.
struct SampleLedger: Sendable {
    struct Frame: Sendable {
        var place: Place
        var byteCount: Int
        /// The frames of its decision, by index.
        var decision: Range<Int>
        /// The last seq that was durable when it was sealed, as the writer was told: one block has one.
        var synced: UInt64
        /// As a HEAD names it.
        var tip: ChainTip

        var bytes: Range<Int> { place.offset..<place.offset + byteCount }
        var isLastOfDecision: Bool { place.seq == UInt64(decision.upperBound) }
    }

    struct Segment: Sendable {
        var firstSeq: UInt64
        var bytes: [UInt8]
        var frames: Range<Int>
        /// Behind the last frame; only NULs follow.
        var dataEnd: Int

        var path: StoragePath { SegmentReader.path(ofSegment: firstSeq) }
    }

    let machine: SimulatedMachine
    let key: SealingKey
    let frames: [Frame]
    let segments: [Segment]

    /// - Parameter entryCount: with genesis.
    init(seed: UInt64, entryCount: Int, _ settings: WriterSettings) throws {
        machine = try SimulatedMachine(seed: seed, settings: settings)
        key = try machine.key()
        var random = SeededGenerator(seed: seed, stream: UInt64(entryCount))
        var synced: [UInt64] = [0]
        var decisions = [0..<1]
        try machine.write { session in
            while synced.count < entryCount {
                let durable = UInt64(synced.count)
                var block: [[Draft]] = []
                for _ in 0..<1 + random.below(3) where synced.count < entryCount {
                    let size = min(random.below(4) == 0 ? 2 + random.below(4) : 1, entryCount - synced.count)
                    block.append(try (0..<size).map { try Self.draft(synced.count + $0, &random) })
                    decisions.append(synced.count..<synced.count + size)
                    synced += Array(repeating: durable, count: size)
                }
                for answer in session.commit(block) { _ = try answer.get() }
                session.replaceHeadIfDue()
            }
        }
        (segments, frames) = Self.survey(machine, decisions, synced, try machine.tip())
    }

    var lastSeq: UInt64 { UInt64(frames.count) }

    /// A HEAD that vouches for everything up to a frame, which must end a decision.
    func head(upTo frame: Int, alert: Bool = false) -> Head {
        let frame = frames[frame]
        precondition(frame.isLastOfDecision)
        let segment = frame.place.segment
        return Head(alert: alert, end: frame.bytes.upperBound, segment: segment, tip: frame.tip)
    }

    /// The last frame at or before this one that ends a decision.
    func decisionEnd(atOrBefore frame: Int) -> Int {
        let frame = max(0, frame)
        let decision = frames[frame].decision
        return decision.upperBound == frame + 1 ? frame : decision.lowerBound - 1
    }
}

// Where everything lies
extension SampleLedger {
    private static func survey(
        _ machine: SimulatedMachine, _ decisions: [Range<Int>], _ synced: [UInt64], _ ledger: ChainTip
    ) -> ([Segment], [Frame]) {
        var frames: [Frame] = []
        var segments: [Segment] = []
        for firstSeq in machine.segments.sorted() {
            precondition(firstSeq == UInt64(frames.count + 1), "a segment is named after its first entry")
            let bytes = machine.segment(firstSeq)
            let first = frames.count
            var offset = 0
            while let frame = RawFrame(in: bytes, at: offset) {
                let index = frames.count
                guard let decision = decisions.first(where: { $0.contains(index) }) else {
                    preconditionFailure("an entry that nobody wrote")
                }
                var tip = ledger
                (tip.seq, tip.hash) = (UInt64(index + 1), frame.hash)
                frames.append(
                    Frame(
                        place: Place(segment: firstSeq, offset: offset, seq: tip.seq), byteCount: frame.bytes.count,
                        decision: decision, synced: synced[index], tip: tip))
                offset = frame.bytes.upperBound
            }
            segments.append(Segment(firstSeq: firstSeq, bytes: bytes, frames: first..<frames.count, dataEnd: offset))
        }
        precondition(frames.count == synced.count, "all that was written is there")
        return (segments, frames)
    }
}

// Drafts of every kind
extension SampleLedger {
    private static func draft(_ number: Int, _ random: inout SeededGenerator) throws -> Draft {
        let actions = ["test.event", "lane_7.work.done", "x", "tool.call"]
        let actors = ["process:test", "soul:ada", "specialist:Übersetzer 2", "associate:managing@example"]
        let pillars = [Justification.Pillar.sovereignty, .integrity, .resilience, .evolution]
        let reasons = ["entry \(number)", "", "because \"it\" said\nso", "ein Grund: größer als 0 @ home 😀"]
        var context: JSONObject = [:]
        if random.below(3) == 0 { context["id"] = .string("id-\(number)") }
        if random.below(4) == 0 { context["base"] = .number(Double(number)) }
        // Beside a base they would be compared with what came since; no sample is about that.
        if random.below(4) == 0, context["base"] == nil { context["reads"] = ["/a~1b/0", ""] }
        if random.below(4) == 0 { context["causes"] = [1, .number(Double(number))] }
        return try Draft(
            action: actions[random.below(4)], actor: actors[random.below(4)],
            justification: Justification(pillars[random.below(4)], reasons[random.below(4)]),
            body: body(number, &random), context: context)
    }

    private static func body(_ number: Int, _ random: inout SeededGenerator) -> JSON {
        switch random.below(6) {
        case 0: [:]
        case 1: ["n": .number(Double(number)), "values": [0.1, 1e21, -1.5e-300, 1e-7, 123456.789, 0]]
        case 2: ["text": "line\nfeed, tab\t, quote \", backslash \\, bell \u{7}, é, 日本, 😀", "": .null]
        case 3: ["deep": [[["a": ["b": [["c": [true, false, .null]]]]]]], "n": .number(Double(number))]
        case 4:
            ["pad": .string(String(decoding: (0..<random.below(600)).map { _ in 0x20 + UInt8(random.below(95)) }, as: UTF8.self))]
        default: ["n": .number(Double(number)), "€": .string("sorted"), "é": [], "z": [:]]
        }
    }
}
