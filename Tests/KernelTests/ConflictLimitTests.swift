import CanonicalJSON
import DurableFiles
import Kernel
import Ledger
import LedgerFormat
import TestSupport
import Testing

@Suite("Conflicts of many places, and of large ones")
struct ConflictLimitTests {
    private func event(_ name: String, _ base: UInt64, _ places: [String], _ body: JSON, id: String? = nil) throws -> Draft {
        var context: JSONObject = ["base": .number(Double(base)), "writes": .array(places.map(JSON.string))]
        context["id"] = id.map { .string($0) }
        return try Draft(
            action: "deploy.start", actor: "process:\(name)", justification: .test, body: body, context: context)
    }

    private func decide(_ drafts: [Draft], as name: String, on machine: SimulatedMachine) throws -> WriterSession.Answer {
        try machine.signing(Classes.signers[name]!).write { session in try session.decide(drafts) }
    }

    /// All places that events lost, those too that are told by the seq of their entry alone.
    private func losses(_ machine: SimulatedMachine) throws -> (named: Int, all: Set<String>) {
        let entries = try machine.entries()
        var (named, all) = (0, try machine.losses())
        for entry in entries where entry.action == "ledger.conflict" {
            let body = try JSON(parsing: entry.body)
            named = max(named, (body["lost"]?.array?.count ?? 0) + (body["overrode"]?.array?.count ?? 0))
            let part = try #require(try JSON(parsing: entry.context)["part"]?.array?[0].integer)
            let more =
                (body["overrode_more"]?.array ?? []).compactMap(\.integer)
                + (body["lost_more"] == nil ? [] : (1..<part).map { Int64(entry.seq) - $0 })
            for loser in entries where more.contains(Int64(loser.seq)) {
                for place in try JSON(parsing: loser.context)["writes"]?.array ?? [] {
                    all.insert("\(loser.actor) \(place.string ?? "")")
                }
            }
        }
        return (named, all)
    }

    @Test("nobody is refused for how many places he takes from events, or loses with his: in both orders the same is lost")
    func events() async throws {
        for length in [1, 400] {
            let places = (0..<600).map { "/" + String(repeating: "k", count: length) + "\($0)" }
            for isFirst in [true, false] {
                let machine = try SimulatedMachine.classed()
                let base = try machine.tip().seq
                let low = try (0..<3).map { _ in try event("worker", base, places, ["n": 1]) }
                let high = try event("security-sentinel", base, [""], ["n": 2])
                if isFirst { _ = try decide([high], as: "security-sentinel", on: machine) }
                for draft in low { #expect(try decide([draft], as: "worker", on: machine).lost.count == (isFirst ? 600 : 0)) }
                if !isFirst { #expect(try decide([high], as: "security-sentinel", on: machine).overrode.count == 1800) }
                let found = try losses(machine)
                #expect(found.named <= 1000 && found.all == Set(places.map { "process:worker \($0)" }), "\(length) \(isFirst)")
                #expect(try await machine.audit().verdict == .intact)
            }
        }
    }

    @Test("a decision whose drafts lose more places than are named is recorded, and its repetition knows that it had lost")
    func decisions() throws {
        let machine = try SimulatedMachine.classed()
        let base = try machine.tip().seq
        _ = try decide([try event("security-sentinel", base, [""], ["n": 2])], as: "security-sentinel", on: machine)
        let drafts = try ["one", "two"].map { try event("worker", base, (0..<600).map { "/k\($0)" }, ["n": 1], id: $0) }
        let first = try decide(drafts, as: "worker", on: machine)
        #expect(first.lost.count == 1200 && first.receipts.count == 2)
        let told = try JSON(parsing: try #require(try machine.entries().last { $0.action == "ledger.conflict" }).body)
        #expect(told["lost"]?.array?.count == 1000 && told["lost_more"] == 200)
        let again = try decide(drafts, as: "worker", on: machine)
        #expect(again.isRepetition && again.lost.count == 1000)
    }

    @Test("a change of the tree takes any number of places, and none of them comes back with a later merge")
    func tree() async throws {
        let places = (0..<200).map { JSONPointer(tokens: ["p\($0)"]) }
        var start: JSONObject = ["z0": 0, "z1": 0]
        for place in places { start[place.tokens[0]] = [:] }
        var trees: [JSON] = []
        for isFirst in [true, false] {
            let (machine, base) = try SimulatedMachine.classed(.object(start))
            let low = JSONPatch(places.map { .replace($0, ["x": 1, "y": 1]) })
            let high = JSONPatch(places.map { .add($0.appending("x"), 9) })
            if isFirst { _ = try machine.merge(high, base, as: "security-sentinel") }
            var middle = base
            for number in 0..<6 {
                #expect(try machine.merge(low, base, as: "worker").lost.count == (isFirst ? 200 : 0))
                if number == 2 { middle = try machine.tip().seq }
            }
            if !isFirst {
                #expect(try machine.merge(high, base, as: "security-sentinel").overrode.count == 1200)
                let body = try JSON(parsing: try #require(try machine.entries().last).body)
                #expect(body["overrode"]?.array?.count == 1000 && body["overrode_more"]?.array?.count == 1)
            }
            for (number, seen) in [base, middle].enumerated() {
                // What is taken here makes the tree anew from there.
                let z = JSONPointer(tokens: ["z\(number)"])
                let tip = try machine.tip().seq
                _ = try machine.merge(JSONPatch([.replace(z, 1)]), tip, as: "skill-utility")
                _ = try machine.merge(JSONPatch([.replace(z, 7)]), seen, as: "operator")
                trees.append(try machine.documents().state.root)
            }
            #expect(try await machine.audit().verdict == .intact)
        }
        var expected = start
        for place in places { expected[place.tokens[0]] = ["x": 9] }
        for (number, tree) in trees.enumerated() {
            (expected["z0"], expected["z1"]) = (7, number % 2 == 0 ? 0 : 7)
            #expect(tree == .object(expected), "\(number)")
        }
    }

    @Test("where the patch and what was meant have no room beside each other, what was lost is kept whole")
    func large() async throws {
        let large = JSON.string(String(repeating: "x", count: 380_000))
        for lost: JSON in [3, large] {
            for isFirst in [true, false] {
                let (machine, base) = try SimulatedMachine.classed(["x": 0, "y": 0, "w": 0])
                func high() throws {
                    _ = try machine.merge(JSONPatch([.replace(JSONPointer(tokens: ["y"]), 2)]), base, as: "operator")
                }
                if isFirst { try high() }
                var operations: [JSONPatch.Operation] = [
                    .replace(JSONPointer(tokens: ["x"]), large), .replace(JSONPointer(tokens: ["y"]), lost),
                ]
                // The same twice: longer than the tree.
                if lost == 3 { operations.append(.replace(JSONPointer(tokens: ["x"]), large)) }
                _ = try machine.merge(JSONPatch(operations), base, as: "worker")
                if isFirst {
                    let body = try JSON(parsing: try #require(try machine.entries().last).body)
                    #expect(body["meant"] == nil && body["lost"]?[0]?["loser"]?["value"] == lost)
                } else {
                    try high()
                }
                #expect(try machine.documents().state.root == ["x": large, "y": 2, "w": 0], "\(isFirst)")
                #expect(try await machine.audit().verdict == .intact)
            }
        }
    }
}
