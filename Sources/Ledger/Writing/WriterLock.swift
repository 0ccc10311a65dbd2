import DurableFiles
import LedgerFormat
import PlantedDefects

/// Takes the writer's lock by way of the gate, so that nobody starves (design §6).
struct WriterLock: Sendable {
    let storage: any Storage
    let environment: Environment

    private static let pauseMicrosecondsMax: Int64 = 1000

    /// First the gate, then the lock, then the gate is given back; nothing is ever stolen.
    func acquire(until deadline: Int64, timeout: Int64) throws(LedgerError) {
        if !planted(.gateUntaken) { try wait(for: .gate, until: deadline, timeout) }
        defer { storage.unlock(.gate) }
        try wait(for: .writer, until: deadline, timeout)
    }

    private func wait(for lock: StorageLock, until deadline: Int64, _ timeout: Int64) throws(LedgerError) {
        var pause: Int64 = 20
        while true {
            do throws(StorageError) {
                if try storage.tryLock(lock) { return }
            } catch {
                if lock == .gate, error.isNotFound { throw noGate() }
                throw LedgerError(error, doing: "cannot lock the ledger")
            }
            guard environment.uptime() < deadline || planted(.lockTimeoutIgnored) else { throw busy(timeout) }
            environment.pause(pause)
            pause = min(pause * 2, Self.pauseMicrosecondsMax)
        }
    }

    /// The gate is `keys/`: without it there is no key, or no ledger at all.
    private func noGate() -> LedgerError {
        guard let head = try? storage.status(of: Layout.head), head.size > 0 else {
            return LedgerError(.usage, "\(storage.basePath) holds no ledger; make one with `bulla init`")
        }
        return LedgerError(
            .unverifiable, "\(storage.basePath)/keys is missing, and the sealing key with it; put its backup in place")
    }

    private func busy(_ timeout: Int64) -> LedgerError {
        let seconds = Double(timeout) / 1_000_000
        var message = "the ledger \(storage.basePath) is busy: its lock was not to be had in \(seconds) s"
        if let holder = storage.holder(of: .writer) ?? storage.holder(of: .gate) {
            message += "; process \(holder.process) (\(holder.command)) holds it"
            message += holder.isStopped ? " and is stopped: continue it with kill -CONT \(holder.process), or end it" : ""
        }
        return LedgerError(.busy, message + "; nothing was written")
    }
}
