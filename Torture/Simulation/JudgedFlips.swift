import DurableFiles
import Foundation
import Ledger
import LedgerFormat
import SystemPackage
import TestSupport

/// Flips in files, judged by the independent verifier too.
struct JudgedFlips: Stage {
    let name = "judged-flips"
    let subject = "flipped bits in files, on which both verifiers, Swift and Python, must give the same verdict line"
    let unit = "bits"
    let mustFire = ["length", "entry", "hash", "sig", "line feed", "padding", "HEAD", "key file"]
    let caseCountToFire = 1000

    func caseCount(_ setting: Setting) -> Int { setting.level == .test ? 1000 : 10_000 }
    func obstacle() -> String? { Judge.obstacle }
    func worker(_ setting: Setting) throws -> any Worker { try JudgedFlipWorker(setting.seed) }
}

private struct JudgedFlipWorker: Worker {
    private let directory = TemporaryDirectory()
    private let flipped: FlippedLedger
    private let judge: Judge
    private let environment = TestLedger.environment()

    init(_ seed: UInt64) throws {
        var settings = WriterSettings()
        settings.preallocationByteCountMax = 4096
        settings.segmentByteCount = 16 << 10
        flipped = FlippedLedger(try SampleLedger(seed: seed, entryCount: 100, settings))
        try Self.write(flipped.machine, to: directory.path("ledger"))
        judge = try Judge()
    }

    mutating func run(_ number: Int, _ random: inout SeededGenerator, _ tally: inout Tally) async throws {
        let target = target(number, &random)
        let mask = UInt8(1) << UInt8(random.below(8))
        try flip(mask, target)
        let report = try await Audit(environment).run(POSIXStorage(path: directory.path("ledger")))
        let judged = try judge.verdict(on: directory.path("ledger"))
        try flip(mask, target)
        let ours = "\(report.exitCode) \(report.verdictLine)"
        // The reasons are each verifier's own.
        if ours != judged, !ours.hasPrefix(judged + ": ") { tally.fail("\(target), mask \(mask): \(ours); the judge: \(judged)") }
        let expected = flipped.model.verdict(target, mask)
        if report.verdict != expected.verdict { tally.fail("\(target), mask \(mask): \(ours), and not \(expected.verdict)") }
        tally.fire(flipped.model.kind(of: target))
        tally.done += 1
    }

    /// Any byte; what is rare, the small files and the borders of frames, gets a share of its own.
    private func target(_ number: Int, _ random: inout SeededGenerator) -> FlipTargets.Target {
        let targets = flipped.targets
        switch number % 10 {
        case 0: return targets[random.below(targets.smallByteCount)]
        case 1: return targets.frameBorder(&random)
        default: return targets[random.below(targets.byteCount)]
        }
    }

    private func flip(_ mask: UInt8, _ target: FlipTargets.Target) throws {
        let path = directory.path("ledger") + "/" + target.path.description
        let file = try FileDescriptor.open(FilePath(path), .readWrite)
        try file.closeAfter {
            var byte: UInt8 = 0
            _ = try withUnsafeMutableBytes(of: &byte) { try file.read(fromAbsoluteOffset: Int64(target.offset), into: $0) }
            _ = try file.writeAll(toAbsoluteOffset: Int64(target.offset), [byte ^ mask])
        }
    }

    private static func write(_ machine: SimulatedMachine, to path: String) throws {
        let storage = try POSIXStorage(constructing: path, random: 1)
        for folder in [Layout.ledger, Layout.keys, Layout.quarantine, Layout.snapshots] { try storage.makeDirectory(folder) }
        for (path, bytes) in machine.files { try storage.create(path, bytes.span) }
        try storage.publish()
    }
}
