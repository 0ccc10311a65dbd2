import CanonicalJSON
import Foundation
import TestSupport
import Testing

@Suite("append records one entry and answers its receipt")
struct AppendTests {
    @Test("the receipt is one line, and the one that `receipt` prints later")
    func receipt() throws {
        let ledger = try CommandLedger()
        let answer = try ledger.append(#"{"b":1,"a":[true,null,"ü"]}"#)
        #expect(answer.code == 0)
        #expect(answer.error.isEmpty)
        #expect(answer.output.contains(/^bulla-receipt-v1\/[0-9a-f]{32}\/2\/[0-9a-f]{64}\/[0-9-]{10}T[0-9:.]{15}Z\n$/))
        #expect(try ledger.run("receipt", "2").output == answer.output)
        #expect(try ledger.run("log", "--last", "1").output.contains(#"a test  {"a":[true,null,"ü"],"b":1}"#))
        try ledger.expectIntact(seq: 2)
    }

    @Test("with --json the receipt is an object, and it says whether the entry was there already")
    func json() throws {
        let ledger = try CommandLedger()
        for isRepeated in [false, true] {
            let answer = try ledger.append("{}", "--id", "once", "--json")
            let object = try #require(try JSON(parsing: Array(answer.output.utf8)).object)
            #expect(object["repeated"] == .bool(isRepeated))
            #expect(object["receipt"]?.object?["seq"] == 2)
        }
    }

    @Test("the body comes from the argument, a file or stdin", arguments: ["argument", "file", "stdin"])
    func bodies(source: String) throws {
        let ledger = try CommandLedger()
        let body = #"{"n": 1.50, "text":"a\u0001b"}"#
        try ledger.directory.write(Array(body.utf8), to: "body.json")
        let answer =
            switch source {
            case "argument": try ledger.append(body)
            case "file": try ledger.append("@" + ledger.directory.path("body.json"))
            default: try ledger.append("-", input: body)
            }
        #expect(answer.code == 0, "\(answer.error)")
        #expect(try ledger.run("show", "2", "--json").output.contains(#""body":{"n":1.5,"text":"a\u0001b"}"#))
        try ledger.expectIntact(seq: 2)
    }

    @Test("whoever appends once leaves little behind the data, which the next one reads, however large the ledger is")
    func preallocation() throws {
        let ledger = try CommandLedger()
        let large = #"{"text":""# + String(repeating: "x", count: 600_000) + #""}"#
        for body in [large, large, "{}", "{}"] { #expect(try ledger.append("-", input: body).code == 0) }
        let bytes = try Data(contentsOf: URL(fileURLWithPath: "\(ledger.path)/\(CommandLedger.firstSegment)"))
        let dataEnd = try #require(bytes.lastIndex { $0 != 0 })
        #expect(bytes.count - dataEnd <= (1 << 16) + 4096)
        #expect(bytes.count - dataEnd > 4096, "nothing is filled ahead: each sync has a new size to write")
        try ledger.expectIntact(seq: 5)
    }

    @Test("an id is recorded once: the same content gets the receipt of then, for each actor apart")
    func ids() throws {
        let ledger = try CommandLedger()
        let first = try ledger.append(#"{"n":1}"#, "--id", "deploy-7")
        _ = try ledger.ingest((1...50).map(String.init))
        #expect(try ledger.append(#"{ "n" : 1.0 }"#, "--id", "deploy-7").output == first.output)
        let other = try ledger.run(
            "append", "--actor", "user:bob", "--action", "test.event", "--pillar", "integrity", "--reason", "a test",
            "--body", #"{"n":1}"#, "--id", "deploy-7")
        #expect(other.receipts.count == 1 && other.receipts != first.receipts)
        try ledger.expectIntact(seq: 53)
    }

    @Test("an id used for other content is a conflict, with both values: exit 22")
    func conflict() throws {
        let ledger = try CommandLedger()
        _ = try ledger.append(#"{"n":1}"#, "--id", "deploy-7")
        try ledger.expectRefusal(22, "user:ada", "\"deploy-7\"", "seq 2", #"{"n":1}"#, #"{"n":2}"#) {
            try ledger.append(#"{"n":2}"#, "--id", "deploy-7")
        }
        try ledger.expectIntact(seq: 2)
    }

    @Test("texts that are equal for people but not byte for byte are two ids")
    func normalisation() throws {
        let ledger = try CommandLedger()
        #expect(try ledger.append("{}", "--id", "\u{E9}").code == 0)
        #expect(try ledger.append("{}", "--id", "e\u{301}").code == 0)
        try ledger.expectIntact(seq: 3)
    }

    @Test("the largest body that is allowed is recorded and read back")
    func largeBody() throws {
        let ledger = try CommandLedger()
        let text = String(repeating: "x", count: 982_000)
        try ledger.directory.write(Array(#"{"t":"\#(text)"}"#.utf8), to: "large.json")
        #expect(try ledger.append("@" + ledger.directory.path("large.json")).code == 0)
        #expect(try ledger.append().code == 0)
        #expect(try ledger.run("show", "2", "--json").output.contains(text))
        try ledger.expectIntact(seq: 3)
    }
}

/// An append that is refused.
struct RefusedAppend: CustomTestStringConvertible, Sendable {
    var testDescription: String
    var body = "{}"
    var action = "test.event"
    var actor = "user:ada"
    var pillar = "integrity"
    var more: [String] = []
    var input: String?
    var code: Int32 = 64
    var words: [String]

    static let all = [
        RefusedAppend(testDescription: "no JSON", body: "{\n  \"a\": nope}", words: ["the body is refused at line 2, column"]),
        RefusedAppend(testDescription: "JSON that ends", body: #"{"a":"#, words: ["line 1, column 6", "ends too early"]),
        RefusedAppend(testDescription: "two values", body: "{} {}", words: ["line 1, column 4"]),
        RefusedAppend(
            testDescription: "a key twice", body: "{\"a\":1,\n \"a\":2}", words: ["line 2, column 2", "repeats a key"]),
        RefusedAppend(
            testDescription: "a key twice, escaped", body: #"{"a":1,"\u0061":2}"#, words: ["column 8", "repeats a key"]),
        RefusedAppend(
            testDescription: "an integer no double holds", body: #"{"n":9007199254740993}"#, words: ["line 1, column 6"]),
        RefusedAppend(testDescription: "a lone surrogate", body: #"{"n":"\ud800"}"#, words: ["line 1, column"]),
        RefusedAppend(testDescription: "NaN", body: #"{"n":NaN}"#, words: ["line 1, column 6"]),
        RefusedAppend(
            testDescription: "48 levels",
            body: #"{"a":"# + String(repeating: "[", count: 47) + String(repeating: "]", count: 47) + "}",
            words: ["line 1, column"]),
        RefusedAppend(testDescription: "a list", body: "[]", words: ["the body is not a JSON object"]),
        RefusedAppend(testDescription: "a number", body: "1", words: ["the body is not a JSON object"]),
        RefusedAppend(testDescription: "nothing", body: "", words: ["line 1, column 1"]),
        RefusedAppend(testDescription: "nothing on stdin", body: "-", input: "", words: ["line 1, column 1"]),
        RefusedAppend(testDescription: "no file", body: "@/no/such/file", words: ["cannot open /no/such/file: No such file"]),
        RefusedAppend(
            testDescription: "a reserved action", action: "ledger.genesis", code: 20,
            words: ["\"ledger.genesis\" is reserved", "written by their own verbs only"]),
        RefusedAppend(testDescription: "a reserved word alone", action: "record", code: 20, words: ["\"record\" is reserved"]),
        RefusedAppend(testDescription: "upper case", action: "Test", words: ["\"Test\" is no action"]),
        RefusedAppend(testDescription: "a dot at the end", action: "test.", words: ["\"test.\" is no action"]),
        RefusedAppend(testDescription: "no action", action: "", words: ["\"\" is no action"]),
        RefusedAppend(
            testDescription: "a long action", action: String(repeating: "a", count: 257), words: ["is no action", "256"]),
        RefusedAppend(testDescription: "no kind", actor: "ada", words: ["\"ada\" is no actor: write kind:name"]),
        RefusedAppend(testDescription: "no name", actor: "user:", words: ["\"user:\" is no actor"]),
        RefusedAppend(testDescription: "a control in the name", actor: "user:a\tb", words: ["\"user:a\\u{9}b\" is no actor"]),
        RefusedAppend(
            testDescription: "an unknown pillar", pillar: "prudence",
            words: ["\"prudence\" is no pillar: it is one of sovereignty, integrity, resilience, evolution"]),
        RefusedAppend(testDescription: "an empty id", more: ["--id", ""], words: ["\"id\""]),
        RefusedAppend(testDescription: "no number to wait", more: ["--wait", "soon"], words: ["--wait"]),
        RefusedAppend(testDescription: "an unknown option", more: ["--force"], words: ["--force"]),
    ]
}

@Suite("append refuses bad input with a clear sentence, and writes nothing")
struct AppendRefusalTests {
    @Test("what is wrong is named, and not a byte of the ledger changes", arguments: RefusedAppend.all)
    func refusals(_ refused: RefusedAppend) throws {
        let ledger = try CommandLedger(entries: 1)
        let arguments =
            [
                "append", "--actor", refused.actor, "--action", refused.action, "--pillar", refused.pillar, "--reason", "r",
                "--body", refused.body,
            ] + refused.more
        let result = try ledger.expectRefusal(refused.code) {
            try ledger.run(arguments, input: refused.input.map { Array($0.utf8) })
        }
        for word in refused.words { #expect(result.error.contains(word)) }
        #expect(result.output.isEmpty)
        #expect(Verdict(try ledger.run("verify")).line.hasSuffix(", seq 2"))
    }

    @Test("a missing argument is named", arguments: ["--actor", "--action", "--pillar", "--reason", "--body"])
    func missingArgument(name: String) throws {
        let ledger = try CommandLedger()
        var arguments = CommandLedger.appendArguments + ["--body", "{}"]
        let index = try #require(arguments.firstIndex(of: name))
        arguments.removeSubrange(index...index + 1)
        try ledger.expectRefusal(64, name, "Usage: bulla append") { try ledger.run(arguments) }
    }

    @Test("an oversized body is refused, whether it is read whole or not", arguments: [983_040, 1_048_576, 3_000_000])
    func oversized(size: Int) throws {
        let ledger = try CommandLedger()
        try ledger.directory.write(Array(#"{"t":"\#(String(repeating: "x", count: size))"}"#.utf8), to: "large.json")
        let file = ledger.directory.path("large.json")
        let result = try ledger.expectRefusal(64) { try ledger.append("@" + file) }
        let isRead = size < 1_048_576
        #expect(result.error.contains(isRead ? "at most 983040 are allowed" : "\(file) has more than 1048576 bytes"))
        try ledger.expectIntact(seq: 1)
    }

    @Test("a body that grows by its escapes is measured as it would be written")
    func oversizedWhenEscaped() throws {
        let ledger = try CommandLedger()
        try ledger.directory.write(Array(#"{"t":"\#(String(repeating: "\u{7F}", count: 100))"}"#.utf8), to: "small.json")
        #expect(try ledger.append("@" + ledger.directory.path("small.json")).code == 0)
        let tabs = String(repeating: #"\u0001"#, count: 170_000)
        try ledger.directory.write(Array(#"{"t":"\#(tabs)"}"#.utf8), to: "large.json")
        try ledger.expectRefusal(64, "at most 983040 are allowed") {
            try ledger.append("@" + ledger.directory.path("large.json"))
        }
    }

    @Test("without a ledger the answer says how to make one: exit 64", arguments: ["missing", "empty"])
    func noLedger(kind: String) throws {
        let directory = TemporaryDirectory()
        if kind == "empty" {
            try FileManager.default.createDirectory(atPath: directory.path("L"), withIntermediateDirectories: false)
        }
        let readers = [
            ["log"], ["show", "1"], ["receipt", "1"], ["status"], ["verify"], ["ingest", "--raw", "--actor", "a:b", "-"],
        ]
        for verb in readers + [CommandLedger.appendArguments + ["--body", "{}"]] {
            let refused = try Program.watched(verb + ["--ledger", directory.path("L")]).run(input: Array("{}".utf8))
            #expect(refused.code == 64, "\(verb): \(refused.error)")
            #expect(refused.error.contains("bulla init"))
        }
        #expect(try FileManager.default.subpathsOfDirectory(atPath: directory.path).count == (kind == "empty" ? 1 : 0))
    }

    @Test(
        "arguments that are no UTF-8 are refused with their number: exit 64",
        arguments: ["--reason", "--body", "--actor", "--id"])
    func notText(option: String) throws {
        let ledger = try CommandLedger()
        let script = """
            bad=$(printf 'user:\\377\\376')
            exec "$BULLA" append --ledger "$1" --actor user:a --action a.b --pillar integrity --reason r --body '{}' \(option) "$bad"
            """
        try ledger.expectRefusal(64, "argument 15 is not UTF-8: user:\u{FFFD}") { try Program.shell(script, ledger.path).run() }
    }

    @Test("a path and a body that are no UTF-8 are refused too: exit 64")
    func notTextElsewhere() throws {
        let ledger = try CommandLedger()
        try ledger.expectRefusal(64, "is not UTF-8") {
            try Program.shell("exec \"$BULLA\" log --ledger \"$1$(printf '\\377')\"", ledger.path).run()
        }
        try ledger.expectRefusal(64, "the body is refused at line 1, column 7", "UTF-8") {
            try ledger.run(
                CommandLedger.appendArguments + ["--body", "-"], input: Array(#"{"a":""#.utf8) + [0xFF] + Array("\"}".utf8))
        }
    }
}
