import CanonicalJSON
import DurableFiles
import Kernel
import Ledger
import LedgerFormat
import TestSupport
import Testing

@Suite("Snapshots")
struct SnapshotTests {
    /// A ledger with a snapshot at seq 11, and entries behind it.
    private func machine(seed: UInt64 = 1) throws -> SimulatedMachine {
        let machine = try SimulatedMachine(seed: seed)
        var decider = try machine.decider()
        for number in 1...10 { try decider.set("/n\(number % 3)", .number(Double(number))) }
        #expect(try decider.snapshot(of: Documents.self) == 11)
        for number in 11...15 { try decider.set("/n\(number % 3)", .number(Double(number))) }
        return machine
    }

    private static let path = SnapshotFolder<Documents>.path(of: 11)

    @Test("a fold begins at the newest one, and comes to the same state")
    func used() throws {
        let machine = try machine()
        let found = try machine.found()
        #expect(found.snapshotSeq == 11 && found.ignored.isEmpty)
        let whole = try machine.documents()
        #expect(found.fold.state == whole.state && found.fold.mark == whole.mark)
        // Not for what lies before it.
        let (before, folded) = (try machine.found(FoldEnd(seq: 10)), try machine.documents(FoldEnd(seq: 10)))
        #expect(before.snapshotSeq == nil && before.fold.state == folded.state)
    }

    @Test("one is written every so many entries, and the oldest go")
    func interval() throws {
        let machine = try SimulatedMachine()
        var decider = try machine.decider(snapshotInterval: 5)
        for number in 1...80 { try decider.set("/n", .number(Double(number))) }
        #expect(try machine.snapshotSeqs() == stride(from: 35, through: 80, by: 5).map { $0 })
        #expect(try machine.found().fold.state == machine.documents().state)
    }

    @Test("every flipped bit, and every shorter file, is noticed; the state is the ledger's")
    func damaged() throws {
        let machine = try machine()
        let state = try machine.documents().state
        let whole = try #require(machine.files[Self.path])
        for index in whole.indices {
            for bit in 0..<8 {
                var bytes = whole
                bytes[index] ^= 1 << UInt8(bit)
                machine.disk.setBytes(of: Self.path, to: bytes)
                let found = try machine.found()
                #expect(
                    found.snapshotSeq == nil && found.notices.count == 1 && found.fold.state == state, "byte \(index), bit \(bit)"
                )
            }
            machine.disk.setBytes(of: Self.path, to: Array(whole[..<index]))
            let short = try machine.found()
            #expect(short.fold.state == state && short.snapshotSeq == nil, "\(index) bytes")
        }
    }

    @Test("of a forged one, whose maker had no key, only that it was there is recorded; its bytes are kept")
    func forged() throws {
        let machine = try machine()
        let state = try machine.documents().state
        let mark = try #require(try machine.documents(FoldEnd(seq: 11)).mark)
        let ledger = try machine.head().ledger
        let forged = try Snapshot(ledger: ledger, mark: mark, state: Documents()).sealed(
            with: SealingKey(bytes: Array(repeating: 7, count: 32)))
        machine.disk.setBytes(of: Self.path, to: forged)
        #expect(try machine.found().ignored.map(\.fault) == [.seal(.otherKey)])
        var decider = try machine.decider()
        try decider.set("/x", 1)
        let entries = try machine.entries().filter { $0.action == "snapshot.ignored" }
        #expect(entries.count == 1)
        #expect(machine.files[Self.path] == nil && machine.disk.durableImage().bytes(of: Self.path) == nil)
        let body = try JSON(parsing: try #require(entries.first).body)
        let evidence = try #require(body["evidence"]?.string).split(separator: "/").map(String.init)
        #expect(machine.files[StoragePath(evidence[0], evidence[1])] == forged)
        #expect(body["sha256"]?.string == Digest(sha256: forged.span).description)
        #expect(try machine.documents().state.root["n0"] == state.root["n0"])
        // Once.
        var next = try machine.decider()
        try next.set("/x", 2)
        #expect(try machine.count("snapshot.ignored") == 1)
    }

    @Test("of an earlier key: passed over as honest, but not believed")
    func earlierKey() throws {
        let machine = try machine()
        _ = try machine.write { try $0.rotateKey(reason: "test") }
        let found = try machine.found()
        #expect(found.ignored.map(\.fault) == [.earlierKey] && found.ignored.allSatisfy(\.fault.isHonest))
        #expect(found.fold.state == (try machine.documents()).state)
        // Its maker was honest, as far as anybody can tell: it stays, and nobody is told at each call.
        var decider = try machine.decider(snapshotInterval: 10)
        try decider.set("/x", 1)
        #expect(decider.takeNotices().isEmpty && found.notices.isEmpty)
        #expect(try machine.count("snapshot.ignored") == 0)
        // But it does not count as the last one.
        #expect(try machine.snapshotSeqs().count == 2)
    }

    @Test("what is no file stays where it is, is recorded once, and keeps nobody from the state")
    func noFile() throws {
        let machine = try machine()
        machine.disk.plant(.fifo, at: Self.path)
        var decider = try machine.decider()
        try decider.set("/x", 1)
        #expect(decider.takeNotices().contains { $0.contains("ignored") })
        var next = try machine.decider()
        try next.set("/x", 2)
        #expect(next.takeNotices().isEmpty)
        #expect(try machine.found().fold.state.root["x"] == 2 && machine.found().notices.isEmpty)
        #expect(try machine.count("snapshot.ignored") == 1)
    }

    @Test("what a killed writer left is removed by the next one that writes")
    func leftovers() throws {
        let machine = try machine()
        let left = StoragePath(Layout.snapshots.name, "documents-00000000000000000009.new")
        machine.disk.put([1, 2, 3], at: left)
        var decider = try machine.decider()
        _ = try decider.snapshot(of: Documents.self)
        #expect(machine.files[left] == nil)
        #expect(try machine.found().snapshotSeq == 16)
    }

    @Test("another ledger's, another version's, another history's: each is ignored, with its reason")
    func foreign() throws {
        let machine = try machine()
        let (key, ledger) = (try machine.key(), try machine.head().ledger)
        let mark = try #require(try machine.documents(FoldEnd(seq: 11)).mark)
        func fault(_ bytes: [UInt8]) throws -> SnapshotFault? {
            machine.disk.setBytes(of: Self.path, to: bytes)
            let found = try machine.found()
            #expect(found.fold.state == (try machine.documents()).state)
            return found.ignored.first?.fault
        }
        #expect(try fault(Snapshot(ledger: LedgerID(1, 2), mark: mark, state: Documents()).sealed(with: key)) == .seal(.foreign))
        var other = mark
        other.hash = Digest(sha256: [1].span)
        #expect(try fault(Snapshot(ledger: ledger, mark: other, state: Documents()).sealed(with: key)) == .otherHistory)
        // A good one under another seq's name.
        let twelfth = try #require(try machine.documents(FoldEnd(seq: 12)).mark)
        #expect(try fault(Snapshot(ledger: ledger, mark: twelfth, state: Documents()).sealed(with: key)) == .seal(.form))
        let old = try Snapshot(ledger: ledger, mark: mark, state: OlderDocuments()).sealed(with: key)
        #expect(try fault(old) == .version)
    }

    @Test("one of entries that a crash took is ignored: it never leads HEAD")
    func ahead() throws {
        let machine = try machine()
        let storage = try machine.storage()
        var decider = try machine.decider(storage, snapshotInterval: 1)
        try decider.set("/x", 1)
        let head = try machine.head()
        #expect(try machine.snapshotSeqs().allSatisfy { $0 <= head.seq })
    }
}

/// What an earlier version would have written.
private struct OlderDocuments: Projection {
    static let name = "documents"
    static let version = 0
    static let namespaces = ["state"]
    init() {}
    mutating func apply(_ fact: Fact) {}
}
