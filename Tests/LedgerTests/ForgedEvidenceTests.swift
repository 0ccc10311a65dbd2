import DurableFiles
import Ledger
import LedgerFormat
import TestSupport
import Testing

/// Whoever can write the directory could have the house record a cut that never was, and replace evidence that is kept.
@Suite("Files in quarantine/ that nobody kept there as evidence")
struct ForgedEvidenceTests {
    private func digest(_ text: String) -> String { String(Digest(sha256: Array(text.utf8).span).description.prefix(16)) }

    private func path(_ name: String) -> StoragePath { StoragePath(Layout.quarantine.name, name) }

    @Test("a name that does not fit its contents, or is written in another way, is left alone and said")
    func wrongNames() throws {
        let machine = try SimulatedMachine(count: 2)
        let names = ["tail-1-549-ffffffffffffffff.pending", "tail-01-549-\(digest("x")).pending"]
        for name in names { machine.disk.put(Array("x".utf8), at: path(name)) }
        let notices = try machine.open()
        #expect(notices.count == 1 && notices[0].contains("no evidence of ours"), "\(notices)")
        #expect(try machine.count("ledger.tail_cut") == 0)
        #expect(Set(machine.evidence.keys) == Set(names))
    }

    @Test("kept evidence is not replaced by other; where the same stands already the work of a crash is ended")
    func replacement() throws {
        let machine = try SimulatedMachine(count: 2)
        let name = "tail-1-549-\(digest("x"))"
        machine.disk.put(Array("x".utf8), at: path(name + ".pending"))
        machine.disk.put(Array("old evidence".utf8), at: path(name + ".bin"))
        #expect(try machine.open().count == 1)
        #expect(machine.evidence[name + ".bin"] == Array("old evidence".utf8))
        #expect(try machine.count("ledger.tail_cut") == 0)
        machine.disk.put(Array("x".utf8), at: path(name + ".bin"))
        _ = try machine.open()
        #expect(machine.evidence == [name + ".bin": Array("x".utf8)])
        #expect(try machine.count("ledger.tail_cut") == 1)
    }
}
