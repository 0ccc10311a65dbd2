import DurableFiles
import Foundation
import Synchronization

/// A thread that swaps one path over and over.
final class RaceAttacker: Sendable {
    private let isEnding = Atomic(false)
    /// Since when the operation runs that is under way, in nanoseconds of uptime; 0 while none is.
    private let operationStart = Atomic<UInt64>(0)
    private let races = Atomic(0)
    private let failure = Mutex<String?>(nil)
    private let ended = DispatchSemaphore(value: 0)

    private static let hangNanoseconds: UInt64 = 60_000_000_000

    init(_ house: RaceHouse, _ target: RaceTarget, _ disguise: RaceDisguise, _ random: SeededGenerator) {
        Thread.detachNewThread { [self] in
            var random = random
            do {
                while !isEnding.load(ordering: .acquiring) {
                    try house.swap(target, disguise) {
                        if isUnderWay() { races.add(1, ordering: .relaxed) }
                        // Mostly a moment, so that a check and what follows it see different things; sometimes long enough for
                        // a whole operation on the wrong one.
                        Self.linger(random.below(random.below(8) == 0 ? 4_000_000 : 20_000))
                    }
                    // The truth stands long enough for some operations to succeed.
                    Self.linger(random.below(random.below(8) == 0 ? 4_000_000 : 40_000))
                }
            } catch {
                failure.withLock { $0 = "the attacker failed: \(error)" }
            }
            ended.signal()
        }
    }

    private func isUnderWay() -> Bool {
        let start = operationStart.load(ordering: .acquiring)
        guard start > 0 else { return false }
        // Whoever waits at a FIFO waits for ever, and this thread is the only one that can still say so.
        if DispatchTime.now().uptimeNanoseconds > start + Self.hangNanoseconds {
            FileHandle.standardError.write(Data("torture: races: FAILED: an operation hangs\n".utf8))
            exit(1)
        }
        return true
    }

    private static func linger(_ count: Int) {
        var value: UInt64 = 1
        for step in 0..<count { value = value &* 6_364_136_223_846_793_005 &+ UInt64(step) }
        if value == 0 { sched_yield() }
    }

    /// Races that happened while an operation was under way.
    var raceCount: Int { races.load(ordering: .relaxed) }

    func during(_ operation: () async throws -> Void) async rethrows {
        operationStart.store(DispatchTime.now().uptimeNanoseconds, ordering: .releasing)
        defer { operationStart.store(0, ordering: .releasing) }
        try await operation()
    }

    /// Everything is in its place afterwards; what went wrong for the attacker.
    func end() -> String? {
        isEnding.store(true, ordering: .releasing)
        ended.wait()
        return failure.withLock { $0 }
    }
}
