import CanonicalJSON
import Foundation
import TestSupport
import Testing

/// Holders and commands that outlive what they are looked at by: their main thread, and the ledger's history.
@Suite("Lanes: outlived") struct LaneOutlivedTests {
    /// Its main thread ends, and another one works on, for half a minute at most.
    private static let threads = """
        import ctypes, os, threading, time
        def tick():
            for number in range(3000):
                open('tick', 'w').write(str(number))
                if number == 3: open('pid', 'w').write('%d\\n' % os.getpid())
                time.sleep(0.01)
        threading.Thread(target=tick).start()
        time.sleep(0.02)
        ctypes.CDLL(None).syscall(60 if os.uname().machine == 'x86_64' else 93, 0)
        """

    private func prepare(grace: String = "30s") throws -> CommandLedger {
        let ledger = try CommandLedger(lanes: [("api", [])], settings: ["--grace", grace])
        try ledger.directory.write(Array(Self.threads.utf8), to: "threads.py")
        return ledger
    }

    private func lives(_ ledger: CommandLedger) throws -> Bool {
        let before = try ledger.directory.read("tick")
        for _ in 0..<10 {
            _ = try ledger.run("lane", "list")
            if try ledger.directory.read("tick") != before { return true }
        }
        return false
    }

    @Test("a holder whose main thread ended is no orphan while it works on, and is one when it is gone")
    func holder() throws {
        let ledger = try prepare()
        let holder = try Program("/usr/bin/env", ["python3", "threads.py"]).start(in: ledger.directory.path)
        defer { holder.send(signal: SIGKILL) }
        let pid = try ledger.pid(in: "pid")
        let lease = try ledger.acquire("api", "--pid", String(pid))
        try waitUntil("its main thread has ended") { Program.state(of: pid).map { "ZX".contains($0) } ?? true }
        #expect(try lives(ledger))
        let scavenge = ["lane", "scavenge", "--lease", lease.id, "--actor", "user:a"]
        #expect(try ledger.run(scavenge).code == 20)
        #expect(try ledger.run("lane", "adopt", "--lease", lease.id, "--new-token", "--actor", "user:a").code == 20)
        holder.send(signal: SIGKILL)
        _ = try holder.wait()
        #expect(try ledger.run(scavenge).code == 0)
    }

    @Test(
        "the watcher of a stopped guard ends a command whose main thread ended before another gets the lane",
        arguments: [["python3", "threads.py"], ["sh", "-c", "python3 threads.py; true"]])
    func watched(command: [String]) throws {
        let ledger = try prepare(grace: "10ms")
        let lease = try ledger.acquire("api", "--ttl", "4s")
        let guarding = try Program.bulla(["lane", "guard"] + lease.right + ["--ledger", ledger.path, "--"] + command)
            .start(in: ledger.directory.path)
        let pid = try ledger.pid(in: "pid")
        try waitUntil("its main thread has ended") { Program.state(of: pid).map { "ZX".contains($0) } ?? true }
        guarding.send(signal: SIGSTOP)
        defer { guarding.send(signal: SIGKILL) }
        try waitUntil("the lane is another's") {
            try ledger.run("lane", "acquire", "api", "--actor", "process:b").code == 0
        }
        #expect(try !lives(ledger), "it works on under another's lease")
        guarding.send(signal: SIGCONT)
        let result = try guarding.wait()
        #expect(result.code == 125 && result.error.contains("the command was stopped"), "\(result)")
    }

    @Test("a guard ends a command whose main thread ended when the lease is released")
    func released() throws {
        let ledger = try prepare()
        let lease = try ledger.acquire("api")
        let guarding = try Program.watched(
            ["lane", "guard"] + lease.right + ["--ledger", ledger.path, "--", "sh", "-c", "python3 threads.py; true"]
        ).start(in: ledger.directory.path)
        let pid = try ledger.pid(in: "pid")
        try waitUntil("its main thread has ended") { Program.state(of: pid).map { "ZX".contains($0) } ?? true }
        try ledger.lane(["release"] + lease.right)
        #expect(try guarding.wait().code == 125)
        #expect(try !lives(ledger))
    }

    /// A guard that looked while the alert is raised would end its command: it looks again behind the repair.
    private func stop(guardOf command: Int32) throws -> Int32 {
        // `timeout` stands between us and the guard.
        let guardian = try #require(Program.parent(of: command))
        kill(guardian, SIGSTOP)
        try waitUntil("the guard is stopped") { Program.state(of: guardian) == "T" }
        return guardian
    }

    @Test("a guard looks at the history that a repair left: it ends its command when the lane is another's")
    func repaired() throws {
        let ledger = try CommandLedger(lanes: [("api", [])])
        let lease = try ledger.acquire("api", "--ttl", "10m")
        try #require(try ledger.heartbeat(lease, "--event", "what-is-lost").code == 0)
        let guarding = try Program.watched(
            ["lane", "guard"] + lease.right + [
                "--ledger", ledger.path, "--", "sh", "-c", "echo $$ > pid.new; mv pid.new pid; exec sleep 60",
            ]
        ).start(in: ledger.directory.path)
        let guardian = try stop(guardOf: try ledger.pid(in: "pid"))
        var bytes = try ledger.read(CommandLedger.firstSegment)
        let place = try #require(bytes.firstRange(of: Array("what-is-lost".utf8)))
        bytes[place.lowerBound] ^= 1
        try ledger.overwrite(CommandLedger.firstSegment, bytes)
        let repaired = try ledger.run("repair", "--yes")
        try #require(repaired.code == 0, "\(repaired)")
        try ledger.lane(["release"] + lease.right)
        _ = try ledger.acquire("api", as: "process:b")
        kill(guardian, SIGCONT)
        let result = try guarding.wait()
        #expect(result.code == 125 && result.error.contains("the lease \(lease.id) is not current"), "\(result)")
    }

    @Test("a guard that beats sees its beats behind a repair, and goes on")
    func beating() throws {
        let ledger = try CommandLedger(lanes: [("api", [])])
        let lease = try ledger.acquire("api", "--ttl", "6s")
        try #require(try ledger.heartbeat(lease, "--event", "what-is-lost").code == 0)
        let script = "echo $$ > pid.new; mv pid.new pid; while [ ! -e stop ]; do sleep 0.05; done; exit 3"
        let guarding = try Program.watched(
            ["lane", "guard"] + lease.right + [
                "--beat-as", "process:a", "--ledger", ledger.path, "--", "sh", "-c", script,
            ]
        ).start(in: ledger.directory.path)
        let guardian = try stop(guardOf: try ledger.pid(in: "pid"))
        var bytes = try ledger.read(CommandLedger.firstSegment)
        let place = try #require(bytes.firstRange(of: Array("what-is-lost".utf8)))
        bytes[place.lowerBound] ^= 1
        try ledger.overwrite(CommandLedger.firstSegment, bytes)
        let repaired = try ledger.run("repair", "--yes")
        try #require(repaired.code == 0, "\(repaired)")
        kill(guardian, SIGCONT)
        // Each third of its time it beats once: behind the third the lease is older than it was when it was granted.
        let count = try ledger.laneBodies("heartbeat").count
        try waitUntil("it beats") { try ledger.laneBodies("heartbeat").count >= count + 4 }
        try ledger.directory.write([], to: "stop")
        let result = try guarding.wait()
        #expect(result.code == 3, "\(result)")
    }
}
