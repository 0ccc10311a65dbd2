import Foundation
import Lanes
import TestSupport
import Testing

/// Works on the same files as the reference package, which the tests install from PyPI.
@Suite("Lanes: interchange with dos-kernel")
struct JournalInterchangeTests {
    /// 0.22.0 and the newest; each is left out, aloud, where it cannot be had.
    private static let peers: [(version: String, peer: PythonPeer)] = ["0.22.0", nil].compactMap { version in
        PythonPeer.reference(version).map { (version ?? "newest", $0) }
    }

    /// Answers a path with what the package makes of the journal there.
    private static let reading = """
        import json, sys, pathlib
        import dos.lane_journal as journal
        def dumps(value):
            text = json.dumps(value, sort_keys=True, ensure_ascii=False)
            return "".join("\\\\u%04x" % ord(c) if 0xD800 <= ord(c) < 0xE000 else c for c in text).encode().hex()
        for line in sys.stdin:
            path = pathlib.Path(line.rstrip("\\n"))
            entries = journal.read_all(path)
            try:
                next_seq = journal.next_seq(path)
            except OverflowError:
                next_seq = None
            print(dumps([entries, journal.replay(entries), next_seq]))
        """

    private func ours(_ bytes: [UInt8], _ theirs: String) throws -> String {
        let journal = try LaneJournal(bytes)
        // Infinite seqs crash the reference.
        let isCrash = theirs.hasSuffix(hex(Array("null]".utf8)))
        let answer: [PythonJSON] = [
            .array(try LaneJournal.entries(of: bytes).map(PythonJSON.object)), .array(journal.leases.map { .object($0.lease) }),
            isCrash ? .null : .integer(journal.nextSeq),
        ]
        return hex(PythonJSON.array(answer).dumped(keepsOnOneLine: false))
    }

    /// 0.30.0 takes one more member over from an entry without a lease of its own, so it is asked about journals without that.
    private func isAlike(_ journal: [UInt8]) -> Bool { !String(decoding: journal, as: UTF8.self).contains("proc_starttime") }

    @Test("random journals are read the same", arguments: 1...3 as ClosedRange<UInt64>)
    func random(seed: UInt64) throws {
        var random = RandomJournal(seed: seed)
        let directory = TemporaryDirectory()
        let journals = (0..<400).map { _ in random.journal() }.filter(isAlike)
        for (index, journal) in journals.enumerated() { try directory.write(journal, to: "\(index)") }
        for (version, peer) in Self.peers {
            let answers = try peer.answers(of: Self.reading, to: journals.indices.map { directory.path("\($0)") })
            try #require(answers.count == journals.count)
            for (bytes, theirs) in zip(journals, answers) {
                let own = try ours(bytes, theirs)
                #expect(own == theirs, "\(version), seed \(seed), \(hex(bytes))")
            }
        }
    }

    @Test("what we compact leads the reference to the same leases", arguments: 11...12 as ClosedRange<UInt64>)
    func compacted(seed: UInt64) throws {
        var random = RandomJournal(seed: seed)
        let directory = TemporaryDirectory()
        let journals = try (0..<400).map { _ in try LaneJournal(random.journal()) }
        for (index, journal) in journals.enumerated() {
            try directory.write(journal.compacted(isCompatible: false).bytes, to: "\(index)")
        }
        let script = Self.reading.replacing("[entries, journal.replay(entries), next_seq]", with: "journal.replay(entries)")
        for (version, peer) in Self.peers {
            let answers = try peer.answers(of: script, to: journals.indices.map { directory.path("\($0)") })
            for (index, (journal, theirs)) in zip(journals, answers).enumerated() {
                let leases = PythonJSON.array(journal.leases.map { .object($0.lease) })
                #expect(hex(leases.dumped(keepsOnOneLine: false)) == theirs, "\(version), seed \(seed), journal \(index)")
            }
        }
    }

    @Test("it appends to ours and we to its, in turn, also behind a line that was never ended")
    func appended() throws {
        let script = """
            import sys, pathlib
            import dos.lane_journal as journal
            for line in sys.stdin:
                lane, path = line.rstrip("\\n").split(" ", 1)
                lease = {"lane": lane, "lane_kind": "cluster", "loop_ts": "t", "host_id": "h", "pid": 7, "holder": "p", "tree": ["é/**"]}
                journal.append(journal.acquire_entry(lease), pathlib.Path(path))
                print("done")
            """
        for (version, peer) in Self.peers {
            let directory = TemporaryDirectory()
            let path = directory.path("journal")
            func append(_ entry: String) throws {
                let result = try Program.bulla("lane", "journal", "append", entry, "--file", path).run()
                #expect(result.code == 0, "\(version): \(result.error)")
            }
            try append(#"{"op":"ACQUIRE","lane":"a","loop_ts":"t","lease":{"lane":"a","loop_ts":"t","note":"x\#u{2028}y"}}"#)
            #expect(try peer.answers(of: script, to: ["b \(path)"]) == ["done"])
            try directory.write(try directory.read("journal").dropLast(), to: "journal")
            try append(#"{"op":"ACQUIRE","lane":"c","loop_ts":"t"}"#)
            #expect(try peer.answers(of: script, to: ["d \(path)"]) == ["done"])
            try append(#"{"op":"RELEASE","lane":"b","loop_ts":"t"}"#)
            let bytes = try directory.read("journal")
            let journal = try LaneJournal(bytes)
            #expect(journal.leases.map(\.identity.lane) == ["a", "c", "d"], "\(version)")
            #expect(journal.nextSeq == PythonInteger(6) && journal.entryCount == 5, "\(version)")
            let theirs = try peer.answers(of: Self.reading, to: [path])
            #expect(try [ours(bytes, theirs[0])] == theirs, "\(version)")
        }
    }

    @Test("a journal that we export is replayed by it to the same leases; it goes on in it, and we import what it wrote")
    func exported() throws {
        let script = """
            import json, sys, pathlib
            import dos.lane_journal as journal
            for line in sys.stdin:
                path = pathlib.Path(line.rstrip("\\n"))
                leases = journal.replay(journal.read_all(path))
                lease = {"lane": "web", "lane_kind": "cluster", "loop_ts": "t", "host_id": "h", "pid": 7, "holder": "p", "tree": ["web/**"]}
                journal.append(journal.acquire_entry(lease), path)
                journal.append(journal.heartbeat_entry(lease, heartbeat_at="2026-03-01T00:00:00Z"), path)
                journal.append(journal.release_entry(leases[0]), path)
                print(json.dumps([[lease[k] for k in ("lane", "holder", "tree", "token")] for lease in leases]))
            """
        for (version, peer) in Self.peers {
            let directory = TemporaryDirectory()
            func run(_ arguments: String...) throws -> Program.Result {
                let result = try Program.bulla(arguments + ["--ledger", directory.path("L")]).run()
                #expect(result.code == 0, "\(version), \(arguments): \(result.error)")
                return result
            }
            _ = try run("init")
            _ = try run("lane", "declare", "--open", "--actor", "user:ada")
            for lane in ["api", "docs"] {
                _ = try run(
                    "lane", "acquire", lane, "--actor", "process:p", "--holder", "ada", "--tree", lane + "/**", "--child", "r=7")
            }
            let path = directory.path("journal")
            _ = try run("lane", "export", "--file", path)
            let leases = try peer.answers(of: script, to: [path])
            #expect(leases == [#"[["api", "ada", ["api/**"], 3], ["docs", "ada", ["docs/**"], 4]]"#], "\(version)")
            let journal = try LaneJournal(try directory.read("journal"))
            #expect(journal.leases.map(\.identity.lane) == ["docs", "web"] && journal.nextSeq == PythonInteger(8), "\(version)")
            let listed = try run("lane", "list", "--json").output
            #expect(listed.contains("\"lane\":\"api\""))
            // What is still held here cannot be held twice; in a ledger of its own all is taken over.
            _ = try run("lane", "import", "--file", path, "--actor", "user:ada", "--leave-out")
            #expect(try run("lane", "list", "--json").output.contains("\"lane\":\"web\""))
        }
    }
}
