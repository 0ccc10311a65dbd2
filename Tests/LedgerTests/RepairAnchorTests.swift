import CanonicalJSON
import DurableFiles
import Ledger
import LedgerFormat
import TestSupport
import Testing

/// A step back, and another history, under damage: a repair mends bytes, and makes neither of them right.
@Suite("Repair: what was seen before is named")
struct RepairAnchorTests {
    /// Why a repair is needed at all.
    enum Need: String, CaseIterable { case damage, alert }

    private func append(_ machine: SimulatedMachine, _ anchors: MemoryAnchors?, _ numbers: ClosedRange<Int>) throws {
        var session = WriterSession(try machine.storage(), machine.environment, machine.settings, anchor: anchors)
        try session.acquire()
        defer { session.release() }
        for number in numbers { try session.record(TestLedger.draft(number)) }
    }

    /// - Parameter seq: an entry to damage.
    private func make(_ need: Need, _ machine: SimulatedMachine, damaging seq: UInt64) throws {
        switch need {
        case .damage:
            let place = try machine.place(seq)
            machine.disk.flip(1, at: place.offset + 40, of: SegmentReader.path(ofSegment: place.segment))
        case .alert:
            var head = try machine.head()
            head.alert = true
            machine.disk.setBytes(of: Layout.head, to: head.sealed(with: try machine.key()))
        }
    }

    private func repair(_ machine: SimulatedMachine, _ anchors: MemoryAnchors) throws -> Repair.Outcome {
        try Repair(machine.environment, machine.settings, anchor: anchors).run(machine.storage())
    }

    private func prospect(_ machine: SimulatedMachine, _ anchors: MemoryAnchors) throws -> RepairPlan? {
        guard
            case .mend(let plan) = try Repair(machine.environment, machine.settings, anchor: anchors).prospect(machine.storage())
        else { return nil }
        return plan
    }

    private func repaired(_ machine: SimulatedMachine) throws -> JSON {
        try JSON(parsing: try #require(try machine.entries().last { $0.action == ChainTurn.repaired }).body)
    }

    private func verdict(_ machine: SimulatedMachine, _ anchors: MemoryAnchors) throws -> AnchorVerdict? {
        try AnchorWatch(anchors, machine.storage())?.verdict(lastSeq: try machine.head().seq, machine.environment)
    }

    @Test("a step back: plan and entry name it, the loss is recorded, and then it is settled", arguments: Need.allCases)
    func steppedBack(need: Need) async throws {
        let machine = try SimulatedMachine(count: 2)
        let anchors = MemoryAnchors()
        try append(machine, anchors, 3...4)
        let old = machine.copy()
        try append(machine, anchors, 5...9)
        let seen = try #require(anchors.read(try machine.head().ledger).sighting)
        try make(need, old, damaging: 3)

        let plan = try #require(try prospect(old, anchors))
        #expect(plan.anchorWarnings.count == 1 && plan.anchorWarnings[0].contains("stepped back from seq 10"))
        #expect(plan.anchorMessage?.contains("stepped back") == true)
        let outcome = try repair(old, anchors)
        #expect(outcome.anchorMessage == nil && outcome.receipt?.seq == 11)
        let body = try repaired(old)
        #expect(body["anchor"]?["seq"]?.integer == 10 && body["anchor"]?["hash"]?.string == seen.hash.description)
        #expect(body["anchor"]?["time"]?.string == seen.time.description && body["anchor"]?["path"]?.string == "/ledger")
        #expect(body["anchor"]?["objection"]?.string?.contains("stepped back from seq 10") == true)
        #expect(body["trauma"]?.string?.contains("stepped back from seq 10") == true)
        #expect(body["gap"]?["last"]?.integer == 10)
        #expect(try verdict(old, anchors) == .fine)
        try append(old, anchors, 20...20)
        #expect(try await old.audit().verdict == .intact)
    }

    @Test(
        "another history stays one behind a repair, wherever the damage is, until it is accepted by name",
        arguments: Need.allCases, [UInt64(2), 4, 8])
    func otherHistory(need: Need, damaged: UInt64) async throws {
        let machine = try SimulatedMachine(count: 2)
        let anchors = MemoryAnchors()
        try append(machine, anchors, 3...4)
        let old = machine.copy()
        try append(machine, anchors, 5...6)
        let seen = try #require(anchors.read(try machine.head().ledger).sighting)
        #expect(seen.seq == 7)
        try append(old, nil, 50...56)
        try make(need, old, damaging: damaged)

        let plan = try #require(try prospect(old, anchors))
        #expect(plan.anchorWarnings.count == 1 && plan.anchorWarnings[0].contains("this is another history"))
        let outcome = try repair(old, anchors)
        #expect(outcome.anchorMessage?.contains("bulla anchor accept") == true, "\(outcome.anchorMessage ?? "nothing")")
        let body = try repaired(old)
        #expect(body["anchor"]?["seq"]?.integer == 7 && body["anchor"]?["hash"]?.string == seen.hash.description)
        #expect(body["trauma"]?.string?.contains("this is another history") == true)
        #expect(try await old.audit().verdict == .intact)
        // Whatever reads or writes says it still.
        #expect(anchors.read(try old.head().ledger).sighting == seen)
        #expect(try prospect(old, anchors)?.anchorMessage?.contains("another history") == true)
        guard case .alarm = try verdict(old, anchors) else {
            Issue.record("a reader does not object")
            return
        }
        let refused = #expect(throws: LedgerError.self) { try append(old, anchors, 60...60) }
        #expect(refused?.message.contains("another history") == true)

        var session = WriterSession(try old.storage(), old.environment, old.settings)
        try session.acquire()
        let acceptance = try session.accept(anchors, reason: "the other one is gone")
        #expect(acceptance?.objections.count == 1)
        session.release()
        try append(old, anchors, 61...61)
        #expect(try verdict(old, anchors) == .fine)
    }

    @Test(
        "what was seen and is archived is compared with the end of its segment, which the archive's entry tells",
        arguments: [true, false])
    func archived(isOther: Bool) throws {
        let machine = try SimulatedMachine.segmented(count: 40, segmentByteCount: 4000)
        let entries = try machine.entries()
        let next = try #require(machine.segments.sorted().dropFirst(2).first)
        let (last, other) = (entries[Int(next) - 2], entries[Int(next) - 3])
        let anchors = MemoryAnchors()
        _ = anchors.update(last.ledger) { anchor in
            let hash = isOther ? other.hash : last.hash
            anchor.note(.init(path: anchors.here, seq: last.seq, hash: hash, segment: 1, offset: 9, time: last.time))
        }
        try machine.archive(machine.segments.sorted().filter { $0 < next })
        try make(.damage, machine, damaging: next + 1)
        let plan = try #require(try prospect(machine, anchors))
        #expect(plan.damages.count == 1)
        #expect(plan.anchorWarnings.count == (isOther ? 1 : 0), "\(plan.anchorWarnings)")
        #expect(plan.anchorMessage?.contains("another history") == (isOther ? true : nil))
    }

    @Test("the repair was killed before HEAD: who ends it keeps what was seen all the same")
    func resumed() throws {
        let machine = try SimulatedMachine(count: 2)
        let anchors = MemoryAnchors()
        try append(machine, anchors, 3...4)
        let old = machine.copy()
        try append(machine, anchors, 5...6)
        try append(old, nil, 50...56)
        try make(.damage, old, damaging: 2)
        let head = old.headBytes
        var resumed = 0
        for operation in 0... {
            let copy = old.copy()
            let mine = anchors.elsewhere("/ledger")
            let faulty = try copy.faulty(.at([operation: .crash(.everything)]))
            if (try? Repair(copy.environment, copy.settings, anchor: mine).run(faulty)) != nil { break }
            guard copy.headBytes != head, copy.disk.bytes(of: Layout.repair) != nil else { continue }
            let outcome = try repair(copy, mine)
            if outcome.plan == nil { resumed += 1 }
            #expect(outcome.anchorMessage?.contains("another history") == true, "operation \(operation)")
            guard case .alarm = try verdict(copy, mine) else {
                Issue.record("operation \(operation): forgotten")
                continue
            }
        }
        #expect(resumed > 0)
    }

    @Test(
        "what agrees is not named: a damaged ledger that was seen to its end, and one that holds the seen entry behind the damage"
    )
    func agreeing() throws {
        let machine = try SimulatedMachine(count: 2)
        let anchors = MemoryAnchors()
        try append(machine, anchors, 3...6)
        try append(machine, nil, 7...9)
        for seq in 2...10 as ClosedRange<UInt64> {
            let copy = machine.copy()
            let mine = anchors.elsewhere("/ledger")
            try make(.damage, copy, damaging: seq)
            let plan = try #require(try prospect(copy, mine))
            #expect(plan.anchorObjections.isEmpty, "seq \(seq)")
            #expect(try repair(copy, mine).anchorMessage == nil)
            #expect(try repaired(copy)["anchor"] == nil)
            #expect(try verdict(copy, mine) == .fine)
        }
    }
}

extension AnchorFinding {
    /// What was seen at the ledger's own path.
    var sighting: Anchor.Sighting? {
        guard case .found(let anchor) = self else { return nil }
        return anchor.sighting(at: PathText(Array("/ledger".utf8)))
    }
}
