import DurableFiles
import Ledger
import LedgerFormat
import SystemPackage
import TestSupport
import Testing

@Suite("A step back that is accepted")
struct AcceptedStepTests {
    @Test("HEAD cannot be replaced behind its entry: the anchor stays, and accepting once more does it")
    func headFails() throws {
        let machine = try SimulatedMachine(count: 3)
        let anchors = MemoryAnchors()
        func append(_ machine: SimulatedMachine, _ number: Int) throws {
            var session = WriterSession(try machine.storage(), machine.environment, machine.settings, anchor: anchors)
            try session.acquire()
            try session.record(TestLedger.draft(number))
            session.release()
        }
        try append(machine, 4)
        let old = machine.copy()
        try append(machine, 5)

        let storage = try old.faulty()
        var session = WriterSession(storage, old.environment, old.settings)
        try session.acquire()
        storage.setPlan(.rule { _, operation in operation.kind == .rename ? .fail(.ioError) : nil })
        let error = ledgerError { () throws(LedgerError) in _ = try session.accept(anchors, reason: "restored") }
        #expect(error?.code == .inputOutput, "\(String(describing: error))")
        #expect(error?.message.contains("the anchor was not replaced; accept it once more") == true)
        storage.setPlan(.none)
        session.release()

        var again = try old.session()
        try again.acquire()
        let acceptance = try again.accept(anchors, reason: "restored")
        again.release()
        #expect(acceptance?.objections.count == 1 && acceptance?.failure == nil)
        #expect(try old.count("anchor.accepted") == 2)
        try append(old, 6)
    }
}
