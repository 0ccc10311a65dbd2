import CanonicalJSON
import DurableFiles
import Ledger
import LedgerFormat
import TestSupport
import Testing

@Suite("Why the alert was raised")
struct AlertCauseTests {
    /// A segment is replaced under a writer, and put back.
    private func drift(_ machine: SimulatedMachine) throws -> LedgerError? {
        let segment = SegmentReader.path(ofSegment: 1)
        var session = try machine.session()
        try session.acquire()
        machine.disk.put(machine.segment(), at: segment)
        let error = ledgerError { () throws(LedgerError) in try session.record(TestLedger.draft(99)) }
        session.release()
        return error
    }

    @Test("is kept beside HEAD until a repair records it")
    func kept() throws {
        let machine = try SimulatedMachine(count: 3)
        #expect(try AlertCause(of: LedgerView(machine.storage())) == nil)
        #expect(try drift(machine)?.code == .tampered)
        let cause = try #require(AlertCause(of: LedgerView(machine.storage())))
        #expect(cause.text.contains("is no longer the file that was opened"), "\(cause)")
        _ = try Repair(machine.environment, machine.settings).run(machine.storage())
        #expect(try AlertCause(of: LedgerView(machine.storage())) == nil, "the house is open")
        let last = try #require(try machine.entries().last)
        #expect(last.action == "ledger.repaired")
        #expect(try JSON(parsing: last.body)["root_cause"]?.string == cause.text)
    }

    @Test("is recorded beside the root cause that a human gives")
    func besideRootCause() throws {
        let machine = try SimulatedMachine(count: 3)
        _ = try drift(machine)
        let cause = try #require(AlertCause(of: LedgerView(machine.storage())))
        var repair = Repair(machine.environment, machine.settings)
        repair.rootCause = "somebody's editor"
        _ = try repair.run(machine.storage())
        let body = try JSON(parsing: try #require(try machine.entries().last).body)
        #expect(body["root_cause"]?.string == "somebody's editor")
        #expect(body["cause"]?.string == cause.text && body["raised"]?.string == cause.time.description)
    }

    @Test("is that of this alert: an earlier one's, put back, is not believed")
    func earlier() throws {
        let machine = try SimulatedMachine(count: 3)
        _ = try drift(machine)
        let old = try #require(machine.disk.bytes(of: Layout.alertCause))
        _ = try Repair(machine.environment, machine.settings).run(machine.storage())
        _ = try drift(machine)
        #expect(try AlertCause(of: LedgerView(machine.storage())) != nil)
        machine.disk.setBytes(of: Layout.alertCause, to: old)
        #expect(try AlertCause(of: LedgerView(machine.storage())) == nil)
    }

    @Test("is sealed: a changed one is none", arguments: [0, 20, 60, -2])
    func forged(at place: Int) throws {
        let machine = try SimulatedMachine(count: 3)
        _ = try drift(machine)
        var bytes = try #require(machine.disk.bytes(of: Layout.alertCause))
        bytes[place < 0 ? bytes.count + place : place] ^= 1
        machine.disk.setBytes(of: Layout.alertCause, to: bytes)
        #expect(try AlertCause(of: LedgerView(machine.storage())) == nil)
    }
}
