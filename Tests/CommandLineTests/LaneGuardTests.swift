import CanonicalJSON
import Foundation
import TestSupport
import Testing

@Suite("Lanes: the guard") struct LaneGuardTests {
    private func guarding(_ ledger: CommandLedger, _ lease: GrantedLease, _ more: [String] = [], _ script: String) throws
        -> Program.Running
    {
        let command = ["lane", "guard"] + lease.right + more + ["--ledger", ledger.path, "--", "sh", "-c", script]
        return try Program.watched(command).start(in: ledger.directory.path)
    }

    private func ledger() throws -> CommandLedger { try CommandLedger(lanes: [("api", [])]) }

    /// A script that writes its number and works longer than any guard lets it; it ends all the same, so that a guard which sleeps is found out.
    private static let endless =
        "echo $$ > pid.new; mv pid.new pid; n=0; while [ $n -lt 800 ]; do sleep 0.05; n=$((n + 1)); done"

    @Test("the command's own code is passed on, and 127, 20 and 64 for what never ran")
    func codes() throws {
        let ledger = try ledger()
        let lease = try ledger.acquire("api")
        for (script, code) in [("exit 0", 0), ("exit 7", 7), ("kill -9 $$", 137)] as [(String, Int32)] {
            #expect(try guarding(ledger, lease, [], script).wait().code == code)
        }
        let base = ["lane", "guard", "--ledger", ledger.path]
        #expect(try Program.watched(base + lease.right + ["--", "no-such-command"]).run().code == 127)
        #expect(try Program.watched(base + lease.right).run().code == 64)
        try ledger.lane(["release"] + lease.right)
        let stale = try Program.watched(base + lease.right + ["--", "touch", ledger.directory.path("ran")]).run()
        #expect(
            stale.code == 20 && stale.error.contains("is not current")
                && !FileManager.default.fileExists(atPath: ledger.directory.path("ran")))
        let missing = try Program.watched(["lane", "guard", "--ledger", ledger.path + "x"] + lease.right + ["--", "true"]).run()
        #expect(missing.code == 125)
    }

    @Test("a lease that is released ends the command and all that it started, even what ignores TERM or left its session")
    func released() throws {
        let ledger = try ledger()
        let lease = try ledger.acquire("api")
        let running = try guarding(
            ledger, lease, [], "trap '' TERM; setsid sh -c 'echo $$ > far; exec sleep 300' & \(Self.endless)")
        let pids = [try ledger.pid(in: "pid"), try ledger.pid(in: "far")]
        try ledger.lane(["release"] + lease.right)
        let result = try running.wait()
        #expect(result.code == 125 && result.error.contains("the command was stopped: the lease \(lease.id) is not current"))
        for pid in pids { #expect(Program.state(of: pid).map { "ZX".contains($0) } ?? true) }
    }

    @Test("a locked house: a running command is ended when the alert is raised, and none is started before the release")
    func locked() throws {
        let ledger = try ledger()
        let lease = try ledger.acquire("api")
        try #require(try ledger.heartbeat(lease, "--event", "what-is-lost").code == 0)
        let running = try guarding(ledger, lease, [], Self.endless)
        let pid = try ledger.pid(in: "pid")
        try damage(ledger)
        #expect(try ledger.run("audit").code == 10)
        let result = try running.wait()
        #expect(result.code == 125 && result.error.contains("the command was stopped: the ledger"), "\(result)")
        #expect(result.error.contains("is in alert"), "\(result)")
        #expect(Program.state(of: pid).map { "ZX".contains($0) } ?? true)
        try expectNothingStarted(ledger, lease)
        #expect(try ledger.run("repair", "--yes").code == 0)
        #expect(try guarding(ledger, lease, [], "exit 3").wait().code == 3)
    }

    @Test("locked by a repair: nothing is started before associates release it")
    func lockedByRepair() throws {
        let house = try GovernedHouse()
        let ledger = house.ledger
        try ledger.lane(["declare", "api"])
        let lease = try ledger.acquire("api")
        try #require(try ledger.heartbeat(lease, "--event", "what-is-lost").code == 0)
        try damage(ledger)
        #expect(try ledger.run("repair", "--yes").code == 0)
        try expectNothingStarted(ledger, lease)
        let released = try ledger.run(["alert", "release"] + house.keys("ada", "bob"))
        #expect(released.code == 0, "\(released)")
        #expect(try guarding(ledger, lease, [], "exit 3").wait().code == 3)
    }

    private func damage(_ ledger: CommandLedger) throws {
        var bytes = try ledger.read(CommandLedger.firstSegment)
        let place = try #require(bytes.firstRange(of: Array("what-is-lost".utf8)))
        bytes[place.lowerBound] ^= 1
        try ledger.overwrite(CommandLedger.firstSegment, bytes)
    }

    private func expectNothingStarted(_ ledger: CommandLedger, _ lease: GrantedLease) throws {
        let refused = try guarding(ledger, lease, [], "touch ran").wait()
        #expect(refused.code == 125 && refused.error.contains("is in alert"), "\(refused)")
        #expect(!FileManager.default.fileExists(atPath: ledger.directory.path("ran")))
    }

    @Test("what the command leaves running at its own end is stopped, also who starts another and ends, again and again")
    func leftBehind() throws {
        let ledger = try ledger()
        let lease = try ledger.acquire("api")
        let chain = "hop() { echo $1 > hop; [ $1 -lt 2000 ] && { sleep 0.02; hop $(($1 + 1)) & } }; hop 1"
        for script in [
            "setsid sh -c 'echo $$ > far; exec sleep 300' & while [ ! -s far ]; do sleep 0.01; done; exit 3", chain + "; exit 3",
        ] {
            let result = try guarding(ledger, lease, [], script).wait()
            #expect(result.code == 3 && result.error.isEmpty, "\(result)")
        }
        #expect(Program.state(of: try ledger.pid(in: "far")).map { "ZX".contains($0) } ?? true)
        let last = try ledger.directory.read("hop")
        _ = try ledger.run("verify")
        #expect(try ledger.directory.read("hop") == last)
    }

    @Test("a guard that may have few files open stops its command all the same")
    func fewFiles() throws {
        let ledger = try ledger()
        let lease = try ledger.acquire("api")
        let command = ["lane", "guard"] + lease.right + ["--ledger", ledger.path, "--", "sh", "-c", Self.endless]
        let quoted = command.map { "'\($0)'" }.joined(separator: " ")
        let running = try Program.shell("ulimit -n 24; exec \"$BULLA\" \(quoted)").start(in: ledger.directory.path)
        let pid = try ledger.pid(in: "pid")
        try ledger.lane(["release"] + lease.right)
        let result = try running.wait()
        #expect(result.code == 125, "\(result)")
        #expect(Program.state(of: pid).map { "ZX".contains($0) } ?? true)
    }

    @Test("without a beat the command ends before the lease does, also when the ledger cannot be read")
    func unreadable() throws {
        for isReadable in [true, false] {
            let ledger = try ledger()
            let lease = try ledger.acquire("api", "--ttl", "6s")
            let running = try guarding(ledger, lease, [], Self.endless)
            if !isReadable {
                _ = try ledger.pid(in: "pid")
                try FileManager.default.moveItem(atPath: ledger.path, toPath: ledger.path + "-away")
            }
            let result = try running.wait()
            #expect(result.code == 125 && result.error.contains("the command was stopped"), "\(result)")
        }
    }

    @Test(
        "a guard that is stopped guards no more, but its command and all that it started is dead before another gets the lane",
        arguments: ["", "trap '' TERM; "])
    func stopped(manners: String) throws {
        let ledger = try CommandLedger(lanes: [("api", [])], settings: ["--grace", "10ms"])
        let lease = try ledger.acquire("api", "--ttl", "6s")
        let script = manners + "setsid sh -c 'echo $$ > far; exec sleep 300' & \(Self.endless)"
        let command = ["lane", "guard"] + lease.right + ["--ledger", ledger.path, "--", "sh", "-c", script]
        let guarding = try Program.bulla(command).start(in: ledger.directory.path)
        let pids = [try ledger.pid(in: "pid"), try ledger.pid(in: "far")]
        guarding.send(signal: SIGSTOP)
        defer { guarding.send(signal: SIGKILL) }
        try waitUntil("the lane is another's") {
            try ledger.run("lane", "acquire", "api", "--actor", "process:b").code == 0
        }
        for pid in pids { #expect(Program.state(of: pid).map { "ZX".contains($0) } ?? true) }
        #expect(Program.state(of: guarding.processID) == "T")
        guarding.send(signal: SIGCONT)
        let result = try guarding.wait()
        #expect(result.code == 125 && result.error.contains("the command was stopped"), "\(result)")
    }

    @Test("a command that takes TERM for its end and says 0 is none that did its work: 125")
    func trapped() throws {
        let ledger = try ledger()
        let lease = try ledger.acquire("api")
        let running = try guarding(ledger, lease, [], "trap 'exit 0' TERM; \(Self.endless)")
        _ = try ledger.pid(in: "pid")
        try ledger.lane(["release"] + lease.right)
        let result = try running.wait()
        #expect(result.code == 125 && result.error.contains("the command was stopped"), "\(result)")
    }

    @Test("a guard that goes on while its watcher ends the command says why all the same")
    func continued() throws {
        let ledger = try ledger()
        let lease = try ledger.acquire("api", "--ttl", "3s")
        let running = try guarding(ledger, lease, [], "echo $$ > pid.new; mv pid.new pid; exec sleep 60")
        let pid = try ledger.pid(in: "pid")
        // `timeout` stands between us and the guard.
        let guardian = try #require(Program.parent(of: pid))
        kill(guardian, SIGSTOP)
        // The moment that TERM has reached the command.
        try waitUntil("the command is dead") { Program.state(of: pid).map { "ZX".contains($0) } ?? true }
        kill(guardian, SIGCONT)
        let result = try running.wait()
        #expect(result.code == 125 && result.error.contains("the command was stopped: its lease is about to end"), "\(result)")
    }

    @Test("a guard that is stopped between its look and the start of its command starts nothing when another has the lane")
    func startedLate() throws {
        for attempt in 1...50 {
            let ledger = try CommandLedger(lanes: [("api", [])], settings: ["--grace", "10ms"])
            let lease = try ledger.acquire("api", "--ttl", "3s")
            let ran = ledger.directory.path("ran")
            let guarding = try Program.bulla(
                ["lane", "guard"] + lease.right + ["--ledger", ledger.path, "--", "touch", ran]
            ).start(in: ledger.directory.path)
            let children = "/proc/\(guarding.processID)/task/\(guarding.processID)/children"
            // The watcher is its first child, and started behind the look.
            while (try? String(contentsOfFile: children, encoding: .utf8))?.isEmpty == true {}
            guarding.send(signal: SIGSTOP)
            try waitUntil("it is stopped, or was too fast") {
                Program.state(of: guarding.processID).map { "TZX".contains($0) } ?? true
            }
            let count = (try? String(contentsOfFile: children, encoding: .utf8))?.split(separator: " ").count ?? 0
            guard count == 1, !FileManager.default.fileExists(atPath: ran) else {
                guarding.send(signal: SIGCONT)
                _ = try guarding.wait()
                continue
            }
            try waitUntil("the lane is another's") {
                try ledger.run("lane", "acquire", "api", "--actor", "process:b").code == 0
            }
            guarding.send(signal: SIGCONT)
            let result = try guarding.wait()
            #expect(result.code == 20 && !result.error.isEmpty, "attempt \(attempt): \(result)")
            #expect(!FileManager.default.fileExists(atPath: ran))
            return
        }
        Issue.record("no guard was met between its look and its start")
    }

    @Test("whoever starts another and ends, again and again, does not escape the watcher of a guard that is stopped")
    func chained() throws {
        let ledger = try CommandLedger(lanes: [("api", [])], settings: ["--grace", "10ms"])
        let lease = try ledger.acquire("api", "--ttl", "4s")
        // Each lives for a millisecond and does not hear TERM; the chain gives up after half a minute. THREATS tells of faster ones.
        let chain = """
            import os, signal, time
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            file = os.open('hop', os.O_WRONLY | os.O_CREAT, 0o644)
            start = time.monotonic()
            hop = 0
            while time.monotonic() - start < 30:
                hop += 1
                os.pwrite(file, b'%09d' % hop, 0)
                time.sleep(0.001)
                if os.fork() != 0: os._exit(0)
            """
        try ledger.directory.write(Array(chain.utf8), to: "chain.py")
        let script = "python3 chain.py & while [ ! -s hop ]; do sleep 0.01; done; echo $$ > pid.new; mv pid.new pid; sleep 60"
        let guarding = try Program.bulla(
            ["lane", "guard"] + lease.right + ["--ledger", ledger.path, "--", "sh", "-c", script]
        ).start(in: ledger.directory.path)
        _ = try ledger.pid(in: "pid")
        guarding.send(signal: SIGSTOP)
        defer { guarding.send(signal: SIGKILL) }
        try waitUntil("the lane is another's") {
            try ledger.run("lane", "acquire", "api", "--actor", "process:b").code == 0
        }
        let last = try ledger.directory.read("hop")
        for _ in 0..<10 { _ = try ledger.run("lane", "list") }
        #expect(try ledger.directory.read("hop") == last, "it works on under another's lease")
        guarding.send(signal: SIGCONT)
        let result = try guarding.wait()
        #expect(result.code == 125 && result.error.contains("the command was stopped: its lease is about to end"), "\(result)")
    }

    @Test("nothing of a guard is left when it ends, and its watcher is for nobody else")
    func watcher() throws {
        let ledger = try ledger()
        let lease = try ledger.acquire("api")
        let running = try guarding(ledger, lease, [], "cat /proc/$PPID/task/$PPID/children > children; exit 3")
        #expect(try running.wait().code == 3)
        let children = String(decoding: try ledger.directory.read("children"), as: UTF8.self).split { $0.isWhitespace }
        #expect(children.count == 2, "the command and the watcher")
        for child in children { #expect(Program.state(of: try #require(Int32(child))) == nil) }
        let alone = try Program.watched("lane", "guard-watcher").run()
        #expect(alone.code == 64 && alone.error.contains("started by `bulla lane guard` alone"), "\(alone)")
    }

    @Test("--beat-as keeps the lease while the command runs")
    func beats() throws {
        let ledger = try ledger()
        let lease = try ledger.acquire("api", "--ttl", "5s")
        let running = try guarding(
            ledger, lease, ["--beat-as", "process:guard"], "while [ ! -e stop ]; do sleep 0.05; done; exit 3")
        // Without the third beat it would be over.
        try waitUntil("it beats") { try ledger.laneBodies("heartbeat").count >= 4 }
        try ledger.directory.write([], to: "stop")
        #expect(try running.wait().code == 3)
    }

    @Test("a guard that is killed takes its command with it; a signal to it reaches the command")
    func killed() throws {
        let ledger = try ledger()
        let lease = try ledger.acquire("api")
        let command =
            ["lane", "guard"] + lease.right + ["--ledger", ledger.path, "--", "sh", "-c", "echo $$ > pid; exec sleep 300"]
        let running = try Program.bulla(command).start(in: ledger.directory.path)
        let pid = try ledger.pid(in: "pid")
        running.send(signal: SIGKILL)
        #expect(try running.wait().code == 137)
        try waitUntil("the command is gone") { Program.state(of: pid).map { "ZX".contains($0) } ?? true }
        try ledger.directory.remove("pid")
        let other = try Program.bulla(command).start(in: ledger.directory.path)
        _ = try ledger.pid(in: "pid")
        other.send(signal: SIGTERM)
        #expect(try other.wait().code == 143)
    }
}
