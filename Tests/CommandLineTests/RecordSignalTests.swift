import Testing

import BullaCommand

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

private func runShell(_ script: String, _ sink: (Span<UInt8>) -> Void = { _ in }) throws -> ChildProcess.Outcome {
    try ChildProcess.run(
        arguments: ["sh", "-c", script].map { Array($0.utf8) }, destinations: (devNull, STDERR_FILENO),
        standardOutput: sink, standardError: { _ in })
}

private let devNull = open("/dev/null", O_WRONLY | O_CLOEXEC)

/// Ends by itself, so that a signal that does not come fails the test instead of hanging it.
private let spin = "i=0; while [ $i -lt 3000000 ]; do i=$((i+1)); done; exit 99"

@Suite(.timeLimit(.minutes(2)), .serialized) struct RecordSignalTests {
    @Test(
        "A signal that somebody sends to us goes to the command, and we live",
        arguments: ["HUP", "INT", "QUIT", "TERM", "USR1", "USR2", "WINCH", "CONT"])
    func forwarded(_ name: String) throws {
        let outcome = try runShell("trap 'exit 42' \(name); kill -\(name) $PPID; \(spin)")
        #expect(outcome.status == .exited(42))
    }

    @Test("A signal whose default ends the command ends it alone", arguments: [SIGTERM, SIGINT, SIGHUP, SIGUSR1])
    func defaults(_ signal: Int32) throws {
        #expect(try runShell("kill -\(signal) $PPID; \(spin)").status == .signaled(signal))
    }

    @Test("While nobody takes our output a signal reaches the command, and after its end us")
    func blockedOutput() throws {
        let (reading, writing) = RecordSupport.openPipe()
        defer { for end in [reading, writing] { close(end) } }
        #expect(fcntl(writing, F_SETFL, O_NONBLOCK) == 0)
        while write(writing, "0123456789abcdef", 16) > 0 {}
        #expect(fcntl(writing, F_SETFL, 0) == 0)
        // What the command's pipe takes alone: the command can end, and some is owed.
        let script = "printf %s $$; head -c 60000 /dev/zero >&2; trap 'exit 42' TERM; kill -TERM $PPID; \(spin)"
        let outcome = try ChildProcess.run(
            arguments: RecordSupport.bytes(["sh", "-c", script]), destinations: (devNull, writing),
            standardOutput: { bytes in
                let text = String(decoding: bytes.indices.map { bytes[$0] }, as: UTF8.self)
                let child = pid_t(text) ?? 0
                RecordSupport.onThread {
                    // Until it is reaped; from then on a signal is for us.
                    while kill(child, 0) == 0 { sched_yield() }
                    kill(getpid(), SIGTERM)
                }
            }, standardError: { _ in })
        #expect(outcome.status == .exited(42))
        #expect(outcome.standardError.failure == EINTR)
        #expect(outcome.standardOutput.failure == nil)
    }

    @Test("The command begins with nothing blocked and nothing ignored that we were not started with")
    func cleanStart() throws {
        var text: [UInt8] = []
        _ = try runShell("grep -E '^Sig(Blk|Ign)' /proc/self/status") { bytes in
            for index in bytes.indices { text.append(bytes[index]) }
        }
        let lines = String(decoding: text, as: UTF8.self)
        #expect(lines.contains("SigBlk:\t0000000000000000"), "\(lines)")
        let ignored = lines.split(separator: "\n").last.flatMap { UInt64($0.dropFirst(8), radix: 16) } ?? .max
        #expect(ignored & (1 << UInt64(SIGPIPE - 1)) == 0)
    }

    @Test("Dispositions are ours again afterwards")
    func restored() async {
        // In a process of its own, where no other test runs a command.
        await #expect(processExitsWith: .success) {
            func handlers() -> [UInt] {
                [SIGHUP, SIGINT, SIGTERM, SIGPIPE, SIGCHLD, SIGTSTP].map { signal in
                    var action = sigaction()
                    sigaction(signal, nil, &action)
                    return unsafeBitCast(action.__sigaction_handler.sa_handler, to: UInt.self)
                }
            }
            signal(SIGCHLD, SIG_IGN)
            let before = handlers()
            let outcome = try ChildProcess.run(
                arguments: [Array("true".utf8)], standardOutput: { _ in }, standardError: { _ in })
            exit(outcome.exitCode == 0 && handlers() == before ? EXIT_SUCCESS : 1)
        }
    }

    @Test("A signal that we were started ignoring is ignored by the command, and SIGCHLD ignored costs no status")
    func ignoredStaysIgnored() async {
        await #expect(processExitsWith: .success) {
            signal(SIGHUP, SIG_IGN)
            signal(SIGCHLD, SIG_IGN)
            let outcome = try ChildProcess.run(
                arguments: RecordSupport.bytes(["sh", "-c", "kill -HUP $$; kill -HUP $PPID; exit 9"]),
                standardOutput: { _ in }, standardError: { _ in })
            exit(outcome.status == .exited(9) ? EXIT_SUCCESS : 1)
        }
    }

    @Test("The command reads our standard input, and writes to our standard output")
    func standardStreams() async {
        await #expect(processExitsWith: .success) {
            let (reading, writing) = RecordSupport.openPipe()
            precondition(write(writing, "through", 7) == 7)
            close(writing)
            precondition(dup2(reading, STDIN_FILENO) == STDIN_FILENO)
            let (outReading, outWriting) = RecordSupport.openPipe()
            precondition(dup2(outWriting, STDOUT_FILENO) == STDOUT_FILENO)
            close(outWriting)
            let outcome = try ChildProcess.run(
                arguments: [Array("cat".utf8)], standardOutput: { _ in }, standardError: { _ in })
            close(STDOUT_FILENO)
            let text = String(decoding: RecordSupport.readAll(outReading), as: UTF8.self)
            exit(outcome.status == .exited(0) && text == "through" ? EXIT_SUCCESS : 1)
        }
    }

    @Test("Where our standard streams are closed, the command's output goes nowhere else")
    func closedStandardStreams() async {
        await #expect(processExitsWith: .success) {
            // Should it ever hang it must not take the whole run along.
            alarm(60)
            for descriptor in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] { close(descriptor) }
            var count = 0
            let outcome = try ChildProcess.run(
                arguments: RecordSupport.bytes(["sh", "-c", "trap '' PIPE; echo out; echo error >&2; exit 6"]),
                standardOutput: { count += $0.count }, standardError: { count += $0.count })
            exit(outcome.status == .exited(6) && outcome.standardOutput.failure != nil ? EXIT_SUCCESS : 1)
        }
    }

    @Test("What the terminal sends to its foreground group is not sent again")
    func terminalSignal() async {
        await #expect(processExitsWith: .success) {
            // Out of the group, the command gets from the terminal nothing, so that anything would come from us.
            exit(try interrupts(pythonPrefix: "os.setpgid(0, 0)") == .exited(0) ? EXIT_SUCCESS : 1)
        }
        await #expect(processExitsWith: .success) {
            exit(try interrupts(pythonPrefix: "pass") == .exited(1) ? EXIT_SUCCESS : 1)
        }
    }
}

/// Runs a command on a terminal of its own, presses control-C there, and gives a status with the number of interrupts that the
/// command got.
private func interrupts(pythonPrefix: String) throws -> ChildProcess.Status {
    precondition(setsid() > 0)
    let master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
    var unlocked: Int32 = 0
    var number: Int32 = 0
    // TIOCSPTLCK and TIOCGPTN, what unlockpt and ptsname do.
    precondition(ioctl(master, 0x4004_5431, &unlocked) == 0 && ioctl(master, 0x8004_5430, &number) == 0)
    let terminal = open("/dev/pts/\(number)", O_RDWR | O_CLOEXEC)
    precondition(terminal >= 0 && tcgetpgrp(terminal) == getpgrp())
    let (reading, writing) = RecordSupport.openPipe()
    RecordSupport.onThread {
        var buffer = [UInt8](repeating: 0, count: 5)
        precondition(read(reading, &buffer, 5) == 5)
        precondition(write(master, "\u{3}", 1) == 1)
        // The terminal echoes `^C` after it has sent the signal.
        precondition(read(master, &buffer, 1) == 1)
        kill(getpid(), SIGUSR1)
    }
    let script = """
        import os, signal
        \(pythonPrefix)
        seen = []
        signal.signal(signal.SIGINT, lambda *_: seen.append(1))
        signal.signal(signal.SIGUSR1, lambda *_: os._exit(len(seen)))
        os.write(1, b"ready")
        while True: signal.pause()
        """
    return try ChildProcess.run(
        arguments: RecordSupport.bytes(["python3", "-c", script]), destinations: (writing, STDERR_FILENO),
        standardOutput: { _ in }, standardError: { _ in }
    ).status
}
