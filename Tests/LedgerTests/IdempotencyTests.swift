import CanonicalJSON
import DurableFiles
import Ledger
import LedgerFormat
import SystemPackage
import TestSupport
import Testing

@Suite("Idempotency")
struct IdempotencyTests {
    private func draft(
        _ number: Int, id: String?, actor: String = "process:test", reason: String = "same"
    ) throws -> Draft {
        try Draft(
            action: "test.event", actor: actor, justification: Justification(.integrity, reason),
            body: ["n": .number(Double(number))],
            context: id.map { ["id": .string($0)] } ?? [:])
    }

    @Test("the same id and content: the receipt of then, and no entry")
    func repetition() throws {
        let machine = try SimulatedMachine()
        let first = try draft(1, id: "a")
        try machine.write { session throws in
            let answer = try session.decide([first])
            #expect(!answer.isRepetition)
            let again = try session.decide([first])
            #expect(again.isRepetition && again.receipts == answer.receipts)
            try session.record(try draft(2, id: "b"))
            #expect(try session.decide([first]).receipts == answer.receipts)
        }
        #expect(try machine.entries().count == 3)
    }

    @Test("other content: conflict, both are shown, and nothing is recorded")
    func conflict() throws {
        let machine = try SimulatedMachine()
        let first = try draft(1, id: "a")
        try machine.write { try $0.record(first) }
        let others = [try draft(2, id: "a"), try draft(1, id: "a", reason: "other")]
        for other in others {
            try machine.write { session throws in
                let error = ledgerError { () throws(LedgerError) in try session.record(other) }
                #expect(error?.code == .conflict)
                #expect(error?.message.contains("seq 2") == true)
            }
        }
        #expect(try machine.entries().count == 2)
    }

    @Test("the places that a draft names are content; what its writer had seen of them is not")
    func places() throws {
        let machine = try SimulatedMachine()
        func placed(_ base: Int, reads: [JSON] = ["/r"], writes: [JSON] = ["/w"]) throws -> Draft {
            try Draft(
                action: "test.event", actor: "process:test", justification: Justification(.integrity, "same"), body: ["n": 1],
                context: ["id": "a", "base": .number(Double(base)), "reads": .array(reads), "writes": .array(writes)])
        }
        try machine.write { try $0.record(try placed(1)) }
        for isSameSession in [true, false] {
            try machine.write { session throws in
                if isSameSession { #expect(try session.decide([try placed(2)]).isRepetition) }
                for other in [try placed(1, reads: []), try placed(1, writes: ["/w", "/v"]), try draft(1, id: "a")] {
                    let error = ledgerError { () throws(LedgerError) in try session.record(other) }
                    #expect(error?.code == .conflict && error?.message.contains("reads [\"/r\"], writes [\"/w\"]") == true)
                }
                #expect(try session.decide([try placed(2)]).isRepetition)
            }
        }
        #expect(try machine.entries().count == 2)
    }

    @Test("composed and decomposed letters are different: as id, as actor and as reason")
    func unicode() throws {
        let machine = try SimulatedMachine()
        let (composed, decomposed) = ("\u{E9}", "e\u{301}")
        try machine.write { session throws in
            let first = try session.record(try draft(1, id: composed))
            let second = try session.record(try draft(2, id: decomposed))
            #expect(first.seq + 1 == second.seq)
            try session.record(try draft(3, id: "x", actor: "user:\(composed)"))
            try session.record(try draft(4, id: "x", actor: "user:\(decomposed)"))
            try session.record(try draft(5, id: "r", reason: composed))
            let other = try draft(5, id: "r", reason: decomposed)
            #expect(ledgerError { () throws(LedgerError) in try session.record(other) }?.code == .conflict)
        }
        #expect(try machine.entries().count == 6)
    }

    @Test("another actor may use the same id")
    func actors() throws {
        let machine = try SimulatedMachine()
        let drafts = [try draft(1, id: "a", actor: "user:ada"), try draft(2, id: "a", actor: "user:bob")]
        try machine.write { session throws in
            for draft in drafts { #expect(try !session.decide([draft]).isRepetition) }
            for draft in drafts { #expect(try session.decide([draft]).isRepetition) }
        }
    }

    @Test("across sessions, across rolls, and after a crash")
    func acrossSessions() throws {
        var settings = WriterSettings()
        settings.segmentByteCount = 2000
        let machine = try SimulatedMachine(settings: settings)
        let drafts = try (1...20).map { try draft($0, id: "id-\($0)") }
        let receipts = try machine.write { session in try drafts.map { try session.record($0) } }
        #expect(machine.segments.count > 3)
        for machine in [machine] + machine.disk.crashImages(0..<3).map({ SimulatedMachine(machine, $0) }) {
            try machine.write { session throws in
                for (draft, receipt) in zip(drafts, receipts).reversed() {
                    let answer = try session.decide([draft])
                    #expect(answer.isRepetition && answer.receipts == [receipt])
                }
            }
            #expect(try machine.entries().count == 21)
        }
    }

    @Test("within one batch")
    func withinBatch() throws {
        let machine = try SimulatedMachine()
        let (first, other) = (try draft(1, id: "a"), try draft(2, id: "a"))
        try machine.write { session throws in
            let answers = session.commit([[first], [first], [other], [try draft(3, id: nil)]])
            let receipts = try answers[0].get().receipts
            let again = try answers[1].get()
            #expect(again.receipts == receipts && again.isRepetition)
            #expect(ledgerError { () throws(LedgerError) in _ = try answers[2].get() }?.code == .conflict)
            #expect(try answers[3].get().receipts[0].seq == 3)
        }
        #expect(try machine.entries().count == 3)
    }

    @Test("a repetition in a batch that fails is not acknowledged")
    func failedBatch() throws {
        let machine = try SimulatedMachine()
        let first = try draft(1, id: "a")
        let storage = try machine.faulty()
        var session = try machine.session(storage)
        try session.acquire()
        storage.setPlan(.rule { _, operation in operation.kind == .write ? .fail(.noSpace) : nil })
        for answer in session.commit([[first], [first]]) {
            #expect(ledgerError { () throws(LedgerError) in _ = try answer.get() }?.code == .inputOutput)
        }
        storage.setPlan(.none)
        #expect(try !session.decide([first]).isRepetition, "it was forgotten with the failure")
        session.release()
        #expect(try machine.entries().count == 2)
    }

    @Test(
        "the window: an id is compared among the last N entries, in this session and the next",
        arguments: [1, 2, 5, 100])
    func window(size: UInt64) throws {
        var settings = WriterSettings()
        settings.idWindow = size
        let machine = try SimulatedMachine(settings: settings)
        let first = try draft(0, id: "a")
        for isSameSession in [true, false] {
            for distance in [size - 1, size] {
                let copy = machine.copy()
                func after(_ session: inout WriterSession) throws {
                    // The entry itself is the last of the window when N - 1 others follow it.
                    #expect(
                        try session.decide([first]).isRepetition == (distance < size), "\(isSameSession) \(distance)")
                }
                try copy.write { session throws in
                    try session.record(first)
                    for number in 0..<distance { try session.record(try draft(Int(number), id: "x\(number)")) }
                    if isSameSession { try after(&session) }
                }
                if !isSameSession { try copy.write { session in try after(&session) } }
            }
        }
    }

    @Test("a decision is repeated as a whole; one that is known in part conflicts")
    func decisions() throws {
        let machine = try SimulatedMachine()
        let drafts = try (1...3).map { try draft($0, id: "d\($0)") }
        try machine.write { session throws in
            let answer = try session.decide(drafts)
            let again = try session.decide(drafts)
            #expect(again.isRepetition && again.receipts == answer.receipts)
            let mixed = [drafts[0], try draft(9, id: "new")]
            #expect(ledgerError { () throws(LedgerError) in try session.decide(mixed) }?.code == .conflict)
        }
        #expect(try machine.entries().count == 4)
    }

    @Test("one id twice in one decision is refused: it could never be repeated")
    func twiceInDecision() throws {
        let machine = try SimulatedMachine()
        try machine.write { session throws in
            let other = [try draft(1, id: "a"), try draft(2, id: "a")]
            #expect(ledgerError { () throws(LedgerError) in try session.decide(other) }?.code == .conflict)
            let same = [try draft(1, id: "a"), try draft(1, id: "a")]
            #expect(ledgerError { () throws(LedgerError) in try session.decide(same) }?.code == .conflict)
        }
        #expect(try machine.entries().count == 1)
    }
}
