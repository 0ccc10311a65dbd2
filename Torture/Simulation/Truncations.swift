import DurableFiles
import Ledger
import LedgerFormat
import TestSupport

/// A ledger is cut off at every byte, and found with its own HEAD, an older one, none and an empty one.
struct Truncations: Stage {
    let name = "truncations"
    let subject = "a ledger cut off at every byte × HEAD new, old, missing, empty: read, and opened by a writer"
    let unit = "openings"
    let share = 3.0
    let mustFire = [
        "new HEAD: tampered", "old HEAD: adopted whole", "old HEAD: tail cut", "old HEAD: tampered", "missing HEAD: rebuilt",
        "missing HEAD: tampered", "empty HEAD: rebuilt", "empty HEAD: tampered", "decision incomplete", "next segment empty",
    ]
    let caseCountToFire = 40_000

    /// A case is a place to cut.
    func caseCount(_ setting: Setting) throws -> Int { try Self.cuts(Self.ledger(setting), setting.level).count }

    func worker(_ setting: Setting) throws -> any Worker {
        let ledger = try Self.ledger(setting)
        return TruncationWorker(ledger: ledger, cuts: Self.cuts(ledger, setting.level))
    }

    private static func ledger(_ setting: Setting) throws -> SampleLedger {
        var settings = WriterSettings()
        settings.preallocationByteCountMax = 0
        // So that the last frames lie in several segments.
        settings.segmentByteCount = setting.level == .test ? 5 << 10 : 64 << 10
        return try SampleLedger(seed: setting.seed, entryCount: setting.level == .test ? 50 : 1000, settings)
    }

    /// Test: within the last 20 frames; torture: everywhere.
    private static func cuts(_ ledger: SampleLedger, _ level: Level) -> CutPlaces {
        CutPlaces(ledger, firstFrame: level == .test ? ledger.frames.count - TruncationModel.recentFrameCount : 0)
    }
}

/// The places where a ledger can be cut off: so many bytes of a segment are left, and no later segment.
struct CutPlaces: Sendable {
    /// Segments of which nothing is left: the few come first, and all other places in any order.
    private var starts: [Int] = []
    private var ranges: [(segment: Int, byteCounts: Range<Int>)] = []
    private let order: Scattered

    init(_ ledger: SampleLedger, firstFrame: Int) {
        let first = ledger.frames[firstFrame].place
        for (index, segment) in ledger.segments.enumerated() where segment.firstSeq >= first.segment {
            let isLast = index == ledger.segments.count - 1
            // All of a segment may be left, and the next one be missing; all of the last one is no cut.
            let end = segment.bytes.count + (isLast ? 0 : 1)
            let start = segment.firstSeq == first.segment ? first.offset : 0
            if start == 0 { starts.append(index) }
            ranges.append((index, max(1, start)..<end))
        }
        order = Scattered(ranges.reduce(0) { $0 + $1.byteCounts.count })
    }

    var count: Int { starts.count + order.count }

    subscript(number: Int) -> (segment: Int, byteCount: Int) {
        if number < starts.count { return (starts[number], 0) }
        var rest = order[number - starts.count]
        for range in ranges {
            if rest < range.byteCounts.count { return (range.segment, range.byteCounts.lowerBound + rest) }
            rest -= range.byteCounts.count
        }
        preconditionFailure("there are \(count) places to cut")
    }
}

private struct TruncationWorker: Worker {
    let ledger: SampleLedger
    let cuts: CutPlaces

    mutating func run(_ number: Int, _ random: inout SeededGenerator, _ tally: inout Tally) async throws {
        let cut = cuts[number]
        let model = TruncationModel(ledger, segment: cut.segment, byteCount: cut.byteCount)
        if model.isInsideDecision { tally.fire("decision incomplete") }
        if cut.byteCount == 0, cut.segment > 0 { tally.fire("next segment empty") }
        let old = model.olderHead(&random)
        let last = ledger.frames.count - 1
        for head in [FoundHead.valid(upTo: last), .valid(upTo: old), .missing, .empty] {
            let machine = truncated(cut.segment, cut.byteCount, head)
            let opening = TruncatedOpening(ledger: ledger, machine: machine, model: model, head: head)
            let name = head == .valid(upTo: last) ? "new HEAD" : head.name
            do {
                tally.fire("\(name): \(try await opening.run())")
            } catch let broken as BrokenPromise {
                tally.fail(
                    "segment \(ledger.segments[cut.segment].firstSeq) cut to \(cut.byteCount) bytes, \(name) \(head): \(broken)")
            }
            tally.done += 1
        }
    }

    private func truncated(_ segment: Int, _ byteCount: Int, _ head: FoundHead) -> SimulatedMachine {
        let machine = ledger.machine.copy()
        let found = ledger.segments[segment]
        machine.disk.setBytes(of: found.path, to: Array(found.bytes[..<byteCount]))
        for later in ledger.segments[(segment + 1)...] { machine.disk.delete(later.path) }
        switch head {
        case .valid(let frame): machine.disk.setBytes(of: Layout.head, to: ledger.head(upTo: frame).sealed(with: ledger.key))
        case .missing: machine.disk.delete(Layout.head)
        case .empty: machine.disk.setBytes(of: Layout.head, to: [])
        }
        return machine
    }
}
