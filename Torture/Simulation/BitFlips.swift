import DurableFiles
import Ledger
import LedgerFormat
import TestSupport

/// Every single bit of a ledger, of its HEAD and of its key file is flipped.
struct BitFlips: Stage {
    let name = "bit-flips"
    let subject = "every single bit of a ledger, its HEAD and its key, flipped: detected, and named at its frame"
    let unit = "bits"
    let share = 2.0
    let mustFire = ["length", "colon", "entry", "hash", "sig", "frame's shape", "line feed", "padding", "HEAD", "key file"]
    let caseCountToFire = 20_000

    /// A case is a byte.
    func caseCount(_ setting: Setting) throws -> Int { try FlippedLedger(Self.ledger(setting)).targets.byteCount }

    func worker(_ setting: Setting) throws -> any Worker {
        try BitFlipWorker(Self.ledger(setting), auditEvery: setting.level == .test ? 1 : 50)
    }

    private static func ledger(_ setting: Setting) throws -> SampleLedger {
        var settings = WriterSettings()
        settings.preallocationByteCountMax = 4096
        settings.segmentByteCount = setting.level == .test ? 24 << 10 : 64 << 10
        return try SampleLedger(seed: setting.seed, entryCount: setting.level == .test ? 100 : 1000, settings)
    }
}

/// Flips in a ledger in memory.
private struct BitFlipWorker: Worker {
    private let flipped: FlippedLedger
    private var suffixes: SuffixCheck
    /// One flip in so many is audited as a whole; all others by the chain's verifier from shortly before the flipped frame on.
    private let auditEvery: Int

    init(_ ledger: SampleLedger, auditEvery: Int) throws {
        self.auditEvery = auditEvery
        flipped = FlippedLedger(ledger)
        suffixes = try SuffixCheck(ledger, flipped.head)
    }

    mutating func run(_ number: Int, _ random: inout SeededGenerator, _ tally: inout Tally) async throws {
        let (model, machine) = (flipped.model, flipped.machine)
        let target = flipped.targets[number]
        for bit in 0..<8 {
            let mask = UInt8(1) << UInt8(bit)
            let expected = model.verdict(target, mask)
            if let segment = target.segment, random.below(auditEvery) > 0 {
                let failure = suffixes.failure(segment, target.offset, mask, model.frame(of: target))
                if failure?.place != expected.failingPlace {
                    tally.fail("\(target), bit \(bit): \(failure.map { "\($0)" } ?? "nothing was found")")
                }
            } else {
                machine.disk.flip(mask, at: target.offset, of: target.path)
                let report = try await machine.audit()
                machine.disk.flip(mask, at: target.offset, of: target.path)
                if report.verdict != expected.verdict || report.place != expected.place {
                    tally.fail("\(target), bit \(bit): \(report.verdictLine), and not \(expected.verdict): \(expected.place)")
                }
            }
            if expected.verdict == .torn { tally.fire("NUL where a sector ends, which looks like a crash") }
            tally.done += 1
        }
        tally.fire(model.kind(of: target), 8)
    }
}
