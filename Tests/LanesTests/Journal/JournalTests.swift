import Lanes
import LedgerFormat
import Testing

/// The rules of a journal, one by one.
@Suite("Lanes: journal")
struct JournalTests {
    private func replay(_ lines: String...) throws -> String { try replay(lines) }

    private func replay(_ lines: [String]) throws -> String {
        let journal = try LaneJournal(Array((lines.joined(separator: "\n") + "\n").utf8))
        return text(.array(journal.leases.map { .object($0.lease) }))
    }

    private func text(_ value: PythonJSON) -> String { String(decoding: value.dumped(keepsOnOneLine: false), as: UTF8.self) }

    private func entries(_ journal: String) throws -> [String] {
        try LaneJournal.entries(of: Array(journal.utf8)).map { text(.object($0)) }
    }

    private let a = #"{"op":"ACQUIRE","lane":"a","loop_ts":"t","seq":1,"holder":"ada","pid":7,"host_id":"h"}"#
    private let b = #"{"op":"ACQUIRE","lane":"b","loop_ts":"t"}"#

    @Test("a bad line is told with its text and number, a bad last line is dropped, JSON that is no object vanishes")
    func lines() throws {
        #expect(
            try entries("  bad \n\n{\"op\": \"X\"}\r\n[1]\n{\"op\"")
                == [#"{"_line": 0, "_raw": "bad", "op": "_CORRUPT"}"#, #"{"op": "X"}"#])
        #expect(try entries("bad\n\n") == [#"{"_line": 0, "_raw": "bad", "op": "_CORRUPT"}"#])
        #expect(try entries("bad\n") == [])
        #expect(try entries("") == [])
    }

    @Test("a line is nested as deeply as Python goes, and a deeper one costs only itself")
    func depth() throws {
        let deep = { (count: Int) in "{\"a\":" + String(repeating: "[", count: count) + String(repeating: "]", count: count) + "}"
        }
        #expect(try LaneJournal(Array((deep(900) + "\n").utf8)).entryCount == 1)
        let bytes = Array((deep(100_000) + "\n" + a + "\n").utf8)
        let journal = try LaneJournal(bytes)
        #expect(journal.entryCount == 2 && journal.leases.count == 1)
        #expect(try #require(LaneJournal.entries(of: bytes).first)["_line"] != nil)
    }

    @Test("a line of a million bytes is refused with its number")
    func longLine() {
        let long = "{\"a\":\"" + String(repeating: "x", count: 1_000_000 - 8) + "\"}"
        #expect(throws: JournalError.lineTooLong(line: 2, byteCount: 1_000_000)) { try LaneJournal(Array("\n\(long)\n".utf8)) }
        #expect(throws: Never.self) { try LaneJournal(Array("\n\(long.dropFirst())\n".utf8)) }
    }

    @Test("a journal is the same in whatever pieces it is read", arguments: 1...8 as ClosedRange<UInt64>)
    func pieces(seed: UInt64) throws {
        var random = RandomJournal(seed: seed)
        let bytes = (0..<20).flatMap { _ in random.journal() }
        let whole = try LaneJournal(bytes, partByteCount: bytes.count)
        for count in [1, bytes.count / 7, bytes.count / 2] {
            let journal = try LaneJournal(bytes, partByteCount: count)
            #expect(journal.holdsTheSame(as: whole) && journal.entryCount == whole.entryCount, "seed \(seed), pieces of \(count)")
            #expect(journal.lastSeq == whole.lastSeq)
            let compacted = journal.compacted(isCompatible: false)
            #expect(compacted.bytes == whole.compacted(isCompatible: false).bytes, "bad lines have their numbers")
        }
    }

    @Test(
        "a line belongs to the part that it begins in, and only that part reads on to its end", arguments: [1, 2, 7, 4096, 9000])
    func parts(size: Int) throws {
        let lines = ["", "a", String(repeating: "x", count: 30_000), "bc", "", String(repeating: "y", count: 4096), "z"]
        for end in ["", "\n"] {
            let bytes = Array((lines.joined(separator: "\n") + end).utf8)
            var found: [UInt8] = []
            var readCount = 0
            for start in stride(from: 0, to: bytes.count, by: size) {
                let part = JournalPart(start..<min(start + size, bytes.count), ofAll: bytes.count) { offset, count in
                    readCount += count
                    return Array(bytes[offset..<offset + count])
                }
                found += part.bytes[part.lines]
                #expect(part.isEnd == (!part.lines.isEmpty && found.count == bytes.count), "\(start)")
            }
            #expect(found == bytes)
            #expect(readCount < 3 * bytes.count + (bytes.count / size + 1) * 4200, "\(readCount) bytes were read")
        }
    }

    @Test("what cannot be read ends it, wherever it stands")
    func unread() throws {
        struct Unread: Error {}
        let bytes = Array(String(repeating: a + "\n", count: 100).utf8)
        for failing in [0, 3, 9] {
            #expect(throws: Unread.self) {
                _ = try LaneJournal.read(byteCount: bytes.count, partByteCount: bytes.count / 10 + 1) { offset, count in
                    if offset / (bytes.count / 10 + 1) == failing { throw Unread() }
                    return Array(bytes[offset..<offset + count])
                }
            }
        }
    }

    @Test("a line that is too long has its number, in whatever piece it stands")
    func longLineInPieces() {
        let long = "{\"a\":\"" + String(repeating: "x", count: 1_000_000) + "\"}"
        let bytes = Array("{}\n{}\n\n\(long)\n\(long)\n{}\n".utf8)
        for count in [64, 1000, 1_000_000, bytes.count] {
            #expect(throws: JournalError.lineTooLong(line: 4, byteCount: 1_000_008)) {
                try LaneJournal(bytes, partByteCount: count)
            }
        }
    }

    @Test("a lease is the nested one, else what its entry says")
    func leases() throws {
        #expect(try replay(a) == #"[{"holder": "ada", "host_id": "h", "lane": "a", "loop_ts": "t", "pid": 7}]"#)
        #expect(try replay(#"{"op":"RECONCILE","lane":"a","lease":{"x":1.0}}"#) == #"[{"x": 1.0}]"#)
        #expect(try replay(#"{"op":"ACQUIRE","lane":"a","lease":[]}"#) == #"[{"lane": "a"}]"#)
        #expect(try replay(#"{"op":"ACQUIRE","lane":"","loop_ts":0,"lease":{"lane":"a"}}"#) == "[]")
    }

    @Test("a lease that is taken again keeps its place; one that was released does not")
    func order() throws {
        let again = a.replacing("ada", with: "bob")
        #expect(try replay(a, b, again).hasPrefix(#"[{"holder": "bob""#))
        #expect(try replay(a, b, #"{"op":"RELEASE","lane":"a","loop_ts":"t"}"#, again).hasPrefix(#"[{"lane": "b""#))
        #expect(try replay(a, #"{"op":"SCAVENGE","lane":"a","loop_ts":"t"}"#) == "[]")
    }

    @Test("lanes whose names have the same sum, by which they are found, are two; one with escapes is the same as without")
    func sums() throws {
        let (one, other) = ("lane-onehXzLePCY", "/S87Sl61z9m5pfmz")
        let line = { (operation: String, lane: String) in "{\"op\":\"\(operation)\",\"lane\":\"\(lane)\"}" }
        #expect(try replay(line("ACQUIRE", one), line("RELEASE", other)) == "[{\"lane\": \"\(one)\"}]")
        let both = [line("ACQUIRE", one), line("ACQUIRE", other)]
        #expect(try replay(both + [line("RELEASE", one)]) == "[{\"lane\": \"\(other)\"}]")
        #expect(try replay(line("ACQUIRE", one), line("RELEASE", "\\u006c" + one.dropFirst())) == "[]")
        #expect(try replay(line("ACQUIRE", "\\u006c" + one.dropFirst()), line("RELEASE", one)) == "[]")
    }

    @Test("lanes are compared by code points: é and e with an accent are two")
    func codePoints() throws {
        let acquire = { (lane: String) in "{\"op\":\"ACQUIRE\",\"loop_ts\":\"t\",\"lane\":\"\(lane)\"}" }
        #expect(try replay(acquire("\u{e9}"), acquire("e\u{301}")).contains("}, {"))
        #expect(try replay(acquire("\u{e9}"), acquire("\\u00e9")).contains("}, {") == false)
    }

    @Test("a heartbeat tells its time, else its entry's; an adoption changes what is not null, and creates nothing")
    func beats() throws {
        let beat = { (more: String) in "{\"op\":\"HEARTBEAT\",\"lane\":\"a\",\"loop_ts\":\"t\",\(more)}" }
        #expect(try replay(a, beat(#""heartbeat_at":"1","ts":"2""#)).contains(#""heartbeat_at": "1""#))
        #expect(try replay(a, beat(#""heartbeat_at":"","ts":"2""#)).contains(#""heartbeat_at": "2""#))
        #expect(try !replay(a, beat(#""heartbeat_at":null"#)).contains("heartbeat_at"))
        #expect(try replay(beat(#""ts":"2""#)) == "[]")
        let adopt = #"{"op":"ADOPT","lane":"a","loop_ts":"t","holder":"","pid":null,"ts":"3"}"#
        #expect(
            try replay(a, adopt)
                == #"[{"heartbeat_at": "3", "holder": "", "host_id": "h", "lane": "a", "loop_ts": "t", "pid": 7}]"#)
        #expect(try replay(adopt) == "[]")
    }

    @Test("a checkpoint is all that counts of what was before")
    func checkpoint() throws {
        let checkpoint = #"{"op":"CHECKPOINT","leases":[null,{"lane":"c"},{},{"lane":"c","n":2}],"seq_watermark":9}"#
        #expect(try replay(a, checkpoint) == #"[{"lane": "c", "n": 2}]"#)
        #expect(try replay(a, #"{"op":"CHECKPOINT"}"#) == "[]")
    }

    @Test(
        "the next seq follows the greatest that can be read as an integer",
        arguments: [
            ("7", "8"), ("\"1_000\"", "1001"), ("true", "2"), ("3.9", "4"), ("\" ٤٢\"", "43"), ("[9]", "1"), ("-5", "1"),
            ("1e999", "1"),
            ("1.9e20", "190000000000000000001"), ("99999999999999999999", "100000000000000000000"), ("\"1__0\"", "1"),
            ("null", "1"),
        ])
    func nextSeq(value: String, next: String) throws {
        for name in ["seq", "seq_watermark"] {
            let journal = try LaneJournal(Array("{\"op\":\"X\",\"\(name)\":\(value)}\n{}\n".utf8))
            #expect(String(decoding: journal.nextSeq.text, as: UTF8.self) == next)
        }
    }

    @Test("an entry gets the next seq and the second's time, and a line of its own")
    func append() throws {
        let time = try #require(Timestamp("2026-03-01T12:00:00.999999Z"))
        let unended = try LaneJournal(Array("{\"seq\":4}".utf8))
        let stamped = unended.stamped(PythonObject([("op", .text("X"))]), at: time)
        let line = "{\"op\": \"X\", \"seq\": 5, \"ts\": \"2026-03-01T12:00:00Z\"}\n"
        #expect(String(decoding: unended.line(of: stamped), as: UTF8.self) == "\n" + line)
        for ended in ["", "{\"seq\":4}\n", "{\"seq\":4}\r"] {
            #expect(String(decoding: try LaneJournal(Array(ended.utf8)).line(of: stamped), as: UTF8.self) == line)
        }
        let own = PythonObject([("seq", .null), ("ts", .null)])
        #expect(text(.object(unended.stamped(own, at: time))) == #"{"seq": null, "ts": null}"#)
    }

    @Test(
        "what was live stays live through a compaction, where the reference loses it",
        arguments: [
            #"{"op":"ACQUIRE","lane":"A","loop_ts":"t","lease":{"holder":"x"}}"#,
            #"{"op":"ACQUIRE","lane":"A","loop_ts":"t","lease":{"lane":"B","loop_ts":"t"}}"#,
            "{\"op\":\"ACQUIRE\",\"lane\":\"u\",\"loop_ts\":\"t\",\"lease\":{\"lane\":\"u\",\"loop_ts\":\"t\",\"note\":\"x\\u2028\\u0085\\ud800y\"}}",
        ])
    func mended(odd: String) throws {
        let beat = #"{"op":"HEARTBEAT","lane":"A","loop_ts":"t","ts":"9"}"#
        let journal = try LaneJournal(Array([a, odd, b, beat, "junk", b, ""].joined(separator: "\n").utf8))
        let bytes = journal.compacted(isCompatible: false).bytes
        let again = try LaneJournal(bytes)
        #expect(again.holdsTheSame(as: journal))
        #expect(try #require(LaneJournal.entries(of: bytes).last)["_raw"]?.pythonText == "junk")
        #expect(try !LaneJournal(journal.compacted(isCompatible: true).bytes).holdsTheSame(as: journal))
        let twice = try LaneJournal(again.compacted(isCompatible: false).bytes)
        #expect(twice.holdsTheSame(as: journal) && twice.entryCount == again.entryCount)
    }

    @Test("random journals keep their leases and seqs through compactions", arguments: 1...4 as ClosedRange<UInt64>)
    func compactions(seed: UInt64) throws {
        var random = RandomJournal(seed: seed)
        var leaseCount = 0
        for _ in 0..<1500 {
            let bytes = random.journal()
            let journal = try LaneJournal(bytes)
            leaseCount += journal.leases.count
            let again = try LaneJournal(journal.compacted(isCompatible: false).bytes)
            #expect(again.holdsTheSame(as: journal), "seed \(seed), \(hex(bytes))")
        }
        #expect(leaseCount > 500)
    }
}
