import CanonicalJSON
import DurableFiles
import Ledger
import LedgerFormat
import TestSupport
import Testing

extension SimulatedMachine {
    @discardableResult
    func enroll(_ actor: String, _ signer: ActorSigner) throws -> Receipt {
        try write { session in try session.enroll(actor, as: "worker", signer.key, reason: "test") }
    }

    @discardableResult
    func revoke(_ actor: String) throws -> Receipt { try write { session in try session.revoke(actor, reason: "test") } }

    func actors() throws -> ActorRoster { try LedgerView(storage()).actors() }

    /// A writer with an actor's key.
    func signing(_ signer: ActorSigner) -> SimulatedMachine {
        var machine = self
        machine.settings.signer = signer
        return machine
    }
}

@Suite("Actors with keys")
struct ActorTests {
    private static let name = "process:test"

    /// Small segments, a ledger of three entries, and the actor of test drafts enrolled.
    private func enrolled(seed: UInt64 = 1) throws -> SimulatedMachine {
        let machine = try SimulatedMachine.segmented(count: 2, segmentByteCount: 4000, seed: seed)
        try machine.enroll(Self.name, TestActors.ada)
        return machine
    }

    private func signed(_ number: Int, _ signer: ActorSigner, _ machine: SimulatedMachine, id: String? = nil) throws -> Draft {
        let tip = try machine.tip()
        return TestLedger.draft(number, id: id).signed(by: signer, in: tip.ledger, base: tip.seq, id: "id \(number)")
    }

    private func refusal(_ machine: SimulatedMachine, _ drafts: Draft...) throws -> String? {
        let before = machine.files
        let error = try machine.write { session in
            ledgerError { () throws(LedgerError) in _ = try session.decide(drafts) }
        }
        guard let error else { return nil }
        #expect(error.code == .refused && machine.files == before, "\(error)")
        return error.message
    }

    @Test("an enrolled actor's name is its own: unsigned, foreign and re-targeted drafts are refused, each with its reason")
    func names() async throws {
        let machine = try enrolled()
        #expect(try refusal(machine, TestLedger.draft(1))?.contains("the signature is missing") == true)
        #expect(try refusal(machine, signed(1, TestActors.eve, machine))?.contains("the signature is not that of") == true)
        let tip = try machine.tip()
        let other = TestLedger.draft(1).signed(by: TestActors.ada, in: LedgerID(1, 2), base: tip.seq, id: "x")
        #expect(try refusal(machine, other)?.contains("the signature is not that of") == true)
        // One bad draft of a decision refuses the others.
        #expect(try refusal(machine, TestLedger.draft(1, actor: "user:bob"), TestLedger.draft(2)) != nil)
        let nobody = TestLedger.draft(1, actor: "user:bob").signed(by: TestActors.bob, in: tip.ledger, base: tip.seq, id: "x")
        #expect(try refusal(machine, nobody)?.contains("nobody is enrolled as user:bob") == true)
        try machine.write { session in
            try session.record(signed(1, TestActors.ada, machine))
            try session.record(TestLedger.draft(2, actor: "user:bob"))
        }
        #expect(try await machine.audit().verdict == .intact)
    }

    @Test("no drafts pass by: submitted, committed as a group, and by the group committer")
    func ways() async throws {
        let machine = try enrolled()
        try machine.write { session in
            #expect(session.submit([[TestLedger.draft(1)]]).contains { (try? $0.get()) == nil })
            _ = session.settle()
            let answers = session.commit(runs: [[[TestLedger.draft(1)]], [[TestLedger.draft(2, actor: "user:bob")]]])
            #expect((try? answers[0][0].get()) == nil && (try? answers[1][0].get()) != nil)
        }
        let committer = GroupCommitter(try machine.storage(), machine.environment, machine.settings)
        let answers = await committer.append(inOrder: [[TestLedger.draft(1)]])
        #expect((try? answers[0].get()) == nil)
    }

    @Test("a session with the key signs by itself, and for nobody else")
    func signer() async throws {
        let machine = try enrolled()
        try machine.signing(TestActors.ada).append(1...20)
        #expect(try await machine.audit().verdict == .intact)
        #expect(try machine.entries().count { $0.actor == Self.name && $0.id != nil } == 20)
        let eve = machine.signing(TestActors.eve)
        #expect(throws: LedgerError.self) { try eve.append(1...1) }
        #expect(throws: LedgerError.self, "nobody is enrolled there") {
            try machine.signing(TestActors.ada).write { try $0.record(TestLedger.draft(1, actor: "user:bob")) }
        }
    }

    @Test("a signed draft counts once: repeated it answers as then, and too old it is refused")
    func replay() async throws {
        let machine = try SimulatedMachine(count: 2)
        try machine.enroll(Self.name, TestActors.ada)
        let draft = try signed(1, TestActors.ada, machine)
        let receipt = try machine.write { try $0.record(draft) }
        for _ in 0..<2 {
            let again = try machine.write { try $0.decide([draft]) }
            #expect(again.isRepetition && again.receipts == [receipt])
        }
        let base = receipt.seq - 1
        let count = Int(base + 10_000 - receipt.seq)
        let others = (1...count).map { TestLedger.draft($0, actor: "user:bob") }
        try machine.write { _ = $0.commit(others.map { [$0] }) }
        #expect(try machine.tip().seq == base + 10_000)
        #expect(try machine.write { try $0.decide([draft]) }.isRepetition, "it is still known")
        try machine.write { try $0.record(TestLedger.draft(1, actor: "user:bob")) }
        #expect(try refusal(machine, draft)?.contains("more than 10000 below the last entry") == true)
        let young = TestLedger.draft(1).signed(by: TestActors.ada, in: receipt.ledger, base: 1_000_000, id: "x")
        #expect(try refusal(machine, young)?.contains("has the base 1000000") == true)
        #expect(try await machine.audit().verdict == .intact)
    }

    @Test("each segment begins with who is enrolled, and a writer of one entry knows it from there")
    func segments() async throws {
        let machine = try enrolled()
        try machine.signing(TestActors.ada).append(1...60)
        #expect(machine.segments.count > 4)
        let entries = try machine.entries()
        let firsts = machine.segments.sorted().dropFirst().map { seq in entries.first { $0.seq == seq }?.action }
        #expect(firsts.allSatisfy { $0 == RosterStatement.enrolled || $0 == RosterStatement.stated }, "\(firsts)")
        #expect(try refusal(machine, TestLedger.draft(1)) != nil)
        for threads in [1, 2] { #expect(try await machine.audit { $0.threadCount = threads }.verdict == .intact) }
        // Audits that begin in the midst of it check signatures too.
        for seq: UInt64 in [5, 20, 40, 60] { #expect(try await machine.audit { $0.firstSeq = seq }.verdict == .intact) }
    }

    @Test("one key for one actor, once; and the house is nobody")
    func keys() throws {
        let machine = try enrolled()
        func refused(_ actor: String, _ signer: ActorSigner) throws -> String {
            let error = try machine.write { session in
                ledgerError { () throws(LedgerError) in
                    _ = try session.enroll(actor, as: "worker", signer.key, reason: "test")
                }
            }
            return error?.message ?? ""
        }
        #expect(try refused("user:bob", TestActors.ada).contains("is that of process:test"))
        #expect(try refused(Self.name, TestActors.bob).contains("is enrolled already"))
        #expect(try refused(ActorRoster.house, TestActors.bob).contains("the house itself"))
        try machine.revoke(Self.name)
        #expect(try refused("user:bob", TestActors.ada).contains("was that of process:test until entry"))
        #expect(try refused(Self.name, TestActors.ada).contains("was that of"))
        #expect(try refused(Self.name, TestActors.bob) == "")
    }

    @Test("a revocation: what was signed before stays valid, and nobody speaks in the name until it is enrolled anew")
    func revocation() async throws {
        let machine = try enrolled()
        try machine.signing(TestActors.ada).append(1...5)
        let late = try signed(6, TestActors.ada, machine)
        let seq = try machine.revoke(Self.name).seq
        #expect(try refusal(machine, late)?.contains("was revoked by entry \(seq)") == true)
        #expect(try refusal(machine, TestLedger.draft(6))?.contains("was revoked") == true)
        #expect(try await machine.audit().verdict == .intact)
        try machine.enroll(Self.name, TestActors.bob)
        #expect(try refusal(machine, late)?.contains("the signature is not that of") == true)
        try machine.signing(TestActors.bob).append(7...9)
        #expect(try await machine.audit().verdict == .intact)
        #expect(try machine.actors().enrolments.map(\.revoked) == [seq, 0])
    }

    @Test("a rotation of the sealing key, an old HEAD and a lost HEAD change nothing about who is enrolled")
    func otherStories() async throws {
        let machine = try enrolled()
        let early = machine.headBytes
        try machine.rotateKey()
        try machine.revoke(Self.name)
        try machine.enroll(Self.name, TestActors.bob)
        #expect(try refusal(machine, TestLedger.draft(1)) != nil)
        machine.disk.setBytes(of: Layout.head, to: early)
        let roster = try machine.write { $0.actors }
        #expect(roster.enrolments.count == 2)
        #expect(try await machine.audit().verdict == .intact)
        machine.disk.delete(Layout.head)
        #expect(try machine.openingError()?.code == .tampered)
        try machine.repair()
        #expect(try machine.write { $0.actors } == roster)
        #expect(try await machine.audit().verdict == .intact)
    }

    @Test("in alert nobody is enrolled, and nobody's key is revoked")
    func alert() throws {
        let machine = try enrolled()
        machine.disk.delete(Layout.head)
        #expect(try machine.openingError()?.code == .tampered)
        let before = machine.files
        #expect(throws: LedgerError.self) { try machine.enroll("user:bob", TestActors.bob) }
        #expect(throws: LedgerError.self) { try machine.revoke(Self.name) }
        #expect(try machine.openingError()?.code == .locked && machine.files == before)
    }

    @Test(
        "a power cut at any operation of an enrolment leaves the name free or bound, never anything between",
        arguments: 1...4 as ClosedRange<UInt64>)
    func crashes(seed: UInt64) async throws {
        let machine = try SimulatedMachine.segmented(count: 2, segmentByteCount: 4000, seed: seed)
        var number = 0
        while true {
            number += 1
            let copy = machine.copy()
            let storage = try copy.faulty(.at([number: .crash(.nothing)]))
            var session = try copy.session(storage)
            let error = ledgerError { () throws(LedgerError) in
                try session.acquire()
                _ = try session.enroll(Self.name, as: "worker", TestActors.ada.key, reason: "test")
            }
            for disk in copy.disk.crashImages(0..<3) {
                let after = SimulatedMachine(copy, disk)
                _ = try after.open()
                let isBound = try !after.write { $0.actors }.isEmpty
                #expect(error != nil || isBound, "operation \(number), seed \(seed)")
                #expect((try refusal(after, TestLedger.draft(1)) != nil) == isBound)
                try after.enroll("user:bob", TestActors.bob)
                #expect(try await after.audit().verdict == .intact, "operation \(number), seed \(seed)")
            }
            if error == nil { break }
        }
        #expect(number > 5)
    }
}
