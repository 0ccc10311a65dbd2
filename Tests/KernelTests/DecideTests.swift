import CanonicalJSON
import DurableFiles
import Kernel
import Ledger
import LedgerFormat
import TestSupport
import Testing

@Suite("Deciding under the lock")
struct DecideTests {
    @Test("each decision sees what all others before it recorded, whoever did")
    func caughtUp() throws {
        let machine = try SimulatedMachine()
        var deciders = [try machine.decider(), try machine.decider(), try machine.decider()]
        for number in 0..<30 {
            let decided = try deciders[number % 3].decide(on: Documents.self, as: "user:ada") {
                documents, moment throws(LedgerError) in
                let count = documents.root["count"]?.integer ?? 0
                return Decision(
                    try documents.set(JSONPointer(tokens: ["count"]), to: .number(Double(count + 1)), .test, moment).drafts,
                    reply: count)
            }
            #expect(decided.reply == Int64(number))
        }
        #expect(try machine.documents().state.root["count"] == 30)
    }

    @Test("a rule that refuses writes nothing, and the lock is free again")
    func refused() throws {
        let machine = try SimulatedMachine()
        let before = machine.files
        var decider = try machine.decider()
        let error = ledgerError { () throws(LedgerError) in
            _ = try decider.decide(on: Documents.self, as: "user:ada") { _, _ throws(LedgerError) -> Decision<Void> in
                throw LedgerError(.refused, "no")
            }
        }
        #expect(error?.code == .refused && machine.files == before)
        try machine.append(1...1)
        try decider.set("/a", 1)
    }

    @Test("a short patch that would fill any memory is refused as soon as the tree is too large")
    func patchBomb() throws {
        let machine = try SimulatedMachine()
        var decider = try machine.decider()
        let copies = (0..<60).map { JSONPatch.Operation.copy(from: JSONPointer(), to: JSONPointer(tokens: ["k\($0)"])) }
        let many = (0...1000).map { _ in JSONPatch.Operation.add(JSONPointer(tokens: ["a"]), 1) }
        for patch in [JSONPatch(copies), JSONPatch([.add(JSONPointer(tokens: ["a"]), .string("pad"))] + copies), JSONPatch(many)]
        {
            #expect(throws: LedgerError.self) { try decider.patch(patch) }
        }
        #expect(try machine.count("state.patched") == 0)
    }

    @Test("the drafts of one decision are parts of a whole")
    func parts() throws {
        let machine = try SimulatedMachine()
        var decider = try machine.decider()
        let decided = try decider.decide(on: Documents.self, as: "user:ada") { _, moment throws(LedgerError) in
            Decision(
                try (1...3).map { number throws(LedgerError) in
                    try moment.draft("test.one", .test, ["n": .number(Double(number))])
                })
        }
        #expect(decided.receipts.map(\.seq) == [2, 3, 4])
        for (index, entry) in try machine.entries().dropFirst().enumerated() {
            #expect(try JSON(parsing: entry.context)["part"] == [.number(Double(index + 1)), 3])
        }
    }

    @Test("an effect runs once its request is durable, and its result is an entry")
    func effects() throws {
        let machine = try SimulatedMachine()
        var decider = try machine.decider()
        let decided = try decider.decide(on: Effects.self, as: "process:ci") { _, _ throws(LedgerError) in
            Decision(
                [],
                effects: [
                    Effect("greet", ["whom": "ada"]) {
                        // Readable by anybody: the lock is free, and HEAD vouches for the request.
                        .done(["seen": .number(Double((try? machine.count("effect.requested")) ?? 0))])
                    },
                    Effect("fail", [:]) { .failed("it cannot be done") },
                ])
        }
        #expect(decided.results == [.done(["seen": 2]), .failed("it cannot be done")])
        #expect(
            try machine.entries().dropFirst().map(\.action) == [
                "effect.requested", "effect.requested", "effect.finished", "effect.finished",
            ])
        let last = try JSON(parsing: try #require(try machine.entries().last).body)
        #expect(last == ["effect": "fail", "failed": "it cannot be done", "request": 3])
        #expect(try machine.effects().pending.isEmpty)
    }

    @Test("a request whose result never came stays to be seen")
    func pending() throws {
        let machine = try SimulatedMachine()
        try machine.write { session in
            try session.decide([
                Draft(
                    action: "effect.requested", actor: "process:ci", justification: .test,
                    body: ["arguments": ["n": 1], "effect": "greet"])
            ])
        }
        let pending = try machine.effects().pending
        #expect(pending.map(\.seq) == [2] && pending.map(\.name) == ["greet"] && pending.map(\.arguments) == [["n": 1]])
    }

    @Test("killed at any operation on the disk, what was answered is there, and the state is a whole number of decisions")
    func crashes() throws {
        var fired = 0
        for operation in 0... {
            let machine = try SimulatedMachine()
            let storage = try machine.faulty(.at([operation: .crash(.everything)]))
            let answered = try machine.count(to: 6, storage)
            guard let fault = storage.fired.first else { break }
            guard fault.operation.kind.isChange else { continue }
            fired += 1
            for disk in [machine.disk.copy()] + machine.disk.crashImages(0..<3) {
                let next = SimulatedMachine(machine, disk)
                var decider = try next.decider()
                try decider.set("/after", true)
                let found = try next.found()
                let number = found.fold.state.root["n"]?.integer ?? 0
                #expect(number == answered || number == answered + 1, "\(fault)")
                #expect(found.fold.state == (try next.documents()).state, "\(fault)")
            }
        }
        #expect(fired > 30)
    }
}

extension SimulatedMachine {
    /// Sets `/n` to 1, 2, … by one process that keeps snapshots; answers how far it came.
    fileprivate func count(to last: Int, _ storage: any Storage) throws -> Int64 {
        var decider = try decider(storage, snapshotInterval: 2)
        for number in 1...last {
            do { try decider.set("/n", .number(Double(number))) } catch { return Int64(number - 1) }
        }
        return Int64(last)
    }

    fileprivate func effects() throws -> Effects {
        var fold = Fold<Effects>()
        try fold.advance(in: LedgerView(storage()), environment)
        return fold.state
    }
}
