import CanonicalJSON
import DurableFiles
import Ledger
import LedgerFormat
import TestSupport
import Testing

@Suite("Drafts that say what they read and write")
struct PlacedDraftTests {
    private func draft(
        by actor: String = "process:one", base: UInt64? = nil, reads: [String] = [], _ writes: [String: JSON] = [:],
        id: String? = nil
    ) throws -> Draft {
        var body = JSONObject()
        var context = JSONObject()
        for (place, value) in writes { body[String(place.dropFirst())] = value }
        context["base"] = base.map { .number(Double($0)) }
        context["id"] = id.map { .string($0) }
        if !reads.isEmpty { context["reads"] = .array(reads.map(JSON.string)) }
        if !writes.isEmpty { context["writes"] = .array(writes.keys.sorted().map(JSON.string)) }
        return try Draft(
            action: "deploy.start", actor: actor, justification: Justification(.evolution, "test"), body: .object(body),
            context: context)
    }

    private func refusal(_ machine: SimulatedMachine, _ drafts: Draft...) throws -> LedgerError? {
        let before = machine.files
        let error = try machine.write { session in ledgerError { () throws(LedgerError) in _ = try session.decide(drafts) } }
        if error != nil { #expect(machine.files == before) }
        return error
    }

    @Test("without a seq that was seen nothing is compared; with the last one neither")
    func unseen() throws {
        let machine = try SimulatedMachine(count: 3)
        #expect(try refusal(machine, draft(["/a": 1])) == nil)
        #expect(try refusal(machine, draft(["/a": 2])) == nil)
        #expect(try refusal(machine, draft(base: 6, ["/a": 3])) == nil)
        #expect(try machine.count("deploy.start") == 3 && machine.count("ledger.conflict") == 0)
    }

    @Test("disjoint places and the same value are recorded; another value is a conflict that names both, and nothing is written")
    func contest() throws {
        let machine = try SimulatedMachine(count: 3)
        #expect(try refusal(machine, draft(base: 4, ["/a": 1, "/b": 1])) == nil)
        #expect(try refusal(machine, draft(by: "process:two", base: 4, ["/c": 1])) == nil)
        #expect(try refusal(machine, draft(by: "process:two", base: 4, ["/b": 1])) == nil)
        let error = try #require(try refusal(machine, draft(by: "process:two", base: 4, ["/a": 22])))
        #expect(error.code == .conflict && error.collisions.count == 1)
        for words in ["process:one", "entry 5", "it has 1 there", "22", "--base 7"] {
            #expect(error.message.contains(words), "\(error)")
        }
        #expect(try refusal(machine, draft(by: "process:two", base: 4, reads: ["/a"]))?.code == .conflict)
        #expect(try refusal(machine, draft(by: "process:two", base: 4, reads: ["/a/x"], ["/z": 1]))?.code == .conflict)
        #expect(try refusal(machine, draft(by: "process:two", base: 7, reads: ["/a"], ["/a": 22])) == nil)
    }

    @Test("what stands in the same block, or is on its way to the disk, is compared too")
    func batch() throws {
        let machine = try SimulatedMachine(count: 3)
        let expected: [ErrorCode?] = [nil, nil, .conflict]
        try machine.write { session in
            let answers = session.commit([
                [try draft(["/a": 1])], [try draft(by: "process:two", base: 4, ["/b": 1])],
                [try draft(by: "process:two", base: 4, ["/a": 2])],
            ])
            #expect(codes(answers) == expected)
            var late = session.submit([[try draft(["/c": 1])]])
            late += session.submit([[try draft(["/d": 1])], [try draft(by: "process:two", base: 4, ["/c": 2])]])
            late += session.settle()
            #expect(codes(late) == expected)
        }
        #expect(try machine.count("deploy.start") == 4)
    }

    @Test("who had seen too little is told to look again; nobody has seen what is not there yet")
    func distance() throws {
        let machine = try SimulatedMachine()
        try machine.write { session in
            _ = session.commit((0..<10_000).map { _ in [TestLedger.draft(1, size: 0)] })
        }
        #expect(try refusal(machine, draft(base: 1, ["/a": 1])) == nil)
        let error = try #require(try refusal(machine, draft(base: 1, ["/b": 1])))
        #expect(
            error.code == .refused && error.message.contains("more than 10000 entries behind")
                && error.message.contains("--base 10002"))
        #expect(try refusal(machine, draft(base: 10_003, ["/b": 1]))?.code == .refused)
    }

    @Test("a higher class has the place, whoever came first; the loser's value is kept, and it is told again to who repeats")
    func classes() async throws {
        for isGuardFirst in [true, false] {
            let machine = try SimulatedMachine.classed()
            let base = try machine.tip().seq
            let actors = isGuardFirst ? ["security-sentinel", "skill-utility"] : ["skill-utility", "security-sentinel"]
            for actor in actors {
                let name = "process:\(actor)"
                let answer = try machine.signing(Classes.signers[actor]!).write { session in
                    try session.decide([try draft(by: name, base: base, ["/a": .string(actor), "/own-\(actor)": 1], id: "one")])
                }
                #expect(answer.receipts.count == 1)
                let isLoser = actor == "skill-utility" && isGuardFirst
                #expect(answer.lost.map(\.at.description) == (isLoser ? ["/a"] : []))
                let again = try machine.signing(Classes.signers[actor]!).write { session in
                    try session.decide([try draft(by: name, base: base, ["/a": .string(actor), "/own-\(actor)": 1], id: "one")])
                }
                #expect(again.isRepetition && again.receipts == answer.receipts && again.lost.count == answer.lost.count)
            }
            let told = try #require(try machine.entries().last { $0.action == "ledger.conflict" })
            let body = try JSON(parsing: told.body)
            let list = try #require(body[isGuardFirst ? "lost" : "overrode"]?.array)
            let collision = try #require(list.first.flatMap { Collision($0) })
            #expect(list.count == 1 && collision.part == 1 && collision.loser.value == .present("skill-utility"))
            #expect(collision.loser.actor == "process:skill-utility" && collision.winner.value == .present("security-sentinel"))
            #expect(try await machine.audit().verdict == .intact)
        }
    }

    @Test("what is told of long values has room, however many are taken")
    func many() throws {
        let machine = try SimulatedMachine.classed()
        let base = try machine.tip().seq
        try machine.write { session in
            let value = JSON.string(String(repeating: "x", count: 3900))
            let drafts = try (0..<1001).map { _ in [try draft(["/a": value])] }
            for answer in session.commit(drafts) { _ = try answer.get() }
        }
        let guardian = machine.signing(Classes.signers["security-sentinel"]!)
        #expect(try refusal(guardian, try draft(by: "process:security-sentinel", base: base, ["/a": 1])) == nil)
        let told = try JSON(parsing: try #require(try machine.entries().last).body)
        #expect(told["overrode"]?.array?.count == 1000 && told["overrode_more"] == [.number(Double(base + 1001))])
    }

    @Test("a session goes on knowing what the last entries say of places, however many it writes")
    func window() throws {
        let machine = try SimulatedMachine(count: 3)
        try machine.write { session in
            _ = try session.decide([try draft(["/old": 1])])
            _ = try session.decide([try draft(base: 5, ["/known": 1])])
            _ = try session.decide([try draft(base: 5, ["/late": 1])])
            for _ in 0..<3 {
                for answer in session.commit((0..<7000).map { _ in [TestLedger.draft(1, size: 0)] }) { _ = try answer.get() }
                _ = try session.decide([try draft(["/late": 1])])
            }
            let tip = try #require(session.tip?.seq)
            let late = try draft(by: "process:two", base: tip - 9000, ["/late": 2])
            let stale = ledgerError { () throws(LedgerError) in _ = try session.decide([late]) }
            #expect(stale?.code == .conflict)
            _ = try session.decide([try draft(by: "process:two", base: tip - 5000, ["/late": 1, "/old": 2])])
        }
    }

    @Test("a decision that begins the next block is compared again with what is on the disk by then")
    func blocks() throws {
        let machine = try SimulatedMachine.classed()
        let tip = try machine.tip()
        let pad = JSON.string(String(repeating: "x", count: 900_000))
        let guardian = try draft(by: "process:security-sentinel", base: tip.seq, ["/a": 2, "/pad": pad])
            .signed(by: Classes.signers["security-sentinel"]!, in: tip.ledger, base: tip.seq, id: "one")
        try machine.write { session in
            var decisions = [[try draft(["/a": 1, "/pad": 1])]]
            for _ in 0..<9 { decisions.append([TestLedger.draft(1, size: 900_000)]) }
            decisions.append([guardian])
            for answer in session.commit(decisions) { _ = try answer.get() }
        }
        let told = try JSON(parsing: try #require(try machine.entries().last { $0.action == "ledger.conflict" }).body)
        #expect(told["overrode"]?.array?.count == 2 && told["overrode"]?[0]?["loser"]?["seq"] == .number(Double(tip.seq + 1)))
    }

    @Test("who lost what does not depend on arrival, one by one or in one block", arguments: 1...25 as ClosedRange<UInt64>)
    func orders(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let machine = try SimulatedMachine.classed(seed: seed)
        let tip = try machine.tip()
        let drafts = try Classes.names.map { actor -> Draft in
            let writes = (0..<Int.random(in: 1...2, using: &random)).map { _ in
                "/" + ["a", "b", "c"].randomElement(using: &random)!
            }
            let reads = Bool.random(using: &random) ? ["/" + ["a", "b", "c"].randomElement(using: &random)!] : []
            let values = Dictionary(writes.map { ($0, JSON.number(Double(Int.random(in: 0...1, using: &random)))) }) { $1 }
            return try draft(by: "process:\(actor)", base: tip.seq, reads: reads, values)
                .signed(by: Classes.signers[actor]!, in: tip.ledger, base: tip.seq, id: actor)
        }
        var outcomes: Set<Set<String>> = []
        for round in 0..<12 {
            let copy = machine.copy()
            let arrivals = drafts.shuffled(using: &random)
            try copy.write { session in
                if round % 2 == 0 {
                    let decisions = arrivals.map { [$0] }
                    for answer in session.commit(decisions) { _ = try answer.get() }
                } else {
                    for draft in arrivals { try session.record(draft) }
                }
            }
            outcomes.insert(try copy.losses())
        }
        #expect(outcomes.count == 1, "seed \(seed)")
    }
}

private func codes(_ answers: [Result<WriterSession.Answer, LedgerError>]) -> [ErrorCode?] {
    answers.map { answer in
        if case .failure(let error) = answer { error.code } else { nil }
    }
}
