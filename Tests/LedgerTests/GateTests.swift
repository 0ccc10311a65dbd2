import DurableFiles
import Ledger
import Synchronization
import TestSupport
import Testing

@Suite("The gate")
struct GateTests {
    @Test("who waits for the lock stands at the gate, where the holder sees him, and leaves it when he gives up")
    func waiting() throws {
        let machine = try SimulatedMachine(count: 1)
        let held = try machine.storage()
        var holder = try machine.session(held)
        try holder.acquire()
        #expect(!holder.isWantedByOthers())
        let seen = Mutex<[Bool]>([])
        let waits = FaultInjectingStorage(
            try machine.storage(),
            .rule { _, operation in
                if operation.kind == .lock, operation.path == nil {
                    let isTaken = (try? held.gateIsTaken()) ?? false
                    seen.withLock { $0.append(isTaken) }
                }
                return nil
            })
        var waiter = try machine.session(waits)
        #expect(ledgerError { () throws(LedgerError) in try waiter.acquire() }?.code == .busy)
        #expect(seen.withLock { $0.count > 3 && $0.allSatisfy { $0 } })
        #expect(!holder.isWantedByOthers())
        holder.release()
    }
}
