import CanonicalJSON
import DurableFiles
import LedgerFormat
import TestSupport
import Testing

@Suite("Members that format 1 does not know")
struct ExtraMemberTests {
    private let ledger = TestLedger.frames(count: 3)

    /// An honest entry with more members, sealed.
    private func frame(after tip: ChainTip, _ extras: [(String, JSON)], _ change: (inout Forge) -> Void = { _ in }) throws
        -> (bytes: [UInt8], entry: JSONObject, tip: ChainTip)
    {
        let forge = Forge(after: tip, change)
        var object = try #require(try JSON(parsing: Array(forge.entry.utf8)).object)
        for (name, value) in extras { object[name] = value }
        let entry = JSON.object(object).canonicalBytes()
        let (sig, hash) = SealEngine.seal(entry.span, with: TestLedger.key)
        var next = tip
        (next.seq, next.hash, next.synced) = (tip.seq + 1, hash, tip.seq)
        let payload = #"{"entry":\#(String(decoding: entry, as: UTF8.self)),"hash":"\#(hash)","sig":"\#(sig)"}"#
        return (Forge.frame(payload: payload), object, next)
    }

    private struct Result {
        var failure: ChainFailure?
        var entries: [Entry] = []
        var parts: [Part?] = []
    }

    private func verify(_ bytes: [UInt8], allowing: Bool, pieceByteCount: Int = .max) -> Result {
        var verifier = ChainVerifier(keys: testKeys)
        verifier.allowsExtraMembers = allowing
        var result = Result()
        do throws(ChainFailure) {
            try verifier.beginSegment(firstSeq: 1, isLast: true)
            var start = 0
            while true {
                let end = min(bytes.count, pieceByteCount == .max ? bytes.count : start + pieceByteCount)
                let piece = Array(bytes[start..<end])
                let outcome = verifier.feed(piece.span, isEnd: end == bytes.count) { frame, bytes in
                    result.entries.append(Entry(frame, of: bytes))
                    result.parts.append(frame.part)
                    return true
                }
                if case .failed(let failure) = outcome { throw failure }
                guard case .wantsMore(let consumed, _) = outcome, end < bytes.count, consumed > 0 else { break }
                start += consumed
            }
            try verifier.finish()
        } catch {
            result.failure = error
        }
        return result
    }

    @Test(
        "one more member is refused, and accepted where it is allowed, wherever it stands",
        arguments: [
            "a", "actiom", "actionn", "b", "c", "d", "k", "l", "m", "r", "t", "u", "w", "", "\u{1F511}", "a\"\\\n", "body ",
        ])
    func one(name: String) throws {
        let (bytes, object, _) = try frame(after: ledger.tip, [(name, ["deep": [1, .null, "x"]])])
        let refused = verify(ledger.bytes + bytes, allowing: false)
        #expect(refused.failure?.place == Place(segment: 1, offset: ledger.bytes.count, seq: 4))
        let accepted = verify(ledger.bytes + bytes, allowing: true)
        #expect(accepted.failure == nil && accepted.entries.count == 4)
        expect(try #require(accepted.entries.last), is: object)
    }

    private func expect(_ entry: Entry, is object: JSONObject, _ source: SourceLocation = #_sourceLocation) {
        #expect(entry.action == object["action"]?.string, sourceLocation: source)
        #expect(entry.actor == object["actor"]?.string, sourceLocation: source)
        #expect(entry.body == object["body"]?.canonicalBytes(), sourceLocation: source)
        #expect(entry.context == object["context"]?.canonicalBytes(), sourceLocation: source)
        #expect(entry.justification.reason == object["justification"]?["reason"]?.string, sourceLocation: source)
        #expect(entry.justification.pillar.rawValue == object["justification"]?["pillar"]?.string, sourceLocation: source)
        #expect(entry.key.description == object["key"]?.string, sourceLocation: source)
        #expect(entry.ledger.description == object["ledger"]?.string, sourceLocation: source)
        #expect(entry.seq == object["seq"]?.integer.map { UInt64($0) }, sourceLocation: source)
        #expect(entry.synced == object["synced"]?.integer.map { UInt64($0) }, sourceLocation: source)
        #expect(entry.time.description == object["time"]?.string, sourceLocation: source)
    }

    @Test("what is wrong besides stays wrong")
    func otherwiseWrong() throws {
        let extra: [(String, JSON)] = [("note", "x")]
        func refuses(_ change: (inout Forge) -> Void) throws -> Bool {
            let (bytes, _, _) = try frame(after: ledger.tip, extra, change)
            return verify(ledger.bytes + bytes, allowing: true).failure?.place.seq == 4
        }
        #expect(try !refuses { _ in })
        #expect(try refuses { $0.action = "Deploy" })
        #expect(try refuses { $0.actor = "nobody" })
        #expect(try refuses { $0.body = "[]" })
        #expect(try refuses { $0.context = #"{"part":[2,1]}"# })
        #expect(try refuses { $0.justification = #"{"pillar":"integrity","reason":"x","why":1}"# })
        #expect(try refuses { $0.justification = #"{"pillar":"greed","reason":"x"}"# })
        #expect(try refuses { $0.key = "00" })
        #expect(try refuses { $0.ledger = String(repeating: "0", count: 32) })
        #expect(try refuses { $0.previousHash = String(repeating: "0", count: 64) })
        #expect(try refuses { $0.seq = "5" })
        #expect(try refuses { $0.synced = "4" })
        #expect(try refuses { $0.time = "2026-02-30T00:00:00.000000Z" })
        #expect(try refuses { $0.version = "0" })
        #expect(try refuses { $0.body = String(repeating: #"{"x":"#, count: 63) + "1" + String(repeating: "}", count: 63) })
    }

    @Test("extra members outside of ENTRY, out of order, twice, or instead of a known one are refused all the same")
    func otherPlaces() throws {
        let honest = Forge(after: ledger.tip)
        func refuses(_ entry: String, head: String = #"{"entry":"#, tail: String = "") -> Bool {
            let (sig, hash) = SealEngine.seal(Array(entry.utf8).span, with: TestLedger.key)
            let bytes = Forge.frame(payload: #"\#(head)\#(entry)\#(tail),"hash":"\#(hash)","sig":"\#(sig)"}"#)
            return verify(ledger.bytes + bytes, allowing: true).failure?.place.seq == 4
        }
        #expect(!refuses(honest.entry))
        #expect(refuses(honest.entry, head: #"{"a":1,"entry":"#))
        #expect(refuses(honest.entry, tail: #","foo":1"#))
        #expect(refuses(honest.entry, head: #"{"entri":"#))
        #expect(refuses(Forge(after: ledger.tip) { $0.more = #","a":1"# }.entry), "out of order")
        #expect(refuses(Forge(after: ledger.tip) { $0.more = #","v":1"# }.entry), "twice")
        #expect(refuses(Forge(after: ledger.tip) { $0.more = #", "w":1"# }.entry), "white space")
        #expect(!refuses(Forge(after: ledger.tip) { $0.more = #","w":1"# }.entry))
        #expect(refuses(honest.entry.replacing(#""action":"#, with: #""actiom":"#)))
        #expect(refuses("{}") && refuses("[]") && refuses("1") && refuses(#"{"w":1}"#))
    }

    /// A random value, small.
    private func value(_ generator: inout SeededGenerator, depth: Int = 0) -> JSON {
        switch Int.random(in: 0..<(depth < 3 ? 7 : 5), using: &generator) {
        case 0: .null
        case 1: .bool(Bool.random(using: &generator))
        case 2: .number(Double(Int.random(in: -1000...1000, using: &generator)) / 4)
        case 3: .string(name(&generator))
        case 4: .string(#"{"entry":{"action":"x"},"v":1}"#)
        case 5: .array((0..<Int.random(in: 0...3, using: &generator)).map { _ in value(&generator, depth: depth + 1) })
        default:
            .object(
                JSONObject(
                    (0..<Int.random(in: 0...3, using: &generator)).map { _ in
                        (name(&generator), value(&generator, depth: depth + 1))
                    }))
        }
    }

    private func name(_ generator: inout SeededGenerator) -> String {
        let letters = Array("abcdefghijklmnopqrstuvwxyz_\"\\\n\u{0}é\u{1F511}\u{FFFF}".unicodeScalars)
        var text = ""
        for _ in 0..<Int.random(in: 0...4, using: &generator) {
            text.unicodeScalars.append(letters[Int.random(in: 0..<letters.count, using: &generator)])
        }
        return text
    }

    private static let known: Set<String> = [
        "action", "actor", "body", "context", "justification", "key", "ledger", "prev_hash", "seq", "synced", "time", "v",
    ]

    @Test("random members at random places: refused, accepted where allowed, and sealed", arguments: UInt64(1)...60)
    func random(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var (bytes, tip) = (ledger.bytes, ledger.tip)
        var objects: [JSONObject] = []
        var extras: [(String, JSON)] = []
        for number in 0..<6 {
            // The same ones again now and then, so that what repeats the entry before is read too.
            if number == 0 || Bool.random(using: &generator) {
                extras = (0..<Int.random(in: 1...4, using: &generator)).map { _ in (name(&generator), value(&generator)) }
                    .filter { !Self.known.contains($0.0) }
                if extras.isEmpty { extras = [("note", 1)] }
            }
            let (more, object, next) = try frame(after: tip, extras) { forge in
                if Bool.random(using: &generator) { forge.body = #"{"n":\#(number)}"# }
                if Bool.random(using: &generator) { forge.context = #"{"id":"\#(number)"}"# }
                if Bool.random(using: &generator) { forge.actor = "user:\(number)" }
            }
            (bytes, tip) = (bytes + more, next)
            objects.append(object)
            // One of format 1 between them.
            if Int.random(in: 0..<3, using: &generator) == 0 {
                let (more, object, next) = try frame(after: tip, [])
                (bytes, tip) = (bytes + more, next)
                objects.append(object)
            }
        }
        #expect(verify(bytes, allowing: false).failure?.place.offset == ledger.bytes.count, "seed \(seed)")
        for size in [Int.max, 1500] {
            let accepted = verify(bytes, allowing: true, pieceByteCount: size)
            #expect(accepted.failure == nil, "seed \(seed)")
            try #require(accepted.entries.count == 3 + objects.count, "seed \(seed)")
            for (entry, object) in zip(accepted.entries.dropFirst(3), objects) { expect(entry, is: object) }
        }
        for _ in 0..<20 {
            let at = Int.random(in: ledger.bytes.count..<bytes.count, using: &generator)
            var changed = bytes
            changed[at] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            let failure = try #require(verify(changed, allowing: true).failure, "seed \(seed), byte \(at)")
            #expect(failure.place.offset <= at, "seed \(seed), byte \(at)")
        }
    }
}
