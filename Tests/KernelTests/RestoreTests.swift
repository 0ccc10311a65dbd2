import CanonicalJSON
import DurableFiles
import Kernel
import Ledger
import LedgerFormat
import TestSupport
import Testing

@Suite("Restoring state")
struct RestoreTests {
    @Test(
        "a restore to every prefix of a random ledger gives what a fresh fold gives there",
        arguments: 1...3 as ClosedRange<UInt64>)
    func everyPrefix(seed: UInt64) throws {
        let machine = try SimulatedMachine(seed: seed)
        var source = DocumentSource(random: SeededGenerator(seed: seed))
        var decider = try machine.decider()
        var root: JSON = [:]
        for number in 1...40 {
            if number % 6 == 0 { try machine.append(number...number) }
            let patch = source.patch(of: root)
            try decider.patch(patch)
            root = try patch.apply(to: root)
        }
        let last = try machine.documents()
        for seq in (1...last.seq).reversed() {
            let decided = try machine.restore(to: seq)
            let now = try machine.documents()
            #expect(now.state.root == (try machine.documents(FoldEnd(seq: seq))).state.root, "seed \(seed), seq \(seq)")
            #expect(decided.receipts.isEmpty == decided.reply.operations.isEmpty)
        }
        // A restore can itself be restored, and the branch that was left stays readable.
        try machine.restore(to: last.seq)
        #expect(try machine.documents().state.root == last.state.root, "seed \(seed)")
        #expect(try machine.documents(FoldEnd(seq: last.seq)).state == last.state, "seed \(seed)")
    }

    @Test("what is the same already is not recorded")
    func nothing() throws {
        let machine = try SimulatedMachine()
        try machine.patch(JSONPatch([.add(JSONPointer(tokens: ["a"]), 1)]))
        #expect(try machine.restore(to: 2).receipts.isEmpty)
        #expect(try machine.count("state.restored") == 0)
    }

    @Test("a point that no entry has is refused")
    func nowhere() throws {
        let machine = try SimulatedMachine(count: 2)
        let view = try LedgerView(machine.storage())
        for point in [Point.seq(9), .hash(Digest(sha256: [1].span))] {
            let error = ledgerError { () throws(LedgerError) in _ = try point.end(in: view, machine.environment) }
            #expect(error?.code == .refused, "\(point)")
        }
        let entry = try machine.entries()[1]
        #expect(try Point.hash(entry.hash).end(in: view, machine.environment) == FoldEnd(seq: 2))
        #expect(Point("0") == nil && Point("+1") == nil && Point("2026-02-30T00:00:00Z") == nil && Point("x") == nil)
        #expect(Point("2026-01-31T12:00:00Z") == Point("2026-01-31T12:00:00.000000Z"))
    }

    @Test("any state can be restored, also one whose patch is longer than an entry")
    func longPatch() throws {
        let machine = try SimulatedMachine()
        var decider = try machine.decider()
        func wide(_ value: Int) -> JSON {
            .object(JSONObject((0..<20_000).map { ("member-\($0)", .number(Double(value))) }))
        }
        try decider.set("", wide(1))
        try decider.set("", wide(2))
        let decided = try machine.restore(to: 2)
        #expect(decided.receipts.count == 1 && decided.reply.operations.count == 1)
        #expect(try machine.documents().state.root == wide(1))
    }
}
