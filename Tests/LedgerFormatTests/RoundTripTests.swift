import CanonicalJSON
import DurableFiles
import LedgerFormat
import TestSupport
import Testing

@Suite("Values are the same after being written and read")
struct RoundTripTests {
    @Test("times, over all years and to the microsecond", arguments: 0..<8 as Range<UInt64>)
    func times(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let all = Timestamp(microseconds: .min).microseconds...Timestamp(microseconds: .max).microseconds
        for _ in 0..<5000 {
            let time = Timestamp(microseconds: Int64.random(in: all, using: &random))
            let text = time.description
            #expect(text.utf8.count == Timestamp.byteCount)
            #expect(Timestamp(text) == time)
        }
    }

    @Test(
        "borders of the calendar",
        arguments: [
            (-62_135_596_800_000_000, "0001-01-01T00:00:00.000000Z"), (-1, "1969-12-31T23:59:59.999999Z"),
            (0, "1970-01-01T00:00:00.000000Z"), (951_782_400_000_000, "2000-02-29T00:00:00.000000Z"),
            (951_868_799_999_999, "2000-02-29T23:59:59.999999Z"),
            (1_769_860_800_000_000, "2026-01-31T12:00:00.000000Z"),
            (-2_203_891_200_000_001, "1900-02-28T23:59:59.999999Z"),
            (-2_203_891_200_000_000, "1900-03-01T00:00:00.000000Z"),
            (253_402_300_799_999_999, "9999-12-31T23:59:59.999999Z"),
        ] as [(Int64, String)])
    func borders(microseconds: Int64, text: String) {
        #expect(Timestamp(microseconds: microseconds).description == text)
        #expect(Timestamp(text)?.microseconds == microseconds)
    }

    @Test("what lies outside the calendar is moved to its border")
    func clamped() {
        #expect(Timestamp(microseconds: .min).description == "0001-01-01T00:00:00.000000Z")
        #expect(Timestamp(microseconds: .max).description == "9999-12-31T23:59:59.999999Z")
    }

    @Test("every day of 1600 years is its own day, and they follow each other")
    func days() throws {
        var day = try #require(Timestamp("1600-01-01T00:00:00.000000Z"))
        var last = ""
        while day.microseconds < 32_503_680_000_000_000 {
            let text = day.description
            #expect(text > last)
            #expect(Timestamp(text) == day)
            last = text
            day = Timestamp(microseconds: day.microseconds + 86_400_000_000)
        }
        #expect(last == "2999-12-31T00:00:00.000000Z")
    }

    @Test("digests, ids and key ids", arguments: 0..<8 as Range<UInt64>)
    func hexadecimal(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<200 {
            let bytes = (0..<32).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            let digest = Digest(bytes: bytes.span)
            #expect(digest.bytes == bytes)
            #expect(Digest(digest.description) == digest)
            #expect(digest.description == Hex.text(of: bytes))
            let digits = Array(Hex.text(of: bytes).utf8)
            #expect(Hex.bytes(of: digits.span) == bytes)
            let ledger = LedgerID(random.next(), random.next())
            #expect(LedgerID(ledger.description) == ledger)
            let key = KeyID(random.next())
            #expect(KeyID(key.description) == key)
        }
    }

    @Test("key files", arguments: 0..<8 as Range<UInt64>)
    func keyFiles(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let key = SealingKey(bytes: (0..<32).map { _ in UInt8(truncatingIfNeeded: random.next()) })
        let file = key.fileContents
        #expect(file.count == SealingKey.fileByteCount)
        let read = try #require(SealingKey(file: file))
        #expect(read.bytes == key.bytes && read.id == key.id)
    }

    @Test("HEAD", arguments: 0..<8 as Range<UInt64>)
    func heads(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<100 {
            var tip = ChainTip(emptyLedger: LedgerID(random.next(), random.next()), key: TestLedger.key.id)
            let segment = random.next() % 1000 + 1
            tip.seq = segment + random.next() % 1000
            tip.hash = Digest(sha256: Array(tip.ledger.description.utf8).span)
            let end = Int(random.next() >> 12) + 1
            let head = Head(alert: random.coin(), end: end, segment: segment, tip: tip)
            let file = head.sealed(with: TestLedger.key)
            #expect(file.count <= Head.byteCountMax)
            #expect(try Head(file: file, keys: [TestLedger.key.id: TestLedger.key]) == head)
            #expect(try Head(file: file, keys: [:]) == head)
            #expect(try JSON(parsing: file).canonicalBytes() == file)
        }
    }

    @Test("receipts, as a line, as JSON, and in the midst of a mail", arguments: 0..<8 as Range<UInt64>)
    func receipts(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var receipts: [Receipt] = []
        for number in 0..<12 {
            let digest = Digest(sha256: Array("\(seed) \(number)".utf8).span)
            receipts.append(
                Receipt(
                    ledger: LedgerID(random.next(), random.next()), seq: random.next() % Limits.seq + 1, hash: digest,
                    time: Timestamp(microseconds: Int64(random.next() % 4_000_000_000_000_000))))
        }
        for receipt in receipts {
            #expect(Receipt(line: receipt.line) == receipt)
            #expect(!receipt.line.utf8.contains(UInt8(ascii: " ")))
            #expect(Receipt(json: receipt.json) == receipt)
            #expect(try Receipt(json: JSON(parsing: receipt.json.canonicalBytes())) == receipt)
        }
        let mail = """
            From: a\r
            Subject: Fwd: \(receipts[0].line)\r
            \r
            > \(receipts[1].line)\r
            >> see <\(receipts[2].line)>, \(receipts[3].line)\r
            \(receipts[4].json.canonicalText)\r
            \tBulla-Receipt:\t\(receipts[5].line)
            bulla-receipt-v1/nonsense/1/2/3
            """
        #expect(Receipt.all(in: mail) == Array(receipts[0...5]))
    }

    @Test("a drafted entry is read back with every member as it was", arguments: 0..<16 as Range<UInt64>)
    func entries(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let texts = [
            "", "plain", "é", "e\u{301}", "\u{1F600}", "quote \" back \\ tab \t nul \0 del \u{7F}", "\u{2028}\u{FFFD}",
        ]
        var tip = ChainTip(emptyLedger: LedgerID(1, seed), key: TestLedger.key.id)
        tip.seq = random.next() % 1_000_000
        for _ in 0..<50 {
            let reason = texts[random.below(texts.count)]
            let body: JSON = [
                "text": .string(texts[random.below(texts.count)]), "list": [1, 2.5, .null, true, ["x": [:]]], "": 0,
            ]
            let id = "id-\(random.next())"
            let draft = try Draft(
                action: "a_1.b2", actor: "user:ada / é", justification: Justification(.evolution, reason), body: body,
                context: ["id": .string(id), "base": 3, "causes": [1, 2], "reads": ["/a/~0"], "writes": []])
            let time = Timestamp(microseconds: Int64(random.next() >> 14))
            var writer = FrameWriter(after: tip, synced: tip.seq, key: TestLedger.key)
            let part = random.coin() ? Part(index: 1, count: 2) : nil
            let receipt = try writer.append(draft, at: time, part: part)
            let bytes = writer.block
            guard case .frame(let view) = FrameView.find(in: bytes.span, at: 0) else {
                Issue.record("seed \(seed): no frame")
                return
            }
            let entry = Entry(view, of: bytes.span)
            #expect(entry.receipt == receipt && entry.seq == tip.seq + 1 && entry.synced == tip.seq)
            #expect(entry.actor == draft.actor && entry.action == draft.action && entry.id == id)
            #expect(
                Array(entry.justification.reason.utf8) == Array(reason.utf8) && entry.justification.pillar == .evolution
            )
            #expect(entry.body == body.canonicalBytes() && entry.time == time && view.part == part)
            #expect(view.frame == 0..<bytes.count && view.version == 1)
            tip = writer.tip
        }
    }
}
