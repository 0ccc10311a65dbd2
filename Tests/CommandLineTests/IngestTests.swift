import CanonicalJSON
import Foundation
import TestSupport
import Testing

@Suite("ingest records lines, durable batch by batch")
struct IngestTests {
    private static func draft(_ n: Int, id: Bool = false) -> String {
        let context = id ? #","context":{"id":"\#(n)"}"# : ""
        return
            #"{"actor":"user:ada","action":"test.event","justification":{"pillar":"integrity","reason":"r"},"body":{"n":\#(n)}\#(context)}"#
    }

    private static func lines(_ lines: [String]) -> String { lines.map { $0 + "\n" }.joined() }

    @Test("drafts are recorded in their order; blank lines between them are none", arguments: ["file", "stdin", "pipe", "FIFO"])
    func drafts(source: String) throws {
        let ledger = try CommandLedger()
        let text = Self.lines([Self.draft(1), "", Self.draft(2), "  \t\r", Self.draft(3), ""]) + Self.draft(4)
        try ledger.directory.write(Array(text.utf8), to: "drafts")
        let file = ledger.directory.path("drafts")
        let answer =
            switch source {
            case "file": try ledger.run("ingest", file)
            case "stdin": try ledger.run("ingest", "-", input: text)
            case "pipe": try Program.shell("cat \"$2\" | \"$BULLA\" ingest --ledger \"$1\" -", ledger.path, file).run()
            default:
                try Program.shell(
                    "mkfifo \"$2.fifo\"; (cat \"$2\" > \"$2.fifo\") & exec \"$BULLA\" ingest --ledger \"$1\" \"$2.fifo\"",
                    ledger.path, file
                ).run()
            }
        #expect(answer.code == 0, "\(answer.error)")
        #expect(answer.output.hasPrefix("recorded 4 entries\nbulla-receipt-v1/"))
        #expect(answer.error.isEmpty)
        #expect(try ledger.run("receipt", "5").receipts == answer.receipts)
        #expect(try ledger.bodies("--from", "2") == ["1", "2", "3", "4"])
        try ledger.expectIntact(seq: 5)
    }

    @Test("with --json it answers one object")
    func json() throws {
        let ledger = try CommandLedger()
        let answer = try ledger.run("ingest", "--json", "-", input: Self.lines([Self.draft(1), "", Self.draft(2)]))
        let object = try #require(try JSON(parsing: Array(answer.output.utf8)).object)
        #expect(object["recorded"] == 2 && object["repeated"] == 0 && object["lines"] == 3)
        #expect(object["last"]?.object?["seq"] == 3)
    }

    @Test("no lines are no entries")
    func nothing() throws {
        let ledger = try CommandLedger()
        for input in ["", "\n\n"] {
            let answer = try ledger.run("ingest", "-", input: input)
            #expect(answer.code == 0 && answer.output == "recorded 0 entries\n")
        }
        try ledger.expectIntact(seq: 1)
    }

    @Test("raw lines are kept byte for byte: what is no UTF-8 in base64 beside the printable form")
    func raw() throws {
        let ledger = try CommandLedger()
        let input =
            Array("plain\n\n tab\tand \"quotes\" \r\n".utf8) + [0x61, 0xFF, 0xFE, 0x62, 0x0A]
            + Array("no line feed at the end".utf8)
        let answer = try ledger.run(
            ["ingest", "--raw", "--actor", "service:j", "--action", "log.kept", "--pillar", "evolution", "--reason", "why", "-"],
            input: input)
        #expect(answer.output.hasPrefix("recorded 5 entries\n"), "\(answer.error)")
        let entries = try ledger.entries("--from", "2").compactMap { $0.object?["entry"]?.object }
        #expect(entries.map { $0["action"] } == Array(repeating: "log.kept", count: 5))
        #expect(entries.map { $0["justification"] } == Array(repeating: ["pillar": "evolution", "reason": "why"], count: 5))
        let expected: [JSON] = [
            ["line": "plain"], ["line": ""], ["line": " tab\tand \"quotes\" \r"],
            ["line": "a\u{FFFD}\u{FFFD}b", "line_base64": "Yf/+Yg=="],
            ["line": "no line feed at the end"],
        ]
        #expect(entries.map { $0["body"] } == expected)
        try ledger.expectIntact(seq: 6)
    }

    /// A line that no draft is.
    struct BadLine: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var line: String
        var code: Int32 = 64
        var words: String

        static let all = [
            BadLine(testDescription: "half a draft", line: #"{"actor":"user:ada","#, words: "line 4, column 21 is refused"),
            BadLine(testDescription: "no JSON", line: "hello", words: "line 4, column 1 is refused"),
            BadLine(testDescription: "no object", line: "[]", words: "line 4 is refused: a draft is a JSON object"),
            BadLine(
                testDescription: "an unknown key", line: draft(0).replacing(#"{"actor""#, with: #"{"sig":"x","actor""#),
                words: #"line 4 is refused: the draft has a key "sig""#),
            BadLine(
                testDescription: "a missing key", line: draft(0).replacing(#""action":"test.event","#, with: ""),
                words: #"line 4 is refused: the draft has no "action""#),
            BadLine(
                testDescription: "a reserved action", line: draft(0).replacing("test.event", with: "lane.acquire"), code: 20,
                words: #"line 4 is refused: "lane.acquire" is reserved"#),
            BadLine(
                testDescription: "a bad pillar", line: draft(0).replacing("integrity", with: "greed"),
                words: #"line 4 is refused: "greed" is no pillar"#),
            BadLine(
                testDescription: "more in the justification", line: draft(0).replacing(#""r"}"#, with: #""r","x":1}"#),
                words: "line 4 is refused: the justification needs"),
            BadLine(
                testDescription: "a body that is no object", line: draft(0).replacing(#"{"n":0}"#, with: "7"),
                words: "line 4 is refused: the body is not a JSON object"),
            BadLine(
                testDescription: "a line that no entry holds", line: String(repeating: "x", count: 2_000_000),
                words: "line 4 of stdin is longer than 1048576 bytes"),
            BadLine(
                testDescription: "an entry that is too large",
                line: draft(0).replacing(#"{"n":0}"#, with: #"{"t":"\#(String(repeating: "x", count: 1_000_000))"}"#),
                words: "line 4: the entry would have"),
        ]
    }

    @Test("a bad line stops the work: what is before it is recorded, and the message says where to go on", arguments: BadLine.all)
    func badLine(_ bad: BadLine) throws {
        let ledger = try CommandLedger()
        var all = (1...6).map { Self.draft($0) }
        all.insert(bad.line, at: 3)
        let stopped = try ledger.run("ingest", "-", input: Self.lines(all))
        #expect(stopped.code == bad.code)
        #expect(stopped.error.contains(bad.words), "\(stopped.error.prefix(300))")
        #expect(stopped.error.contains("; everything up to line 3 is recorded: go on at line 4"))
        #expect(stopped.output.hasPrefix("recorded 3 entries\n"))
        #expect(try ledger.run("receipt", "4").receipts == stopped.receipts)
        all.remove(at: 3)
        let goneOn = try ledger.run("ingest", "-", input: Self.lines(Array(all[3...])))
        #expect(goneOn.code == 0)
        #expect(try ledger.bodies("--from", "2") == ["1", "2", "3", "4", "5", "6"])
        try ledger.expectIntact(seq: 7)
    }

    @Test("a bad first line records nothing")
    func badFirstLine() throws {
        let ledger = try CommandLedger()
        try ledger.expectRefusal(64, "line 1", "nothing was recorded before it: go on at line 1") {
            try ledger.run("ingest", "-", input: "?\n" + Self.draft(1))
        }
    }

    @Test(
        "a bad line after thousands: everything before it is there, and `tail -n +N` gives exactly the rest",
        arguments: [2500, 3001])
    func badLineInLaterBatch(place: Int) throws {
        let ledger = try CommandLedger()
        var all = (1...4000).map { Self.draft($0) }
        all[place - 1] = "?" + all[place - 1]
        try ledger.directory.write(Array(Self.lines(all).utf8), to: "drafts")
        let file = ledger.directory.path("drafts")
        let stopped = try ledger.run("ingest", file)
        #expect(stopped.code == 64)
        #expect(stopped.error.contains("go on at line \(place)"))
        let goOn = "sed 's/^?//' \"$2\" | tail -n +\(place) | \"$BULLA\" ingest --ledger \"$1\" -"
        #expect(try Program.shell(goOn, ledger.path, file).run().code == 0)
        #expect(try ledger.bodies("--from", "2") == (1...4000).map(String.init))
        try ledger.expectIntact(seq: 4001)
    }

    @Test("ids make it safe to send everything again, also when only a part was recorded")
    func repeated() throws {
        let ledger = try CommandLedger()
        let all = (1...3000).map { Self.draft($0, id: true) }
        #expect(try ledger.run("ingest", "-", input: Self.lines(Array(all[..<1700]))).code == 0)
        let again = try ledger.run("ingest", "-", input: Self.lines(all))
        #expect(again.output.hasPrefix("recorded 1,300 entries (1,700 were there already)\n"), "\(again.error)")
        let third = try ledger.run("ingest", "-", input: Self.lines(all))
        #expect(third.output.hasPrefix("recorded 0 entries (3,000 were there already)\n"))
        #expect(third.receipts == again.receipts)
        #expect(try ledger.bodies("--from", "2") == (1...3000).map(String.init))
        try ledger.expectIntact(seq: 3001)
    }

    @Test("an id that comes twice with other content is a conflict, and stops the work: exit 22")
    func conflict() throws {
        let ledger = try CommandLedger()
        let input = Self.lines([
            Self.draft(1, id: true), Self.draft(2, id: true), Self.draft(1, id: true).replacing("{\"n\":1}", with: "{\"n\":9}"),
            Self.draft(4, id: true),
        ])
        let stopped = try ledger.run("ingest", "-", input: input)
        #expect(stopped.code == 22)
        #expect(stopped.error.contains("line 3: user:ada used the id \"1\" before") && stopped.error.contains("go on at line 3"))
        try ledger.expectIntact(seq: 3)
    }

    @Test(
        "wrong arguments are refused before a line is read",
        arguments: [
            (["--raw", "-"], "--raw needs --actor"), (["--actor", "a:b", "-"], "go with --raw"), ([], "<file>"),
            (["--raw", "--actor", "ab", "-"], "\"ab\" is no actor"),
            (["--raw", "--actor", "a:b", "--pillar", "x", "-"], "\"x\" is no pillar"),
            (["/no/such/file"], "cannot open /no/such/file: No such file"),
        ])
    func usage(arguments: [String], words: String) throws {
        let ledger = try CommandLedger()
        try ledger.expectRefusal(64, words) { try ledger.run(["ingest"] + arguments, input: Array("x\n".utf8)) }
        try ledger.expectRefusal(20, "\"key.made\" is reserved") {
            try ledger.run("ingest", "--raw", "--actor", "a:b", "--action", "key.made", "-", input: "x\n")
        }
    }

    @Test("lines from a pipe are recorded as they come, and nobody waits for the lock meanwhile")
    func slowPipe() throws {
        let ledger = try CommandLedger()
        // The writer of the pipe waits for each line to be in the ledger before it sends the next one.
        let script = """
            send() { for n in 1 2 3; do
                echo "line $n"
                until "$BULLA" log --ledger "$1" --json | grep -q "line $n"; do sleep 0.01; done
                "$BULLA" append --ledger "$1" --wait 5 --actor user:b --action a.b --pillar integrity --reason r --body '{"line":"between"}' >&2 || exit 1
            done; }
            send "$1" | "$BULLA" ingest --ledger "$1" --raw --actor service:slow -
            """
        let result = try Program.shell(script, ledger.path).run()
        #expect(result.code == 0, "\(result.error)")
        #expect(result.output.hasPrefix("recorded 3 entries\n"))
        #expect(try ledger.bodies("--from", "2") == ["line 1", "between", "line 2", "between", "line 3", "between"])
        try ledger.expectIntact(seq: 7)
    }

    /// What stops the work at a line in the midst of a later batch.
    struct Stop: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var code: Int32
        var words: String
        var spoil: @Sendable (String) -> String

        static let all = [
            Stop(testDescription: "no JSON", code: 64, words: "line 2500, column 1 is refused") { "?" + $0 },
            Stop(testDescription: "a reserved action", code: 20, words: #"line 2500 is refused: "lane.acquire" is reserved"#) {
                $0.replacing("test.event", with: "lane.acquire")
            },
            Stop(testDescription: "an id of the first batch", code: 22, words: #"line 2500: user:ada used the id "100" before"#) {
                $0.replacing(#""id":"2500""#, with: #""id":"100""#)
            },
            Stop(testDescription: "an id of the batch before", code: 22, words: #"line 2500: user:ada used the id "1999" before"#)
            {
                $0.replacing(#""id":"2500""#, with: #""id":"1999""#)
            },
            Stop(testDescription: "an id of the same batch", code: 22, words: #"line 2500: user:ada used the id "2499" before"#) {
                $0.replacing(#""id":"2500""#, with: #""id":"2499""#)
            },
            Stop(testDescription: "an entry that is too large", code: 64, words: "line 2500: the entry would have") {
                $0.replacing(#"{"n":2500}"#, with: #"{"t":"\#(String(repeating: "x", count: 1_000_000))"}"#)
            },
        ]
    }

    @Test("of 5,000 lines one in the third batch stops the work: exactly what is before it is recorded", arguments: Stop.all)
    func stoppedInThirdBatch(_ stop: Stop) throws {
        let ledger = try CommandLedger()
        var all = (1...5000).map { Self.draft($0, id: true) }
        let good = all[2499]
        all[2499] = stop.spoil(good)
        let stopped = try ledger.run("ingest", "-", input: Self.lines(all))
        #expect(stopped.code == stop.code)
        #expect(stopped.error.contains(stop.words), "\(stopped.error.prefix(300))")
        #expect(stopped.error.contains("; everything up to line 2499 is recorded: go on at line 2500"))
        #expect(stopped.output.hasPrefix("recorded 2,499 entries\n"))
        #expect(try ledger.run("receipt", "2500").receipts == stopped.receipts)
        try ledger.expectIntact(seq: 2500)
        all[2499] = good
        #expect(try ledger.run("ingest", "-", input: Self.lines(Array(all[2499...]))).code == 0)
        #expect(try ledger.bodies("--from", "2") == (1...5000).map(String.init))
    }

    @Test(
        "blank lines at the borders of batches are counted as lines and not as drafts", arguments: [998, 999, 1000, 1001, 2000])
    func blankLines(place: Int) throws {
        let ledger = try CommandLedger()
        var all = (1...2500).map { Self.draft($0) }
        all.insert(contentsOf: ["", " \t", "\r"], at: place)
        all.insert(contentsOf: ["", ""], at: 0)
        all += ["", " "]
        let answer = try ledger.run("ingest", "--json", "-", input: Self.lines(all))
        let object = try #require(try JSON(parsing: Array(answer.output.utf8)).object)
        #expect(object["recorded"] == 2500 && object["lines"] == 2507, "\(answer.error)")
        #expect(try ledger.bodies("--from", "2") == (1...2500).map(String.init))
        try ledger.expectIntact(seq: 2501)
    }

    @Test("a bad line behind blank ones, behind a whole batch: going on where the message says loses and doubles nothing")
    func badBehindBlank() throws {
        let ledger = try CommandLedger()
        var all = (1...1000).map { Self.draft($0) } + ["", " ", "", "?"] + (1001...1100).map { Self.draft($0) }
        let stopped = try ledger.run("ingest", "-", input: Self.lines(all))
        #expect(stopped.code == 64 && stopped.error.contains("line 1004, column 1 is refused"), "\(stopped.error)")
        let place = try #require(stopped.error.firstMatch(of: /go on at line (\d+)/).flatMap { Int($0.output.1) })
        #expect(1001...1004 ~= place)
        all[1003] = ""
        #expect(try ledger.run("ingest", "-", input: Self.lines(Array(all[(place - 1)...]))).code == 0)
        #expect(try ledger.bodies("--from", "2") == (1...1100).map(String.init))
    }

    @Test(
        "lines across the borders of what is read at once, with and without a line feed at the end",
        arguments: [-2, -1, 0, 1, 2],
        [true, false])
    func readBorders(shift: Int, endsWithLineFeed: Bool) throws {
        let ledger = try CommandLedger()
        let border = 1 << 18
        var (text, texts) = ("", [String]())
        // The n-th line ends about where the n-th reading does; the short ones between lie wherever they come to lie.
        for reading in 1...5 {
            while true {
                let frame = Self.draft(0).replacing(#"{"n":0}"#, with: #"{"line":""}"#).utf8.count + 1
                let room = reading * border + shift - text.utf8.count - frame
                // Long enough for one line to span a border, and the last to reach it exactly.
                let length = room > 120_000 ? 70_001 : room
                let body = String(repeating: "é\(texts.count),", count: length / 10).utf8.prefix(length).map {
                    $0 < 0x80 ? $0 : 0x78
                }
                let padded = String(decoding: body, as: UTF8.self) + String(repeating: "y", count: length - body.count)
                texts.append(padded)
                text += Self.draft(0).replacing(#"{"n":0}"#, with: #"{"line":"\#(padded)"}"#) + "\n"
                if length == room { break }
            }
            #expect(text.utf8.count == reading * border + shift)
        }
        if !endsWithLineFeed { text.removeLast() }
        try ledger.directory.write(Array(text.utf8), to: "drafts")
        let fromFile = try ledger.run("ingest", ledger.directory.path("drafts"))
        #expect(fromFile.output.hasPrefix("recorded \(texts.count) entries\n"), "\(fromFile.error)")
        let fromPipe = try Program.shell(
            "cat \"$2\" | \"$BULLA\" ingest --ledger \"$1\" -", ledger.path, ledger.directory.path("drafts")
        ).run()
        #expect(fromPipe.output.hasPrefix("recorded \(texts.count) entries\n"), "\(fromPipe.error)")
        #expect(try ledger.bodies("--from", "2") == texts + texts)
        try ledger.expectIntact(seq: 2 * texts.count + 1)
    }
}
