import CanonicalJSON
import DurableFiles
import Kernel
import Ledger
import LedgerFormat
import TestSupport
import Testing

@Suite("Folding")
struct FoldTests {
    @Test(
        "a random history folds to what a naive model holds, at every entry, at once and in pieces",
        arguments: 1...6 as ClosedRange<UInt64>)
    func model(seed: UInt64) throws {
        let machine = try SimulatedMachine(seed: seed)
        var source = DocumentSource(random: SeededGenerator(seed: seed))
        var decider = try machine.decider()
        var roots: [UInt64: JSON] = [1: [:]]
        var root: JSON = [:]
        for number in 1...60 {
            let seq: UInt64
            if number % 5 == 0 {
                seq = try machine.append(number...number)[0].seq
            } else {
                let patch = source.patch(of: root)
                seq = try decider.patch(patch).seq
                root = try patch.apply(to: root)
            }
            roots[seq] = root
        }
        var pieces = Fold<Documents>()
        for seq in 1...61 as ClosedRange<UInt64> {
            let fold = try machine.documents(FoldEnd(seq: seq))
            #expect(fold.state.root == roots[seq], "seed \(seed), seq \(seq)")
            #expect(fold.seq == seq)
            if seq % 7 == 0 { try pieces.advance(in: LedgerView(machine.storage()), to: FoldEnd(seq: seq), machine.environment) }
        }
        try pieces.advance(in: LedgerView(machine.storage()), machine.environment)
        let whole = try machine.documents()
        #expect(pieces.state.root == root && pieces.mark == whole.mark, "seed \(seed)")
    }

    @Test("a fold that stands at an entry of another history does not go on")
    func otherHistory() throws {
        let machine = try SimulatedMachine(count: 3)
        var fold = try machine.documents()
        let other = try SimulatedMachine(seed: 2, count: 5)
        let storage = try other.storage()
        let error = ledgerError { () throws(LedgerError) in
            try fold.advance(in: LedgerView(storage), other.environment)
        }
        #expect(error?.code == .tampered)
        #expect(fold.seq == 4)
    }

    @Test("damage ends a fold with everything before it folded")
    func damage() throws {
        let machine = try SimulatedMachine()
        var decider = try machine.decider()
        for number in 1...5 { try decider.set("/n", .number(Double(number))) }
        var bytes = machine.segment()
        let place = try machine.place(4)
        bytes[place.offset + 60] ^= 1
        machine.setSegment(1, bytes)
        var fold = Fold<Documents>()
        let storage = try machine.storage()
        let error = ledgerError { () throws(LedgerError) in
            try fold.advance(in: LedgerView(storage), machine.environment)
        }
        #expect(error?.code == .tampered)
        #expect(fold.seq == 3 && fold.state.root["n"] == 2)
    }

    @Test("without the key nobody knows whether the state is the ledger's")
    func absentKey() throws {
        let machine = try SimulatedMachine()
        try machine.patch(JSONPatch([.add(JSONPointer(tokens: ["a"]), 1)]))
        let key = try machine.key()
        machine.disk.delete(StoragePath("keys", SealingKey.fileName(key.id)))
        #expect(ledgerError { () throws(LedgerError) in _ = try machine.fold() }?.code == .unverifiable)
    }

    @Test("what a destroyed key has sealed is told at any entry, as long as a later one retires it")
    func retiredKey() throws {
        let machine = try SimulatedMachine()
        var decider = try machine.decider()
        for number in 1...3 { try decider.set("/n", .number(Double(number))) }
        let old = try machine.write { session in try session.rotateKey(reason: "test").old }
        try decider.set("/n", 4)
        #expect(try machine.write { session in try session.retireKey(old, reason: "test", destroying: true) } != nil)
        #expect(try machine.documents(FoldEnd(seq: 3)).state.root["n"] == 2)
        #expect(try machine.documents().state.root["n"] == 4)
    }

    @Test("a time means the last entry before which, itself included, none is later")
    func times() throws {
        let clock = Clock()
        var environment = TestLedger.environment()
        environment.now = { clock.now }
        let machine = SimulatedMachine(try SimulatedMachine(), try SimulatedMachine().disk, environment)
        var decider = try machine.decider()
        var stamps: [(seq: UInt64, latest: Int64)] = []
        var latest: Int64 = 0
        // Forward, back, forward: the entries that the ledger writes about its clock are entries too.
        for (number, step) in [100, 100, -150, 20, 300, -50, 10].enumerated() as EnumeratedSequence<[Int64]> {
            clock.advance(step * 1_000_000)
            try decider.set("/n", .number(Double(number)))
        }
        for entry in try machine.entries() {
            latest = max(latest, entry.time.microseconds)
            stamps.append((entry.seq, latest))
        }
        for time in Set(stamps.map(\.latest)).flatMap({ [$0 - 1, $0, $0 + 1] }) {
            let expected = stamps.last { $0.latest <= time }?.seq ?? 0
            #expect(try machine.documents(FoldEnd(time: Timestamp(microseconds: time))).seq == expected, "\(time)")
        }
        #expect(try machine.count("ledger.clock_stepped_back") == 2)
    }
}

/// A wall clock that a test sets.
private final class Clock: @unchecked Sendable {
    private var microseconds: Int64 = 1_900_000_000_000_000
    var now: Timestamp { Timestamp(microseconds: microseconds) }
    func advance(_ step: Int64) { microseconds += step }
}

extension SimulatedMachine {
    fileprivate func fold() throws(LedgerError) -> Fold<Documents> {
        var fold = Fold<Documents>()
        guard let storage = try? storage() else { preconditionFailure("a simulated disk opens") }
        try fold.advance(in: LedgerView(storage), environment)
        return fold
    }
}
