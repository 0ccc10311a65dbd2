import DurableFiles
import Ledger
import LedgerFormat
import TestSupport
import Testing

@Suite("What is told at a glance")
struct StatusTests {
    /// Two ledgers with the same beginning, and each with the other's HEAD.
    private func forked() throws -> SimulatedMachine {
        let machine = try SimulatedMachine(count: 3)
        let other = machine.copy()
        try machine.append(10...10)
        try other.append(20...20)
        machine.disk.setBytes(of: Layout.head, to: other.headBytes)
        return machine
    }

    @Test("a HEAD that vouches for another history is damage, though both are whole")
    func fork() throws {
        let machine = try forked()
        let status = LedgerStatus(try LedgerView(machine.storage()), machine.environment)
        #expect(status.damage?.code == .tampered && status.damage?.place?.seq == 5, "\(String(describing: status.damage))")
        #expect(status.tip == nil && status.lastSeq == nil)
    }

    @Test("a ledger that a repair replaced meanwhile is no damage")
    func replaced() throws {
        let machine = try forked()
        let view = try LedgerView(machine.storage())
        machine.disk.setBytes(of: Layout.head, to: try SimulatedMachine(count: 1).headBytes)
        try EntryReader(view, machine.environment).checkHead()
    }
}
