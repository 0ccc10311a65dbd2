import DurableFiles
import Ledger
import LedgerFormat
import Synchronization
import TestSupport
import Testing

@Suite("A repair: what it builds is on the disk before it takes the ledger's place, and what it ends before HEAD says so")
struct RepairSyncTests {
    /// Damage in the midst of several segments: some are copied, and as many are built.
    private static func damaged() throws -> SimulatedMachine {
        let machine = try SimulatedMachine.segmented(count: 24, segmentByteCount: 2500)
        machine.flip(try LedgerModel(machine).frames[12], at: 0.5)
        return machine
    }

    @Test("every file that was built, and its name, is durable when the directories change places")
    func built() throws {
        let machine = try Self.damaged()
        let disk = machine.disk
        let built = Mutex<[StoragePath]>([])
        let late = Mutex<[StoragePath]>([])
        let storage = try machine.faulty(
            .rule { _, operation in
                guard operation.kind == .exchange else { return nil }
                let durable = disk.durableImage()
                let files = disk.files().filter { $0.parent?.parent == Layout.quarantine }
                built.withLock { $0 += files }
                late.withLock { $0 += files.filter { durable.bytes(of: $0) != disk.bytes(of: $0) } }
                return nil
            })
        try machine.repair(storage)
        #expect(built.withLock { $0.count } > 5)
        #expect(late.withLock { $0 } == [])
    }

    @Test("where the last repair was killed behind that, the next one makes it durable before HEAD vouches for it")
    func resumed() throws {
        let machine = try Self.damaged()
        let killed = try machine.faulty(.rule { _, operation in operation.kind == .exchange ? .crash(.everything) : nil })
        #expect(throws: LedgerError.self) { try machine.repair(killed) }
        let disk = machine.disk
        let repaired = machine.files.filter { $0.key.parent == Layout.ledger }
        let isDurable = Mutex<[Bool]>([])
        let storage = try machine.faulty(
            .rule { _, operation in
                guard operation.kind == .rename, operation.path?.name.hasPrefix("HEAD") == true else { return nil }
                let durable = disk.durableImage()
                isDurable.withLock { $0.append(repaired.allSatisfy { durable.bytes(of: $0.key) == $0.value }) }
                return nil
            })
        #expect(try machine.repair(storage).receipt != nil)
        #expect(isDurable.withLock { $0 } == [true])
    }

    @Test("the plan that is carried out does not come back with a power cut")
    func forgotten() throws {
        let machine = try Self.damaged()
        try machine.repair()
        #expect(machine.disk.bytes(of: Layout.repair) == nil)
        #expect(machine.disk.durableImage().bytes(of: Layout.repair) == nil)
    }
}
