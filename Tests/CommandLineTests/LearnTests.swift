import CanonicalJSON
import Foundation
import TestSupport
import Testing

@Suite("bulla learn")
struct LearnTests {
    private func learn(_ ledger: CommandLedger, _ arguments: String...) throws -> Program.Result {
        try ledger.run(["learn"] + arguments)
    }

    @discardableResult
    private func add(_ ledger: CommandLedger, _ arguments: String...) throws -> JSON {
        let result = try ledger.run(["learn", "add", "--actor", "user:ada", "--json"] + arguments)
        try #require(result.code == 0, "\(result.error)")
        return try JSON(parsing: Array(result.lastLine.utf8))
    }

    private func listed(_ ledger: CommandLedger, _ arguments: String...) throws -> [JSON] {
        let result = try ledger.run(["learn", "list", "--json"] + arguments)
        try #require(result.code == 0, "\(result.error)")
        return try result.output.split(separator: "\n").map { try JSON(parsing: Array($0.utf8)) }
    }

    private func report(_ ledger: CommandLedger) throws -> JSON {
        let result = try learn(ledger, "report", "--json")
        try #require(result.code == 0, "\(result.error)")
        return try JSON(parsing: Array(result.lastLine.utf8))
    }

    @discardableResult
    private func record(_ ledger: CommandLedger, _ options: [String] = [], _ command: String...) throws -> Program.Result {
        try ledger.directory.write([], to: "data")
        return try Program.watched(
            ["record", "--actor", "specialist:builder", "--ledger", ledger.path] + options + ["--"] + command
        ).run(in: ledger.directory.path)
    }

    @Test(
        "record leaves one when its command fails: in one decision with its end, with what is known, and what is not",
        arguments: [
            (["sh", "-c", "exit 3"], "record/sh/exit-3", "sh -c exit 3 ended with exit code 3", Int32(3)),
            (["sh", "-c", "kill -TERM $$"], "record/sh/signal-15", "sh -c kill -TERM $$ was ended by signal 15", 143),
            (
                ["no-such-command-here", "test"], "record/no-such-command-here/test/not-started",
                "no-such-command-here test could not be started", 127
            ),
        ])
    func recorded(command: [String], signature: String, trauma: String, code: Int32) throws {
        let ledger = try CommandLedger()
        let result = try Program.watched(
            ["record", "--actor", "specialist:builder", "--ledger", ledger.path, "--json", "--"] + command
        ).run(in: ledger.directory.path)
        #expect(result.code == code)
        let told = try JSON(parsing: Array(try #require(result.error.split(separator: "\n").last).utf8))
        #expect(told["trauma"]?["seq"] == 4)
        let entries = try ledger.entries("--last", "2").compactMap { $0["entry"] }
        #expect(entries.map { $0["action"] } == ["record.finished", "trauma.recorded"])
        #expect(entries.map { $0["context"]?["part"] } == [[1, 2], [2, 2]])
        #expect(entries.allSatisfy { $0["context"]?["causes"] == [2] && $0["actor"] == "specialist:builder" })
        #expect(
            entries[1]["body"] == [
                "trauma": .string(trauma), "root_cause": "not known yet", "correction": "none yet", "lesson": "none yet",
                "open": true, "signature": .string(signature), "evidence": [2],
            ])
        let open = try listed(ledger, "--open")
        #expect(open.count == 1 && open[0]["state"] == "open" && open[0]["signature"] == .string(signature))
        try ledger.expectIntact(seq: 4)
    }

    @Test("record leaves none of a command that did well, none with --no-trauma, and under --signature what it is told")
    func recordOptions() throws {
        let ledger = try CommandLedger()
        #expect(try record(ledger, [], "true").code == 0)
        #expect(try record(ledger, ["--no-trauma"], "false").code == 1)
        #expect(try listed(ledger).isEmpty)
        #expect(try record(ledger, ["--signature", "nightly/backup"], "false").code == 1)
        #expect(try listed(ledger).map { $0["signature"] } == ["nightly/backup"])
        try ledger.expectRefusal(64, "is refused: it has 1 to 96 bytes") { try record(ledger, ["--signature", "a b"], "false") }
    }

    @Test("secrets in a failed command are replaced in its trauma too")
    func redacted() throws {
        let ledger = try CommandLedger()
        let secret = "hunter2hunter2hunter2"
        #expect(try record(ledger, [], "sh", "-c", "exit 1", "--password=\(secret)").code == 1)
        #expect(try record(ledger, [], secret, "--token", secret).code == 127)
        let text = String(decoding: try ledger.read(CommandLedger.firstSegment), as: UTF8.self)
        #expect(text.contains("sh -c exit 1 --password=[redacted:"))
        #expect(!text.contains("--password=\(secret)") && !text.contains("--token \(secret)"))
    }

    @Test("a trauma, its answer and its return, in list and report")
    func story() throws {
        let ledger = try CommandLedger()
        #expect(try record(ledger, [], "sh", "-c", "exit 3").code == 3)
        #expect(try record(ledger, [], "sh", "-c", "exit 3").code == 3)
        let told = try add(ledger, "--trauma", "Deploy 7 hung", "--factor", "no timeout", "--evidence", "2", "--evidence", "3")
        #expect(told["signature"] == "told/deploy-#-hung" && told["before"] == 0)
        #expect(try listed(ledger, "--open").map { $0["seq"] } == [4, 7, 8])
        let answered = try add(
            ledger, "--answers", "4", "--root-cause", "wrong flag", "--correction", "mended", "--lesson", "try it first")
        #expect(answered["signature"] == "record/sh/exit-3" && answered["open_before"] == 2)
        let entry = try #require(try ledger.entries("--last", "1").first?["entry"])
        #expect(
            entry["body"] == [
                "answers": 4, "signature": "record/sh/exit-3", "owner": "specialist:builder", "root_cause": "wrong flag",
                "correction": "mended", "lesson": "try it first",
            ])
        #expect(entry["context"]?["causes"] == [4])
        #expect(try listed(ledger, "--open").map { $0["seq"] } == [8])
        let old = try listed(ledger, "--signature", "record/*")
        #expect(old.map { $0["state"] } == ["answered", "answered"] && old[0]["answered_by"] == 9)
        #expect(try record(ledger, [], "sh", "-c", "exit 3").code == 3)
        #expect(try listed(ledger, "--actor", "specialist:*").map { $0["state"] } == ["answered", "answered", "recurred"])
        #expect(try listed(ledger, "--actor", "user:ada").map { $0["factors"] } == [["no timeout"]])
        #expect(try listed(ledger, "--last", "1").map { $0["seq"] } == [12])
        #expect(try listed(ledger, "--since", "1h").count == 4 && listed(ledger, "--since", "2100-01-01").isEmpty)

        let report = try report(ledger)
        let signatures = try #require(report["signatures"]?.array)
        #expect(signatures.map { $0["signature"] } == ["record/sh/exit-3", "told/deploy-#-hung"])
        #expect(signatures[0]["recurrences"] == 2 && signatures[0]["state"] == "recurred" && signatures[0]["open"] == 1)
        #expect(signatures[0]["lesson"] == "try it first" && signatures[0]["last"]?["seq"] == 12)
        let since = try #require(signatures[0]["since_seconds"]?.number)
        #expect(since >= 0 && since < 3600)
        let actors = try #require(report["actors"]?.array)
        #expect(actors.map { $0["actor"] } == ["specialist:builder", "user:ada"])
        #expect(actors[0]["traumas"] == 3 && actors[0]["lessons"] == 1 && actors[0]["newest"]?[0]?["seq"] == 9)
        try ledger.expectIntact(seq: 12)
    }

    @Test("what heals itself is listed: a cut tail, a rebuilt HEAD, a repair, an ignored snapshot")
    func healed() throws {
        let ledger = try CommandLedger(entries: 2)
        let bytes = try ledger.read(CommandLedger.firstSegment)
        let end = (bytes.lastIndex { $0 != 0 } ?? 0) + 1
        try ledger.overwrite(CommandLedger.firstSegment, Array(bytes[..<end]) + Array("600:{\"entry\":".utf8))
        #expect(try ledger.append().code == 0)
        try ledger.directory.remove(ledger.name("HEAD"))
        #expect(try ledger.append().code == 10)
        #expect(try ledger.run("repair", "--yes").code == 0)
        let set = ["state", "set", "/n", "1", "--actor", "user:ada"]
        #expect(try ledger.run(set).code == 0 && ledger.run("snapshot", "create").code == 0)
        let name = try #require(try FileManager.default.contentsOfDirectory(atPath: ledger.path + "/snapshots").first)
        try ledger.overwrite("snapshots/" + name, Array("junk".utf8))
        #expect(try ledger.run(set).code == 0)
        let all = try listed(ledger)
        #expect(
            all.map { $0["action"] } == ["ledger.tail_cut", "ledger.head_rebuilt", "ledger.repaired", "snapshot.ignored"],
            "\(all)")
        for trauma in all {
            #expect(trauma["state"] == "complete" && trauma["signature"] == trauma["action"])
            for name in ["trauma", "root_cause", "correction", "lesson"] {
                #expect(trauma[name]?.string?.isEmpty == false, "\(name) of \(trauma)")
            }
        }
        #expect(try listed(ledger, "--open").isEmpty)
        #expect(try report(ledger)["traumas"] == 4)
        try ledger.expectIntact()
    }

    @Test("a step back that was accepted says what is to be learnt of it")
    func steppedBack() throws {
        let ledger = try CommandLedger(entries: 1)
        #expect(try ledger.run("backup", ledger.directory.path("B")).code == 0)
        let state = ["BULLA_STATE_DIR": ledger.directory.path("state")]
        #expect(try ledger.run(CommandLedger.appendArguments + ["--body", "{}"], environment: state).code == 0)
        try ledger.directory.remove("L")
        try FileManager.default.moveItem(atPath: ledger.directory.path("B"), toPath: ledger.path)
        #expect(try ledger.run(["verify"], environment: state).code == 10)
        #expect(try ledger.run(["anchor", "accept", "--reason", "the disk died"], environment: state).code == 0)
        let all = try listed(ledger)
        #expect(all.map { $0["action"] } == ["anchor.accepted"])
        #expect(all[0]["root_cause"]?.string?.contains("the disk died") == true)
    }

    @Test(
        "refused: what is empty, too long, not there, no trauma, or said twice; each with its own words, and nothing is written")
    func refused() throws {
        let ledger = try CommandLedger(entries: 2)
        let long = String(repeating: "x", count: 5000)
        let many = (0..<65).flatMap { _ in ["--evidence", "2"] }
        let cases: [(Int32, String, [String])] = [
            (64, "give --trauma to record one, or --answers to answer one", []),
            (64, "give --trauma", ["--trauma", "x", "--answers", "2"]),
            (64, "leave --signature out", ["--answers", "2", "--signature", "x", "--lesson", "x"]),
            (64, "the trauma is empty", ["--trauma", ""]), (64, "the trauma is empty", ["--trauma", " \n"]),
            (64, "the trauma has 5000 bytes, and 4096 are allowed", ["--trauma", long]),
            (64, "the lesson is empty", ["--trauma", "x", "--lesson", ""]),
            (64, "the root cause has 5000 bytes", ["--trauma", "x", "--root-cause", long]),
            (64, "the signature \"a b\" is refused", ["--trauma", "x", "--signature", "a b"]),
            (64, "the signature \"\" is refused", ["--trauma", "x", "--signature", ""]),
            (64, "the owner \"nobody\" is no actor", ["--trauma", "x", "--owner", "nobody"]),
            (20, "there is no entry 9; the last one is 3", ["--trauma", "x", "--evidence", "9"]),
            (20, "there is no entry 0", ["--trauma", "x", "--evidence", "0"]),
            (64, "65 pieces of evidence", ["--trauma", "x"] + many),
            (20, "there is no entry 9", ["--answers", "9", "--lesson", "x"]),
            (20, "entry 2 is no trauma, but log.line", ["--answers", "2", "--lesson", "x"]),
            (64, "an answer says a correction, a lesson, or both", ["--answers", "2", "--root-cause", "x"]),
        ]
        for (code, words, arguments) in cases {
            try ledger.expectRefusal(code, words) {
                try ledger.run(["learn", "add", "--actor", "user:ada"] + arguments)
            }
        }
        try ledger.expectRefusal(64, "is no actor") { try ledger.run("learn", "add", "--actor", "nobody", "--trauma", "x") }
        try ledger.expectRefusal(64, "--since takes") { try learn(ledger, "list", "--since", "yesterday") }
        try ledger.expectRefusal(64, "--last takes") { try learn(ledger, "list", "--last", "0") }
        for action in ["trauma.recorded", "trauma.answered", "trauma"] {
            try ledger.expectRefusal(20, "reserved") {
                try ledger.run(
                    "append", "--actor", "a:b", "--action", action, "--pillar", "integrity", "--reason", "r", "--body", "{}")
            }
        }
    }

    @Test("evidence that a repair lost shows nothing any more, and one that it re-admitted does")
    func repaired() throws {
        let ledger = try CommandLedger(entries: 1)
        #expect(try record(ledger, [], "false").code == 1)
        #expect(try ledger.append().code == 0)
        var bytes = try ledger.read(CommandLedger.firstSegment)
        let text = String(decoding: bytes, as: UTF8.self)
        let place = try #require(text.range(of: #""body":{"line":"1"}"#))
        bytes[text.utf8.distance(from: text.startIndex, to: place.lowerBound)] ^= 1
        try ledger.overwrite(CommandLedger.firstSegment, bytes)
        #expect(try ledger.run("verify").code == 10)
        #expect(try ledger.run("repair", "--yes").code == 0)
        try ledger.expectRefusal(20, "entry 2 was lost in repair") {
            try ledger.run("learn", "add", "--actor", "user:ada", "--trauma", "x", "--evidence", "2")
        }
        // Recorded with seq 5, it stands behind the repair now, and the answer behind it.
        #expect(try listed(ledger).map { $0["action"] } == ["ledger.repaired", "trauma.recorded"])
        #expect(try listed(ledger, "--open").map { $0["seq"] } == [5])
        try add(ledger, "--answers", "5", "--lesson", "x", "--evidence", "3")
        #expect(try listed(ledger, "--open").isEmpty)
        try ledger.expectIntact()
    }

    @Test(
        "behind an archive what is to be learnt is there; the last of each signature can be answered, and others with the archive"
    )
    func archived() throws {
        let ledger = try CommandLedger()
        for _ in 1...2 { #expect(try record(ledger, [], "false").code == 1) }
        func told() throws -> [JSON?] {
            let report = try report(ledger)
            let signature = report["signatures"]?[0]
            return [report["traumas"], report["actors"]] + ["open", "traumas", "first", "last", "trauma"].map { signature?[$0] }
        }
        let before = try told()
        #expect(try ledger.archive().code == 0)
        #expect(try told() == before && before[0] == 2)
        let list = try learn(ledger, "list")
        #expect(list.code == 0 && list.output.isEmpty && list.error.contains("give each directory with --archive"))
        #expect(try listed(ledger, "--archive", ledger.place(), "--open").map { $0["seq"] } == [4, 7])
        try ledger.expectRefusal(20, "give that directory with --archive") {
            try ledger.run("learn", "add", "--actor", "user:ada", "--answers", "4", "--lesson", "x")
        }
        try ledger.expectRefusal(20, "give that directory with --archive") {
            try ledger.run("learn", "add", "--actor", "user:ada", "--trauma", "x", "--evidence", "2")
        }
        try add(ledger, "--answers", "7", "--lesson", "x")
        #expect(try report(ledger)["open"] == 0)
        try add(ledger, "--answers", "4", "--lesson", "y", "--evidence", "2", "--archive", ledger.place())
        #expect(try report(ledger)["signatures"]?[0]?["lesson"] == "y")
        #expect(try ledger.run("verify", "--archive", ledger.place()).code == 0)
        try ledger.expectIntact()
    }

    @Test("tables fit a terminal of 80 and one of 200 columns, whatever is in them; piped, nothing is cut", arguments: [80, 200])
    func tables(width: Int) throws {
        let ledger = try CommandLedger()
        let trauma = "\u{1B}[2J bad\n" + String(repeating: "漢字 and more words ", count: 20)
        try add(ledger, "--trauma", trauma, "--lesson", trauma, "--owner", "specialist:" + String(repeating: "long", count: 10))
        #expect(try record(ledger, [], "false").code == 1)
        for verb in ["list", "report"] {
            let script = """
                import os, pty, sys, struct, fcntl, termios
                pid, fd = pty.fork()
                if pid == 0:
                    fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack('HHHH', 24, int(sys.argv[3]), 0, 0))
                    os.execv(sys.argv[1], [sys.argv[1], 'learn', sys.argv[4], '--ledger', sys.argv[2]])
                out = b''
                while True:
                    try: data = os.read(fd, 65536)
                    except OSError: break
                    if not data: break
                    out += data
                sys.stdout.buffer.write(out.replace(b'\\r', b''))
                """
            let shown = try Program.python(script, Program.bullaPath, ledger.path, String(width), verb).run()
            #expect(shown.code == 0 && shown.output.contains("SIGNATURE") && shown.output.contains("…"), "\(shown)")
            #expect(shown.output.contains("ACTOR") == (width == 200))
            for line in shown.output.split(separator: "\n") {
                let cells = line.reduce(0) { $0 + ("一"..."鿿" ~= $1 ? 2 : 1) }
                #expect(cells <= width && !line.contains("\u{1B}"), "\(verb), \(cells): \(line)")
            }
        }
        let piped = try learn(ledger, "list").output
        #expect(piped.contains("\\u{1b}[2J bad") && !piped.contains("…"))
        #expect(try learn(CommandLedger(), "report").output == "no trauma is recorded\n")
    }
}
