import CanonicalJSON
import DurableFiles
import Foundation
import TestSupport
import Testing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A log that is written as services write theirs, and a ledger that follows it.
final class FollowedLog {
    let ledger: CommandLedger
    let path: String
    private var follower: Program.Running?

    init() throws {
        ledger = try CommandLedger()
        path = ledger.directory.path("app.log")
    }

    deinit { follower?.send(signal: SIGKILL) }

    /// - Parameter more: other arguments.
    func start(format: String = "raw", _ more: String...) throws {
        follower = try Program.bulla(
            ["ingest", "--follow", "--format", format, "--actor", "service:app", "--ledger", ledger.path, path] + more
        ).start()
    }

    @discardableResult
    func stop(_ signal: Int32) throws -> Program.Result {
        let running = try #require(follower)
        running.send(signal: signal)
        follower = nil
        return try running.wait()
    }

    func write(_ text: String, to file: String? = nil) throws {
        let file = file ?? path
        let descriptor = open(file, O_WRONLY | O_APPEND | O_CREAT, 0o600)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        let bytes = Array(text.utf8)
        var done = 0
        while done < bytes.count {
            let count = Glibc.write(descriptor, Array(bytes[done...]), bytes.count - done)
            try #require(count > 0)
            done += count
        }
    }

    func rotate(to name: String) throws { try #require(rename(path, ledger.directory.path(name)) == 0) }

    /// When files were written to last, in seconds since 1970.
    func setTimes(_ times: [String: Double]) throws {
        for (name, seconds) in times {
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSince1970: seconds)], ofItemAtPath: ledger.directory.path(name))
        }
    }

    func bodies() throws -> [JSON] {
        try ledger.entries("--actor", "service:app").compactMap { $0["entry"]?["body"] }
    }

    func lines() throws -> [String] { try bodies().map { $0["line"]?.string ?? "" } }

    func wait(count: Int, _ source: SourceLocation = #_sourceLocation) throws {
        try waitUntil("\(count) lines are recorded", source) { try lines().count >= count }
    }

    func wait(for expected: [String], _ source: SourceLocation = #_sourceLocation) throws {
        try wait(count: expected.count, source)
        #expect(try lines() == expected, sourceLocation: source)
    }
}

@Suite("ingest --follow records what is written to a log, as long as it is")
struct FollowTests {
    @Test("lines are recorded as they come; a file that is not there yet is waited for; SIGTERM and SIGINT end it with 0")
    func growing() throws {
        let log = try FollowedLog()
        try log.start()
        try log.write("one\n")
        try log.wait(for: ["one"])
        try log.write("two\nthree, and a part")
        try log.wait(for: ["one", "two"])
        let first = try log.stop(SIGTERM)
        #expect(first.code == 0 && first.output.hasPrefix("recorded 2 entries\nbulla-receipt-v1/"), "\(first.error)")
        // What was no line yet is one now, and is recorded once, by the next.
        try log.write(" of it\n\nfour\n")
        try log.start()
        try log.wait(for: ["one", "two", "three, and a part of it", "", "four"])
        let second = try log.stop(SIGINT)
        #expect(second.code == 0 && second.output.hasPrefix("recorded 3 entries\n"))
        #expect(second.error.contains("from byte 8 of "), "\(second.error)")
        try log.ledger.expectIntact(seq: 6)
    }

    @Test("what stands in the file when the signal comes is committed before the end")
    func stopping() throws {
        let log = try FollowedLog()
        try log.write("0\n")
        try log.start()
        try log.wait(for: ["0"])
        // While it stands still, the lines and then the signal reach it.
        let running = try Program.python(
            """
            import os, signal, subprocess, sys, time
            bulla, ledger, path = sys.argv[1:]
            p = subprocess.Popen([bulla, "ingest", "--follow", "--raw", "--actor", "service:other", "--ledger", ledger, path],
                                 stderr=subprocess.PIPE)
            p.stderr.readline()
            p.send_signal(signal.SIGSTOP)
            with open(path, "a") as f: f.write("".join(f"{n}\\n" for n in range(1, 5000)))
            p.send_signal(signal.SIGTERM)
            p.send_signal(signal.SIGCONT)
            p.stderr.read()
            sys.exit(p.wait())
            """, Program.bullaPath, log.ledger.path, log.path
        ).run(environment: ["BULLA_ANCHOR": "off"])
        #expect(running.code == 0, "\(running.error)")
        #expect(try log.ledger.bodies("--actor", "service:other") == (0..<5000).map(String.init))
        try log.wait(for: (0..<5000).map(String.init))
        try log.stop(SIGTERM)
    }

    @Test("a log that is renamed is followed to its last line, also what comes before the new one is written to")
    func rotation() throws {
        let log = try FollowedLog()
        try log.write("one\n")
        try log.start()
        try log.wait(for: ["one"])
        try log.rotate(to: "app.log.1")
        try log.write("two\n", to: log.path + ".1")
        try log.wait(for: ["one", "two"])
        // The new file is made, and its writer has not turned to it yet.
        try log.write("")
        try log.write("three\nand no line's end", to: log.path + ".1")
        try log.wait(for: ["one", "two", "three"])
        try log.write("four\n")
        try log.wait(for: ["one", "two", "three", "and no line's end", "four"])
        try log.rotate(to: "app.log.1")
        try log.write("five\n")
        try log.wait(for: ["one", "two", "three", "and no line's end", "four", "five"])
        #expect(try log.stop(SIGTERM).code == 0)
    }

    @Test("rotated twice while nobody follows: the rest of the first, all of the second, and the new one")
    func rotatedTwice() throws {
        let log = try FollowedLog()
        try log.write("one\n")
        try log.start()
        try log.wait(for: ["one"])
        try log.stop(SIGKILL)
        try log.write("two\n")
        try log.rotate(to: "app.log.2")
        try log.write("three\n")
        // What is not of this log by its name is left alone.
        for name in [".err", ".1.gz", "2", "-old"] { try log.write("other\n", to: log.path + name) }
        // The order is told by the times, which file systems keep in steps of some milliseconds.
        try log.setTimes(["app.log.2": 1000, "app.log": 1001])
        try log.rotate(to: "app.log-20260131")
        try log.write("four\n")
        try log.start()
        try log.wait(for: ["one", "two", "three", "four"])
        try log.stop(SIGTERM)
    }

    @Test("rotated twice in one moment while nobody follows: the names tell the order")
    func rotatedTwiceAtOnce() throws {
        let log = try FollowedLog()
        try log.write("one\n")
        try log.start()
        try log.wait(for: ["one"])
        try log.stop(SIGKILL)
        try log.write("two\n")
        try log.rotate(to: "app.log.2")
        try log.write("three\n")
        try log.rotate(to: "app.log.1")
        try log.write("four\n")
        try log.setTimes(["app.log.2": 1000, "app.log.1": 1000, "app.log": 1000])
        try log.start()
        try log.wait(for: ["one", "two", "three", "four"])
        try log.stop(SIGTERM)
        #expect(try log.lines() == ["one", "two", "three", "four"])
    }

    @Test("a log that is truncated is read from its start again: equal lines at equal places are lines of their own")
    func truncation() throws {
        let log = try FollowedLog()
        try log.write("hello\n")
        try log.start()
        try log.wait(for: ["hello"])
        var expected = ["hello"]
        // Shorter, of the same size, and longer than what was read.
        for text in ["a\n", "hello\n", "hello again\nand again\n"] {
            try #require(truncate(log.path, 0) == 0)
            if text == "hello\n" {
                // Of the same size and the same bytes only the emptiness between them tells.
                try log.write("b\n")
                try log.wait(for: expected + ["b"])
                expected.append("b")
                try #require(truncate(log.path, 0) == 0)
            }
            try log.write(text)
            expected += text.split(separator: "\n").map(String.init)
            try log.wait(for: expected)
        }
        try log.stop(SIGTERM)
        // While nobody follows: the file is shorter, or has the length and another text.
        for text in ["x\n", String(repeating: "y", count: 60) + "\n"] {
            try #require(truncate(log.path, 0) == 0)
            try log.write(text)
            try log.start()
            expected.append(String(text.dropLast()))
            try log.wait(for: expected)
            try log.stop(SIGTERM)
        }
        try log.ledger.expectIntact(seq: expected.count + 1)
    }

    @Test("killed again and again, with rotations between: every line is there, once, in its order", arguments: [1, 2])
    func killed(seed: UInt64) throws {
        let log = try FollowedLog()
        var generator = SeededGenerator(seed: seed)
        var count = 0
        func writeLines(_ number: Int) throws {
            var text = ""
            for _ in 0..<number {
                text += "line \(count) " + String(repeating: "x", count: generator.below(200)) + "\n"
                count += 1
            }
            // In pieces that end anywhere.
            let bytes = Array(text.utf8)
            let cut = generator.below(bytes.count)
            for piece in [bytes[..<cut], bytes[cut...]] { try log.write(String(decoding: piece, as: UTF8.self)) }
        }
        for round in 0..<8 {
            try log.start()
            let target = try log.lines().count + 1
            try writeLines(1 + generator.below(2500))
            try waitUntil("something new is recorded") { try log.lines().count >= target }
            if generator.coin() { try writeLines(1 + generator.below(300)) }
            try log.stop(SIGKILL)
            if generator.below(3) > 0 { try writeLines(1 + generator.below(300)) }
            if generator.coin() {
                try log.rotate(to: "app.log.\(round)")
                try writeLines(1 + generator.below(300))
            }
        }
        try log.start()
        try waitUntil("all is recorded") { try log.lines().count >= count }
        try log.stop(SIGTERM)
        let numbers = try log.lines().map { $0.split(separator: " ").dropFirst().first.map(String.init) ?? "" }
        #expect(numbers == (0..<count).map(String.init), "seed \(seed)")
        try log.ledger.expectIntact(seq: count + 1)
    }

    @Test("a line that no entry holds is kept in parts, also when following is killed in its midst")
    func longLine() throws {
        let log = try FollowedLog()
        let line = (0..<300_000).map { "é\($0) " }.joined()
        let bytes = Array(line.utf8)
        let half = bytes.count / 2 + 1
        try log.start()
        try log.write("before\n" + String(decoding: bytes[..<half], as: UTF8.self).replacing("\u{FFFD}", with: ""))
        let written = try log.ledger.directory.read("app.log").count - "before\n".utf8.count
        try waitUntil("parts are recorded") { try log.bodies().count > 3 }
        try log.stop(SIGKILL)
        try log.write(String(decoding: bytes[written...], as: UTF8.self) + "\nbehind\n")
        try log.start()
        try waitUntil("the next line is recorded") { try log.lines().last == "behind" }
        try log.stop(SIGTERM)
        let bodies = try log.bodies()
        let parts = bodies.dropFirst().dropLast()
        #expect(parts.compactMap { $0["line"]?.string }.joined() == line)
        #expect(parts.map { $0["part"]?.integer } == (1...parts.count).map { Int64($0) })
        #expect(parts.last?["parts"]?.integer == Int64(parts.count) && parts.dropLast().allSatisfy { $0["parts"] == nil })
        try log.ledger.expectIntact(seq: bodies.count + 1)
    }

    @Test("a line that is not what its format asks for is kept whole, with the reason, and the next ones follow")
    func badLine() throws {
        let log = try FollowedLog()
        try log.write("{\"a\":1}\n  at Main.java:7 password=hunter2\n\n{\"a\":2}\n")
        try log.start(format: "jsonl")
        try waitUntil("the lines are recorded") { try log.bodies().count >= 3 }
        try log.stop(SIGTERM)
        let bodies = try log.bodies()
        #expect(bodies[0] == ["a": 1] && bodies[2] == ["a": 2] && bodies.count == 3)
        #expect(bodies[1]["error"]?.string?.hasPrefix("column 3: ") == true && bodies[1]["format"] == "raw")
        #expect(bodies[1]["message"]?.string?.hasPrefix("  at Main.java:7 password=[redacted:") == true)
    }

    @Test("two actors may follow one log: each has its own place")
    func twoActors() throws {
        let log = try FollowedLog()
        try log.write("one\n")
        try log.start()
        try log.wait(for: ["one"])
        try log.stop(SIGTERM)
        let other = try Program.shell(
            "timeout -s TERM 20 \"$BULLA\" ingest --ledger \"$1\" --follow --raw --actor service:b \"$2\" & follower=$!\n"
                + "until \"$BULLA\" log --ledger \"$1\" --json --actor service:b | grep -q one; do sleep 0.01; done\n"
                + "kill $follower; wait $follower", log.ledger.path, log.path
        ).run()
        #expect(other.output.hasPrefix("recorded 1 entry\n"), "\(other.error)")
    }

    @Test(
        "what cannot be followed is refused before anything is done",
        arguments: [
            (["drafts"], "--follow goes with --format"), (["--raw", "--actor", "a:b", "-"], "stdin is read until its end"),
            (["--raw", "--actor", "a:b", "--socket", "s", "x"], "not with --socket"),
            (["--raw", "--actor", "a:b", "/dev/null"], "no regular file"),
            (["--raw", "--actor", "a:b", "/no/such/f"], "no folder"),
            (["--format", "syslog", "x"], "--format syslog needs --actor"),
        ])
    func refusals(arguments: [String], words: String) throws {
        let ledger = try CommandLedger()
        let more = arguments.contains("--socket") ? [] : ["--ledger", ledger.path]
        try ledger.expectRefusal(64, words) { try Program.watched(["ingest", "--follow"] + arguments + more).run() }
    }
}
