import CanonicalJSON
import DurableFiles
import LedgerFormat
import TestSupport
import Testing

@Suite("Reading drafts without a tree")
struct DraftReaderTests {
    private static func outcome(_ body: () throws(DraftError) -> Draft) -> Result<Draft, DraftError> {
        do throws(DraftError) { return .success(try body()) } catch { return .failure(error) }
    }

    /// Compares one reader, which is used for all texts, with the tree.
    private struct Comparison {
        var reader = DraftReader()
        var drafts: [Draft] = []
        var errors: Set<String> = []

        mutating func expectAgreement(_ text: String, _ place: String, source: SourceLocation = #_sourceLocation) {
            expectAgreement(Array(text.utf8), place, source: source)
        }

        mutating func expectAgreement(_ text: [UInt8], _ place: String, source: SourceLocation = #_sourceLocation) {
            let expected = outcome { () throws(DraftError) in try Draft(treeOf: text.span) }
            let found = outcome { () throws(DraftError) in try reader.read(text.span) }
            switch expected {
            case .success(let draft): drafts.append(draft)
            case .failure(let error): errors.insert(String("\(error)".prefix(16)))
            }
            guard found != expected else { return }
            Issue.record(
                "\(place): \(found) instead of \(expected) for \(String(decoding: text, as: UTF8.self).debugDescription)",
                sourceLocation: source)
        }
    }

    @Test("any draft is what the tree says, and any other text is refused as it refuses it", arguments: 0..<24 as Range<UInt64>)
    func differential(seed: UInt64) throws {
        var texts = DraftTexts(seed: seed)
        var comparison = Comparison()
        for index in 0..<1500 {
            texts.oddity = [0, 10, 40][index % 3]
            comparison.expectAgreement(texts.draft(), "seed \(seed), text \(index)")
        }
        #expect(comparison.drafts.count > 500, "\(comparison.drafts.count)")
        #expect(comparison.drafts.count { $0.id != nil } > 50)
        #expect(comparison.errors.count > 10, "\(comparison.errors)")
    }

    /// The first of them was once sealed, as no JSON, and locked the ledger.
    @Test(
        "a name without its value is refused, wherever it stands",
        arguments: ["", "null", "1", "[]", "\"{}\"", "{", "{]", "{\"id\":}", "{\"id\":\"a\",}", "{},"])
    func valueMissing(_ value: String) {
        var comparison = Comparison()
        let parts = [
            "\"action\":\"a.b\"", "\"actor\":\"user:x\"", "\"body\":{}", "\"context\":{}",
            "\"justification\":{\"pillar\":\"integrity\",\"reason\":\"r\"}",
        ]
        for index in parts.indices {
            var changed = parts
            changed[index] = changed[index].prefix { $0 != ":" } + ":" + value
            comparison.expectAgreement("{" + changed.joined(separator: ",") + "}", "member \(index)")
        }
        #expect(comparison.drafts.isEmpty)
    }

    @Test("one changed byte, and every place to be cut", arguments: 0..<8 as Range<UInt64>)
    func mutations(seed: UInt64) throws {
        var texts = DraftTexts(seed: 1000 + seed)
        texts.oddity = 0
        var comparison = Comparison()
        for index in 0..<40 {
            var text = Array(texts.draft().utf8)
            if index % 2 == 0 { text = try JSON(parsing: text).canonicalBytes() }
            for _ in 0..<60 {
                var changed = text
                let offset = texts.random.below(text.count)
                switch texts.random.below(3) {
                case 0: changed[offset] = UInt8(texts.random.below(256))
                case 1: changed.remove(at: offset)
                default: changed.insert(Array("\"\\{}:,a0 \u{7F}".utf8)[texts.random.below(10)], at: offset)
                }
                comparison.expectAgreement(changed, "seed \(seed), text \(index)")
            }
            guard text.count < 400 else { continue }
            for length in 0..<text.count { comparison.expectAgreement(Array(text[..<length]), "seed \(seed), text \(index)") }
        }
        #expect(comparison.drafts.count > 100)
    }

    @Test("names, ids and depths at their limits, in canonical form and in another", arguments: [0, 1])
    func limits(spaces: Int) {
        let space = String(repeating: " ", count: spaces)
        var comparison = Comparison()
        func text(_ action: String, _ actor: String, _ body: String, _ context: String?) -> String {
            "{\"action\":\(space)\"\(action)\",\"actor\":\"\(actor)\",\"body\":\(body)"
                + (context.map { ",\"context\":\($0)" } ?? "") + ",\"justification\":{\"pillar\":\"integrity\",\"reason\":\"\"}}"
        }
        for length in 254...258 {
            comparison.expectAgreement(text(String(repeating: "a", count: length), "a:b", "{}", nil), "action of \(length)")
            comparison.expectAgreement(
                text("a", "a:" + String(repeating: "b", count: length - 2), "{}", nil), "actor of \(length)")
            comparison.expectAgreement(text("a", "a:" + String(repeating: "é", count: length / 2 - 1), "{}", nil), "actor of é")
            let id = String(repeating: "i", count: length)
            comparison.expectAgreement(text("a", "a:b", "{}", "{\"id\":\"\(id)\"}"), "id of \(length)")
            comparison.expectAgreement(text("a", "a:b", "{}", "{\"id\":\"\(id)\\n\"}"), "id of \(length) and an escape")
        }
        for depth in 45...50 {
            let arrays = "{\"a\":" + String(repeating: "[", count: depth - 1) + String(repeating: "]", count: depth - 1) + "}"
            let objects = String(repeating: "{\"a\":", count: depth) + "0" + String(repeating: "}", count: depth)
            for body in [arrays, objects] {
                comparison.expectAgreement(text("a", "a:b", body, nil), "body of depth \(depth)")
                comparison.expectAgreement(text("a", "a:b", "{}", body), "context of depth \(depth)")
            }
        }
        // 255 and 256 of 254…258 are fine, for five kinds of names and two of bodies at three depths.
        #expect(comparison.drafts.count > 15 && comparison.errors.count >= 4, "\(comparison.drafts.count) \(comparison.errors)")
    }

    private func frame(in bytes: [UInt8], at offset: Int) -> FrameView? {
        if case .frame(let view) = FrameView.find(in: bytes.span, at: offset) { view } else { nil }
    }

    @Test("what the entry says is what the draft said, alone and as a part of a decision", arguments: 0..<12 as Range<UInt64>)
    func entries(seed: UInt64) throws {
        var texts = DraftTexts(seed: 2000 + seed)
        texts.oddity = 0
        var (bytes, tip, _) = TestLedger.frames(count: 1)
        var reader = DraftReader()
        var expected: [(tree: JSONObject, part: Part?)] = []
        for _ in 0..<60 {
            let text = Array(texts.draft().utf8)
            let draft = try reader.read(text.span)
            let tree = try #require(try JSON(parsing: text).object)
            var writer = FrameWriter(after: tip, synced: tip.seq, key: TestLedger.key)
            let partCount = texts.random.below(3) + 1
            for index in 1...partCount {
                let part = partCount > 1 ? Part(index: index, count: partCount) : nil
                try writer.append(draft, at: Timestamp(microseconds: tip.time.microseconds + 1), part: part)
                expected.append((tree, part))
            }
            bytes += writer.block
            tip = writer.tip
        }
        #expect(firstFailure(bytes) == nil, "seed \(seed)")
        var offset = try #require(frame(in: bytes, at: 0)).frame.upperBound
        for (index, (tree, part)) in expected.enumerated() {
            let view = try #require(frame(in: bytes, at: offset))
            let entry = Entry(view, of: bytes.span)
            #expect(entry.seq == UInt64(index + 2) && view.part == part)
            #expect(tree["action"] == .string(entry.action) && tree["actor"] == .string(entry.actor))
            #expect(tree["body"]?.canonicalBytes() == entry.body)
            #expect(
                tree["justification"] == [
                    "pillar": .string(entry.justification.pillar.rawValue), "reason": .string(entry.justification.reason),
                ])
            var context = tree["context"]?.object ?? [:]
            #expect(entry.id == context["id"]?.string)
            if let part { context["part"] = .array([.number(Double(part.index)), .number(Double(part.count))]) }
            #expect(JSON.object(context).canonicalBytes() == entry.context)
            let payload = bytes.span.copy(view.frame)
            let colon = try #require(payload.firstIndex(of: UInt8(ascii: ":")))
            #expect(Array(payload[(colon + 1)...].dropLast()).isCanonicalJSON, "seed \(seed), entry \(index)")
            offset = view.frame.upperBound
        }
        #expect(offset == bytes.count)
    }

    @Test("the texts of a draft read are those of one put together", arguments: 0..<8 as Range<UInt64>)
    func texts(seed: UInt64) throws {
        var texts = DraftTexts(seed: 3000 + seed)
        texts.oddity = 0
        var reader = DraftReader()
        for _ in 0..<200 {
            let text = Array(texts.draft().utf8)
            let tree = try #require(try JSON(parsing: text).object)
            let read = try reader.read(text.span)
            let made = try Draft(
                action: read.action, actor: read.actor, justification: read.justification, body: JSON(parsing: read.body),
                context: JSON(parsing: read.context).object ?? [:])
            #expect(read == made, "seed \(seed)")
            #expect(read.justification == (try Justification(#require(tree["justification"]))), "seed \(seed)")
            #expect(read.id == tree["context"]?.object?["id"]?.string)
            #expect(read.isReserved == ReservedNames.contains(action: read.action), "\(read.action)")
        }
    }

    @Test("an action is reserved by its first word alone, whole")
    func reserved() throws {
        var reader = DraftReader()
        let names = [
            "ledger", "key", "run", "audit", "anchor", "backup", "record", "lane", "state", "snapshot", "alert", "actor",
            "associate",
            "constitution", "trauma", "patch", "effect",
        ]
        for name in names {
            for (action, isReserved) in [
                (name, true), (name + ".x", true), (name + ".x.y", true), (name + "s", false), (name + "_.x", false),
                ("x." + name, false),
                (String(name.dropLast()), false), (String(name.dropLast()) + ".x", false), ("x" + name + ".y", false),
            ] {
                let text = Array(
                    "{\"action\":\"\(action)\",\"actor\":\"a:b\",\"body\":{},\"justification\":{\"pillar\":\"evolution\",\"reason\":\"\"}}"
                        .utf8)
                #expect(try reader.read(text.span).isReserved == isReserved, "\(action)")
                #expect(ReservedNames.contains(action: action) == isReserved, "\(action)")
            }
        }
    }

    @Test("a seq of any number of digits stands in the entry", arguments: 0...15)
    func seqs(zeros: Int) throws {
        let power = (0..<zeros).reduce(1 as UInt64) { power, _ in power * 10 }
        for seq in [power - 1, power, power + 1, power * 7 + 3, Limits.seq] where seq > 0 && seq <= Limits.seq {
            var tip = ChainTip(emptyLedger: LedgerID(1, 2), key: TestLedger.key.id)
            tip.seq = seq - 1
            var writer = FrameWriter(after: tip, synced: tip.seq, key: TestLedger.key)
            try writer.append(TestLedger.draft(1), at: tip.time)
            let text = String(decoding: writer.block, as: UTF8.self)
            #expect(text.contains("\",\"seq\":\(seq),\"synced\":\(seq - 1),\"time\":\""))
            let view = try #require(frame(in: writer.block, at: 0))
            #expect(view.seq == seq && view.synced == seq - 1)
        }
    }
}
