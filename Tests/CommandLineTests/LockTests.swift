import Foundation
import TestSupport
import Testing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

@Suite("The writer's lock is never stolen, and whoever waits in vain is told who has it")
struct LockTests {
    /// A process that takes a lock on a directory, says so, and keeps it until it is ended.
    private func hold(_ path: String, stopped: Bool) throws -> Program.Running {
        let script = """
            import fcntl, os, signal, sys, time
            fd = os.open(sys.argv[1], os.O_RDONLY)
            fcntl.flock(fd, fcntl.LOCK_EX)
            print("held", flush=True)
            if sys.argv[2] == "stopped":
                os.kill(os.getpid(), signal.SIGSTOP)
            while True:
                time.sleep(60)
            """
        let holder = try Program("/usr/bin/python3", ["-c", script, path, stopped ? "stopped" : "running"]).start()
        try waitUntil("the lock is held") { try holder.output.contains("held") }
        if stopped { try waitUntil("the holder is stopped") { Program.state(of: holder.processID) == "T" } }
        return holder
    }

    private static let hasPython = FileManager.default.isExecutableFile(atPath: "/usr/bin/python3")

    @Test(
        "a holder that is stopped: 75, with its number and that it is stopped; nothing is written",
        .enabled(if: hasPython, "SKIPPED: this needs /usr/bin/python3"), arguments: ["", "/keys"])
    func stopped(directory: String) throws {
        let ledger = try CommandLedger(entries: 1)
        let holder = try hold(ledger.path + directory, stopped: true)
        defer { holder.send(signal: SIGKILL) }
        for verb in [CommandLedger.appendArguments + ["--body", "{}"], ["ingest", "--raw", "--actor", "a:b", "-"]] {
            try ledger.expectRefusal(
                75, "is busy: its lock was not to be had in 0.2 s", "process \(holder.processID) (python3", "is stopped",
                "kill -CONT \(holder.processID)", "nothing was written"
            ) { try ledger.run(verb + ["--wait", "0.2"], input: Array("x\n".utf8)) }
        }
        for verb in ["verify", "log", "status"] { #expect(try ledger.run(verb).code == 0, "reading needs no lock") }
        #expect(Program.state(of: holder.processID) == "T", "nobody woke it")
        holder.send(signal: SIGKILL)
        _ = try holder.wait()
        #expect(try ledger.append().code == 0)
        try ledger.expectIntact(seq: 3)
    }

    @Test(
        "a holder that runs: 75 without that it is stopped; a waiter gets the lock when it is given back",
        .enabled(if: hasPython, "SKIPPED: this needs /usr/bin/python3"))
    func running() throws {
        let ledger = try CommandLedger(entries: 1)
        let holder = try hold(ledger.path, stopped: false)
        defer { holder.send(signal: SIGKILL) }
        let refused = try ledger.expectRefusal(75, "process \(holder.processID) (python3") {
            try ledger.append("{}", "--wait", "0")
        }
        #expect(!refused.error.contains("stopped"))
        let waiter = try Program.bulla(CommandLedger.appendArguments + ["--body", "{}", "--wait", "60", "--ledger", ledger.path])
            .start()
        // The waiter has the gate when a second one is refused because of it.
        try waitUntil("the waiter stands at the gate") {
            try Program.python(
                "import fcntl,os,sys;fcntl.flock(os.open(sys.argv[1],os.O_RDONLY),fcntl.LOCK_EX|fcntl.LOCK_NB)",
                ledger.path + "/keys"
            ).run().code != 0
        }
        holder.send(signal: SIGKILL)
        #expect(try waiter.wait().code == 0)
        try ledger.expectIntact(seq: 3)
    }

    /// `bulla ingest` of one line, stopped inside its commit: the lock is held and the write is done.
    private func stopInCommit(_ ledger: CommandLedger, _ verb: [String], input: String = "") throws -> (
        Program.Running, pid: Int32
    ) {
        let script = """
            exec strace -f -qq -o "$1.trace" -e trace=fdatasync -e inject=fdatasync:signal=SIGSTOP:when=1 "$BULLA" \(verb.joined(separator: " ")) --ledger "$1"
            """
        let running = try Program("/usr/bin/env", ["BULLA=" + Program.bullaPath, "sh", "-c", script, "sh", ledger.path]).start(
            input: Array(input.utf8))
        let trace = ledger.path + ".trace"
        try waitUntil("it is stopped in its commit") {
            ((try? String(contentsOfFile: trace, encoding: .utf8)) ?? "").contains("stopped by SIGSTOP")
        }
        let text = try String(contentsOfFile: trace, encoding: .utf8)
        return (running, try #require(Int32(text.prefix { $0 != " " })))
    }

    private static let append = ["append --actor user:ada --action test.event --pillar integrity --reason r --body '{}'"]

    @Test(
        "a bulla that is stopped in its commit: 75 for others; continued, it is acknowledged",
        .enabled(if: Machine.hasStrace, Machine.needsStrace))
    func stoppedBulla() throws {
        let ledger = try CommandLedger(entries: 1)
        let (running, pid) = try stopInCommit(ledger, Self.append)
        defer { kill(pid, SIGKILL) }
        let refused = try ledger.append("{}", "--wait", "0.2")
        #expect(refused.code == 75)
        #expect(refused.error.contains("process \(pid) (bulla) holds it") && refused.error.contains("nothing was written"))
        #expect(try ledger.run("log").code == 0)
        kill(pid, SIGCONT)
        let result = try running.wait()
        #expect(result.code == 0 && result.receipts.count == 1, "\(result.error)")
        #expect(try ledger.append().code == 0)
        try ledger.expectIntact(seq: 4)
    }

    @Test(
        "a bulla that is killed while it is stopped loses nothing that was acknowledged",
        .enabled(if: Machine.hasStrace, Machine.needsStrace))
    func killedBulla() throws {
        let ledger = try CommandLedger(entries: 1)
        let (running, pid) = try stopInCommit(ledger, Self.append)
        kill(pid, SIGKILL)
        #expect(try running.wait().receipts.isEmpty)
        #expect(try ledger.append().code == 0)
        try ledger.expectIntact(seq: 4)
    }

    @Test(
        "the locked directory is renamed, or another put in its place: no acknowledgement, exit 10, and the other one is untouched",
        .enabled(if: Machine.hasStrace, Machine.needsStrace), arguments: ["renamed", "replaced"])
    func renamedWhileHeld(kind: String) throws {
        let ledger = try CommandLedger(entries: 1)
        try ledger.backUp(as: "other")
        let (running, pid) = try stopInCommit(ledger, Self.append)
        defer { kill(pid, SIGKILL) }
        try FileManager.default.moveItem(atPath: ledger.path, toPath: ledger.directory.path("moved"))
        if kind == "replaced" { try FileManager.default.moveItem(atPath: ledger.directory.path("other"), toPath: ledger.path) }
        kill(pid, SIGCONT)
        let result = try running.wait()
        #expect(result.code == 10, "\(result.error)")
        #expect(result.receipts.isEmpty)
        #expect(result.error.contains("renamed, replaced or deleted meanwhile"))
        #expect(try Program.judge(ledger.directory.path("moved")).run().code == 0)
        if kind == "replaced" { try ledger.expectIntact(seq: 2) }
    }

    @Test(
        "the active segment or the key is replaced under a writer: no acknowledgement, exit 10",
        .enabled(if: Machine.hasStrace, Machine.needsStrace), arguments: ["segment", "key", "segment gone"])
    func replacedWhileHeld(kind: String) throws {
        let ledger = try CommandLedger(entries: 1)
        let file = kind == "key" ? try ledger.keyFile : CommandLedger.firstSegment
        let (running, pid) = try stopInCommit(ledger, Self.append)
        defer { kill(pid, SIGKILL) }
        try FileManager.default.moveItem(atPath: ledger.path + "/" + file, toPath: ledger.directory.path("aside"))
        if kind != "segment gone" {
            try FileManager.default.copyItem(atPath: ledger.directory.path("aside"), toPath: ledger.path + "/" + file)
        }
        kill(pid, SIGCONT)
        let result = try running.wait()
        #expect(result.code == 10, "\(result.error)")
        #expect(result.receipts.isEmpty)
        #expect(result.error.contains("renamed, replaced or deleted meanwhile") && result.error.contains("the alert is raised"))
    }

    /// Feeds `ingest` one line, moves its ledger away as soon as it is recorded, puts something in its place, and feeds another.
    private func move(_ ledger: CommandLedger, then replace: String) throws -> Program.Result {
        let script = """
            (echo one; until "$BULLA" log --ledger "$1" | grep -q one; do sleep 0.01; done
             mv "$1" "$1.moved"; \(replace); echo two) | "$BULLA" ingest --ledger "$1" --raw --actor a:b --wait 1 -
            """
        return try Program.shell(script, ledger.path).run()
    }

    @Test("the directory is moved away while ingest waits for its pipe: it says up to where it got")
    func movedWhileWaiting() throws {
        let ledger = try CommandLedger()
        let result = try move(ledger, then: ":")
        #expect(result.code == 30 || result.code == 75, "\(result.error)")
        #expect(result.output.hasPrefix("recorded 1 entry\n"))
        #expect(result.error.contains("everything up to line 1 is recorded: go on at line 2"))
        #expect(try Program.judge(ledger.path + ".moved").run().output.contains(", seq 2"))
    }

    @Test("a copy is put in its place while ingest waits, not holding the lock: it goes on there")
    func copiedWhileWaiting() throws {
        let ledger = try CommandLedger()
        let result = try move(ledger, then: "cp -r \"$1.moved\" \"$1\"")
        #expect(result.code == 0 && result.output.hasPrefix("recorded 2 entries\n"), "\(result.error)")
        try ledger.expectIntact(seq: 3)
        #expect(try Program.judge(ledger.path + ".moved").run().output.contains(", seq 2"))
    }
}
