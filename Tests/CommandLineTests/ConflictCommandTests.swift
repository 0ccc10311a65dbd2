import CanonicalJSON
import Foundation
import TestSupport
import Testing

@Suite("Conflicts, as users meet them")
struct ConflictCommandTests {
    /// A ledger with a tree, and two actors with keys: `process:guard`, a security sentinel, and `process:tool`, a skill's.
    private func start() throws -> (CommandLedger, base: String) {
        let ledger = try CommandLedger()
        for (name, actorClass) in [("guard", "security-sentinel"), ("tool", "skill-utility")] {
            let enrolled = try ledger.run(
                "actor", "enroll", "process:\(name)", "--class", actorClass, "--key-file", ledger.directory.path(name))
            try #require(enrolled.code == 0, "\(enrolled.error)")
        }
        let set = try ledger.run("state", "set", "/deploy", #"{"version":"1.2","hosts":["a"]}"#, "--actor", "user:ada")
        try #require(set.code == 0, "\(set.error)")
        let seq = try #require(try JSON(parsing: Array(try ledger.run("state", "get", "--json").output.utf8))["seq"]?.integer)
        return (ledger, "\(seq)")
    }

    private func set(_ ledger: CommandLedger, _ place: String, _ value: String, _ actor: String, _ more: String...) throws
        -> Program.Result
    {
        let key = actor.hasPrefix("process:") ? ["--actor-key", ledger.directory.path(String(actor.dropFirst(8)))] : []
        return try ledger.run(["state", "set", place, value, "--actor", actor] + key + more)
    }

    private func tree(_ ledger: CommandLedger) throws -> JSON {
        try JSON(parsing: Array(try ledger.run("state", "get").output.utf8))
    }

    @Test("two who saw the same: other places are merged, of one place the first stays, and both values are told (22)")
    func equals() throws {
        let (ledger, base) = try start()
        #expect(try set(ledger, "/deploy/version", #""1.3""#, "user:ada", "--base", base).code == 0)
        #expect(try set(ledger, "/deploy/note", #""x""#, "user:bob", "--base", base).code == 0)
        #expect(try set(ledger, "/deploy/version", #""1.3""#, "user:bob", "--base", base).code == 0)
        for place in ["/deploy/version", "/deploy"] {
            try ledger.expectRefusal(22, "user:ada", #""1.3""#, #""1.4""#, "--base") {
                try set(ledger, place, #""1.4""#, "user:bob", "--base", base)
            }
        }
        let told = try set(ledger, "/deploy/version", #""1.4""#, "user:bob", "--base", base, "--json")
        let error = try #require(try JSON(parsing: Array(told.output.utf8))["error"])
        let conflict = try #require(error["conflicts"]?.array?.first)
        #expect(error["code"] == 22 && error["verdict"] == "conflict" && conflict["at"] == "/deploy/version")
        #expect(conflict["winner"]?["value"] == "1.3" && conflict["loser"]?["value"] == "1.4")
        // Without a seq it is as ever: who comes last has it.
        #expect(try set(ledger, "/deploy/version", #""1.5""#, "user:bob").code == 0)
        #expect(try tree(ledger) == ["deploy": ["version": "1.5", "hosts": ["a"], "note": "x"]])
        try ledger.expectIntact()
    }

    @Test("the higher class has the place in both orders; the loser is told (22), and what it wrote is kept")
    func classes() throws {
        for names in [["guard", "tool"], ["tool", "guard"]] {
            let (ledger, base) = try start()
            var results: [String: Program.Result] = [:]
            for name in names {
                results[name] = try set(ledger, "/deploy/version", #""of \#(name)""#, "process:\(name)", "--base", base)
            }
            let (sentinel, tool) = (try #require(results["guard"]), try #require(results["tool"]))
            #expect(sentinel.code == 0 && sentinel.receipts.count == 1, "\(sentinel)")
            #expect(tool.receipts.count == 1, "\(tool)")
            if names[0] == "guard" {
                #expect(tool.code == 22 && tool.error.contains("process:guard, whose class ranks higher"), "\(tool)")
                #expect(tool.error.contains(#""of guard""#) && tool.error.contains(#""of tool", does not count"#), "\(tool)")
            } else {
                #expect(tool.code == 0)
                #expect(sentinel.error.contains("process:tool, whose class ranks lower, loses"), "\(sentinel)")
            }
            #expect(try ledger.run("state", "get", "/deploy/version").output == "\"of guard\"\n")
            let body = try #require(try ledger.entries("--last", "1").first?["entry"]?["body"])
            #expect(body[names[0] == "guard" ? "lost" : "overrode"]?.array?.first?["loser"]?["value"] == "of tool")
            let built = try set(ledger, "/own", "1", "user:eve", "--base", base, "--reads", "/deploy")
            #expect(
                built.code == 22 && built.error.contains(#""/deploy" was read: what was built on it does not count"#), "\(built)")
            try ledger.expectIntact()
        }
    }

    @Test("events that name places: a conflict is 22, a lost place too, and an entry beside them tells of it")
    func events() throws {
        let (ledger, base) = try start()
        func append(_ body: String, _ actor: String, _ more: String...) throws -> Program.Result {
            let key = ["--actor-key", ledger.directory.path(String(actor.dropFirst(8)))]
            return try ledger.run(
                ["append", "--actor", actor, "--action", "deploy.plan", "--pillar", "evolution", "--reason", "r", "--body", body]
                    + (actor.hasPrefix("process:") ? key : []) + more)
        }
        #expect(try append(#"{"slot":1}"#, "user:ada", "--writes", "/slot", "--base", base).code == 0)
        try ledger.expectRefusal(22, "user:ada", "it has 1 there", "2") {
            try append(#"{"slot":2}"#, "user:bob", "--writes", "/slot", "--base", base)
        }
        #expect(try append(#"{"slot":1}"#, "user:bob", "--writes", "/slot", "--base", base).code == 0)
        let many = (0...1000).flatMap { ["--writes", "/slot\($0)"] }
        try ledger.expectRefusal(64, "names more than 1000 places") {
            try ledger.run(CommandLedger.appendArguments + ["--body", "{}", "--base", base] + many)
        }
        let won = try append(#"{"slot":3}"#, "process:guard", "--writes", "/slot", "--base", base)
        #expect(won.code == 0 && won.receipts.count == 1 && won.error.contains("user:ada, whose class ranks lower"), "\(won)")
        let lost = try append(#"{"slot":4}"#, "process:tool", "--writes", "/slot", "--base", base, "--json")
        #expect(lost.code == 22, "\(lost)")
        let answer = try JSON(parsing: Array(lost.output.utf8))
        #expect(answer["receipt"] != nil && answer["lost"]?.array?.first?["winner"]?["value"] == 3)
        let told = try #require(try ledger.entries("--last", "1").first?["entry"])
        #expect(told["action"] == "ledger.conflict" && told["actor"] == "service:bulla" && told["context"]?["part"] == [2, 2])
        // What the tree says may have been read.
        #expect(try set(ledger, "/deploy/version", #""1.3""#, "user:ada").code == 0)
        try ledger.expectRefusal(22, "/deploy/version", #""/deploy" was read"#) {
            try append("{}", "user:bob", "--reads", "/deploy", "--base", base)
        }
        try ledger.expectIntact()
    }

    @Test("through a server: a lost place is 22 for its client too")
    func socket() throws {
        let (ledger, base) = try start()
        let server = try SocketLedger(ledger: ledger)
        func append(_ name: String) throws -> Program.Result {
            try server.append(
                #"{"slot":"\#(name)"}"#, "--writes", "/slot", "--base", base, "--actor-key", ledger.directory.path(name),
                "--actor",
                "process:\(name)")
        }
        #expect(try append("guard").code == 0)
        let lost = try append("tool")
        #expect(lost.code == 22 && lost.receipts.count == 1 && lost.error.contains(#"it has "guard" there"#), "\(lost)")
        // A second one of the class has both values too.
        let first = try server.append(#"{"slot":5}"#, "--writes", "/other", "--base", base)
        #expect(first.code == 0, "\(first)")
        let refused = try server.append(#"{"slot":6}"#, "--writes", "/other", "--base", base, "--json")
        #expect(refused.code == 22, "\(refused)")
        let conflict = try JSON(parsing: Array(refused.output.utf8))["error"]?["conflicts"]?.array?.first
        #expect(conflict?["winner"]?["value"] == ["slot": 5] && conflict?["loser"]?["value"] == ["slot": 6], "\(refused)")
        _ = try server.stop()
        try ledger.expectIntact()
    }

    @Test("ingest takes all lines, and says at the end which lost a place")
    func ingest() throws {
        let (ledger, base) = try start()
        #expect(
            try ledger.run(
                CommandLedger.appendArguments + [
                    "--body", #"{"slot":1}"#, "--writes", "/slot", "--base", base, "--actor-key", ledger.directory.path("guard"),
                    "--actor",
                    "process:guard",
                ]
            ).code == 0)
        let line =
            #"{"action":"test.event","actor":"user:bob","body":{"slot":2},"context":{"base":\#(base),"writes":["/slot"]},"justification":{"pillar":"integrity","reason":"r"}}"#
        let result = try ledger.run("ingest", "-", input: line + "\n" + line.replacing("\"/slot\"", with: "\"/other\"") + "\n")
        #expect(result.code == 22 && result.output.contains("recorded 2 entries"), "\(result)")
        #expect(result.error.contains("line 1: \"/slot\" belongs to process:guard"), "\(result)")
    }

    @Test("bad arguments are refused with their reason")
    func refusals() throws {
        let (ledger, base) = try start()
        try ledger.expectRefusal(64, "first one is 1") { try set(ledger, "/a", "1", "user:ada", "--base", "0") }
        try ledger.expectRefusal(64, "--reads needs --base") { try set(ledger, "/a", "1", "user:ada", "--reads", "/b") }
        try ledger.expectRefusal(20, "nobody has seen entry 99") { try set(ledger, "/a", "1", "user:ada", "--base", "99") }
        try ledger.expectRefusal(20, "does not apply") { try set(ledger, "/x/y", "1", "user:ada", "--base", base) }
        let long = "/" + String(repeating: "x", count: 100_000)
        try ledger.expectRefusal(64, "has more than 262144 bytes") {
            try ledger.append("{}", "--base", base, "--writes", long + "1", "--writes", long + "2", "--writes", long + "3")
        }
        #expect(try ledger.archive().code == 0)
        for verb in [
            ["append"] + CommandLedger.appendArguments.dropFirst() + ["--body", "{}", "--writes", "/a"],
            [
                "state", "set", "/a", "1", "--actor", "user:ada",
            ],
        ] {
            try ledger.expectRefusal(20, "what follows entry 2 was archived") { try ledger.run(verb + ["--base", "2"]) }
        }
        // What was archived last is the state that the ledger begins with.
        let first = try #require(try ledger.entries().first?["entry"]?["seq"]?.integer)
        #expect(try set(ledger, "/a", "1", "user:ada", "--base", "\(first - 1)").code == 0)
        #expect(try ledger.append("{}", "--writes", "/a/b", "--base", "\(first - 1)", "--actor", "user:bob").code == 22)
    }
}
