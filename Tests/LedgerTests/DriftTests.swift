import DurableFiles
import Foundation
import Ledger
import LedgerFormat
import SystemPackage
import TestSupport
import Testing

@Suite("Drift: what changes under a holder's feet")
struct DriftTests {
    enum Change: String, CaseIterable, Sendable {
        case segmentReplaced, segmentGone, segmentRenamed, segmentLinkedTwice, segmentIsLink, segmentForeign
        case keyReplaced, keyGone, keyIsLink
    }

    private func make(_ change: Change, _ machine: SimulatedMachine) throws {
        let disk = machine.disk
        let segment = SegmentReader.path(ofSegment: 1)
        let key = try #require(disk.files().first { $0.directory == "keys" })
        switch change {
        // The bytes are the same: it is another file all the same.
        case .segmentReplaced: disk.put(machine.segment(), at: segment)
        case .segmentGone: disk.delete(segment)
        case .segmentRenamed: disk.move(segment, to: SegmentReader.path(ofSegment: 99))
        case .segmentLinkedTwice: disk.link(segment, as: StoragePath("ledger", "other"))
        case .segmentIsLink: disk.plant(.symbolicLink, at: segment)
        case .segmentForeign: disk.setOwner(4711, of: segment)
        case .keyReplaced: disk.put(disk.bytes(of: key) ?? [], at: key)
        case .keyGone: disk.delete(key)
        case .keyIsLink: disk.plant(.symbolicLink, at: key)
        }
    }

    private func expectQuarantine(_ session: inout WriterSession, _ machine: SimulatedMachine, _ error: LedgerError?) throws {
        #expect(
            error?.code == .tampered && error?.message.contains("quarantine") == true, "\(String(describing: error))")
        #expect(ledgerError { () throws(LedgerError) in try session.record(TestLedger.draft(99)) } == error, "latched")
        session.release()
        let head = try Head(file: machine.headBytes, keys: [:])
        #expect(head.alert && head.seq == 4, "the alert is raised, and nothing else about HEAD changed")
    }

    @Test("a core file that changes before a write: nothing is written", arguments: Change.allCases)
    func beforeWrite(change: Change) throws {
        let machine = try SimulatedMachine(count: 3)
        let storage = try machine.faulty()
        var session = try machine.session(storage)
        try session.acquire()
        try make(change, machine)
        let count = storage.trace.count
        let error = ledgerError { () throws(LedgerError) in try session.record(TestLedger.draft(4)) }
        #expect(
            storage.trace[count...].allSatisfy {
                !$0.kind.isChange || $0.path?.directory == nil || $0.path?.directory == Layout.quarantine.name
            },
            "only HEAD is written, and why it is in alert")
        try expectQuarantine(&session, machine, error)
    }

    @Test("a core file that changes between write and acknowledgement: not acknowledged", arguments: Change.allCases)
    func beforeAcknowledgement(change: Change) throws {
        let machine = try SimulatedMachine(count: 3)
        let storage = try machine.faulty()
        var session = try machine.session(storage)
        try session.acquire()
        let once = Once()
        storage.setPlan(
            .rule { _, operation in
                if operation.kind == .synchronize, operation.path?.directory == "ledger", once.isFirst {
                    try? make(change, machine)
                }
                return nil
            })
        let error = ledgerError { () throws(LedgerError) in try session.record(TestLedger.draft(4)) }
        try expectQuarantine(&session, machine, error)
    }

    @Test(
        "the base replaced while it is held: nothing is acknowledged, and the one that was opened is in alert",
        arguments: [true, false])
    func base(withNothing: Bool) throws {
        let machine = try SimulatedMachine(count: 3)
        var session = try machine.session()
        try session.acquire()
        machine.disk.replaceBase(withNothing: withNothing)
        let error = ledgerError { () throws(LedgerError) in try session.record(TestLedger.draft(4)) }
        #expect(error?.code == .tampered)
        #expect(ledgerError { () throws(LedgerError) in try session.record(TestLedger.draft(5)) } == error)
        session.release()
    }

    @Test("an older state put back between two holds: the session does not go on there")
    func putBack() throws {
        let machine = try SimulatedMachine(count: 3)
        let (head, segment) = (machine.headBytes, machine.segment())
        var session = try machine.session()
        try session.acquire()
        _ = try session.record(TestLedger.draft(4))
        session.release()
        machine.disk.setBytes(of: Layout.head, to: head)
        machine.setSegment(1, segment)
        #expect(ledgerError { () throws(LedgerError) in try session.acquire() }?.code == .tampered)
        #expect(!session.isHolding && machine.lockIsFree)
        // Who has not seen more finds nothing wrong: only receipts show it.
        var other = try machine.session()
        #expect(ledgerError { () throws(LedgerError) in try other.acquire() } == nil)
        other.release()
    }

    @Test("segments that went without a word are drift for a long-lived process, though all that it saw of them lies behind")
    func leftBehind() async throws {
        var settings = WriterSettings()
        settings.segmentByteCount = 2000
        settings.preallocationByteCountMax = 0
        let machine = try SimulatedMachine(count: 1, settings: settings)
        var runner = try await Runner(machine.environment, settings) { () throws(LedgerError) in
            try doing("cannot open") { () throws(StorageError) in try MemoryStorage(machine.disk) }
        }
        _ = try await runner.goOnline(process: 1)
        _ = try await runner.pulse()
        try machine.append(2...40)
        let gone = machine.segments.sorted().dropLast(2)
        try #require(gone.count > 3)
        for segment in gone { machine.disk.delete(SegmentReader.path(ofSegment: segment)) }
        var error: LedgerError?
        do throws(LedgerError) { _ = try await runner.pulse() } catch let found { error = found }
        #expect(error?.code == .tampered && error?.cause == .drift, "\(String(describing: error))")
    }

    @Test("a check that cannot be made is an I/O error, latched, and no alarm")
    func unknown() throws {
        let machine = try SimulatedMachine(count: 3)
        let storage = try machine.faulty()
        var session = try machine.session(storage)
        try session.acquire()
        storage.setPlan(.rule { _, operation in operation.kind == .status ? .fail(.permissionDenied) : nil })
        let error = ledgerError { () throws(LedgerError) in try session.record(TestLedger.draft(4)) }
        #expect(error?.code == .inputOutput)
        storage.setPlan(.none)
        #expect(ledgerError { () throws(LedgerError) in try session.record(TestLedger.draft(4)) } == error)
        session.release()
        #expect(try !machine.head().alert)
        #expect(try machine.openingError() == nil)
    }

    @Test(
        "HEAD replaced while it is held: noticed when it is to be replaced; from then on nothing is acknowledged",
        arguments: [true, false])
    func head(isOlder: Bool) throws {
        var machine = try SimulatedMachine(count: 1)
        let older = machine.headBytes
        try machine.append(2...3)
        machine.settings.headCommitCount = 1
        var session = try machine.session()
        try session.acquire()
        if isOlder {
            machine.disk.setBytes(of: Layout.head, to: older)
        } else {
            machine.disk.setBytes(of: Layout.head, to: [1, 2])
        }
        try session.record(TestLedger.draft(4))
        session.replaceHeadIfDue()
        #expect(session.takeNotices().count == 1)
        let error = ledgerError { () throws(LedgerError) in try session.record(TestLedger.draft(5)) }
        #expect(error?.code == .tampered)
        session.release()
        if isOlder {
            #expect(try machine.head().alert && machine.head().seq == 2)
            #expect(try machine.openingError()?.code == .locked)
        } else {
            #expect(machine.headBytes == [1, 2], "what is no valid HEAD stays as it is")
            #expect(try machine.openingError()?.code == .tampered)
        }
    }

    @Test(
        "on real files: the segment, the key, the base", arguments: ["ledger/00000000000000000001.frames", "keys", "."])
    func files(name: String) throws {
        let directory = TemporaryDirectory()
        _ = try TestLedger.write(to: directory, count: 3)
        let storage = try POSIXStorage(path: directory.path("ledger"))
        var session = WriterSession(storage, TestLedger.environment())
        try session.acquire()
        try session.record(TestLedger.draft(4))
        if name == "." {
            try FileManager.default.moveItem(atPath: directory.path("ledger"), toPath: directory.path("elsewhere"))
            try FileManager.default.copyItem(atPath: directory.path("elsewhere"), toPath: directory.path("ledger"))
        } else {
            let path = name == "keys" ? "ledger/keys/" + SealingKey.fileName(TestLedger.key.id) : "ledger/" + name
            try directory.copy(path, to: path + ".copy")
            try directory.remove(path)
            try FileManager.default.moveItem(atPath: directory.path(path + ".copy"), toPath: directory.path(path))
        }
        let error = ledgerError { () throws(LedgerError) in try session.record(TestLedger.draft(5)) }
        #expect(error?.code == .tampered)
        session.release()
        let held = name == "." ? "elsewhere/HEAD" : "ledger/HEAD"
        #expect(try Head(file: directory.read(held), keys: [:]).alert)
    }
}
