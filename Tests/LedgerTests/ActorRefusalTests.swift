import DurableFiles
import Ledger
import LedgerFormat
import SystemPackage
import TestSupport
import Testing

@Suite("Actors with keys: what is refused before anything is written")
struct ActorRefusalTests {
    @Test("a roster that is full takes no further key")
    func full() throws {
        var roster = ActorRoster()
        for number in 0..<ActorRoster.countMax {
            let seed = [UInt8(number & 0xFF), UInt8(number >> 8)] + [UInt8](repeating: 7, count: 30)
            let change = RosterStatement.Change.enrolment(
                actor: "user:a\(number)", actorClass: "worker", key: ActorSigner(seed: seed).key)
            roster = try #require(RosterStatement(roster, change).after(UInt64(number) + 2, .zero))
        }
        // As many entries as the roster names; a writer looks at the last segment's first one only.
        var chain = ForgedChain()
        for _ in 0..<ActorRoster.countMax { chain.append() }
        chain.state(&roster)
        let (directory, key) = (TemporaryDirectory(), ForgedChain.keys[0])
        try chain.write(to: directory, name: "L", keys: [key], head: chain.head().sealed(with: key))
        var session = WriterSession(try POSIXStorage(path: directory.path("L")), TestLedger.environment())
        try session.acquire()
        defer { session.release() }
        let tip = try session.tipReceipt()
        let error = ledgerError { () throws(LedgerError) in
            _ = try session.enroll("user:new", as: "worker", TestActors.ada.key, reason: "test")
        }
        #expect(error?.code == .refused, "\(String(describing: error))")
        #expect(error?.message.contains("the ledger has had 1000 actors' keys") == true)
        #expect(try session.tipReceipt() == tip)
    }

    @Test("a key that was taken back is not taken back again")
    func revokedTwice() throws {
        let machine = try SimulatedMachine(count: 2)
        try machine.enroll("user:bob", TestActors.bob)
        let seq = try machine.revoke("user:bob").seq
        let before = machine.files
        let error = try machine.write { session in
            ledgerError { () throws(LedgerError) in _ = try session.revoke("user:bob", reason: "again") }
        }
        #expect(error?.code == .refused, "\(String(describing: error))")
        #expect(error?.message.contains("was revoked before, by entry \(seq)") == true)
        #expect(machine.files == before)
    }

    @Test("a reason that is too long for an entry leaves no empty segment")
    func tooLong() throws {
        let machine = try SimulatedMachine(count: 2)
        let before = machine.files
        let reason = String(decoding: [UInt8](repeating: UInt8(ascii: "x"), count: Limits.draftPayload), as: UTF8.self)
        let error = try machine.write { session in
            ledgerError { () throws(LedgerError) in
                _ = try session.enroll("user:bob", as: "worker", TestActors.bob.key, reason: reason)
            }
        }
        #expect(error?.code == .usage, "\(String(describing: error))")
        #expect(error?.message.contains("give a shorter reason") == true)
        #expect(machine.files == before)
    }

    @Test("a base that what the house has to say first makes too old")
    func agedByTheHouse() async throws {
        let machine = try SimulatedMachine(count: 2)
        try machine.enroll("process:test", TestActors.ada)
        let tip = try machine.tip()
        let draft = TestLedger.draft(1).signed(by: TestActors.ada, in: tip.ledger, base: tip.seq, id: "late")
        let others = (1...10_000).map { [TestLedger.draft($0, actor: "user:bob")] }
        try machine.write { session in
            for answer in session.commit(others) { _ = try answer.get() }
        }
        #expect(try machine.tip().seq == tip.seq + 10_000)
        // A clock that stepped back is recorded in front of the draft.
        var environment = machine.environment
        environment.now = { Timestamp(microseconds: 1_700_000_000_000_000) }
        let behind = SimulatedMachine(machine, machine.disk, environment)
        let error = try behind.write { session in
            ledgerError { () throws(LedgerError) in _ = try session.decide([draft]) }
        }
        #expect(error?.code == .refused, "\(String(describing: error))")
        #expect(error?.message.contains("more than 10000 below the last entry") == true)
        #expect(try await machine.audit().verdict == .intact)
    }

    @Test("a batch that does not land: no segment is begun behind it, and what came next is refused with it")
    func unlanded() async throws {
        let machine = try SimulatedMachine.segmented(count: 2, segmentByteCount: 4000)
        try machine.enroll("process:test", TestActors.ada)
        let segments = machine.segments
        let storage = try machine.faulty()
        var session = try machine.session(storage)
        try session.acquire()
        storage.setPlan(
            .rule { _, operation in
                operation.kind == .synchronize && operation.path?.directory == "ledger" ? .fail(.ioError) : nil
            })
        var answers = session.submit([[TestLedger.draft(1, actor: "user:bob", size: 5000)]])
        answers += session.submit([[TestLedger.draft(2, actor: "user:bob")]])
        answers += session.settle()
        session.release()
        #expect(!answers.isEmpty && answers.allSatisfy { (try? $0.get()) == nil })
        #expect(machine.segments.sorted() == segments.sorted())
        #expect(try machine.openingError() == nil)
        #expect(try await machine.audit().verdict == .intact)
    }
}
