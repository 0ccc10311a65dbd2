import CanonicalJSON
import DurableFiles
import Kernel
import Ledger
import LedgerFormat
import TestSupport
import Testing

@Suite("Events beside changes of the tree")
struct EventMergeTests {
    private static let tree: JSON = ["a": ["a": 1, "b": ["a": 1], "l": [1, 2]], "b": ["a": 1, "b": 2], "l": [1, ["a": 1], 3]]

    /// What somebody does who has seen the tree.
    private enum Act {
        case change(JSONPatch, reads: [String])
        case event(writes: [String], reads: [String], JSON)
    }

    private func perform(_ act: Act, as name: String, _ base: UInt64, on machine: SimulatedMachine) throws {
        switch act {
        case .change(let patch, let reads): _ = try machine.merge(patch, base, as: name, reads: reads)
        case .event(let writes, let reads, let body):
            let context: JSONObject = [
                "base": .number(Double(base)), "reads": .array(reads.map(JSON.string)), "writes": .array(writes.map(JSON.string)),
            ]
            let draft = try Draft(
                action: "deploy.start", actor: "process:\(name)", justification: .test, body: body, context: context)
            try machine.signing(Classes.signers[name]!).write { session in try session.record(draft) }
        }
    }

    @Test("a change of the tree takes from an event of a lower class, whichever came first, and nothing from it is lost to one")
    func pairs() async throws {
        for (changer, teller) in [("operator", "worker"), ("worker", "operator")] {
            var outcomes: [Set<String>] = []
            for isChangeFirst in [true, false] {
                let (machine, base) = try SimulatedMachine.classed(["a": 0])
                let change = Act.change(JSONPatch([.replace(JSONPointer(tokens: ["a"]), 1)]), reads: [])
                let event = Act.event(writes: ["/plan"], reads: ["/a"], ["plan": 1])
                let acts = [(changer, change), (teller, event)]
                for (name, act) in isChangeFirst ? acts : acts.reversed() { try perform(act, as: name, base, on: machine) }
                #expect(try machine.documents().state.root == ["a": 1])
                outcomes.append(try machine.losses())
                #expect(try await machine.audit().verdict == .intact)
            }
            let expected: Set<String> = changer == "operator" ? ["process:worker /plan"] : []
            #expect(outcomes == [expected, expected], "\(changer)")
        }
    }

    @Test("an event that says what a change of the tree says is in nobody's way, in however many steps that says it")
    func sameValue() throws {
        let (a, c, l) = (JSONPointer(tokens: ["a"]), JSONPointer(tokens: ["c"]), JSONPointer(tokens: ["l", "0"]))
        let patches: [([JSONPatch.Operation], [String], JSON)] = [
            ([.replace(a, [:]), .add(a.appending("b"), 1)], ["/a"], ["a": ["b": 1]]),
            ([.test(a, 0), .replace(a, 5), .move(from: a, to: c)], ["/c"], ["c": 5]),
            ([.replace(l, 5)], ["/l/0"], ["l": ["0": 5]]),
            ([.replace(JSONPointer(tokens: ["l"]), [1]), .add(JSONPointer(tokens: ["l", "-"]), 2)], ["/l"], ["l": [1, 2]]),
        ]
        for (operations, writes, body) in patches {
            for isChangeFirst in [true, false] {
                let (machine, base) = try SimulatedMachine.classed(["a": 0, "l": [1, 2]])
                let change = ("operator", Act.change(JSONPatch(operations), reads: []))
                let event = ("worker", Act.event(writes: writes, reads: [], body))
                for (name, act) in isChangeFirst ? [change, event] : [event, change] {
                    try perform(act, as: name, base, on: machine)
                }
                #expect(try machine.count("ledger.conflict") == 0, "\(writes) \(isChangeFirst)")
            }
        }
    }

    @Test("the tree, and what events lost, is the same in whatever order they come", arguments: 1...8 as ClosedRange<UInt64>)
    func orders(seed: UInt64) throws {
        var source = DocumentSource(random: SeededGenerator(seed: seed))
        let (machine, base) = try SimulatedMachine.classed(Self.tree, seed: seed)
        let acts = Classes.names.map { _ in
            if Bool.random(using: &source.random) { return Act.change(source.merging(of: Self.tree), reads: source.reads()) }
            let place = ["/a", "/a/b", "/l", "/b/a"].randomElement(using: &source.random)!
            return Act.event(
                writes: [place], reads: source.reads(), ["a": .number(Double(Int.random(in: 0...1, using: &source.random)))])
        }
        var first: (tree: JSON, losses: Set<String>)?
        for order in Classes.permutations(Classes.names.count) {
            let copy = machine.copy()
            for index in order { try perform(acts[index], as: Classes.names[index], base, on: copy) }
            let found = (tree: try copy.documents().state.root, losses: try copy.losses())
            if let first { #expect(found == first, "seed \(seed), order \(order)") } else { first = found }
        }
    }
}
