import CanonicalJSON
import Foundation
import LedgerFormat
import TestSupport
import Testing

@Suite("bulla repair, where files or keys are gone")
struct RepairLossTests {
    @Test(
        "the first segment emptied, or ledger/ gone: HEAD names the ledger, and everything up to it is lost",
        arguments: [true, false])
    func emptied(isDirectoryGone: Bool) throws {
        let ledger = try CommandLedger(entries: 5)
        if isDirectoryGone {
            try ledger.directory.remove(ledger.name("ledger"))
        } else {
            try ledger.overwrite(CommandLedger.firstSegment, [])
        }
        let shown = try ledger.run("repair")
        #expect(shown.code == 10 && shown.output.contains("lost, or in the evidence only: 6"), "\(shown)")
        #expect(!shown.output.contains("HEAD is missing"))
        let done = try ledger.run("repair", "--yes", "--without-associates")
        #expect(done.code == 0 && done.output.contains("repaired: seq 7"), "\(done)")
        try ledger.expectIntact(seq: 7)
        #expect(try ledger.append().code == 0)
        let lost = try ledger.run("receipt", "3")
        #expect(lost.code == 10 && lost.error.contains("lost in repair 7"), "\(lost)")
    }

    @Test("without HEAD as well, there is no ledger: a clear word, and nothing is made")
    func nothingLeft() throws {
        let ledger = try CommandLedger(entries: 2)
        try ledger.directory.remove(ledger.name("ledger"))
        try ledger.directory.remove(ledger.name("HEAD"))
        try ledger.expectRefusal(64, "holds no ledger") { try ledger.run("repair", "--yes", "--without-associates") }
    }

    /// Where in the first frame a digit is changed.
    @Test(
        "the first frame is damaged and HEAD is gone: any sound entry names the ledger",
        arguments: ["\"ledger\":\"", "\"key\":\"", "\"seq\":", "{\"entry\":"])
    func nameless(member: String) throws {
        let ledger = try CommandLedger(entries: 5)
        var bytes = try ledger.read(CommandLedger.firstSegment)
        let place = try #require(bytes.firstRange(of: Array(member.utf8))).upperBound
        bytes[place] = bytes[place] == UInt8(ascii: "3") ? UInt8(ascii: "4") : UInt8(ascii: "3")
        try ledger.overwrite(CommandLedger.firstSegment, bytes)
        try ledger.directory.remove(ledger.name("HEAD"))
        let shown = try ledger.run("repair")
        #expect(shown.code == 10 && shown.output.contains("5 sound entries") && !shown.error.contains("backup"), "\(shown)")
        #expect(try ledger.run("repair", "--yes", "--without-associates").code == 0)
        try ledger.expectIntact()
        #expect(try ledger.bodies("--action", "ledger.readmitted").count == 5)
        #expect(try ledger.run("receipt", "4").code == 0)
    }

    @Test("the first frame is damaged, HEAD is gone, and sound entries name several ledgers: refused, with what to do")
    func disagreement() throws {
        let (ledger, other) = (try CommandLedger(entries: 3), try CommandLedger(entries: 3))
        var bytes = try ledger.read(CommandLedger.firstSegment)
        bytes[100] ^= 1
        bytes = Array(bytes[...(try #require(bytes.lastIndex(of: 0x0A)))])
        let theirs = try other.read(CommandLedger.firstSegment)
        try ledger.overwrite(CommandLedger.firstSegment, bytes + theirs[...(try #require(theirs.lastIndex(of: 0x0A)))])
        try ledger.directory.remove(ledger.name("HEAD"))
        let key = try other.keyFile
        try FileManager.default.copyItem(atPath: other.path + "/" + key, toPath: ledger.path + "/" + key)
        try ledger.expectRefusal(10, "sound entries of several", "out of keys/") {
            try ledger.run("repair", "--yes", "--without-associates")
        }
        // As it says.
        try ledger.directory.remove(ledger.name(key))
        #expect(try ledger.run("repair", "--yes", "--without-associates").code == 0)
        try ledger.expectIntact()
    }

    /// Entries 1 to 4, a rotation, two entries, the old key's retirement and end, two entries.
    private func retired() throws -> (ledger: CommandLedger, old: String) {
        let ledger = try CommandLedger(entries: 3)
        let rotated = try ledger.run("key", "rotate", "--reason", "r", "--json")
        let old = try #require(try JSON(parsing: Array(rotated.lastLine.utf8))["old"]?.string)
        _ = try ledger.ingest(["4", "5"])
        #expect(try ledger.run("key", "retire", old, "--reason", "r", "--destroy").code == 0)
        _ = try ledger.ingest(["6", "7"])
        try ledger.expectIntact(seq: 10)
        return (ledger, old)
    }

    private func damage(_ ledger: CommandLedger, _ text: String) throws {
        var bytes = try ledger.read(CommandLedger.firstSegment)
        bytes[try #require(bytes.firstRange(of: Array(text.utf8))).upperBound - 2] ^= 8
        try ledger.overwrite(CommandLedger.firstSegment, bytes)
    }

    @Test("a destroyed key whose retirement is damaged: the plan warns, and names the way back to 0")
    func retirementLost() throws {
        let (ledger, old) = try retired()
        try damage(ledger, "\"action\":\"key.retired\"")
        let shown = try ledger.run("repair")
        let way = "bulla key retire \(old) --gone --reason"
        #expect(shown.output.contains("WARNING") && shown.output.contains(way), "\(shown)")
        #expect(try ledger.run("repair", "--yes", "--without-associates").output.contains(way))
        #expect(try ledger.agreedVerdict().code == 11)
        try ledger.expectRefusal(11, "--gone") { try ledger.run("key", "retire", old, "--reason", "r") }
        #expect(try ledger.run("key", "retire", old, "--reason", "r", "--gone").code == 0)
        try ledger.expectIntact()
        let entry = try #require(try ledger.entries("--action", "key.retired").last?["entry"])
        #expect(entry["body"]?["checked"]?.string?.contains("links only") == true)
    }

    @Test("a destroyed key whose retirement stands behind the damage: the repair records it again")
    func retirementBehind() throws {
        let (ledger, old) = try retired()
        try damage(ledger, "{\"line\":\"5\"")
        let shown = try ledger.run("repair")
        #expect(shown.output.contains("key \(old) was retired") && !shown.output.contains("WARNING"), "\(shown)")
        #expect(try ledger.run("repair", "--yes", "--without-associates").code == 0)
        try ledger.expectIntact()
        #expect(try ledger.bodies("--action", "ledger.readmitted").count == 3)
        try damage(ledger, "{\"line\":\"6\"")
        #expect(try ledger.run("repair", "--yes", "--without-associates").code == 0)
        try ledger.expectIntact()
    }

    @Test(
        "what a destroyed key sealed before the damage is only evidence: the plan says how much, and why; what links prove is not"
    )
    func sealedByDestroyed() throws {
        for (text, keyless, readmitted) in [("ledger.genesis\"", 0, 9), ("{\"line\":\"2\"", 2, 7)] {
            let (ledger, old) = try retired()
            let segment = try ledger.read(CommandLedger.firstSegment)
            try damage(ledger, text)
            let shown = try ledger.run("repair")
            let words = "\(keyless) entries are sealed with key \(old), whose file is not there"
            #expect(shown.code == 10 && shown.output.contains(words) == (keyless > 0), "\(shown)")
            #expect(try ledger.run("repair", "--yes", "--without-associates").code == 0)
            try ledger.expectIntact()
            #expect(try ledger.bodies("--action", "ledger.readmitted").count == readmitted)
            #expect(try ledger.run("receipt", "7").code == 0)
            #expect(try ledger.contents().values.contains { $0.count == segment.count && $0 != segment })
        }
    }

    @Test("a key that is only missing is not given up: refused, and its backup helps")
    func missingKey() throws {
        let ledger = try CommandLedger(entries: 3)
        let first = try ledger.keyFile
        #expect(try ledger.run("key", "rotate", "--reason", "r").code == 0)
        _ = try ledger.ingest(["4", "5"])
        try damage(ledger, "{\"line\":\"2\"")
        let key = try ledger.read(first)
        try ledger.directory.remove(ledger.name(first))
        let refused = try ledger.run("repair", "--yes", "--without-associates")
        #expect(refused.code == 11 && refused.error.contains("put its backup in place"), "\(refused)")
        try ledger.directory.write(key, to: ledger.name(first))
        #expect(chmod(ledger.path + "/" + first, 0o600) == 0)
        #expect(try ledger.run("repair", "--yes", "--without-associates").code == 0)
        try ledger.expectIntact()
        #expect(try ledger.bodies("--action", "ledger.readmitted").count == 4)
    }

    @Test(
        "in the place of its plan stands what is no file: refused, also before it is done",
        arguments: ["directory", "link", "FIFO"])
    func planTaken(kind: String) throws {
        let ledger = try CommandLedger(entries: 3)
        try damage(ledger, "{\"line\":\"2\"")
        let path = ledger.path + "/repair"
        switch kind {
        case "directory": try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        case "link": try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "HEAD")
        default: #expect(mkfifo(path, 0o600) == 0)
        }
        for arguments in [[], ["--yes"]] as [[String]] {
            let refused = try ledger.run(["repair"] + arguments)
            #expect(refused.code == 20 && refused.error.contains("moved away: ") && refused.output.isEmpty, "\(refused)")
        }
        try FileManager.default.removeItem(atPath: path)
        #expect(try ledger.run("repair", "--yes", "--without-associates").code == 0)
        try ledger.expectIntact()
    }

    @Test("the longest words, all of them control characters, fit into the entry; longer ones are usage, and say which")
    func longWords() throws {
        let ledger = try CommandLedger(entries: 3)
        try damage(ledger, "{\"line\":\"2\"")
        let text = String(repeating: "\u{1}", count: 4 << 10)
        for name in ["--reason", "--root-cause", "--lesson"] {
            try ledger.expectRefusal(64, "\(name) takes 4096 bytes at most, and this one has 4097") {
                try ledger.run("repair", "--yes", name, text + "x")
            }
        }
        let done = try ledger.run("repair", "--yes", "--reason", text, "--root-cause", text, "--lesson", text)
        #expect(done.code == 0, "\(done.error.suffix(300))")
        try ledger.expectIntact()
    }

    @Test("a step back of the anchor is nothing to mend, and is said, with 10 and the way on", arguments: [[], ["--yes"]])
    func steppedBack(arguments: [String]) throws {
        let ledger = try CommandLedger(entries: 3)
        let environment = ["BULLA_STATE_DIR": ledger.directory.path("state")]
        try ledger.backUp(as: "old")
        #expect(try ledger.run(CommandLedger.appendArguments + ["--body", "{}"], environment: environment).code == 0)
        try ledger.restore(from: "old")
        let before = try ledger.contents()
        let shown = try ledger.run(["repair"] + arguments, environment: environment)
        #expect(shown.code == 10 && shown.output.contains("nothing to repair"), "\(shown)")
        #expect(shown.output.contains("stepped back") && shown.output.contains("bulla anchor accept"), "\(shown)")
        #expect(try ledger.contents() == before)
        let json = try JSON(parsing: Array(ledger.run(["repair", "--json"] + arguments, environment: environment).lastLine.utf8))
        #expect(json["needed"]?.bool == false && json["plan"]?["anchor"]?.string?.contains("stepped back") == true)
    }
}
