import Foundation
import TestSupport
import Testing

/// `bulla lane journal`, as a user meets it.
@Suite("Command line: lane journal")
struct JournalTests {
    private let directory = TemporaryDirectory()
    private static let acquire = #"{"op":"ACQUIRE","lane":"api","loop_ts":"t1","seq":4,"holder":"ada"}"#

    private func run(_ arguments: String..., environment: [String: String] = [:]) throws -> Program.Result {
        try Program.bulla(["lane", "journal"] + arguments).run(in: directory.path, environment: environment)
    }

    private func write(_ text: String, to name: String = "journal") throws { try directory.write(Array(text.utf8), to: name) }

    private func text(_ name: String = "journal") throws -> String { String(decoding: try directory.read(name), as: UTF8.self) }

    private var names: [String] { get throws { try FileManager.default.contentsOfDirectory(atPath: directory.path).sorted() } }

    @Test("the journal is --file, else what two variables name, else .dos/lane-journal.jsonl")
    func place() throws {
        try FileManager.default.createDirectory(atPath: directory.path(".dos"), withIntermediateDirectories: false)
        for (name, seq) in [("file", 1), ("dispatch", 2), ("job", 3), (".dos/lane-journal.jsonl", 4)] {
            try write("{\"seq\":\(seq)}\n", to: name)
        }
        let job = ["JOB_LANE_JOURNAL_PATH": "job", "DISPATCH_LANE_JOURNAL_PATH": ""]
        let both = ["JOB_LANE_JOURNAL_PATH": "job", "DISPATCH_LANE_JOURNAL_PATH": "dispatch"]
        let none = ["JOB_LANE_JOURNAL_PATH": "", "DISPATCH_LANE_JOURNAL_PATH": ""]
        #expect(try run("seq", "--file", "file", environment: both).output == "2\n")
        #expect(try run("seq", environment: both).output == "3\n")
        #expect(try run("seq", environment: job).output == "4\n")
        #expect(try run("seq", environment: none).output == "5\n")
    }

    @Test("tail, replay and seq answer in lines, or as one JSON value")
    func answers() throws {
        try write(Self.acquire + "\njunk\n" + #"{"op":"HALT"}"# + "\n")
        #expect(
            try run("tail", "2", "--file", "journal").output == #"{"_line": 1, "_raw": "junk", "op": "_CORRUPT"}"#
                + "\n{\"op\": \"HALT\"}\n")
        #expect(try run("tail", "1", "--json", "--file", "journal").output == "[{\"op\": \"HALT\"}]\n")
        let lease = #"{"holder": "ada", "lane": "api", "loop_ts": "t1"}"#
        #expect(try run("replay", "--file", "journal").output == lease + "\n")
        #expect(try run("replay", "--json", "--file", "journal").output == "[\(lease)]\n")
        #expect(try run("seq", "--json", "--file", "journal").output == "{\"last_seq\": 4, \"next_seq\": 5}\n")
    }

    @Test("what a terminal would obey is escaped, unless --compat asks for the reference's bytes")
    func neutralised() throws {
        try write("{\"op\":\"\u{9b}31m\u{202e}\"}\n{\"op\":\"x\"}\n")
        #expect(try run("tail", "--file", "journal").output == "{\"op\": \"\\u009b31m\\u202e\"}\n{\"op\": \"x\"}\n")
        #expect(try run("tail", "--compat", "--file", "journal").output == "{\"op\": \"\u{9b}31m\u{202e}\"}\n{\"op\": \"x\"}\n")
    }

    @Test("compact writes one checkpoint in place of the journal, keeps who may read it, and leaves nothing else behind")
    func compact() throws {
        try write(Self.acquire + "\n" + Self.acquire + "\n")
        try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: directory.path("journal"))
        try FileManager.default.createSymbolicLink(atPath: directory.path("link"), withDestinationPath: "journal")
        let checkpoint =
            #"{"leases": [{"holder": "ada", "lane": "api", "loop_ts": "t1"}], "op": "CHECKPOINT", "seq_watermark": 4}"# + "\n"
        #expect(try run("compact", "--dry-run", "--file", "link").output == checkpoint)
        #expect(try text() == Self.acquire + "\n" + Self.acquire + "\n")
        let result = try run("compact", "--file", "link")
        #expect(
            result.code == 0
                && result.output
                    == "link: from 2 to 1 entries, from \(2 * Self.acquire.utf8.count + 2) to \(checkpoint.utf8.count) bytes\n"
                && result.error == "")
        #expect(try text() == checkpoint)
        #expect(try names == ["journal", "link"])
        let attributes = try FileManager.default.attributesOfItem(atPath: directory.path("journal"))
        #expect(attributes[.posixPermissions] as? Int == 0o640)
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: directory.path("link")) == "journal")
    }

    @Test("compact says when it does better than the reference, and does as it does when told")
    func mended() throws {
        let odd = #"{"op":"ACQUIRE","lane":"A","loop_ts":"t","lease":{"holder":"x"}}"# + "\n"
        try write(odd)
        let result = try run("compact", "--file", "journal")
        #expect(result.code == 0 && result.error.contains("stand 1 of the leases"))
        #expect(try run("replay", "--file", "journal").output == "{\"holder\": \"x\"}\n")
        try write(odd)
        let compatible = try run("compact", "--compat", "--json", "--file", "journal")
        #expect(
            compatible.code == 0 && compatible.error == ""
                && compatible.output.contains("\"entries_after\": 1, \"entries_before\": 1"))
        #expect(try run("replay", "--file", "journal").output == "")
    }

    @Test("append makes the journal, numbers its entries, and ends a line that was never ended")
    func append() throws {
        let first = try run("append", #"{"op":"X","ts":"t"}"#, "--file", "journal")
        #expect(first.code == 0 && first.output == "{\"op\": \"X\", \"seq\": 1, \"ts\": \"t\"}\n")
        try write(try text() + #"{"seq":7}"#)
        #expect(try run("append", #"{"op":"Y","ts":"t"}"#, "--file", "journal").code == 0)
        #expect(
            try text() == "{\"op\": \"X\", \"seq\": 1, \"ts\": \"t\"}\n{\"seq\":7}\n{\"op\": \"Y\", \"seq\": 8, \"ts\": \"t\"}\n")
        #expect(try names == ["journal"])
    }

    @Test(
        "an entry that is none is refused: 64, nothing written",
        arguments: [
            "[]", "{", "", "{\"lane\":\"a\"}", "{\"op\":1}", "{\"op\":\"X\",\"a\":\"\(String(repeating: "x", count: 120_000))",
        ])
    func badEntry(entry: String) throws {
        let result = try run("append", entry, "--file", "journal")
        #expect(result.code == 64 && result.error.contains("the entry"))
        #expect(try names == [])
    }

    @Test("a missing journal, a directory, a pipe and a line of a megabyte are refused: 64, nothing written")
    func badJournal() throws {
        try write("{}\n{\"a\":\"\(String(repeating: "x", count: 1_000_000))\"}\n", to: "long")
        #expect(try Program("/usr/bin/env", ["mkfifo", directory.path("pipe")]).run().code == 0)
        let before = try text("long")
        let refusals = [
            ("none", "there is no lane journal at none"), (".", ". is no regular file"), ("pipe", "pipe is no regular file"),
            ("long", "line 2 of long has 1000008 bytes"),
        ]
        for (name, sentence) in refusals {
            for verb in [["tail"], ["replay"], ["seq"], ["compact"], ["compact", "--dry-run"]]
                + (name == "none" ? [] : [["append", "{\"op\":\"X\"}"]])
            {
                let result = try Program.bulla(["lane", "journal"] + verb + ["--file", name]).run(in: directory.path)
                #expect(
                    result.code == 64 && result.error.contains(sentence) && result.output == "",
                    "\(verb) \(name): \(result.error)")
            }
        }
        let json = try run("replay", "--json", "--file", "none")
        #expect(json.code == 64 && json.output.contains("\"code\":64"))
        #expect(try run("append", #"{"op":"X"}"#, "--file", "none/journal").code == 64)
        #expect(try names == ["long", "pipe"])
        #expect(try text("long") == before)
    }

    @Test("the reference's lock is respected, and told of: 75")
    func locked() throws {
        try write(Self.acquire + "\n")
        try write("owner: someone\npid: 7\n", to: ".lane-lease.lock")
        for verb in [["compact"], ["append", "{\"op\":\"X\"}"]] {
            let result = try Program.bulla(["lane", "journal"] + verb + ["--file", "journal", "--wait", "0.05"]).run(
                in: directory.path)
            #expect(result.code == 75 && result.error.contains("owner: someone, pid: 7"))
        }
        #expect(try text() == Self.acquire + "\n")
        #expect(try names == [".lane-lease.lock", "journal"])
        #expect(try run("replay", "--file", "journal").code == 0)
    }

    @Test("writers at once lose no entry and give no seq twice")
    func concurrent() throws {
        let running = try (0..<12).map { index in
            try Program.bulla("lane", "journal", "append", "{\"op\":\"X\",\"n\":\(index)}", "--file", "journal", "--wait", "60")
                .start(in: directory.path)
        }
        for process in running { #expect(try process.wait().code == 0) }
        #expect(try run("seq", "--file", "journal").output == "13\n")
        #expect(try text().split(separator: "\n").count == 12)
        #expect(try names == ["journal"])
    }

    @Test(
        "a journal that shrinks while it is read is refused: 30, nothing written",
        .enabled(if: Machine.hasCompiler, Machine.needsCompiler))
    func shrinking() throws {
        // Cuts the file at its first read.
        let source = """
            #define _GNU_SOURCE
            #include <dlfcn.h>
            #include <unistd.h>
            #include <string.h>
            #include <stdio.h>
            static void cut(int fd) {
                char link[64], path[4096];
                snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
                ssize_t length = readlink(link, path, sizeof path - 1);
                if (length < 7) return;
                path[length] = 0;
                if (strcmp(path + length - 7, "journal") == 0) truncate(path, 10);
            }
            ssize_t pread(int fd, void *b, size_t n, off_t o) {
                cut(fd);
                return ((ssize_t (*)(int, void *, size_t, off_t))dlsym(RTLD_NEXT, "pread"))(fd, b, n, o);
            }
            ssize_t pread64(int fd, void *b, size_t n, off64_t o) {
                cut(fd);
                return ((ssize_t (*)(int, void *, size_t, off64_t))dlsym(RTLD_NEXT, "pread64"))(fd, b, n, o);
            }
            """
        try write(source, to: "shim.c")
        let shim = directory.path("shim.so")
        try #require(
            try Program("/usr/bin/env", ["cc", "-shared", "-fPIC", "-o", shim, directory.path("shim.c"), "-ldl"]).run().code == 0)
        for verb in [["tail"], ["compact"], ["append", "{\"op\":\"X\"}"]] {
            try write(Self.acquire + "\n")
            let result = try Program.bulla(["lane", "journal"] + verb + ["--file", directory.path("journal")])
                .run(environment: ["LD_PRELOAD": shim])
            #expect(result.code == 30 && result.error.contains("got shorter while it was read"), "\(verb): \(result)")
            #expect(try text() == String(Self.acquire.prefix(10)))
        }
    }
}
