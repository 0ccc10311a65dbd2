import CanonicalJSON
import DurableFiles
import Foundation
import TestSupport
import Testing

/// `bulla run` beside a test.
private struct Service {
    let ledger: CommandLedger
    let process: Program.Running

    /// What it says on stderr, in a file of the ledger's directory.
    private let errors: String

    /// - Parameter interval: seconds from one pulse to the next.
    init(_ ledger: CommandLedger, interval: String = "0.1", _ more: String...) throws {
        self.ledger = ledger
        errors = "errors-\(UInt64.random(in: 0 ..< .max))"
        let script = "exec \"$BULLA\" run --ledger \"$1\" --interval \"$2\" \(more.joined(separator: " ")) 2> \"$3\""
        process = try Program.shell(script, ledger.path, interval, ledger.directory.path(errors)).start()
        try waitUntil("it is online") { try process.output.contains("online") }
    }

    var error: String { get throws { String(decoding: try ledger.directory.read(errors), as: UTF8.self) } }

    func waitForPulses(_ count: Int) throws {
        // One that has stopped makes none: the test goes on, and says so.
        try waitUntil("\(count) more pulses") {
            try ledger.entries("--action", "run.pulse").count >= count || error.contains("stopped: ")
        }
    }

    func stop(_ signal: Int32) throws -> Program.Result {
        try send(signal)
        return try wait()
    }

    func send(_ signal: Int32) throws {
        // The signal is for the service, not for its watchdog.
        let path = "/proc/\(process.processID)/task/\(process.processID)/children"
        let children = try String(contentsOfFile: path, encoding: .utf8).split(separator: " ").compactMap { Int32($0) }
        for child in children { kill(child, signal) }
    }

    /// Stops it where it has neither the lock nor the gate, so that others can write.
    func suspend() throws {
        let script = #"flock "$1" kill -STOP $(cat /proc/$2/task/$2/children) && flock -n "$1" flock -n "$1/keys" true"#
        try waitUntil("it stands still and nobody waits for it") {
            if try Program("/bin/sh", ["-c", script, "sh", ledger.path, String(process.processID)]).run().code == 0 {
                return true
            }
            try send(SIGCONT)
            return false
        }
    }

    func wait() throws -> Program.Result {
        var result = try process.wait()
        result.error = try error
        return result
    }
}

@Suite("bulla run")
struct RunTests {
    @Test("online, pulses, audits, offline; SIGTERM and SIGINT end it with 0", arguments: [SIGTERM, SIGINT])
    func life(signal: Int32) throws {
        let ledger = try CommandLedger(entries: 20)
        let service = try Service(ledger)
        try service.waitForPulses(11)
        try waitUntil("a thorough slice is recorded") {
            try ledger.entries("--action", "audit.finished").contains { $0["entry"]?["body"]?["policy"] == "deep" }
        }
        // Others go on writing.
        #expect(try ledger.append().code == 0)
        let result = try service.stop(signal)
        let name = signal == SIGTERM ? "SIGTERM" : "SIGINT"
        #expect(result.code == 0 && result.error.isEmpty && result.output.contains("offline after \(name)"), "\(result)")

        let entries = try ledger.entries("--from", "22").compactMap { $0["entry"] }
        #expect(entries[0]["action"] == "audit.finished" && entries[0]["body"]?["policy"] == "boot")
        #expect(entries[0]["body"]?["checked"] == 21 && entries[0]["body"]?["full"] == true)
        let online = try #require(entries[1]["body"]?.object)
        #expect(entries[1]["action"] == "run.online" && entries[1]["actor"] == "service:bulla")
        #expect(online["seq"] == 22 && online["tip"] == entries[1]["prev_hash"] && online["audit"]?["policy"] == "boot")
        #expect(online["pid"]?.integer ?? 0 > 0 && online["software"]?.string?.hasPrefix("bulla ") == true)
        let offline = try #require(entries.last)
        #expect(offline["action"] == "run.offline" && offline["body"]?["signal"] == .string(name))
        let pulses = entries.filter { $0["action"] == "run.pulse" }
        #expect(pulses.count >= 11)
        let appended = pulses.compactMap { $0["body"]?["entries"]?.integer }.reduce(0, +)
        let audits = entries.dropFirst().count { $0["action"] == "audit.finished" }
        #expect(appended <= Int64(audits) + 1, "pulses count what came between them")
        #expect(pulses.contains { ($0["body"]?["slices"]?["checked"]?.integer ?? 0) > 20 }, "slices are told in pulses")
        #expect(entries.contains { $0["action"] == "audit.finished" && $0["body"]?["policy"] == "deep" })
        #expect(audits <= pulses.count / 2, "audits do not flood: \(audits) beside \(pulses.count) pulses")
        try ledger.expectIntact()
        #expect(try ledger.run("status").output.contains("full up to seq "))
    }

    @Test("a snapshot of the state is kept when so many entries lie behind the last one")
    func snapshots() throws {
        let ledger = try CommandLedger(entries: 3)
        #expect(try ledger.run("state", "set", "/a", "1", "--actor", "user:ada").code == 0)
        let service = try Service(ledger, "--snapshot-every", "6")
        let seqs = {
            try ledger.run("snapshot", "list", "--json").output.split(separator: "\n")
                .compactMap { try JSON(parsing: Array($0.utf8))["seq"]?.integer }
        }
        try waitUntil("two are there") { try seqs().count >= 2 }
        let result = try service.stop(SIGTERM)
        #expect(result.code == 0 && result.error.isEmpty, "\(result)")
        let kept = try seqs()
        #expect(zip(kept, kept.dropFirst()).allSatisfy { $1 - $0 >= 6 }, "\(kept)")
        #expect(try ledger.run("snapshot", "verify").code == 0)
        #expect(try ledger.run("state", "get", "/a").output == "1\n")
        #expect(try JSON(parsing: Array(ledger.run("status", "--json").output.utf8))["snapshot_loaded"] == true)
        try ledger.expectIntact()
    }

    @Test("--json tells the same as lines of JSON")
    func json() throws {
        let ledger = try CommandLedger()
        let service = try Service(ledger, interval: "60", "--json")
        let result = try service.stop(SIGTERM)
        let lines = try result.output.split(separator: "\n").map { try JSON(parsing: Array($0.utf8)) }
        #expect(result.code == 0 && lines.count == 2)
        #expect(lines[0]["event"] == "online" && lines[0]["receipt"]?["seq"] == 3 && lines[0]["pid"]?.integer ?? 0 > 0)
        #expect(lines[1]["event"] == "offline" && lines[1]["receipt"]?["seq"] == 4 && lines[1]["signal"] == "SIGTERM")
    }

    @Test("tampering while it runs stops it with 10, raises the alert, and says what to do")
    func tampered() throws {
        let ledger = try CommandLedger(entries: 50)
        let service = try Service(ledger)
        try service.waitForPulses(2)
        let handle = try FileHandle(forUpdating: URL(fileURLWithPath: ledger.path + "/" + CommandLedger.firstSegment))
        try handle.seek(toOffset: 1000)
        let byte = try #require(try handle.read(upToCount: 1))
        try handle.seek(toOffset: 1000)
        try handle.write(contentsOf: Data([byte[0] ^ 1]))
        try handle.close()
        let result = try service.wait()
        #expect(result.code == 10, "\(result)")
        for words in ["stopped: ", "seq 2", "the alert was raised", "bulla verify --resync", "bulla repair"] {
            #expect(result.error.contains(words), "\(result.error)")
        }
        #expect(try ledger.append().code == 21)
        #expect(try ledger.run("verify").code == 10)
        let again = try ledger.run("run")
        #expect(again.code == 21 && again.error.contains("the root cause: tampered: "), "\(again.error)")
    }

    @Test("an alert that somebody else raises stops it with 21, and the root cause is said")
    func alerted() throws {
        let ledger = try CommandLedger(entries: 5)
        let service = try Service(ledger)
        try service.waitForPulses(1)
        // Removed under the lock, for the next writer to rebuild it in alert; the service may be the one.
        let removed = try Program("/usr/bin/env", ["flock", ledger.path, "rm", ledger.path + "/HEAD"]).run()
        try #require(removed.code == 0)
        _ = try ledger.append()
        let result = try service.wait()
        #expect(result.code == 21 || result.code == 10, "\(result)")
        #expect(result.error.contains("stopped: "))
        #expect(try ledger.append().code == 21)
    }

    @Test("a key or a segment that is replaced while it runs stops it with 10", arguments: ["key", "segment"])
    func drift(what: String) throws {
        let ledger = try CommandLedger(entries: 5)
        let keyFile = try ledger.keyFile
        let service = try Service(ledger)
        try service.waitForPulses(1)
        let file = what == "key" ? keyFile : CommandLedger.firstSegment
        // The same bytes in another file; under the lock, so that nothing is written meanwhile.
        let script = #"cp -p "$1" "$1.copy"; mv "$1.copy" "$1""#
        let path = ledger.path + "/" + file
        let swapped = try Program("/usr/bin/env", ["flock", ledger.path, "sh", "-c", script, "sh", path]).run()
        try #require(swapped.code == 0, "\(swapped.error)")
        let result = try service.wait()
        #expect(result.code == 10 && result.error.contains("is no longer the file that was opened"), "\(result)")
        #expect(try ledger.append().code == 21)
        // Nothing about the ledger shows it any more; who locked the house has kept it, and the repair takes it over.
        let status = try JSON(parsing: Array(ledger.run("status", "--json").lastLine.utf8))
        let cause = try #require(status["alert_cause"]?.string)
        #expect(cause.contains("is no longer the file that was opened"))
        #expect(try ledger.run("repair", "--yes").code == 0)
        let repaired = try #require(try ledger.entries("--action", "ledger.repaired").last)
        #expect(repaired["entry"]?["body"]?["root_cause"]?.string == cause)
        let calm = try JSON(parsing: Array(ledger.run("status", "--json").lastLine.utf8))
        #expect(calm["alert"] == false && calm["alert_cause"] == .null)
    }

    @Test(
        "a base that is moved away while it runs: the alert is raised in it, and nothing is written to what stands at its path",
        arguments: ["nothing", "a copy", "another ledger", "another directory"])
    func moved(what: String) throws {
        let ledger = try CommandLedger(entries: 5)
        let service = try Service(ledger)
        try service.waitForPulses(1)
        let put =
            switch what {
            case "a copy": #"cp -a "$1.old" "$1""#
            case "another ledger": #""$2" init --ledger "$1""#
            case "another directory": #"mkdir "$1""#
            default: "true"
            }
        // Under the lock: it meets this when it comes for the lock, and not while it has it.
        let script = #"mv "$1" "$1.old" && \#(put) && if [ -e "$1" ]; then cp -a "$1" "$1.seen"; fi"#
        let moved = try Program(
            "/usr/bin/env", ["flock", ledger.path, "sh", "-c", script, "sh", ledger.path, Program.bullaPath]
        ).run(environment: ["BULLA_ANCHOR": "off"])
        try #require(moved.code == 0, "\(moved.error)")
        let result = try service.wait()
        #expect(result.code == 10, "\(result)")
        for words in ["stopped: ", "moved away", "the alert is raised there", "put back what was there", "bulla repair"] {
            #expect(result.error.contains(words), "\(result.error)")
        }
        if what != "nothing" {
            let difference = try Program("/usr/bin/env", ["diff", "-r", ledger.path, ledger.path + ".seen"]).run()
            #expect(difference.code == 0, "\(difference.output)")
            try FileManager.default.removeItem(atPath: ledger.path)
        }
        #expect(!FileManager.default.fileExists(atPath: ledger.path))
        try FileManager.default.moveItem(atPath: ledger.path + ".old", toPath: ledger.path)
        #expect(try ledger.append().code == 21)
        #expect(try ledger.run("repair", "--yes").code == 0)
        #expect(try ledger.append().code == 0)
        try ledger.expectIntact()
    }

    @Test("another process repairs the ledger under it: it goes on, and raises no new alert")
    func repaired() throws {
        let ledger = try CommandLedger(entries: 50)
        let service = try Service(ledger)
        try service.waitForPulses(2)
        try service.suspend()
        var bytes = try ledger.read(CommandLedger.firstSegment)
        bytes[1000] ^= 1
        try ledger.overwrite(CommandLedger.firstSegment, bytes)
        #expect(try ledger.run("audit", "--from-start").code == 10)
        #expect(try ledger.append().code == 21)
        #expect(try ledger.run("repair", "--yes").code == 0)
        let before = try ledger.entries("--action", "run.pulse").count
        try service.send(SIGCONT)
        try service.waitForPulses(before + 12)
        #expect(try ledger.append().code == 0)
        let result = try service.stop(SIGTERM)
        #expect(result.code == 0 && result.error.isEmpty, "\(result)")
        #expect(try ledger.entries("--action", "ledger.repaired").count == 1)
        #expect(try ledger.append().code == 0)
        try ledger.expectIntact()
    }

    @Test("two archives between two looks, of which the second takes the entry that tells of the first: it goes on")
    func archivedTwice() throws {
        let ledger = try CommandLedger(entries: 5)
        let service = try Service(ledger)
        try service.waitForPulses(2)
        try service.suspend()
        for _ in 1...2 { #expect(try ledger.archive().code == 0) }
        try service.send(SIGCONT)
        try service.waitForPulses(3)
        #expect(try ledger.append().code == 0)
        let result = try service.stop(SIGTERM)
        #expect(result.code == 0 && result.error.isEmpty, "\(result)")
        try ledger.expectIntact()
    }

    @Test("a ledger that is damaged before it starts is found by BOOT: 10, and it never is online")
    func boot() throws {
        var ends: [Int] = []
        let ledger = try CommandLedger(same: 9, ends: &ends)
        var bytes = try ledger.read(CommandLedger.firstSegment)
        bytes[ends[2] + 60] ^= 1
        try ledger.overwrite(CommandLedger.firstSegment, bytes)
        let result = try ledger.run("run")
        #expect(result.code == 10 && !result.output.contains("online") && result.error.contains("seq 4"), "\(result)")
    }

    @Test("killed at any time it leaves a ledger that verifies, and comes up again", arguments: [UInt64(1), 2])
    func killed(seed: UInt64) throws {
        let ledger = try CommandLedger(entries: 5)
        var generator = SeededGenerator(seed: seed)
        for round in 0..<6 {
            let service = try Service(ledger, interval: "0.02")
            try service.waitForPulses(1 + round + Int.random(in: 0..<4, using: &generator))
            _ = try service.stop(SIGKILL)
            try ledger.expectIntact()
        }
        let service = try Service(ledger)
        #expect(try service.stop(SIGTERM).code == 0)
        try ledger.expectIntact()
    }

    @Test("two of them at one ledger, and writers beside them: all entries, no false alarm")
    func two() throws {
        let ledger = try CommandLedger(entries: 200)
        let services = try (0..<2).map { _ in try Service(ledger, interval: "0.05") }
        for _ in 0..<10 {
            #expect(try ledger.append().code == 0)
            #expect(try ledger.ingest((1...50).map(String.init)).code == 0)
        }
        for service in services {
            let result = try service.stop(SIGTERM)
            #expect(result.code == 0 && result.error.isEmpty, "\(result)")
        }
        try ledger.expectIntact()
        #expect(try ledger.entries("--action", "run.offline").count == 2)
    }

    @Test("while somebody else keeps the lock there is no pulse, and the process stays up")
    func busy() throws {
        let ledger = try CommandLedger(entries: 5)
        let service = try Service(ledger, interval: "0.05", "--wait", "0.1")
        let holder = try Program(
            "/usr/bin/env",
            ["flock", ledger.path, "sh", "-c", "while [ ! -e \"$1\" ]; do sleep 0.01; done", "sh", ledger.directory.path("go")]
        ).start()
        try waitUntil("it says that it could not pulse") { try service.error.contains("no pulse: ") }
        try ledger.directory.write([], to: "go")
        #expect(try holder.wait().code == 0)
        let before = try ledger.entries("--action", "run.pulse").count
        try service.waitForPulses(before + 2)
        #expect(try service.stop(SIGTERM).code == 0)
    }
}
