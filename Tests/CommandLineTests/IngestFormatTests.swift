import CanonicalJSON
import TestSupport
import Testing

@Suite("ingest takes logs as programs write them")
struct IngestFormatTests {
    private func ingest(
        _ ledger: CommandLedger, _ format: String, _ input: [UInt8], _ more: String...
    ) throws -> Program.Result {
        try ledger.run(["ingest", "--format", format, "--actor", "service:app"] + more + ["-"], input: input)
    }

    private func entries(_ ledger: CommandLedger) throws -> [JSON] {
        try ledger.entries("--actor", "service:app").compactMap { $0["entry"] }
    }

    @Test("each line is an entry with its body; blank ones are none", arguments: ["jsonl", "logfmt", "syslog"])
    func lines(format: String) throws {
        let ledger = try CommandLedger()
        let (line, body): (String, JSON) =
            switch format {
            case "jsonl": (#"{"level":"info"}"#, ["level": "info"])
            case "logfmt": ("level=info", ["level": "info"])
            default: ("level", ["format": "raw", "message": "level"])
            }
        let answer = try ingest(ledger, format, Array("\(line)\n\n \r\n\(line)".utf8), "--json")
        let answered = try #require(try JSON(parsing: Array(answer.output.utf8)).object)
        #expect(answer.code == 0 && answered["recorded"] == 2 && answered["lines"] == 4)
        for entry in try entries(ledger) {
            #expect(entry["action"] == "log.line" && entry["body"] == body && entry["context"] == [:])
            #expect(entry["justification"] == ["pillar": "integrity", "reason": "a log line"])
        }
        try ledger.expectIntact(seq: 3)
    }

    @Test("action, pillar and reason can be named; a reserved action is refused")
    func labels() throws {
        let ledger = try CommandLedger()
        let labels = ["--action", "app.said", "--pillar", "evolution", "--reason", "why"]
        let arguments = ["ingest", "--format", "logfmt", "--actor", "service:app"]
        #expect(try ledger.run(arguments + labels + ["-"], input: Array("a=1".utf8)).code == 0)
        let entry = try #require(try entries(ledger).first)
        #expect(entry["action"] == "app.said" && entry["justification"] == ["pillar": "evolution", "reason": "why"])
        try ledger.expectRefusal(20, "reserved") {
            try ledger.run(arguments + ["--action", "run.online", "-"], input: Array("a=1".utf8))
        }
    }

    @Test(
        "a bad line stops the work at its line and column",
        arguments: [
            ("jsonl", #"{"a":1,"a":2}"#, "line 2, column 8 is refused: an object repeats a key"),
            ("jsonl", "plain", "line 2, column 1 is refused"),
            ("logfmt", "é=1 b=\"x", "line 2, column 7 is refused: the quotation marks are not closed"),
        ])
    func badLine(format: String, line: String, words: String) throws {
        let ledger = try CommandLedger()
        let good = format == "jsonl" ? "{}" : "a"
        let stopped = try ingest(ledger, format, Array("\(good)\n\(line)\n\(good)\n".utf8))
        #expect(stopped.code == 64 && stopped.error.contains(words), "\(stopped.error)")
        #expect(stopped.error.contains("everything up to line 1 is recorded: go on at line 2"))
        try ledger.expectIntact(seq: 2)
    }

    @Test("secrets are replaced, equal ones by equal digests, also in bytes that are no text; --no-redact and raw keep them")
    func secrets() throws {
        let ledger = try CommandLedger()
        let secret = "hunter2"
        #expect(try ingest(ledger, "logfmt", Array("password=\(secret)\npassword=\(secret)\n".utf8)).code == 0)
        #expect(try ingest(ledger, "jsonl", Array(#"{"note":"use --password=\#(secret)"}"#.utf8)).code == 0)
        #expect(try ingest(ledger, "syslog", Array("<13>Jan  2 03:04:05 h a: password=\(secret) ".utf8) + [0xFF]).code == 0)
        let bodies = try entries(ledger).compactMap { $0["body"] }
        #expect(bodies[0] == bodies[1] && bodies[0]["password"]?.string?.hasPrefix("[redacted:") == true)
        #expect(bodies[2]["note"]?.string?.hasPrefix("use --password=[redacted:") == true)
        #expect(bodies[3]["message"]?.string?.hasPrefix("password=[redacted:") == true && bodies[3]["message_base64"] == nil)
        #expect(!bodies.contains { $0.canonicalText.contains(secret) })
        #expect(try ingest(ledger, "logfmt", Array("password=\(secret)".utf8), "--no-redact").code == 0)
        #expect(try ingest(ledger, "raw", Array("password=\(secret)".utf8)).code == 0)
        let kept = try entries(ledger).suffix(2).compactMap { $0["body"] }
        #expect(kept == [["password": .string(secret)], ["line": .string("password=\(secret)")]])
    }

    @Test(
        "a line that no entry holds is kept in parts that fit, together the line, whatever its bytes are",
        arguments: [("raw", "control"), ("raw", "bytes"), ("syslog", "text"), ("jsonl", "text"), ("logfmt", "control")])
    func longLine(format: String, kind: String) throws {
        let ledger = try CommandLedger()
        // The first fits as bytes, and not as JSON text; the second not at all.
        for count in [400_000, 1_300_000] {
            var line: [UInt8] =
                switch kind {
                case "control": Array(repeating: 0x02, count: count)
                case "text": Array(String(repeating: "é€𝄞x", count: count / 10).utf8)
                default: Array(repeating: 0x01, count: count / 2) + Array(repeating: 0xFF, count: count / 2)
                }
            if format == "jsonl" {
                line = Array("{\"a\":\"".utf8) + Array(repeating: 0x7F, count: count + 590_000) + Array("\"}".utf8)
            }
            if format == "logfmt" { line = Array("a=\"".utf8) + Array(repeating: 0x02, count: count) + Array("\"".utf8) }
            let answer = try ingest(ledger, format, line + Array("\n".utf8))
            #expect(answer.code == 0, "\(answer.error.prefix(300))")
            let member = format == "raw" ? "line" : "message"
            let bodies = try entries(ledger).compactMap { $0["body"] }
            let parts = bodies.suffix(Int(bodies.last?["parts"]?.integer ?? 0))
            if kind == "text", count < 1 << 20, format == "raw" || format == "syslog" {
                #expect(Array((bodies.last?[member]?.string ?? "").utf8) == line)
                continue
            }
            if kind != "bytes" || format == "jsonl" || format == "logfmt" {
                #expect(Array(parts.compactMap { $0[member]?.string }.joined().utf8) == line)
            } else {
                let size = parts.reduce(0) { $0 + ($1[member]?.string?.unicodeScalars.count ?? 0) }
                #expect(size == line.count && parts.contains { $0[member + "_base64"] != nil })
            }
            #expect(parts.map { $0["part"]?.integer } == (1...max(1, parts.count)).map { Int64($0) })
        }
        try ledger.expectIntact()
    }

    @Test("through a server's socket it works the same")
    func socket() throws {
        let server = try SocketLedger()
        let answer = try server.run(
            ["ingest", "--format", "logfmt", "--actor", "service:app", "-"], input: "a=1\npassword=hunter2\n")
        #expect(answer.code == 0, "\(answer.error)")
        let bodies = try server.clientEntries().compactMap { $0["entry"]?["body"] }
        #expect(bodies.count == 2 && bodies[0] == ["a": "1"])
        #expect(bodies.last?["password"]?.string?.hasPrefix("[redacted:") == true)
    }

    @Test(
        "wrong arguments are refused",
        arguments: [
            (["--format", "csv", "-"], "--format"), (["--format", "jsonl", "-"], "--format jsonl needs --actor"),
            (["--raw", "--format", "jsonl", "--actor", "a:b", "-"], "give one"), (["--no-redact", "-"], "go with --raw"),
        ])
    func usage(arguments: [String], words: String) throws {
        let ledger = try CommandLedger()
        try ledger.expectRefusal(64, words) { try ledger.run(["ingest"] + arguments, input: Array("x\n".utf8)) }
    }
}
