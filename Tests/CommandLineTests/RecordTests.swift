import CanonicalJSON
import Foundation
import TestSupport
import Testing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

@Suite("record runs a command and records that it ran, through the binary")
struct RecordTests {
    private func record(_ ledger: CommandLedger, _ command: [String], options: [String] = [], input: [UInt8]? = nil) throws
        -> Program.Result
    {
        try Program.watched(["record", "--actor", "user:ada", "--ledger", ledger.path] + options + ["--"] + command)
            .run(in: ledger.directory.path, input: input)
    }

    private func bodies(_ ledger: CommandLedger) throws -> [JSONObject] {
        try ledger.entries("--action", "record.*").compactMap { $0.object?["entry"]?.object?["body"]?.object }
    }

    @Test("output, input and exit code are passed through, and counted and hashed")
    func passedThrough() throws {
        let ledger = try CommandLedger()
        let script = "cat; printf 'to\\0stderr' >&2; exit 7"
        let result = try record(ledger, ["sh", "-c", script], input: Array("hello\n".utf8))
        #expect(result.code == 7)
        #expect(result.output == "hello\n")
        #expect(result.error == "to\0stderr")
        let (started, finished) = (try bodies(ledger)[0], try bodies(ledger)[1])
        #expect(started["argv"] == ["sh", "-c", .string(script)])
        #expect(started["cwd"] == .string(ledger.directory.path))
        #expect(finished["status"] == ["exit": 7])
        #expect(finished["stdout"] == ["bytes": 6, "sha256": "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"])
        #expect(finished["stderr"]?.object?["bytes"] == 9)
        #expect(finished["microseconds"]?.integer ?? -1 > 0)
        let entry = try ledger.entries("--last", "1")[0].object?["entry"]?.object
        #expect(entry?["context"]?.object?["causes"] == [2])
        try ledger.expectIntact(seq: 4)
    }

    @Test(
        "exit codes are the command's own",
        arguments: [
            ("exit 0", Int32(0)), ("exit 1", 1), ("exit 10", 10), ("exit 125", 125), ("exit 255", 255), ("kill -TERM $$", 143),
            ("kill -KILL $$", 137),
        ])
    func codes(script: String, code: Int32) throws {
        let ledger = try CommandLedger()
        #expect(try record(ledger, ["sh", "-c", script]).code == code)
        let status = try bodies(ledger)[1]["status"]
        #expect(status == (script.hasPrefix("kill") ? ["signal": .number(Double(code - 128))] : ["exit": .number(Double(code))]))
        try ledger.expectIntact(seq: code == 0 ? 3 : 4)
    }

    @Test(
        "a command that is not there gives 127, one that cannot run 126, and both are recorded",
        arguments: [("no-such-command-here", Int32(127)), ("./data", 126)])
    func notStarted(command: String, code: Int32) throws {
        let ledger = try CommandLedger()
        try ledger.directory.write(Array("data".utf8), to: "data")
        let result = try record(ledger, [command, "argument"])
        #expect(result.code == code)
        #expect(result.error.contains(command))
        let bodies = try bodies(ledger)
        #expect(bodies.count == 2 && bodies[1]["error"] != nil)
        try ledger.expectIntact(seq: 4)
    }

    @Test("the first entry is durable before the command starts, and nobody is locked out meanwhile")
    func before() throws {
        let ledger = try CommandLedger()
        let inner =
            "\"$0\" log --ledger \"$1\" --last 1; exec \"$0\" append --wait 5 --ledger \"$1\" --actor a:b --action c --pillar integrity --reason r --body '{}'"
        let result = try record(ledger, ["sh", "-c", inner, Program.bullaPath, ledger.path])
        #expect(result.code == 0, "\(result.error)")
        #expect(result.output.contains("record.started"))
        #expect(result.receipts.count == 1)
        try ledger.expectIntact(seq: 4)
    }

    @Test("signals are passed on, and the command's answer to them is recorded", arguments: [SIGTERM, SIGINT, SIGHUP])
    func signals(signal: Int32) throws {
        let ledger = try CommandLedger()
        let script = "trap 'echo caught; exit 9' TERM INT HUP; echo ready; while :; do sleep 0.01; done"
        let running = try Program.bulla("record", "--actor", "user:ada", "--ledger", ledger.path, "--", "sh", "-c", script)
            .start()
        defer { running.send(signal: SIGKILL) }
        try waitUntil("the command is ready") { try running.output.contains("ready") }
        running.send(signal: signal)
        let result = try running.wait()
        #expect(result.code == 9 && result.output == "ready\ncaught\n")
        #expect(try bodies(ledger)[1]["status"] == ["exit": 9])
        try ledger.expectIntact(seq: 4)
    }

    @Test("a recorder that is killed leaves the first entry, and an intact ledger")
    func killed() throws {
        let ledger = try CommandLedger()
        let running = try Program.bulla(
            "record", "--actor", "user:ada", "--ledger", ledger.path, "--", "sh", "-c", "echo $$; exec sleep 100"
        ).start()
        try waitUntil("the command runs") { try running.output.contains("\n") }
        let command = try #require(Int32(try running.output.dropLast()))
        running.send(signal: SIGKILL)
        // First, because the command has inherited what the wait looks at.
        kill(command, SIGKILL)
        _ = try running.wait()
        #expect(try ledger.append().code == 0)
        #expect(try bodies(ledger).count == 1)
        try ledger.expectIntact(seq: 3)
    }

    @Test(
        "what fails before the command starts gives 125, and the command is not run",
        arguments: ["no ledger", "no key", "alert", "busy", "bad actor"])
    func refused(why: String) throws {
        let ledger = try CommandLedger(entries: 1)
        var options: [String] = []
        switch why {
        case "no ledger": try ledger.directory.remove("L")
        case "no key": try ledger.directory.remove(ledger.name(try ledger.keyFile))
        case "alert":
            try ledger.directory.remove(ledger.name("HEAD"))
            #expect(try ledger.append().code == 10)
        case "busy": options = ["--wait", "0.1"]
        default: options = ["--actor", "nobody"]
        }
        let holder =
            why == "busy" ? try Program.shell("exec flock \"$1\" sh -c 'echo held; exec sleep 100'", ledger.path).start() : nil
        if let holder { try waitUntil("the lock is held") { try holder.output.contains("held") } }
        let result = try record(ledger, ["sh", "-c", "echo run > ran"], options: options)
        holder?.send(signal: SIGKILL)
        #expect(result.code == 125, "\(result.error)")
        #expect(result.error.hasPrefix("bulla: "))
        #expect(!FileManager.default.fileExists(atPath: ledger.directory.path("ran")))
    }

    @Test("without a command, or without an actor, it is bad usage: 64")
    func usage() throws {
        let ledger = try CommandLedger()
        try ledger.expectRefusal(64, "no command") { try record(ledger, []) }
        try ledger.expectRefusal(64, "--actor") { try Program.watched("record", "--ledger", ledger.path, "--", "true").run() }
    }

    @Test("values that look like secrets are replaced in both entries, unless told otherwise")
    func secrets() throws {
        let ledger = try CommandLedger()
        let command = ["true", "--password=hunter2hunter2", "--name", "ada", "--token", "s3cr3t-t0k3n-value"]
        #expect(try record(ledger, command).code == 0)
        let bytes = String(decoding: try ledger.read(CommandLedger.firstSegment), as: UTF8.self)
        #expect(!bytes.contains("hunter2") && !bytes.contains("s3cr3t"))
        #expect(bytes.contains("[redacted:") && bytes.contains("ada"))
        #expect(try record(ledger, command, options: ["--no-redact"]).code == 0)
        #expect(try ledger.run("log", "--last", "1").output.contains("hunter2hunter2"))
        try ledger.expectIntact(seq: 5)
    }

    @Test("arguments that are no UTF-8 reach the command as they are, and are kept in base64")
    func notText() throws {
        let ledger = try CommandLedger()
        let script =
            "exec \"$BULLA\" record --actor user:ada --ledger \"$1\" -- printf '%s' \"$(printf 'a\\377b')\" | od -An -tx1"
        #expect(try Program.shell(script, ledger.path).run().output.trimmingCharacters(in: .whitespacesAndNewlines) == "61 ff 62")
        let body = try bodies(ledger)[0]
        #expect(body["argv"] == ["printf", "%s", "a\u{FFFD}b"])
        #expect(body["argv_base64"]?.object?["2"] == "Yf9i")
    }

    @Test("megabytes in both directions at once pass unchanged", arguments: [5_000_000])
    func large(size: Int) throws {
        let ledger = try CommandLedger()
        let script =
            "head -c \(size) /dev/zero | \"$BULLA\" record --actor a:b --ledger \"$1\" -- sh -c 'tee /dev/stderr' 2> \"$1.err\" | sha256sum; sha256sum < \"$1.err\""
        let sums = try Program.shell(script, ledger.path).run().output.split(separator: "\n").map { $0.prefix(64) }
        #expect(sums.count == 2 && sums[0] == sums[1])
        let finished = try bodies(ledger)[1]
        for stream in ["stdout", "stderr"] {
            #expect(finished[stream]?.object?["bytes"] == .number(Double(size)))
            #expect(finished[stream]?.object?["sha256"]?.string == sums.first.map(String.init))
        }
    }

    @Test("--json tells both receipts on stderr, and they hold")
    func json() throws {
        let ledger = try CommandLedger()
        let result = try record(ledger, ["echo", "hi"], options: ["--json"])
        #expect(result.output == "hi\n")
        let object = try #require(try JSON(parsing: Array(result.error.utf8)).object)
        #expect(object["started"]?.object?["seq"] == 2 && object["finished"]?.object?["seq"] == 3)
    }
}
