import DurableFiles
import Ledger
import LedgerFormat
import TestSupport
import Testing

@Suite("Actors behind damage")
struct ActorRepairTests {
    private static let name = "process:test"

    /// Entries in several segments, all in the name of an actor that was enrolled by entry 4.
    private func ledger() throws -> SimulatedMachine {
        let machine = try SimulatedMachine.segmented(count: 2, segmentByteCount: 4000)
        try machine.enroll(Self.name, TestActors.ada)
        try machine.signing(TestActors.ada).append(3...50)
        return machine
    }

    private func damage(_ machine: SimulatedMachine, _ seq: UInt64) throws {
        let place = try machine.place(seq)
        machine.disk.flip(1, at: place.offset + 40, of: SegmentReader.path(ofSegment: place.segment))
    }

    /// Behind a repair: whole, and nobody else speaks in the name.
    private func expectBound(_ machine: SimulatedMachine, _ note: String) async throws {
        let report = try await machine.audit()
        #expect(report.verdict == .intact, "\(note): \(report.verdictLine)")
        #expect(throws: LedgerError.self, "\(note)") { try machine.append(1...1) }
        try machine.signing(TestActors.ada).append(60...61)
        #expect(try await machine.audit().verdict == .intact, "\(note)")
    }

    @Test("an entry is damaged, wherever it stands: who is enrolled stays enrolled", arguments: 1...30 as ClosedRange<UInt64>)
    func anywhere(seq: UInt64) async throws {
        let machine = try ledger()
        try damage(machine, seq)
        let outcome = try machine.repair()
        #expect(outcome.plan?.actors.enrolments.count == 1, "seq \(seq)")
        try await expectBound(machine, "seq \(seq)")
    }

    @Test("the enrolment is lost, and a later segment still tells of it; damaged again, it is known from the repair")
    func lostEnrolment() async throws {
        let machine = try ledger()
        let enrolment = try #require(try machine.entries().first { $0.action == RosterStatement.enrolled }).seq
        try damage(machine, enrolment)
        try machine.repair()
        try await expectBound(machine, "once")
        let repair = try #require(try machine.entries().last { $0.action == ChainTurn.repaired }).seq
        try damage(machine, repair + 2)
        try machine.repair()
        try await expectBound(machine, "twice")
    }

    @Test("a revocation behind the damage is not undone")
    func revocation() async throws {
        let machine = try ledger()
        try machine.revoke(Self.name)
        try machine.append(1...1, actor: "user:bob")
        try damage(machine, 6)
        try machine.repair()
        #expect(try await machine.audit().verdict == .intact)
        #expect(throws: LedgerError.self) { try machine.signing(TestActors.ada).append(60...60) }
    }

    @Test("all that told of the enrolment is lost: the plan names who spoke with a signature")
    func strangers() throws {
        let machine = try SimulatedMachine.segmented(count: 2, segmentByteCount: 40_000)
        try machine.enroll(Self.name, TestActors.ada)
        try machine.signing(TestActors.ada).append(3...9)
        let enrolment = try #require(try machine.entries().first { $0.action == RosterStatement.enrolled }).seq
        try damage(machine, enrolment)
        let outcome = try machine.repair()
        let plan = try #require(outcome.plan)
        #expect(plan.actors.isEmpty)
        #expect(plan.strangers == [Self.name])
    }

    @Test("what somebody sealed in an enrolled actor's name does not count when it is taken over")
    func unsigned() async throws {
        let machine = try ledger()
        // A writer of an older version, or whoever has the sealing key.
        let forged = try machine.forge([TestLedger.draft(100), TestLedger.draft(101, actor: "user:bob")])
        let report = try await machine.audit()
        #expect(report.verdict == .tampered && report.place.seq == forged, "\(report.verdictLine)")
        let outcome = try machine.repair()
        let plan = try #require(outcome.plan)
        #expect(plan.prefix.seq == forged - 1)
        #expect(plan.survivors.unprovenCount == 1 && plan.survivors.provenCount == 1)
        try await expectBound(machine, "repaired")
    }

    /// The ledger with a signed draft of Ada's at its end, recorded once.
    private func signed(_ machine: SimulatedMachine) throws -> Draft {
        let tip = try machine.tip()
        let draft = TestLedger.draft(90).signed(by: TestActors.ada, in: tip.ledger, base: tip.seq, id: "once")
        try machine.write { session in _ = try session.decide([draft]) }
        return draft
    }

    @Test("a signed draft that was recorded a second time does not count when it is taken over, nor behind the next repair")
    func repeated() async throws {
        let machine = try ledger()
        let draft = try signed(machine)
        let forged = try machine.forge([draft, TestLedger.draft(101, actor: "user:bob")])
        for threadCount in 1...2 {
            let report = try await machine.audit { $0.threadCount = threadCount }
            #expect(report.verdict == .tampered && report.place.seq == forged, "\(report.verdictLine)")
            #expect(report.reason?.contains("was recorded before: entry \(forged - 1)") == true, "\(report.verdictLine)")
        }
        let plan = try #require(try machine.repair().plan)
        #expect(plan.prefix.seq == forged - 1)
        #expect(plan.survivors.unprovenCount == 1 && plan.survivors.provenCount == 1)
        try await expectBound(machine, "once")
        // With the prefix that held the first one.
        try damage(machine, forged - 2)
        #expect(try machine.repair().plan?.survivors.unprovenCount == 1)
        try await expectBound(machine, "twice")
    }

    @Test("a decision that repeats one: what else is in it, and was signed, counts")
    func repeatedInDecision() async throws {
        let machine = try ledger()
        let draft = try signed(machine)
        let tip = try machine.tip()
        let other = TestLedger.draft(91).signed(by: TestActors.ada, in: tip.ledger, base: tip.seq, id: "other")
        let forged = try machine.forge([other, draft], asDecision: true)
        #expect(try await machine.audit().verdict == .tampered)
        let plan = try #require(try machine.repair().plan)
        #expect(plan.prefix.seq == forged - 1)
        #expect(plan.survivors.unprovenCount == 1 && plan.survivors.provenCount == 1)
        try await expectBound(machine, "repaired")
    }

    @Test("both stand behind the damage: the first one counts")
    func repeatedBehindDamage() async throws {
        let machine = try ledger()
        let draft = try signed(machine)
        let forged = try machine.forge([draft])
        try damage(machine, 20)
        let plan = try #require(try machine.repair().plan)
        #expect(plan.prefix.seq == 19 && plan.survivors.unprovenCount == 1)
        let readmitted = try machine.entries().filter { $0.action == Readmission.action }
        #expect(readmitted.suffix(2).map { $0.body.suffix(13) == Array("proven\":true}".utf8)[...] } == [true, false])
        #expect(forged == plan.survivors.lastSeq)
        try await expectBound(machine, "repaired")
        // Its actor is told which one counts.
        try machine.write { session in
            let answer = try session.decide([draft])
            #expect(answer.isRepetition && answer.receipts.map(\.seq) == [forged - 1])
        }
    }

    @Test("an id that was forgotten with an archive is spent again behind it: no verifier minds, the archive given or not")
    func behindArchive() async throws {
        let machine = try ledger()
        _ = try signed(machine)
        try machine.signing(TestActors.ada).append(60...90)
        let whole = machine.copy()
        try machine.archive(machine.segments.sorted().dropLast())
        _ = try signed(machine)
        #expect(try machine.entries().last?.id == "once")
        #expect(try await machine.audit().verdict == .intact)
        let storage = try machine.storage()
        for segment in whole.segments where !machine.segments.contains(segment) {
            let bytes = whole.segment(segment)
            try storage.create(SegmentReader.path(ofSegment: segment), bytes.span)
        }
        let report = try await machine.audit()
        #expect(report.verdict == .intact, "as with the archive: \(report.verdictLine)")
    }
}

extension SimulatedMachine {
    fileprivate func append(_ numbers: ClosedRange<Int>, actor: String) throws {
        try write { session in for number in numbers { try session.record(TestLedger.draft(number, actor: actor)) } }
    }

    /// Seals drafts as they are behind the last entry, and lets HEAD vouch for them; gives the first one's seq.
    fileprivate func forge(_ drafts: [Draft], asDecision isDecision: Bool = false) throws -> UInt64 {
        let key = try key()
        let head = try head()
        let tip = try tip()
        var writer = FrameWriter(after: tip, synced: tip.seq, key: key)
        for (index, draft) in drafts.enumerated() {
            try writer.append(
                draft, at: environment.now(), part: isDecision ? Part(index: index + 1, count: drafts.count) : nil)
        }
        setSegment(head.segment, Array(segment(head.segment)[..<head.end]) + writer.block)
        let forged = Head(alert: false, end: head.end + writer.block.count, segment: head.segment, tip: writer.tip)
        disk.setBytes(of: Layout.head, to: forged.sealed(with: key))
        return tip.seq + 1
    }
}
