import DurableFiles
import Ledger
import LedgerFormat
import TestSupport
import Testing

@Suite("Keys whose files are lost, and a HEAD that names the wrong one")
struct LostKeyTests {
    private static func path(_ id: KeyID) -> StoragePath { StoragePath(Layout.keys.name, SealingKey.fileName(id)) }

    /// Entries under three keys.
    private func rotatedTwice() throws -> (machine: SimulatedMachine, keys: [KeyID]) {
        let machine = try SimulatedMachine.segmented(count: 3)
        let first = try machine.rotateKey()
        try machine.append(4...6)
        let second = try machine.rotateKey()
        try machine.append(7...9)
        return (machine, [first.old, second.old, second.new])
    }

    private func refusal(_ machine: SimulatedMachine) -> LedgerError? {
        do { try machine.repair() } catch { return error as? LedgerError }
        return nil
    }

    @Test("of two lost keys the later one is given up first")
    func order() async throws {
        let (machine, keys) = try rotatedTwice()
        for key in keys[..<2] { machine.disk.delete(Self.path(key)) }
        func retire(_ key: KeyID) throws -> LedgerError? {
            try machine.write { session in
                ledgerError { () throws(LedgerError) in
                    _ = try session.retireKey(key, reason: "the disk broke", destroying: false, isGone: true)
                }
            }
        }
        let error = try retire(keys[0])
        #expect(error?.code == .unverifiable, "\(String(describing: error))")
        #expect(error?.message.contains("retire the latest of them first") == true)
        #expect(try retire(keys[1]) == nil)
        #expect(try retire(keys[0]) == nil)
        #expect(try await machine.audit().verdict == .intact)
    }

    @Test("HEAD is missing, and a key that sealed in between: nothing vouches for what it sealed, and no HEAD is made")
    func headless() throws {
        let (machine, keys) = try rotatedTwice()
        machine.disk.delete(Self.path(keys[1]))
        machine.disk.delete(Layout.head)
        let before = machine.files
        let error = try #require(try machine.openingError())
        #expect(error.code == .unverifiable && error.message.contains("HEAD is missing"), "\(error)")
        #expect(error.message.contains(keys[1].description))
        #expect(machine.files == before)
    }

    @Test("HEAD's own key is lost: nothing is repaired that could not be sealed", arguments: [true, false])
    func headsKey(isDamaged: Bool) throws {
        let (machine, keys) = try rotatedTwice()
        if isDamaged { machine.flip(try LedgerModel(machine).frames[1], at: 0.5) }
        machine.disk.delete(Self.path(keys[2]))
        let before = machine.files
        let error = try #require(refusal(machine))
        #expect(error.code == .unverifiable && error.message.contains("cannot repair"), "\(error)")
        #expect(machine.files == before)
    }

    @Test("a HEAD from before its key was retired and destroyed counts for nothing, and stops no repair")
    func destroyedKey() async throws {
        let machine = try SimulatedMachine.segmented(count: 3)
        let old = machine.headBytes
        let first = try machine.rotateKey().old
        try machine.append(4...6)
        try machine.write { session in _ = try session.retireKey(first, reason: "test", destroying: true) }
        try machine.append(7...9)
        let frames = try LedgerModel(machine).frames
        machine.flip(frames[frames.count - 2], at: 0.5)
        machine.disk.setBytes(of: Layout.head, to: old)
        let outcome = try machine.repair()
        #expect(outcome.receipt != nil)
        #expect(try await machine.audit().verdict == .intact)
        #expect(try machine.count(Readmission.action) == 1, "the one behind the damage")
    }

    @Test("a HEAD behind the end, under a key that was replaced before it, is forged: it counts for nothing")
    func replacedKey() async throws {
        let (machine, keys) = try rotatedTwice()
        let count = try machine.entries().count
        let all = machine.keys()
        var head = try Head(file: machine.headBytes, keys: all)
        head.seq += 10
        head.key = keys[0]
        let old = try #require(all[keys[0]])
        machine.disk.setBytes(of: Layout.head, to: head.sealed(with: old))
        try machine.repair()
        #expect(try await machine.audit().verdict == .intact)
        #expect(try machine.entries().count > count, "all entries, and what tells of the repair")
    }

    @Test("a HEAD at the last seq that there can be leaves no room for a repair's entry")
    func noRoom() throws {
        let machine = try SimulatedMachine.segmented(count: 9)
        let model = try LedgerModel(machine)
        var head = try machine.head()
        head.seq = Limits.seq - 5
        let bytes = try head.sealed(with: machine.key())
        machine.disk.setBytes(of: Layout.head, to: bytes)
        machine.flip(model.frames[4], at: 0.5)
        let segment = machine.segment()
        let error = try #require(refusal(machine))
        #expect(error.code == .tampered && error.message.contains("leaves no room"), "\(error)")
        #expect(machine.segment() == segment)
    }

    @Test("one entry that is not sound, and no HEAD: nothing says with which key to seal")
    func noKey() throws {
        var chain = ForgedChain(begins: false)
        chain.append(by: ForgedChain.keys[1]) { $0.action = "ledger.genesis" }
        let directory = TemporaryDirectory()
        try chain.write(to: directory, name: "L", keys: [ForgedChain.keys[0]], head: [])
        try directory.remove("L/HEAD")
        let segment = try directory.read("L/ledger/00000000000000000001.frames")
        let storage = try POSIXStorage(path: directory.path("L"))
        let error = ledgerError { () throws(LedgerError) in
            var repair = Repair(TestLedger.environment(), WriterSettings())
            repair.naming = .nobody
            _ = try repair.run(storage)
        }
        #expect(error?.code == .unverifiable, "\(String(describing: error))")
        #expect(error?.message.contains("restore a backup") == true)
        #expect(try directory.read("L/ledger/00000000000000000001.frames") == segment)
    }

    @Test("without HEAD and a key in between, what that key sealed is kept by what is sealed behind it, or the key is asked for")
    func unsealedBetween() async throws {
        let (machine, keys) = try rotatedTwice()
        let model = try LedgerModel(machine)
        let file = try #require(machine.disk.bytes(of: Self.path(keys[1])))
        machine.flip(model.frames[1], at: 0.5)
        machine.disk.delete(Layout.head)
        machine.disk.delete(Self.path(keys[1]))
        if let error = refusal(machine) { #expect(error.code == .unverifiable, "\(error)") }
        // With the key everything but the damaged entry is there.
        try machine.storage().create(Self.path(keys[1]), file.span)
        try machine.repair()
        #expect(try await machine.audit().verdict == .intact)
        let after = try LedgerModel(machine)
        let owns = Set(after.frames.map(\.own))
        #expect(model.frames.allSatisfy { $0.own == 2 || owns.contains($0.own) })
    }
}
