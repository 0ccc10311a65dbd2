import CanonicalJSON
import DurableFiles
package import Ledger
package import LedgerFormat
import Synchronization

/// Ledgers that are the same at every run: fixed key, fixed ids, a clock that ticks.
package enum TestLedger {
    /// The key of FORMAT.md's worked example: bytes 0 to 31.
    package static let key = SealingKey(bytes: (0..<32).map { UInt8($0) })

    /// A clock that moves a millisecond a look from 2026-01-31T12:00:00Z, and random numbers from a seed.
    ///
    /// `pause` only moves the clock, so that nothing waits.
    package static func environment(seed: UInt64 = 1) -> Environment {
        let state = Mutex((microseconds: Int64(1_769_860_800_000_000), generator: SeededGenerator(seed: seed)))
        let tick: @Sendable (Int64) -> Int64 = { step in
            state.withLock { state in
                state.microseconds += step
                return state.microseconds
            }
        }
        return Environment(
            now: { Timestamp(microseconds: tick(1000)) }, uptime: { tick(1) },
            bootTime: { BootTime(boot: "simulated", microseconds: tick(1) - 1_769_860_800_000_000) },
            random: { state.withLock { $0.generator.next() } }, pause: { _ = tick($0) })
    }

    /// A small draft; `size` is about the length of its body in bytes.
    package static func draft(_ number: Int, actor: String = "process:test", id: String? = nil, size: Int = 20) -> Draft {
        do throws(DraftError) {
            return try Draft(
                action: "test.event", actor: actor, justification: Justification(.integrity, "test \(number)"),
                body: ["n": .number(Double(number)), "pad": .string(padding(size - 20))],
                context: id.map { ["id": .string($0)] } ?? [:])
        } catch {
            preconditionFailure("the test's draft is refused: \(error)")
        }
    }

    /// `String(repeating:count:)` goes over it character by character, and simulations want millions of them.
    private static func padding(_ count: Int) -> String {
        String(decoding: [UInt8](repeating: UInt8(ascii: "x"), count: max(0, count)), as: UTF8.self)
    }

    /// Frames of a ledger with a fixed id, sealed one by one: each knows the one before as durable.
    package static func frames(count: Int) -> (bytes: [UInt8], tip: ChainTip, ends: [Int]) {
        var tip = ChainTip(emptyLedger: LedgerID(0x0011_2233_4455_6677, 0x8899_AABB_CCDD_EEFF), key: key.id)
        var bytes: [UInt8] = []
        var ends: [Int] = []
        for number in 1...count {
            var writer = FrameWriter(after: tip, synced: tip.seq, key: key)
            do throws(DraftError) {
                let draft = number == 1 ? try genesis() : draft(number)
                try writer.append(draft, at: Timestamp(microseconds: 1_769_860_800_000_000 + Int64(number - 1) * 1000))
            } catch {
                preconditionFailure("the test's draft is refused: \(error)")
            }
            bytes += writer.block
            tip = writer.tip
            ends.append(bytes.count)
        }
        return (bytes, tip, ends)
    }

    private static func genesis() throws(DraftError) -> Draft {
        try Draft(
            action: "ledger.genesis", actor: "service:bulla", justification: Justification(.sovereignty, "a ledger begins"),
            body: ["format": 1, "software": "bulla 0.1.0"])
    }

    /// Writes such a ledger to a directory, as `init` and `append` would have.
    package static func write(to directory: TemporaryDirectory, name: String = "ledger", count: Int) throws -> [Int] {
        let (bytes, tip, ends) = frames(count: count)
        let storage = try POSIXStorage(constructing: directory.path(name), random: 1)
        for folder in [Layout.ledger, Layout.keys, Layout.quarantine, Layout.snapshots] { try storage.makeDirectory(folder) }
        let keyFile = key.fileContents
        try storage.create(StoragePath("keys", SealingKey.fileName(key.id)), keyFile.span)
        try storage.create(SegmentReader.path(ofSegment: 1), bytes.span)
        let head = Head(alert: false, end: bytes.count, segment: 1, tip: tip).sealed(with: key)
        try storage.create(Layout.head, head.span)
        try storage.publish()
        return ends
    }
}
