import DurableFiles
import LedgerFormat
import TestSupport
import Testing

@Suite("Frames")
struct FrameTests {
    /// What stands at the start of some bytes, told apart.
    private enum Finding: Equatable {
        case frame(Int)
        case padding
        case incomplete(Int)
        case fault(FrameFault)
    }

    private func find(_ bytes: [UInt8], at start: Int = 0) -> Finding {
        switch FrameView.find(in: bytes.span, at: start) {
        case .frame(let view): .frame(view.frame.count)
        case .padding: .padding
        case .incomplete(let atLeast): .incomplete(atLeast)
        case .fault(let fault): .fault(fault)
        }
    }

    private func find(_ text: String) -> Finding { find(Array(text.utf8)) }

    private static let tip = TestLedger.frames(count: 3).tip

    private func fault(_ change: (inout Forge) -> Void) -> FrameFault? {
        if case .fault(let fault) = find(Forge(after: Self.tip, change).frame()) { return fault }
        return nil
    }

    @Test("a forged frame without a change is one, wherever it starts")
    func whole() {
        let frame = Forge(after: Self.tip).frame()
        #expect(find(frame) == .frame(frame.count))
        #expect(find([0x78, 0x0A] + frame + [0], at: 2) == .frame(frame.count))
        #expect(find([0]) == .padding)
        #expect(find([0, 1, 2]) == .padding)
    }

    @Test("each beginning of a frame asks for more, and never for more than there is to come")
    func beginnings() {
        let frame = Forge(after: Self.tip).frame()
        for count in 1..<frame.count {
            guard case .incomplete(let atLeast) = find(Array(frame[..<count])) else {
                Issue.record("\(count) bytes")
                return
            }
            #expect(atLeast > count && atLeast <= frame.count)
        }
    }

    @Test(
        "lengths that are none are refused before anything is made of them",
        arguments: [
            (":{}\n", .length), ("x", .length), ("-1:{}\n", .length), ("+1:x\n", .length), (" 1:x\n", .length),
            ("0:\n", .length), ("00:\n", .length), ("01:x\n", .length), ("0544:{\"entry\":", .length), ("0", .length),
            ("1", nil), ("1048576", nil), ("1048576:", nil), ("1048577:", .payloadTooLong),
            ("9999999:", .payloadTooLong),
            ("10000000:", .payloadTooLong), ("10000000", .payloadTooLong),
            ("99999999999999999999999:", .payloadTooLong),
            ("18446744073709551616:", .payloadTooLong), ("9223372036854775807:", .payloadTooLong),
            ("1.0:x\n", .length), ("1e3:x\n", .length), ("5 :hello\n", .length), ("５:hello\n", .length),
            ("5;hello\n", .length),
            ("\n", .length), ("5\n:hello\n", .length), ("0x5:hello\n", .length),
        ] as [(String, FrameFault?)])
    func lengths(text: String, fault: FrameFault?) {
        switch (find(text), fault) {
        case (.fault(let found), let expected?): #expect(found == expected)
        case (.incomplete(let atLeast), nil): #expect(atLeast <= Limits.frame && atLeast > text.utf8.count)
        case (let found, _): Issue.record("\(found)")
        }
    }

    /// A fuzzer found it: eight zeros were a length that is too long, and the first of them alone no length at all.
    @Test(
        "why a length is none does not depend on how much of it is here",
        arguments: ["00000000:", "012345678:", "09007199254740992"])
    func lengthsInPieces(text: String) {
        for count in 1...text.utf8.count { #expect(find(String(text.prefix(count))) == .fault(.length), "\(count) bytes") }
    }

    @Test("a length that is one off does not end at a line feed, or ends within")
    func wrongLengths() {
        let frame = Forge(after: Self.tip).frame()
        let colon = frame.firstIndex(of: UInt8(ascii: ":"))!
        let length = Int(String(decoding: frame[..<colon], as: UTF8.self))!
        for wrong in [1, 2, 10, length - 1, length + 1] {
            let bytes = Array(String(wrong).utf8) + frame[colon...] + Array("1234567890".utf8)
            #expect(find(bytes) == .fault(.notTerminated), "\(wrong)")
        }
    }

    @Test("payloads of another shape")
    func shapes() {
        let forge = Forge(after: Self.tip)
        let (sig, hash) = forge.seal()
        let payloads = [
            "", "{}", "x", "{\"entry\":}", #"{"entry":\#(forge.entry)}"#,
            #"{"entry":\#(forge.entry),"hash":"\#(hash)"}"#,
            #"{"hash":"\#(hash)","entry":\#(forge.entry),"sig":"\#(sig)"}"#,
            #"{"entry":\#(forge.entry),"hash":"\#(hash)","sig":"\#(sig)","x":1}"#,
            #"{"entry":\#(forge.entry),"hash":"\#(hash.description.uppercased())","sig":"\#(sig)"}"#,
            #"{"entry":\#(forge.entry),"hash":"\#(hash)","sig":"\#(sig.description.dropLast())"}"#,
            #"{"entry":\#(forge.entry),"hash":"\#(hash)" ,"sig":"\#(sig)"}"#,
            #"{"Entry":\#(forge.entry),"hash":"\#(hash)","sig":"\#(sig)"}"#,
            #"{"entry":\#(forge.entry),"sig":"\#(sig)","hash":"\#(hash)"}"#,
            #"{"entry":,"hash":"\#(hash)","sig":"\#(sig)"}"#,
        ]
        for payload in payloads where !payload.isEmpty {
            switch find(Forge.frame(payload: payload)) {
            case .fault(.shape), .fault(.member), .fault(.notCanonical): break
            case let found: Issue.record("\(payload): \(found)")
            }
        }
        #expect(find(Forge.frame(payload: payloads[4])) == .fault(.shape))
        #expect(find("0:\n") == .fault(.length))
    }

    @Test("members that have not their form are named")
    func members() {
        #expect(fault { $0.action = "" } == .member("action"))
        #expect(fault { $0.action = "A.b" } == .member("action"))
        #expect(fault { $0.action = "a." } == .member("action"))
        #expect(fault { $0.actor = "nobody" } == .member("actor"))
        #expect(fault { $0.actor = "user:a\\\"b" } == .member("actor"))
        #expect(fault { $0.actor = "user:\u{7F}" } == .member("actor"))
        #expect(fault { $0.body = "[]" } == .member("body"))
        #expect(fault { $0.body = "1" } == .member("body"))
        #expect(fault { $0.body = "" } == .member("body"))
        #expect(fault { $0.context = "null" } == .member("context"))
        #expect(fault { $0.justification = "{}" } == .member("justification"))
        #expect(fault { $0.justification = #"{"pillar":"luck","reason":""}"# } == .member("pillar"))
        #expect(fault { $0.justification = #"{"pillar":"integrity"}"# } == .member("justification"))
        #expect(fault { $0.justification = #"{"pillar":"integrity","reason":"","x":1}"# } == .member("key"))
        #expect(fault { $0.key = "00" } == .member("key"))
        #expect(fault { $0.key = $0.key.uppercased() } == .member("key"))
        #expect(fault { $0.ledger = "0" + $0.ledger } == .member("prev_hash"))
        #expect(fault { $0.ledger = String($0.ledger.dropLast()) + "g" } == .member("ledger"))
        #expect(fault { $0.previousHash = "" } == .member("prev_hash"))
        for number in [
            "", "-1", "01", "1.0", "1e3", "1E3", "\"1\"", "null", "9007199254740992", "99999999999999999999",
        ] {
            #expect(fault { $0.seq = number } == .member("seq"), "\(number)")
            #expect(fault { $0.synced = number } == .member("synced"), "\(number)")
            #expect(fault { $0.version = number } == .member("v"), "\(number)")
        }
        #expect(fault { $0.time = "2026-02-30T00:00:00.000000Z" } == .member("time"))
        #expect(fault { $0.more = ",\"w\":1" } == .member("members"))
        #expect(fault { $0.more = " " } == .member("members"))
        #expect(fault { $0.version = "0" } == nil, "the chain refuses it")
        #expect(fault { $0.version = "2" } == nil, "the chain calls it later")
    }

    @Test(
        "bytes that are no canonical JSON",
        arguments: [
            #"{"a": 1}"#, #"{"b":1,"a":1}"#, #"{"a":1,"a":1}"#, #"{"a":01}"#, #"{"a":1.0}"#, #"{"a":1e3}"#,
            #"{"a":-0}"#,
            #"{"a":"\u0041"}"#, #"{"a":"\/"}"#, #"{"a":"\ud800"}"#, "{\"a\":\"\u{1}\"}", #"{"a":9007199254740993}"#,
            #"{"a":nan}"#,
            #"{"a":[1,]}"#, #"{"a":1,}"#, #"{"a":}"#, #"{"a":tru}"#, #"{"a":1e400}"#, "{\"a\":\"\n\"}",
        ])
    func canonical(object: String) {
        for fault in [fault { $0.body = object }, fault { $0.context = object }] {
            guard case .notCanonical = fault else {
                Issue.record("\(object): \(String(describing: fault))")
                return
            }
        }
        guard case .notCanonical = fault({ $0.justification = #"{"pillar":"integrity","reason":"\u0041"}"# }) else {
            Issue.record("a reason was accepted")
            return
        }
    }

    @Test(
        "invalid UTF-8 in a string",
        arguments: [[0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xE2, 0x82]])
    func utf8(bad: [UInt8]) {
        var frame = Forge(after: Self.tip) { $0.body = #"{"a":"xxxx"}"# }.frame()
        let at = frame.indices.first { frame[$0...].starts(with: Array("xxxx".utf8)) }!
        for (index, byte) in bad.enumerated() { frame[at + index] = byte }
        guard case .fault(.notCanonical) = find(frame) else {
            Issue.record("accepted")
            return
        }
    }

    @Test("depth: 64 containers on disk, the payload's and the entry's among them")
    func depth() {
        func nested(_ depth: Int) -> String {
            #"{"a":"# + String(repeating: "[", count: depth - 1) + String(repeating: "]", count: depth - 1) + "}"
        }
        #expect(fault { $0.body = nested(62) } == nil)
        #expect(fault { $0.context = nested(62) } == nil)
        #expect(fault { $0.body = nested(63) } != nil)
        #expect(fault { $0.context = nested(63) } != nil)
    }

    @Test(
        "parts",
        arguments: [
            ("{}", nil), (#"{"part":[1,2]}"#, Part(index: 1, count: 2)), (#"{"part":[2,2]}"#, Part(index: 2, count: 2)),
            (#"{"base":1,"id":"part","part":[3,70000],"trace":"x"}"#, Part(index: 3, count: 70000)),
            (#"{"id":"\"part\":[1,2]"}"#, nil), (#"{"a":{"part":[9,1]}}"#, nil), (#"{"parts":[9,1]}"#, nil),
        ] as [(String, Part?)])
    func parts(context: String, part: Part?) {
        let frame = Forge(after: Self.tip) { $0.context = context }.frame()
        guard case .frame(let view) = FrameView.find(in: frame.span, at: 0) else {
            Issue.record("no frame")
            return
        }
        #expect(view.part == part)
    }

    @Test(
        "parts that are none",
        arguments: [
            "[1,1]", "[0,2]", "[3,2]", "[1]", "[]", "[1,2,3]", "1", "\"[1,2]\"", "{}", "[1.5,2]", "[1,2.5]", "[-1,2]",
            "[1,1e+21]",
            "[1,\"2\"]", "[null,2]", "true", "[1e+21,2]", "[[1,2],2]", "[1,[2]]",
        ])
    func badParts(part: String) { #expect(fault { $0.context = "{\"part\":\(part)}" } == .member("part")) }
}

@Suite("Random bytes never stop the reader")
struct FrameFuzzTests {
    @Test("mutations of valid frames are read or refused", arguments: 0..<32 as Range<UInt64>)
    func mutations(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let (good, _, ends) = TestLedger.frames(count: 4)
        let tokens = [
            "0", "9", "-", "\"", "\\", "{", "}", "[", "]", ":", ",", "\n", "\0", "\u{7F}", "part", "1e", ".", "é",
            "\"part\":[",
        ]
        var tally = (frames: 0, faults: 0, incomplete: 0)
        for _ in 0..<2000 {
            var bytes = good
            for _ in 0...random.below(4) {
                let at = random.below(bytes.count)
                switch random.below(6) {
                case 0: bytes[at] ^= 1 << UInt8(random.below(8))
                case 1: bytes[at] = UInt8(truncatingIfNeeded: random.next())
                case 2: bytes.removeSubrange(at..<min(bytes.count, at + 1 + random.below(20)))
                case 3: bytes.insert(contentsOf: Array(tokens[random.below(tokens.count)].utf8), at: at)
                case 4: bytes.removeLast(min(bytes.count - 1, random.below(300)))
                default:
                    let from = random.below(bytes.count)
                    bytes.insert(contentsOf: Array(bytes[from..<min(bytes.count, from + 40)]), at: at)
                }
                if bytes.isEmpty { bytes = [0x31] }
            }
            let start = random.coin() ? 0 : min(ends[random.below(4)], bytes.count - 1)
            switch FrameView.find(in: bytes.span, at: start) {
            case .frame(let view):
                tally.frames += 1
                // Whatever is accepted is canonical, and every part of it lies inside.
                #expect(view.frame.lowerBound == start && view.frame.upperBound <= bytes.count)
                let entry = Entry(view, of: bytes.span)
                #expect(entry.seq == view.seq)
                let payload = Array(bytes[view.payload])
                #expect(payload.isCanonicalJSON)
            case .incomplete(let atLeast):
                tally.incomplete += 1
                #expect(atLeast > bytes.count - start && atLeast <= Limits.frame)
            case .fault: tally.faults += 1
            case .padding: break
            }
        }
        #expect(tally.frames > 50 && tally.faults > 500 && tally.incomplete > 50, "\(tally)")
    }

    @Test("pure noise, and noise of the right letters", arguments: 0..<16 as Range<UInt64>)
    func noise(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let letters = Array("0123456789:{}[]\"entryhashsig,\\u\n\0.-".utf8)
        for _ in 0..<1000 {
            let plain = random.coin()
            let bytes = (0...random.below(400)).map { _ in
                plain ? UInt8(truncatingIfNeeded: random.next()) : letters[random.below(letters.count)]
            }
            for start in stride(from: 0, to: bytes.count, by: 7) { _ = FrameView.find(in: bytes.span, at: start) }
            let finder = FrameFinder(ledger: LedgerID(0, 0), keys: [:])
            #expect(finder.next(in: bytes.span, from: 0) == nil)
            _ = TornTail.objection(to: bytes.span, at: random.below(1000), seq: 5, finder: finder)
            var verifier = ChainVerifier(keys: [:])
            _ = verifier.feed(bytes.span, isEnd: true)
            _ = Head.parses(bytes)
            _ = SealingKey(file: bytes)
            _ = Receipt.all(in: String(decoding: bytes, as: UTF8.self))
        }
    }

    @Test("a valid length around noise", arguments: 0..<16 as Range<UInt64>)
    func framedNoise(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let honest = Array(
            Forge(after: TestLedger.frames(count: 1).tip).frame().drop { $0 != 0x3A }.dropFirst().dropLast())
        for _ in 0..<1000 {
            var payload = honest
            for _ in 0...random.below(3) {
                let at = random.below(payload.count)
                if random.coin() {
                    payload[at] = UInt8(truncatingIfNeeded: random.next())
                } else {
                    payload.remove(at: at)
                }
            }
            let bytes = Array("\(payload.count):".utf8) + payload + [0x0A]
            if case .frame(let view) = FrameView.find(in: bytes.span, at: 0) {
                #expect(Array(bytes[view.payload]).isCanonicalJSON)
            }
        }
    }
}

extension Head {
    fileprivate static func parses(_ bytes: [UInt8]) -> Bool { (try? Head(file: bytes, keys: [:])) != nil }
}
