import CanonicalJSON
import DurableFiles
import LedgerFormat
import TestSupport
import Testing

@Suite("Forms that are refused")
struct RefusedFormTests {
    @Test(
        "times",
        arguments: [
            "", "2026-01-31T12:00:00Z", "2026-01-31t12:00:00.000000Z", "2026-01-31T12:00:00.000000z",
            "2026-01-31 12:00:00.000000Z", "2026-01-31T12:00:00.00000Z", "2026-01-31T12:00:00.0000000Z",
            "2026-01-31T12:00:00,000000Z", "2026-01-31T12:00:00.000000+00:00", "0000-01-01T00:00:00.000000Z",
            "2026-00-31T12:00:00.000000Z", "2026-13-31T12:00:00.000000Z", "2026-01-00T12:00:00.000000Z",
            "2026-01-32T12:00:00.000000Z", "2026-02-29T12:00:00.000000Z", "1900-02-29T12:00:00.000000Z",
            "2026-04-31T12:00:00.000000Z", "2026-06-31T12:00:00.000000Z", "2026-01-31T24:00:00.000000Z",
            "2026-01-31T12:60:00.000000Z", "2026-01-31T12:00:60.000000Z", "+026-01-31T12:00:00.000000Z",
            "2026-01-31T12:00:00.00000 Z", "２026-01-31T12:00:00.000Z",
        ])
    func times(text: String) { #expect(Timestamp(text) == nil) }

    @Test(
        "times with another fraction end with Z all the same, and have six digits at most",
        arguments: [
            ("2026-01-31T12:00:00Z", 0), ("2026-01-31T12:00:00.5Z", 500_000), ("2026-01-31T12:00:00.000001Z", 1),
            ("2026-01-31T12:00:00X", nil), ("2026-01-31T12:00:00", nil), ("2026-01-31T12:00:00.Z", nil),
            ("2026-01-31T12:00:00.0000001Z", nil), ("2026-01-31T12:00:00.1.2Z", nil), ("2026-01-31T12:00:00.-1Z", nil),
            ("2026-01-31T12:00:00+01:00Z", nil), ("2026-02-29T12:00:00Z", nil), ("Z", nil), ("", nil),
        ] as [(String, Int64?)])
    func anyFraction(text: String, microseconds: Int64?) {
        let expected = microseconds.map { Timestamp(microseconds: 1_769_860_800_000_000 + $0) }
        #expect(Timestamp(anyFraction: text) == expected)
    }

    @Test("a time is not read beyond the buffer", arguments: [-1, 1, 26, 27, 28, Int.max, Int.min])
    func timeOffsets(offset: Int) {
        let bytes = Array("2026-01-31T12:00:00.000000Z".utf8)
        #expect(Timestamp(bytes.span, at: offset) == nil)
    }

    @Test("hexadecimal: capitals, other digits, other lengths", arguments: ["A", "g", " ", "/", ":", "`", "é", "\0"])
    func hexadecimal(odd: String) {
        let digest = String(repeating: "0", count: 64)
        #expect(Digest(digest) == .zero)
        for at in [0, 15, 16, 63] {
            let index = digest.index(digest.startIndex, offsetBy: at)
            let end = digest.index(index, offsetBy: odd.utf8.count, limitedBy: digest.endIndex) ?? digest.endIndex
            #expect(Digest(digest.replacingCharacters(index..<end, odd)) == nil)
        }
        #expect(Digest(digest + "0") == nil && Digest(String(digest.dropLast())) == nil && Digest("") == nil)
        #expect(
            LedgerID(String(repeating: "0", count: 31)) == nil && LedgerID(String(repeating: "0", count: 33)) == nil)
        #expect(KeyID(String(repeating: "0", count: 15)) == nil && KeyID(String(repeating: odd, count: 16)) == nil)
        let pair = Array((odd + "0").utf8)
        #expect(Hex.bytes(of: pair.span) == nil)
        #expect(Hex.bytes(of: Array("abc".utf8).span) == nil)
        #expect(Hex.word(Array("0123456789abcde".utf8).span, at: 0) == nil)
        #expect(Hex.word(Array("0123456789abcdef".utf8).span, at: 1) == nil)
        #expect(Hex.word(Array("0123456789abcdef".utf8).span, at: .max) == nil)
        #expect(Hex.word(Array("0123456789abcdef".utf8).span, at: -1) == nil)
    }

    @Test(
        "actions",
        arguments: [
            ("a", true), ("lane.acquire", true), ("a_1.b2._", true), ("0", true), ("", false), (".", false),
            ("a.", false),
            (".a", false), ("a..b", false), ("A", false), ("a-b", false), ("a b", false), ("é", false), ("a\0", false),
            ("a\n", false), ("lane.", false),
        ])
    func actions(text: String, isAction: Bool) { #expect(Names.isAction(text) == isAction) }

    @Test(
        "actors",
        arguments: [
            ("user:ada", true), ("a:b", true), ("soul:é \u{1F600}", true), ("x_1:a:b", true), ("user: ", true),
            ("", false),
            ("user", false), ("user:", false), (":ada", false), ("User:ada", false), ("us-er:ada", false),
            ("user:a\"", false), ("user:a\\", false), ("user:\u{1F}", false), ("user:\u{7F}", false),
            ("user:\n", false),
            ("user:a\0", false),
        ])
    func actors(text: String, isActor: Bool) { #expect(Names.isActor(text) == isActor) }

    @Test("key files: other lengths, capitals, no line feed")
    func keyFiles() {
        let good = TestLedger.key.fileContents
        #expect(SealingKey(file: []) == nil)
        #expect(SealingKey(file: Array(good.dropLast())) == nil)
        #expect(SealingKey(file: good + [0x0A]) == nil)
        #expect(SealingKey(file: good.dropLast() + [0x20]) == nil)
        #expect(SealingKey(file: [0x20] + good.dropFirst()) == nil)
        #expect(SealingKey(file: good.map { $0 == UInt8(ascii: "a") ? UInt8(ascii: "A") : $0 }) == nil)
    }

    @Test("a key says nothing of itself but its id")
    func secrecy() {
        #expect("\(TestLedger.key)" == "sealing key 3d442c1707a0ad56")
    }

    @Test("receipts: another label, other fields, other numbers")
    func receipts() throws {
        let (_, tip, _) = TestLedger.frames(count: 7)
        let good = Receipt(tip).line
        try #require(Receipt(line: good) != nil)
        let parts = good.split(separator: "/").map(String.init)
        func with(_ index: Int, _ text: String) -> String {
            var changed = parts
            changed[index] = text
            return changed.joined(separator: "/")
        }
        let bad = [
            "", "/////", good + "/", "/" + good, " " + good, good + " ", with(0, "bulla-receipt-v2"), with(1, "00"),
            with(1, parts[1].uppercased()), with(2, ""), with(2, "0"), with(2, "-1"), with(2, "+7"), with(2, "007"),
            with(2, "9007199254740992"), with(2, "99999999999999999999999"), with(3, "00"), with(4, "yesterday"),
        ]
        for line in bad { #expect(Receipt(line: line) == nil, "\(line)") }
        var json = try #require(Receipt(tip).json.object)
        for (key, value) in [
            ("v", 2), ("seq", 0), ("seq", -1), ("seq", 1.5), ("seq", "7"), ("hash", "00"), ("ledger", .null),
            ("time", 0),
        ] as [(String, JSON)] {
            json = try #require(Receipt(tip).json.object)
            json[key] = value
            #expect(Receipt(json: .object(json)) == nil, "\(key) \(value)")
        }
        #expect(Receipt(json: []) == nil)
        #expect(Receipt.all(in: "") == [])
    }

    @Test("HEAD: every single-bit flip is refused with the key")
    func headBits() throws {
        let (bytes, tip, _) = TestLedger.frames(count: 3)
        let file = Head(alert: false, end: bytes.count, segment: 1, tip: tip).sealed(with: TestLedger.key)
        let keys = [TestLedger.key.id: TestLedger.key]
        for bit in 0..<file.count * 8 {
            var flipped = file
            flipped[bit / 8] ^= 1 << (bit % 8)
            do throws(HeadFault) {
                let head = try Head(file: flipped, keys: keys)
                // A flip in `key` names a key that is not here; whoever opens refuses that one.
                #expect(head.key != tip.key, "bit \(bit) was accepted")
            } catch {
                #expect(error == .mac || error == .form)
            }
        }
    }

    @Test("HEAD: other members, other forms, other sizes")
    func headForms() throws {
        let (_, tip, _) = TestLedger.frames(count: 3)
        let good: [(String, String)] = [
            ("alert", "false"), ("end", "549"), ("key", "\"\(tip.key)\""), ("ledger", "\"\(tip.ledger)\""),
            ("segment", "1"),
            ("seq", "3"), ("tip", "\"\(tip.hash)\""), ("v", "1"),
        ]
        func fault(_ file: [UInt8]) -> HeadFault? {
            do throws(HeadFault) {
                _ = try Head(file: file, keys: [TestLedger.key.id: TestLedger.key])
                return nil
            } catch {
                return error
            }
        }
        #expect(fault(Forge.head(good)) == nil)
        #expect(fault([]) == .missing)
        let changes: [(String, String)] = [
            ("alert", "0"), ("alert", "\"true\""), ("end", "0"), ("end", "-1"), ("end", "1.5"), ("end", "\"1\""),
            ("end", "9007199254740993"), ("end", "1e3"), ("end", "0549"), ("key", "\"\""), ("key", "1"),
            ("ledger", "\"\(tip.key)\""), ("segment", "0"), ("seq", "0"), ("seq", "1e0"),
            ("tip", "\"\""),
            ("tip", "null"), ("v", "2"), ("v", "1.0"), ("v", "\"1\""),
        ]
        for (key, value) in changes {
            let members = good.map { $0.0 == key ? (key, value) : $0 }
            #expect(fault(Forge.head(members)) == .form, "\(key) \(value)")
        }
        for index in good.indices {
            var members = good
            members.remove(at: index)
            #expect(fault(Forge.head(members)) == .form, "without \(good[index].0)")
        }
        #expect(fault(Forge.head(good + [("w", "1")])) == .form)
        #expect(fault(Forge.head([("a", "1")] + good)) == .form)
        let file = Forge.head(good)
        #expect(fault(file + [0x0A]) == .form)
        #expect(fault([0x20] + file) == .form)
        #expect(fault(Array(file.dropLast())) == .form)
        #expect(fault([UInt8](repeating: 0x20, count: 2000)) == .form)
        #expect(fault([UInt8](repeating: 0, count: 300)) == .form)
        #expect(fault(Forge.head(good, SealingKey(bytes: [UInt8](repeating: 9, count: 32)))) == .mac)
    }

    @Test("a seal is no MAC of HEAD, and the other way round")
    func domains() throws {
        let (bytes, tip, _) = TestLedger.frames(count: 1)
        let head = Head(alert: false, end: bytes.count, segment: 1, tip: tip)
        let file = head.sealed(with: TestLedger.key)
        #expect(SealEngine.seal(file.span, with: TestLedger.key).sig != head.mac(TestLedger.key))
        let labelled = Array("bulla/1/head\n".utf8)
        #expect(
            head.mac(TestLedger.key) == TestLedger.key.authenticate(label: "", labelled + Array(file.withoutMAC.utf8)))
    }

    @Test("segment names")
    func segmentNames() {
        #expect(SegmentName.file(firstSeq: 1) == "00000000000000000001.frames")
        #expect(SegmentName.firstSeq(file: SegmentName.file(firstSeq: Limits.seq)) == Limits.seq)
        for name in [
            "", "1.frames", "00000000000000000000.frames", "00000000000000000001.frame", "0000000000000000000a.frames",
            "00000000000000000001.frames.new", "-0000000000000000001.frames", "99999999999999999999.frames",
            "18446744073709551615.frames", "00009007199254740992.frames", ".frames00000000000000000001",
            "+0000000000000000001.frames",
        ] {
            #expect(SegmentName.firstSeq(file: name) == nil, "\(name)")
        }
    }
}

extension String {
    fileprivate func replacingCharacters(_ range: Range<String.Index>, _ text: String) -> String {
        self[..<range.lowerBound] + text + self[range.upperBound...]
    }
}

extension [UInt8] {
    /// A HEAD's canonical object without `mac`.
    fileprivate var withoutMAC: String {
        let text = String(decoding: self, as: UTF8.self)
        guard let start = text.firstRange(of: ",\"mac\":\"")?.lowerBound else { return text }
        return String(text[..<start] + text[text.index(start, offsetBy: 8 + 64 + 1)...])
    }
}
