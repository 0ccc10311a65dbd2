import CanonicalJSON
import Foundation
import TestSupport
import Testing

@Suite("Errors under --json")
struct JSONErrorTests {
    /// One line on stdout says what the sentence on stderr says.
    private func expectError(
        _ code: Int32, _ verdict: String, _ result: Program.Result, source: SourceLocation = #_sourceLocation
    ) throws {
        #expect(result.code == code, "\(result)", sourceLocation: source)
        #expect(result.output.hasSuffix("\n") && result.output.count { $0 == "\n" } == 1, "\(result)", sourceLocation: source)
        let error = try #require(try JSON(parsing: Array(result.lastLine.utf8))["error"], sourceLocation: source)
        #expect(
            error["code"] == .number(Double(code)) && error["verdict"] == .string(verdict), "\(result)", sourceLocation: source)
        let message = try #require(error["message"]?.string, sourceLocation: source)
        #expect(result.error.hasSuffix("bulla: \(message)\n"), "\(result)", sourceLocation: source)
    }

    @Test("so it is of a command line that cannot be read, by the parser and by the verb's own rules")
    func unreadable() throws {
        let ledger = try CommandLedger(entries: 1)
        for arguments in [
            ["audit", "--json", "--budget", "-1"], ["log", "--json", "--frobnicate"], ["show", "--json"], ["nonsense", "--json"],
            ["append", "--json", "--wait", "-2"],
        ] {
            let result = try ledger.run(arguments)
            #expect(result.code == 64 && result.error.contains("rror: "), "\(result)")
            let error = try #require(try JSON(parsing: Array(result.output.utf8))["error"])
            #expect(error["code"] == 64 && error["verdict"] == "usage", "\(result)")
            let message = try #require(error["message"]?.string)
            #expect(!message.isEmpty && result.error.contains(message), "\(result)")
        }
        #expect(try ledger.run("show").output.isEmpty)
    }

    @Test("a verb that fails and has said nothing says it as JSON too")
    func failing() throws {
        let ledger = try CommandLedger(entries: 3)
        try expectError(64, "usage", try ledger.run("show", "99", "--json"))
        try expectError(64, "usage", try Program.bulla("log", "--json", "--ledger", ledger.directory.path("none")).run())
        let reserved = [
            "append", "--actor", "a:b", "--action", "run.x", "--pillar", "integrity", "--reason", "r", "--body", "{}",
        ]
        try expectError(20, "refused", try ledger.run(reserved + ["--json"]))
        #expect(try ledger.append("{}", "--id", "x").code == 0)
        try expectError(22, "conflict", try ledger.append(#"{"other":1}"#, "--id", "x", "--json"))
        let append = CommandLedger.appendArguments + ["--body", "{}", "--json", "--wait", "0", "--ledger", ledger.path]
        let busy = try Program("/usr/bin/env", ["flock", ledger.path, Program.bullaPath] + append).run()
        try expectError(75, "busy", busy)
        var bytes = try ledger.read(CommandLedger.firstSegment)
        let last = try #require(bytes.lastIndex { $0 != 0 })
        bytes[last - 1] ^= 1
        try ledger.overwrite(CommandLedger.firstSegment, bytes)
        try expectError(10, "tampered", try ledger.append("{}", "--json"))
        try expectError(21, "locked", try ledger.append("{}", "--json"))
    }

    @Test("a verb that has answered adds nothing: reports hold their verdict, and a stream ends where it fails")
    func answered() throws {
        let ledger = try CommandLedger(entries: 30)
        var bytes = try ledger.read(CommandLedger.firstSegment)
        let last = try #require(bytes.lastIndex { $0 != 0 })
        bytes[last - 1] ^= 1
        try ledger.overwrite(CommandLedger.firstSegment, bytes)
        for verb in ["verify", "status", "audit", "log", "top"] {
            let result = try ledger.run(verb, "--json")
            #expect(result.code == 10, "\(verb): \(result)")
            for line in result.output.split(separator: "\n") {
                #expect(try JSON(parsing: Array(line.utf8))["error"] == nil, "\(verb): \(line)")
            }
            #expect(!result.output.isEmpty, "\(verb)")
        }
    }

    @Test("without --json nothing of it is printed")
    func text() throws {
        let ledger = try CommandLedger()
        let result = try ledger.run("show", "99")
        #expect(result.code == 64 && result.output.isEmpty && result.error.hasPrefix("bulla: there is no entry 99"), "\(result)")
    }
}
