import Testing

import BullaCommand

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A run whose outputs go into pipes of the test; a thread empties each, as a reader of ours would.
private struct Ran {
    var outcome: ChildProcess.Outcome
    var output: [UInt8] = []
    var error: [UInt8] = []
    var sunkOutput: [UInt8] = []
    var sunkError: [UInt8] = []

    var outputText: String { String(decoding: output, as: UTF8.self) }
}

private func run(_ arguments: [String]) throws -> Ran { try run(arguments.map { Array($0.utf8) }) }

private func run(_ arguments: [[UInt8]]) throws -> Ran {
    let (outReading, outWriting) = RecordSupport.openPipe()
    let (errorReading, errorWriting) = RecordSupport.openPipe()
    let output = RecordSupport.Reader(outReading)
    let error = RecordSupport.Reader(errorReading)
    var sunkOutput: [UInt8] = []
    var sunkError: [UInt8] = []
    let outcome = Result {
        try ChildProcess.run(
            arguments: arguments, destinations: (outWriting, errorWriting),
            standardOutput: { append($0, to: &sunkOutput) }, standardError: { append($0, to: &sunkError) })
    }
    close(outWriting)
    close(errorWriting)
    let (all, allError) = (output.finish(), error.finish())
    close(outReading)
    close(errorReading)
    return Ran(
        outcome: try outcome.get(), output: all, error: allError, sunkOutput: sunkOutput, sunkError: sunkError)
}

private func append(_ bytes: Span<UInt8>, to array: inout [UInt8]) {
    for index in bytes.indices { array.append(bytes[index]) }
}

private func shell(_ script: String) -> [String] { ["sh", "-c", script] }

@Suite(.timeLimit(.minutes(2)), .serialized) struct RecordChildTests {
    @Test("The exit code goes through", arguments: [0, 1, 7, 127, 255] as [Int32])
    func exitCodes(_ code: Int32) throws {
        let outcome = try run(shell("exit \(code)")).outcome
        #expect(outcome.status == .exited(code))
        #expect(outcome.exitCode == code)
    }

    @Test("A signal that ends the command becomes 128 and its number", arguments: [SIGTERM, SIGKILL, SIGPIPE, SIGINT])
    func signaled(_ signal: Int32) throws {
        let outcome = try run(shell("kill -\(signal) $$")).outcome
        #expect(outcome.status == .signaled(signal))
        #expect(outcome.exitCode == 128 + signal)
    }

    @Test("Both streams stay apart, and the sinks see what went through")
    func streams() throws {
        let ran = try run(shell("printf out; printf error >&2; printf put"))
        #expect(ran.outputText == "output")
        #expect(String(decoding: ran.error, as: UTF8.self) == "error")
        #expect(ran.sunkOutput == ran.output && ran.sunkError == ran.error)
        #expect(ran.outcome.standardOutput == .init(byteCount: 6, failure: nil))
        #expect(ran.outcome.standardError == .init(byteCount: 5, failure: nil))
    }

    @Test("More than a mebibyte on each stream, interleaved, arrives whole and in order")
    func large() throws {
        let ran = try run(
            shell(
                """
                i=0; while [ $i -lt 3000 ]; do printf '%0500d' $i; printf '%0500d' $i >&2; i=$((i+1)); done
                """))
        let expected = (0..<3_000).flatMap { number in
            let digits = Array(String(number).utf8)
            return [UInt8](repeating: 0x30, count: 500 - digits.count) + digits
        }
        #expect(ran.output == expected)
        #expect(ran.error == expected)
        #expect(ran.sunkOutput == expected && ran.sunkError == expected)
        #expect(ran.outcome.standardOutput.byteCount == 1_500_000)
    }

    @Test("One stream flows while nobody reads the other")
    func independentStreams() throws {
        let (outReading, outWriting) = RecordSupport.openPipe()
        let (errorReading, errorWriting) = RecordSupport.openPipe()
        // The command says `done` on one stream while the other one's reader has still to begin: more than our pipe, less
        // than all the buffers between.
        RecordSupport.onThread {
            var buffer = [UInt8](repeating: 0, count: 4)
            precondition(read(errorReading, &buffer, 4) == 4)
            _ = RecordSupport.readAll(outReading)
        }
        let outcome = try ChildProcess.run(
            arguments: shell("head -c 100000 /dev/zero; printf done >&2").map { Array($0.utf8) },
            destinations: (outWriting, errorWriting), standardOutput: { _ in }, standardError: { _ in })
        close(outWriting)
        close(errorWriting)
        #expect(outcome.standardOutput == .init(byteCount: 100_000, failure: nil))
        #expect(outcome.status == .exited(0))
    }

    @Test("Output is passed on while the command runs")
    func prompt() throws {
        let (outReading, outWriting) = RecordSupport.openPipe()
        let (answerReading, answerWriting) = RecordSupport.openPipe()
        // The command waits for the test to have seen its first output.
        RecordSupport.onThread {
            var buffer = [UInt8](repeating: 0, count: 5)
            precondition(read(outReading, &buffer, 5) == 5)
            precondition(write(answerWriting, "go\n", 3) == 3)
            _ = RecordSupport.readAll(outReading)
        }
        let path = "/proc/\(getpid())/fd/\(answerReading)"
        let outcome = try ChildProcess.run(
            arguments: shell("printf ready; read answer <\(path); [ $answer = go ]").map { Array($0.utf8) },
            destinations: (outWriting, STDERR_FILENO), standardOutput: { _ in }, standardError: { _ in })
        for descriptor in [outWriting, answerReading, answerWriting] { close(descriptor) }
        #expect(outcome.status == .exited(0))
    }

    @Test("Where our reader has gone, the command gets the SIGPIPE that it would have got without us")
    func closedOutput() throws {
        let (outReading, outWriting) = RecordSupport.openPipe()
        close(outReading)
        let outcome = try ChildProcess.run(
            arguments: ["yes"].map { Array($0.utf8) }, destinations: (outWriting, STDERR_FILENO),
            standardOutput: { _ in }, standardError: { _ in })
        close(outWriting)
        #expect(outcome.status == .signaled(SIGPIPE))
        #expect(outcome.standardOutput.failure == EPIPE)
        #expect(outcome.standardError == .init())
    }

    @Test("A stream whose reader has gone does not stop the other")
    func closedOutputOtherGoesOn() throws {
        let (outReading, outWriting) = RecordSupport.openPipe()
        let (errorReading, errorWriting) = RecordSupport.openPipe()
        close(outReading)
        let error = RecordSupport.Reader(errorReading)
        let outcome = Result {
            try ChildProcess.run(
                arguments: shell("trap '' PIPE; head -c 300000 /dev/zero; printf still >&2; exit 4").map {
                    Array($0.utf8)
                },
                destinations: (outWriting, errorWriting), standardOutput: { _ in }, standardError: { _ in })
        }
        close(errorWriting)
        close(outWriting)
        let text = String(decoding: error.finish(), as: UTF8.self)
        close(errorReading)
        #expect(text.hasSuffix("still"))
        #expect(try outcome.get().status == .exited(4))
    }

    @Test("A full device ends the passing on with its error")
    func fullDevice() throws {
        let full = open("/dev/full", O_WRONLY | O_CLOEXEC)
        let outcome = try ChildProcess.run(
            arguments: ["yes"].map { Array($0.utf8) }, destinations: (full, STDERR_FILENO), standardOutput: { _ in },
            standardError: { _ in })
        close(full)
        #expect(outcome.standardOutput.failure == ENOSPC)
        #expect(outcome.status == .signaled(SIGPIPE))
    }

    @Test("A stream of ours that does not block loses nothing when it is full")
    func nonBlockingOutput() throws {
        let (outReading, outWriting) = RecordSupport.openPipe()
        precondition(fcntl(outWriting, F_SETFL, O_NONBLOCK) == 0)
        let output = RecordSupport.Reader(outReading)
        let outcome = Result {
            try ChildProcess.run(
                arguments: shell("head -c 2000000 /dev/zero").map { Array($0.utf8) },
                destinations: (outWriting, STDERR_FILENO), standardOutput: { _ in }, standardError: { _ in })
        }
        close(outWriting)
        let count = output.finish().count
        close(outReading)
        #expect(count == 2_000_000)
        #expect(try outcome.get().standardOutput == .init(byteCount: 2_000_000, failure: nil))
    }

    @Test("Arguments reach the command byte for byte, of whatever encoding")
    func rawArguments() throws {
        let odd: [[UInt8]] = [[0xFF, 0xFE, 0x80], Array(1...255), [], Array("$HOME '\"\\".utf8)]
        let ran = try run(["sh", "-c", "printf '%s|' \"$@\"", "sh"].map { Array($0.utf8) } + odd)
        #expect(ran.output == odd.flatMap { $0 + [0x7C] })
    }

    @Test("A command that does not exist, or may not be run, is told by its error")
    func cannotStart() {
        func failure(_ arguments: [[UInt8]]) -> ChildError? {
            do throws(ChildError) {
                _ = try ChildProcess.run(arguments: arguments, standardOutput: { _ in }, standardError: { _ in })
                return nil
            } catch { return error }
        }
        #expect(failure([Array("no-such-command-bulla".utf8)]) == .cannotStart(ENOENT))
        #expect(failure([Array("/etc/passwd".utf8)]) == .cannotStart(EACCES))
        #expect(failure([Array("/".utf8)]) == .cannotStart(EACCES))
        #expect(failure([[]]) == .cannotStart(ENOENT))
        #expect(failure([]) == .cannotStart(EINVAL))
        #expect(failure([[0x61, 0, 0x62]]) == .cannotStart(EINVAL))
        #expect(ChildError.cannotStart(ENOENT).exitCode == 127)
        #expect(ChildError.cannotStart(EACCES).exitCode == 126)
    }

    @Test("A descendant that holds the pipes does not hold us")
    func background() throws {
        // It ends when our end of its pipe is gone, not before.
        let ran = try run(shell("(trap '' PIPE; while printf x; do :; done) 2>/dev/null & printf y >&2; exit 5"))
        #expect(ran.outcome.status == .exited(5))
        #expect(ran.outcome.durationMicroseconds < 60_000_000)
    }

    @Test("What a silent descendant's shell wrote is all there")
    func silentBackground() throws {
        let ran = try run(shell("sleep 60 & printf %s $!; head -c 50000 /dev/zero >&2"))
        #expect(ran.outcome.status == .exited(0))
        #expect(ran.error.count == 50_000)
        let sleeper = try #require(pid_t(ran.outputText))
        #expect(kill(sleeper, SIGKILL) == 0, "still alive when we had returned")
    }

    @Test("A descendant that finishes soon after the command is heard")
    func straggler() throws {
        let fifo = "/tmp/bulla-record-\(getpid())"
        #expect(mkfifo(fifo, 0o600) == 0)
        defer { unlink(fifo) }
        // The reader of the FIFO goes on at the very end of the shell, which closes the writing end by ending.
        let ran = try run(shell("(cat <\(fifo); printf ' late') & exec 9>\(fifo); printf early >&9"))
        #expect(ran.outputText == "early late")
    }

    @Test("Many runs leave no descriptor open and no zombie")
    func leaks() throws {
        func descriptors() -> Int {
            guard let directory = opendir("/proc/self/fd") else { return -1 }
            defer { closedir(directory) }
            var count = 0
            while readdir(directory) != nil { count += 1 }
            return count
        }
        func once() {
            for arguments in [["true"], ["no-such-command-bulla"], ["sh", "-c", "kill -9 $$"]] {
                _ = try? ChildProcess.run(
                    arguments: arguments.map { Array($0.utf8) }, standardOutput: { _ in }, standardError: { _ in })
            }
        }
        once()
        // Other tests open descriptors of their own at the same time: the least of several counts is ours.
        let before = descriptors()
        for _ in 0..<100 { once() }
        #expect(descriptors() < before + 50)
        let ran = try run(["sh", "-c", "cat /proc/$PPID/task/*/children; printf '%s ' $$"])
        let children = ran.outputText.split(whereSeparator: \.isWhitespace)
        #expect(children.count <= 20)
    }

    @Test("The command has each of its pipes once, and no other end of them")
    func inheritsNone() throws {
        let ran = try run(shell("for f in /proc/$$/fd/*; do echo ${f##*/} $(readlink $f); done"))
        let links = ran.outputText.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
        for stream in ["1", "2"] {
            let own = try #require(links.first { $0[0] == stream })
            #expect(links.filter { $0.last == own.last }.map { $0[0] } == [stream])
        }
    }
}
