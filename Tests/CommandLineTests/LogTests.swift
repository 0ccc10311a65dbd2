import CanonicalJSON
import Foundation
import TestSupport
import Testing

@Suite("log lists entries, each with its seal checked")
struct LogTests {
    /// Entries 2 to 10: three actors in turn, two actions, bodies n = 2 … 10.
    private func mixed() throws -> CommandLedger {
        let ledger = try CommandLedger()
        let lines = (2...10).map { n in
            let actor = ["user:ada", "user:bob", "service:x"][n % 3]
            return #"{"actor":"\#(actor)","action":"\#(n % 2 == 0 ? "job.start" : "job.end")","#
                + #""justification":{"pillar":"integrity","reason":"r"},"body":{"n":\#(n)}}"#
        }
        #expect(try ledger.run("ingest", "-", input: lines.map { $0 + "\n" }.joined()).code == 0)
        return ledger
    }

    private func numbers(_ ledger: CommandLedger, _ filters: [String]) throws -> [Int] {
        let listed = try ledger.run(["log", "--json"] + filters)
        #expect(listed.code == 0, "\(listed.error)")
        let seqs = try listed.output.split(separator: "\n").map {
            try JSON(parsing: Array($0.utf8)).object?["entry"]?.object?["seq"]?.integer
        }
        // The text form lists the same entries.
        let text = try ledger.run(["log"] + filters).output.split(separator: "\n").map { Int64($0.prefix(6).drop { $0 == " " }) }
        #expect(text == seqs)
        return seqs.compactMap { $0.map(Int.init) }
    }

    @Test("a name with a space in it looks like no other name", arguments: ["user:ada ", "user:ada\u{A0}", "user:a b"])
    func spaces(name: String) throws {
        let ledger = try CommandLedger()
        let draft = #"{"actor":"\#(name)","action":"job.start","justification":{"pillar":"integrity","reason":"r"},"body":{}}"#
        #expect(try ledger.run("ingest", "-", input: draft + "\n").code == 0)
        #expect(try ledger.run("log").output.contains("  \"\(name)\"  "))
    }

    @Test("filters by seq, actor and action, alone and together")
    func filters() throws {
        let ledger = try mixed()
        let cases: [([String], [Int])] = [
            ([], Array(1...10)), (["--from", "8"], [8, 9, 10]), (["--to", "2"], [1, 2]), (["--from", "4", "--to", "4"], [4]),
            (["--from", "11"], []), (["--to", "99", "--from", "10"], [10]), (["--actor", "user:ada"], [3, 6, 9]),
            (["--actor", "user:*"], [3, 4, 6, 7, 9, 10]), (["--actor", "service:*"], [1, 2, 5, 8]),
            (["--actor", "*"], Array(1...10)),
            (["--actor", "user"], []), (["--action", "job.end"], [3, 5, 7, 9]), (["--action", "job.*"], Array(2...10)),
            (["--action", "ledger.*"], [1]), (["--actor", "user:*", "--action", "job.end"], [3, 7, 9]),
            (["--actor", "user:*", "--from", "4", "--to", "7"], [4, 6, 7]),
        ]
        for (filters, expected) in cases { #expect(try numbers(ledger, filters) == expected, "\(filters)") }
    }

    @Test("--last counts what fits the other filters")
    func last() throws {
        let ledger = try mixed()
        let cases: [([String], [Int])] = [
            (["--last", "1"], [10]), (["--last", "3"], [8, 9, 10]), (["--last", "99"], Array(1...10)),
            (["--last", "2", "--actor", "user:ada"], [6, 9]), (["--last", "2", "--to", "5"], [4, 5]),
            (["--last", "2", "--from", "10"], [10]), (["--last", "2", "--actor", "user:*", "--to", "8"], [6, 7]),
            (["--last", "5", "--action", "ledger.*"], [1]), (["--last", "1", "--actor", "user:nobody"], []),
            (["--last", "2", "--since", "2000-01-01"], [9, 10]),
        ]
        for (filters, expected) in cases { #expect(try numbers(ledger, filters) == expected, "\(filters)") }
    }

    @Test("--last finds a few entries far back among many")
    func lastFarBack() throws {
        let ledger = try CommandLedger()
        #expect(try ledger.append(#"{"n":1}"#).code == 0)
        #expect(try ledger.ingest((1...20_000).map(String.init)).code == 0)
        #expect(try ledger.append(#"{"n":2}"#).code == 0)
        #expect(try numbers(ledger, ["--last", "2", "--actor", "user:ada"]) == [2, 20_003])
        #expect(try numbers(ledger, ["--last", "2"]) == [20_002, 20_003])
        #expect(try numbers(ledger, ["--from", "15000", "--to", "15001"]) == [15_000, 15_001])
        for threads in ["1", "2"] { #expect(try ledger.verdict("--threads", threads).line.hasSuffix("seq 20003")) }
    }

    @Test("--since takes a time, a part of one, or how long ago; it shows what is not older")
    func since() throws {
        var ends: [Int] = []
        let ledger = try CommandLedger(same: 5, ends: &ends)
        // The entries lie a millisecond apart, from 2026-01-31T12:00:00 on.
        let cases: [(String, [Int])] = [
            ("2026-01-31", [1, 2, 3, 4, 5]), ("2026-01-31T12:00", [1, 2, 3, 4, 5]), ("2026-01-31T12:00:00Z", [1, 2, 3, 4, 5]),
            ("2026-01-31T12:00:00.002000Z", [3, 4, 5]), ("2026-01-31T12:00:00.002001Z", [4, 5]), ("2026-01-31T12:00:01", []),
            ("2026-02-01", []), ("100000000d", [1, 2, 3, 4, 5]),
        ]
        for (time, expected) in cases { #expect(try numbers(ledger, ["--since", time]) == expected, "\(time)") }
        let fresh = try mixed()
        for time in ["1h", "60m", "86400s", "7d"] { #expect(try numbers(fresh, ["--since", time]).count == 10) }
    }

    @Test(
        "what is no filter is refused: exit 64",
        arguments: [
            ["--since", "yesterday"], ["--since", "2026-02-30"], ["--since", "999999999999d"], ["--since", "999999999d"],
            ["--since=-1h"],
            ["--since", ""], ["--last", "0"], ["--last", "x"], ["--from", "0"], ["--from", "3", "--to", "2"],
            ["--from", "99999999999999999999"],
        ])
    func badFilters(arguments: [String]) throws {
        let ledger = try CommandLedger()
        try ledger.expectRefusal(64, String(arguments[0].prefix { $0 != "=" })) { try ledger.run(["log"] + arguments) }
    }

    @Test("--json lines are the ledger's own bytes, and the text form tells who, what, why")
    func forms() throws {
        let ledger = try mixed()
        let frames = String(decoding: try ledger.read(CommandLedger.firstSegment).prefix { $0 != 0 }, as: UTF8.self)
        let payloads = frames.split(separator: "\n").map { $0.drop { $0 != ":" }.dropFirst() }
        #expect(try ledger.run("log", "--json").output.split(separator: "\n") == payloads)
        let line = try ledger.run("log", "--from", "3", "--to", "3").output
        #expect(line.contains(/^ +3  [0-9-]{10} [0-9:.]{12}  user:ada +job\.end +r  \{"n":3\}\n$/))
    }

    @Test("controls, escapes and marks that turn text around are neutralised, and the JSON stays the same data")
    func neutralised() throws {
        let ledger = try CommandLedger()
        let evil =
            "\u{1B}[2J\u{1B}]0;title\u{7}\u{9B}31m\u{202E}gnp\u{2066}\u{200F}\u{FEFF}\u{2028}\u{7F}"
            + "\u{AD}\u{61C}\u{180E}\u{200B}\u{200D}\u{2060}\u{206F}\u{FFF9}\u{E0001}\u{E0041}\u{E007F}"
        let body = JSON.object([evil: .string(evil), "ü😀": "ü😀"]).canonicalText
        let answer = try ledger.run(
            "append", "--actor", "user:a\u{202E}b", "--action", "a.b", "--pillar", "integrity", "--reason", evil, "--body", body,
            "--id", "evil")
        #expect(answer.code == 0, "\(answer.error)")
        let outputs = try [["log"], ["log", "--json"], ["show", "2"], ["show", "2", "--json"], ["status"]].map {
            try ledger.run($0)
        }
        for output in outputs {
            #expect(output.code == 0)
            for scalar in output.output.unicodeScalars where scalar != "\n" {
                let isUnsafe =
                    scalar.value < 0x20 || (0x7F..<0xA0).contains(scalar.value)
                    || [0x202E, 0x2066, 0x200F, 0x200E, 0xFEFF, 0x2028].contains(scalar.value)
                    || [0xAD, 0x61C, 0x180E, 0x200B, 0x200D, 0x2060, 0x206F, 0xFFF9].contains(scalar.value)
                    || (0xE0000...0xE007F).contains(scalar.value)
                #expect(!isUnsafe, "U+\(String(scalar.value, radix: 16)) reaches the terminal")
            }
        }
        for index in 0..<4 { #expect(outputs[index].output.contains("ü😀")) }
        let shown = try #require(try JSON(parsing: Array(outputs[3].output.utf8)).object?["entry"]?.object)
        #expect(shown["body"] == .object([evil: .string(evil), "ü😀": "ü😀"]))
        #expect(shown["actor"] == "user:a\u{202E}b")
        #expect(try JSON(parsing: Array(outputs[2].output.utf8)).object?["entry"]?.object == shown)
    }

    @Test("an evil id in a conflict's message is neutralised too")
    func neutralisedError() throws {
        let ledger = try CommandLedger()
        _ = try ledger.append("{}", "--id", "\u{1B}[31m\u{202E}")
        let conflict = try ledger.append("{\"n\":1}", "--id", "\u{1B}[31m\u{202E}")
        #expect(conflict.code == 22)
        #expect(conflict.error.contains("\\u{1b}[31m\\u{202e}") && !conflict.error.contains("\u{1B}"))
    }

    @Test("--follow prints an entry that is appended later")
    func follow() throws {
        let ledger = try CommandLedger()
        let following = try Program.bulla("log", "--follow", "--json", "--ledger", ledger.path).start()
        defer { following.send(signal: SIGKILL) }
        try waitUntil("the first entry is listed") { try following.output.contains("ledger.genesis") }
        for n in 1...3 {
            #expect(try ledger.append(#"{"n":\#(n)}"#).code == 0)
            try waitUntil("entry \(n) is listed") { try following.output.contains(#""body":{"n":\#(n)}"#) }
        }
        following.send(signal: SIGTERM)
        let result = try following.wait()
        #expect(result.code == 128 + SIGTERM)
        #expect(result.output.split(separator: "\n").count == 4)
    }

    @Test("--follow keeps to the filters, and --last gives its start")
    func followFiltered() throws {
        let ledger = try mixed()
        let following = try Program.bulla("log", "--follow", "--last", "1", "--actor", "user:ada", "--ledger", ledger.path)
            .start()
        defer { following.send(signal: SIGKILL) }
        try waitUntil("the last entry that fits is listed") { try following.output.contains(#"{"n":9}"#) }
        #expect(try ledger.ingest(["hidden"]).code == 0)
        #expect(try ledger.append(#"{"n":77}"#).code == 0)
        try waitUntil("the new entry is listed") { try following.output.contains(#"{"n":77}"#) }
        following.send(signal: SIGTERM)
        let lines = try following.wait().output.split(separator: "\n")
        #expect(lines.count == 2 && !lines.contains { $0.contains("hidden") })
    }

    @Test("damage ends the list after everything before it, and names the place: exit 10")
    func damage() throws {
        var ends: [Int] = []
        let ledger = try CommandLedger(same: 10, ends: &ends)
        var bytes = try ledger.read(CommandLedger.firstSegment)
        bytes[ends[5] + 40] ^= 1
        try ledger.overwrite(CommandLedger.firstSegment, bytes)
        let place = "segment 00000000000000000001.frames, offset \(ends[5]), seq 7"
        for arguments in [["log"], ["log", "--json"], ["log", "--actor", "*"]] {
            let listed = try ledger.run(arguments)
            #expect(listed.code == 10)
            #expect(listed.error.contains(place), "\(listed.error)")
            #expect(listed.output.split(separator: "\n").count == 6)
        }
        #expect(try ledger.run("log", "--to", "6").code == 0)
        #expect(try ledger.run("show", "6").code == 0)
        #expect(try ledger.run("show", "7").code == 10)
        #expect(try ledger.verdict() == .tampered(offset: ends[5], seq: 7))
    }
}

@Suite("show, receipt and status")
struct ShowTests {
    @Test("show prints the whole entry, indented or as it lies in the ledger")
    func show() throws {
        let ledger = try CommandLedger()
        _ = try ledger.append(#"{"list":[1,{"x":{}}],"none":[]}"#)
        let (text, line) = (try ledger.run("show", "2"), try ledger.run("show", "2", "--json"))
        #expect(text.code == 0 && text.error.isEmpty)
        #expect(text.output.contains("\n  \"entry\": {\n    \"action\": \"test.event\",\n"))
        #expect(try JSON(parsing: Array(text.output.utf8)) == JSON(parsing: Array(line.output.utf8)))
        #expect(
            line.output.hasPrefix(#"{"entry":{"action":"test.event","actor":"user:ada","body":{"list":[1,{"x":{}}],"none":[]}"#))
    }

    @Test(
        "an entry that is not there is no entry: exit 64, and the last one is named",
        arguments: ["4", "9007199254740993", "18446744073709551615"])
    func missing(seq: String) throws {
        let ledger = try CommandLedger(entries: 2)
        for verb in ["show", "receipt"] {
            try ledger.expectRefusal(64, "there is no entry \(seq); the last one is 3") { try ledger.run(verb, seq) }
        }
    }

    @Test("what is no seq is refused: exit 64", arguments: ["0", "-1", "x", "1.5", "", "18446744073709551616"])
    func noSeq(text: String) throws {
        let ledger = try CommandLedger()
        for verb in ["show", "receipt"] { try ledger.expectRefusal(64, "Usage: bulla \(verb)") { try ledger.run(verb, text) } }
    }

    @Test("receipt prints the line of FORMAT.md, or the object")
    func receipt() throws {
        var ends: [Int] = []
        let ledger = try CommandLedger(same: 3, ends: &ends)
        let line = try ledger.run("receipt", "1")
        #expect(
            line.output == "bulla-receipt-v1/00112233445566778899aabbccddeeff/1/"
                + "52a89e822c6ad7812095d5d6a023a51f89553d87dda17ced7db6b6403e756888/2026-01-31T12:00:00.000000Z\n")
        #expect(
            try ledger.run("receipt", "1", "--json").output
                == #"{"hash":"52a89e822c6ad7812095d5d6a023a51f89553d87dda17ced7db6b6403e756888","#
                + #""ledger":"00112233445566778899aabbccddeeff","seq":1,"time":"2026-01-31T12:00:00.000000Z","v":1}"# + "\n")
    }

    @Test("an entry that HEAD does not vouch for has no receipt yet: exit 20; it is shown as unsettled")
    func unsettled() throws {
        let ledger = try CommandLedger(entries: 2)
        let oldHead = try ledger.read("HEAD")
        #expect(try ledger.append().code == 0)
        try ledger.overwrite("HEAD", oldHead)
        try ledger.expectRefusal(20, "entry 4 is unsettled") { try ledger.run("receipt", "4") }
        #expect(try ledger.run("receipt", "3").code == 0)
        #expect(try ledger.run("show", "4").error.contains("entry 4 is unsettled"))
        #expect(try ledger.run("log", "--last", "1").output.contains("(unsettled)"))
        #expect(try ledger.run("log", "--last", "1", "--json").output.contains(#""unsettled":true"#))
        #expect(try ledger.run("status").output.contains("1 entries behind HEAD"))
        #expect(try ledger.append("{}").code == 0)
        #expect(try ledger.run("receipt", "4").code == 0)
        try ledger.expectIntact(seq: 5)
    }

    @Test("status tells id, tip, size, key and alert")
    func status() throws {
        var ends: [Int] = []
        let ledger = try CommandLedger(same: 3, ends: &ends)
        let text = try ledger.run("status").output
        for words in [
            "id 00112233445566778899aabbccddeeff", "seq 3, 2026-01-31T12:00:00.002000Z, by process:test", "in 1 segment\n",
            "unsettled  none", "key        3d442c1707a0ad56", "alert      none",
        ] { #expect(text.contains(words)) }
        let object = try #require(try JSON(parsing: Array(try ledger.run("status", "--json").output.utf8)).object)
        #expect(object["alert"] == false && object["head"] == 3 && object["unsettled"] == 0 && object["key_present"] == true)
        #expect(object["tip"]?.object?["seq"] == 3)
    }

    @Test("status says a missing key, a raised alert and a missing HEAD")
    func statusOfTrouble() throws {
        let ledger = try CommandLedger(entries: 1)
        let keyFile = try ledger.keyFile
        try ledger.directory.copy(ledger.name(keyFile), to: "key")
        try ledger.directory.remove(ledger.name(keyFile))
        #expect(try ledger.run("status").output.contains("\(keyFile) is missing"))
        try ledger.directory.copy("key", to: ledger.name(keyFile))
        try ledger.directory.remove(ledger.name("HEAD"))
        let headless = try ledger.run("status")
        #expect(headless.code == 10 && headless.error.contains("HEAD is missing"))
        #expect(try ledger.append().code == 10)
        #expect(try ledger.run("status").output.contains("RAISED"))
        #expect(try ledger.append().code == 21)
    }
}

@Suite("The command line explains itself")
struct HelpTests {
    @Test(
        "every verb's help has an example",
        arguments: ["init", "append", "ingest", "log", "show", "receipt", "status", "verify", "audit", "run"])
    func examples(verb: String) throws {
        let help = try Program.watched(verb, "--help").run()
        #expect(help.code == 0)
        #expect(
            help.output.contains("Example") && help.output.contains("bulla \(verb)")
                || verb == "receipt" && help.output.contains("$(bulla receipt"))
        #expect(help.output.contains("--ledger") && help.output.contains("--json"))
    }

    @Test("version, help and completions are done: 0; an unknown verb is bad usage: 64")
    func basics() throws {
        #expect(try Program.watched("--version").run().output.hasPrefix("bulla "))
        #expect(try Program.watched("--help").run().output.contains("Exit codes"))
        for shell in ["bash", "zsh", "fish"] {
            #expect(try Program.watched("--generate-completion-script", shell).run().output.contains("ingest"))
        }
        for arguments in [["frobnicate"], ["log", "--frobnicate"], ["show"], ["verify", "extra"]] {
            #expect(try Program.watched(arguments).run().code == 64)
        }
    }

    @Test("output that nobody takes is no success", arguments: [["log"], ["verify"], ["status"], ["show", "1"]])
    func fullOutput(arguments: [String]) throws {
        let ledger = try CommandLedger(entries: 1)
        let script = "path=$1; shift; exec \"$BULLA\" \"$@\" --ledger \"$path\" > /dev/full"
        let program = Program(
            "/usr/bin/env",
            ["timeout", "60", "env", "BULLA=" + Program.bullaPath, "sh", "-c", script, "sh", ledger.path] + arguments)
        #expect(try program.run().code == 30)
    }
}
