import DurableFiles
import Ledger
import LedgerFormat
import TestSupport
import Testing

@Suite("What is said where the end, or everything, is gone")
struct NothingLeftTests {
    @Test("a ledger that ends before HEAD, with its last entry whole, is damage at a glance")
    func endIsGone() throws {
        let machine = try SimulatedMachine.segmented(count: 4)
        let model = try LedgerModel(machine)
        machine.setSegment(1, Array(machine.segment()[..<model.frames[2].end]))
        let status = LedgerStatus(try LedgerView(machine.storage()), machine.environment)
        #expect(status.damage?.code == .tampered, "\(String(describing: status.damage))")
        #expect(status.tip == nil && status.lastSeq == nil && status.head?.seq == 5)
    }

    @Test("without a segment there is nothing to look at")
    func inspection() throws {
        let machine = try SimulatedMachine(count: 2)
        machine.disk.delete(SegmentReader.path(ofSegment: 1))
        let storage = try machine.storage()
        let error = ledgerError { () throws(LedgerError) in
            _ = try Inspector(storage, TestLedger.environment()).inspect(.seq(1), around: 1)
        }
        #expect(error?.code == .usage, "\(String(describing: error))")
        #expect(error?.message.contains("holds no segment") == true)
    }

    @Test("where no segment holds an entry nobody is enrolled")
    func roster() throws {
        let machine = try SimulatedMachine(count: 2)
        machine.setSegment(1, [])
        #expect(try LedgerView(machine.storage()).actors().isEmpty)
    }
}
