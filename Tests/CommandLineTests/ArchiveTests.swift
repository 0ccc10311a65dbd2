import CanonicalJSON
import Foundation
import LedgerFormat
import TestSupport
import Testing

extension CommandLedger {
    /// Where the tests archive to.
    func place(_ name: String = "A") -> String { directory.path(name) }

    /// Everything that there is moves.
    func archive(to name: String = "A", _ more: String...) throws -> Program.Result {
        try run(["archive", "--before", "999999999", "--to", place(name), "--yes"] + more)
    }

    var firstSegmentLeft: String {
        get throws {
            let names = try FileManager.default.contentsOfDirectory(atPath: path + "/ledger").sorted()
            return "ledger/" + (try #require(names.first))
        }
    }
}

@Suite("bulla archive")
struct ArchiveTests {
    /// Entries 2 to 4 set `/n`.
    private func counted() throws -> CommandLedger {
        let ledger = try CommandLedger()
        for number in 1...3 { try count(ledger, number) }
        return ledger
    }

    private func count(_ ledger: CommandLedger, _ number: Int) throws {
        let set = try ledger.run("state", "set", "/n", String(number), "--actor", "user:ada")
        try #require(set.code == 0, "\(set.error)")
    }

    private func state(_ ledger: CommandLedger, _ more: String...) throws -> String {
        try ledger.run(["state", "get", "/n"] + more).output
    }

    @Test("shown first; done with --yes: the ledger begins later, both verifiers say so, and with the archive all is checked")
    func life() throws {
        let ledger = try counted()
        let before = try ledger.contents()
        let plan = try ledger.run("archive", "--before", "99", "--to", ledger.place())
        #expect(plan.code == 0 && plan.output.contains("entries 1 to 4 in 1 segment") && plan.output.contains("--yes"), "\(plan)")
        #expect(try ledger.contents() == before && !FileManager.default.fileExists(atPath: ledger.place()))
        let done = try ledger.archive()
        #expect(done.code == 0 && done.output.contains("archived entries 1 to 4"), "\(done)")
        #expect(done.output.contains("recorded: bulla-receipt-v1/"))
        let verdict = try ledger.agreedVerdict()
        #expect(verdict.code == 0 && verdict.line.hasPrefix("intact: segment 00000000000000000005.frames"), "\(verdict)")
        let note = ": from seq 5; before: unchecked, archived by entry 5\n"
        #expect(try ledger.run("verify").output.contains(note))
        #expect(try Program.judge([ledger.path]).run().output.hasSuffix(note))
        let whole = try ledger.run("verify", "--archive", ledger.place())
        #expect(whole.code == 0 && whole.output.contains("10 entries checked") && !whole.output.contains("unchecked"), "\(whole)")
        #expect(whole.output.contains("archived segments: 1 of 1"))
        #expect(try state(ledger) == "3\n")
        try count(ledger, 4)
        #expect(try state(ledger) == "4\n" && ledger.run("state", "history", "/n").output.contains("4"))
        // The archive's files are the owner's alone.
        for name in ["A", "A/ledger", "A/ledger/00000000000000000001.frames"] {
            let mode = try FileManager.default.attributesOfItem(atPath: ledger.place(name))[.posixPermissions] as? Int
            #expect((mode ?? 0) & 0o077 == 0, "\(name)")
        }
    }

    @Test("what was archived is refused with the place it went to, and read from there")
    func reading() throws {
        let ledger = try counted()
        let receipts = try ledger.run("receipt", "2").output
        try ledger.directory.write(Array(receipts.utf8), to: "receipts")
        #expect(try ledger.archive().code == 0)
        let words = "entry 2 was archived to \(ledger.place()) by entry 5"
        for verb in [
            ["show", "2"], ["receipt", "2"], ["log", "--from", "2"], ["state", "get", "--at", "2"], ["restore", "--to", "2"],
            ["state", "diff", "2", "6"],
        ] {
            try ledger.expectRefusal(20, words) { try ledger.run(verb) }
        }
        let archive = ["--archive", ledger.place()]
        #expect(try ledger.run(["show", "2"] + archive).code == 0)
        #expect(try ledger.run(["receipt", "2"] + archive).output == receipts)
        #expect(try ledger.run(["log", "--json"] + archive).output.split(separator: "\n").count == 10)
        #expect(try ledger.entries().count == 6)
        #expect(try ledger.run(["state", "get", "/n", "--at", "3"] + archive).output == "2\n")
        let unchecked = try ledger.run("verify", "--receipt", ledger.directory.path("receipts"))
        #expect(unchecked.code == 11 && unchecked.output.contains("archived, not checked"), "\(unchecked)")
        #expect(try ledger.run(["verify", "--receipt", ledger.directory.path("receipts")] + archive).code == 0)
        #expect(try ledger.run("status").output.contains("what lies before seq 5"))
        let json = try JSON(parsing: Array(ledger.run("verify", "--json").lastLine.utf8))
        #expect(json["first"] == 5 && json["before"] == "unchecked" && json["archived_by"] == 5)
        let both = try JSON(parsing: Array(ledger.run(["verify", "--json"] + archive).lastLine.utf8))
        #expect(both["first"] == 1 && both["before"] == "nothing" && both["archive"] == ["checked": 1, "named": 1])
    }

    @Test("again and again, to several places; a key that sealed only archived entries; a backup of what is left")
    func again() throws {
        let ledger = try counted()
        #expect(try ledger.archive(to: "A").code == 0)
        #expect(try ledger.run("key", "rotate", "--reason", "test").code == 0)
        try count(ledger, 5)
        let json = try ledger.archive(to: "B", "--json")
        let answer = try JSON(parsing: Array(json.lastLine.utf8))
        #expect(json.code == 0 && answer["applied"] == true && answer["first"] == 5 && answer["segments"] == 1, "\(json)")
        try count(ledger, 6)
        #expect(try ledger.archive(to: "A").code == 0)
        #expect(try ledger.agreedVerdict().code == 0)
        #expect(try state(ledger) == "6\n")
        func verify(_ places: String...) throws -> Program.Result {
            try ledger.run(["verify"] + places.flatMap { ["--archive", ledger.place($0)] })
        }
        let all = try verify("A", "B")
        #expect(all.code == 0 && all.output.contains("archived segments: 3 of 3") && !all.output.contains("unchecked"), "\(all)")
        let hole = try verify("A")
        #expect(hole.code == 20 && hole.output.isEmpty, "\(hole)")
        #expect(hole.error.contains("which entry 13 says were archived, are in none of the archives given"), "\(hole)")
        let keys = try ledger.run("key", "list")
        #expect(keys.code == 0 && keys.output.contains("archived"), "\(keys)")
        #expect(try ledger.run("audit").code == 0)
        let backup = try ledger.run("backup", ledger.place("copy"))
        #expect(backup.code == 0, "\(backup)")
        #expect(try ledger.run("backup", "--check", ledger.place("copy")).code == 0)
        #expect(try Program.judge([ledger.place("copy")]).run().code == 0)
        try ledger.expectIntact()
    }

    @Test("lanes and their leases stay as they are, and a token never comes again")
    func lanes() throws {
        let ledger = try CommandLedger(lanes: [("api", ["--tree", "src/api"]), ("web", ["--tree", "src/web"])])
        let lease = try ledger.acquire("api")
        func declared() throws -> JSON? {
            try JSON(parsing: Array(ledger.run("lane", "list", "--json").lastLine.utf8))["declared"]
        }
        let before = try declared()
        #expect(try ledger.archive().code == 0)
        #expect(try before != nil && declared() == before)
        #expect(try ledger.check(lease) == 0)
        #expect(try ledger.refusal("api")["reason_class"] == "lane_held")
        let next = try ledger.acquire("web")
        #expect(next.token > lease.token)
        let history = try ledger.run("lane", "history")
        #expect(history.code == 0 && !history.output.contains("declare"), "\(history)")
        #expect(try ledger.run("lane", "history", "--archive", ledger.place()).output.contains("api"))
        #expect(try ledger.agreedVerdict().code == 0)
    }

    @Test("one changed byte in the archive is found, and an archive that is not there says so")
    func changed() throws {
        let ledger = try counted()
        #expect(try ledger.archive().code == 0)
        var bytes = try ledger.directory.read("A/ledger/00000000000000000001.frames")
        bytes[bytes.count / 2] ^= 1
        try ledger.directory.write(bytes, to: "A/ledger/00000000000000000001.frames")
        chmod(ledger.place("A/ledger/00000000000000000001.frames"), 0o600)
        let found = try ledger.run("verify", "--archive", ledger.place())
        #expect(found.code == 10, "\(found)")
        #expect(try ledger.run("verify").code == 0)
        #expect(try ledger.run("verify", "--archive", ledger.place("none")).code == 30)
        // One that has lost its files proves nothing.
        try FileManager.default.createDirectory(atPath: ledger.place("E/ledger"), withIntermediateDirectories: true)
        for path in [ledger.place("E"), ledger.place("E/ledger")] { chmod(path, 0o700) }
        let empty = try ledger.run("verify", "--archive", ledger.place("E"))
        #expect(empty.code == 20 && empty.error.contains("holds no archive"), "\(empty)")
    }

    @Test("refused: nothing whole lies before, a place inside the ledger, another ledger's place, bad words")
    func refused() throws {
        let ledger = try counted()
        try ledger.expectRefusal(20, "nothing to archive") {
            try ledger.run("archive", "--before", "4", "--to", ledger.place(), "--yes")
        }
        try ledger.expectRefusal(20, "nothing to archive") {
            try ledger.run("archive", "--before", "1d", "--to", ledger.place(), "--yes")
        }
        try ledger.expectRefusal(64, "lies inside the ledger") {
            try ledger.run("archive", "--before", "99", "--to", ledger.path + "/A", "--yes")
        }
        let other = try CommandLedger()
        try ledger.expectRefusal(20) { try ledger.run("archive", "--before", "99", "--to", other.path, "--yes") }
        for before in ["0", "-1", "x", "1y", ""] {
            try ledger.expectRefusal(64) { try ledger.run("archive", "--before", before, "--to", ledger.place(), "--yes") }
        }
        try ledger.expectRefusal(64) { try ledger.run("archive", "--before", "99", "--to", "", "--yes") }
        // All of it is older than a moment.
        #expect(try ledger.run("archive", "--before", "0s", "--to", ledger.place(), "--yes").code == 0)
    }

    @Test("a ledger whose first segments are gone without a word is tampered with, and so is one that builds on something else")
    func forged() throws {
        func verdict(_ drop: Int, _ go: (inout ForgedChain) -> Void) throws -> Verdict {
            var chain = ForgedChain()
            for _ in 2...3 { chain.append() }
            chain.roll()
            chain.append()
            chain.rotate(to: ForgedChain.keys[1])
            chain.roll()
            for _ in 6...7 { chain.append() }
            go(&chain)
            let last = chain.head()
            chain.drop(drop)
            let ledger = try CommandLedger(chain, keys: [0, 1], head: last.sealed(with: ForgedChain.keys[1]))
            return try ledger.agreedVerdict()
        }
        let missing = Verdict.tampered(offset: 0, seq: 1)
        for drop in 0...2 { #expect(try verdict(drop) { $0.archive(2) }.code == 0) }
        #expect(try verdict(2) { $0.append() } == missing)
        #expect(try verdict(2) { $0.archive(1) } == missing)
        #expect(try verdict(2) { $0.archive(2) { $0.segments[1].tip = .zero } } == missing)
        #expect(try verdict(2) { $0.archive(2) { $0.segments[1].key = ForgedChain.keys[0].id } } == missing)
        let form = try verdict(0) { chain in
            chain.append {
                $0.action = ArchiveStatement.action
                $0.body = #"{"keys":[],"segments":[]}"#
            }
        }
        #expect(form.code == 10)
        let again = try verdict(2) {
            $0.archive(2)
            $0.rotate(to: ForgedChain.keys[0])
            $0.rotate(to: ForgedChain.keys[1])
        }
        #expect(again.code == 10 && again.line.hasSuffix("seq 9"), "\(again)")
        // An old HEAD, put back.
        var chain = ForgedChain()
        chain.append()
        let old = chain.head()
        chain.roll()
        chain.archive(1)
        chain.append()
        chain.drop(1)
        let ledger = try CommandLedger(chain, keys: [0], head: old.sealed(with: ForgedChain.keys[0]))
        let found = try ledger.agreedVerdict()
        #expect(found.code == 10 && found.line.hasSuffix("seq 3"), "\(found)")
        #expect(try ledger.append().code == 10)
    }

    @Test("a service that appends goes on, though the segment is gone that it once began with")
    func service() throws {
        let ledger = try CommandLedger(entries: 5)
        let script = "exec \"$BULLA\" run --ledger \"$1\" --interval 0.1"
        let process = try Program.shell(script, ledger.path).start()
        func pulses() throws -> Int { try ledger.entries("--action", "run.pulse").count }
        try waitUntil("it is online") { try process.output.contains("online") }
        try waitUntil("two pulses") { try pulses() >= 2 }
        // What was recorded since the service last looked is archived too.
        #expect(try ledger.append().code == 0)
        #expect(try ledger.archive().code == 0)
        try waitUntil("twelve more pulses") { try pulses() >= 12 }
        let path = "/proc/\(process.processID)/task/\(process.processID)/children"
        let children = try String(contentsOfFile: path, encoding: .utf8).split(separator: " ").compactMap { Int32($0) }
        for child in children { kill(child, SIGTERM) }
        let result = try process.wait()
        #expect(result.code == 0, "\(result)")
        try ledger.expectIntact()
    }
}
