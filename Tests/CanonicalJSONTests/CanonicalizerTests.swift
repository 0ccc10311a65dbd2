import CanonicalJSON
import Testing

@Suite("Canonicalizer")
struct CanonicalizerTests {
    /// Compares one canonicalizer, which is used for all texts, with the tree.
    private struct Comparison {
        var canonicalizer = Canonicalizer()
        var wellFormed = 0
        var changed = 0
        var faults: [JSONError.Kind: Int] = [:]

        /// Whether both say the same, in the text and in the error.
        mutating func agrees(_ text: [UInt8], maximumDepth: Int = 64) -> Bool {
            let expected = Result { () throws(JSONError) in try JSON(parsing: text, maximumDepth: maximumDepth).canonicalBytes() }
            let found = Result { () throws(JSONError) in
                try canonicalizer.rewrite(text.span, maximumDepth: maximumDepth)
                return canonicalizer.bytes
            }
            switch expected {
            case .success(let bytes):
                wellFormed += 1
                if bytes != text { changed += 1 }
            case .failure(let error): faults[error.kind, default: 0] += 1
            }
            return found == expected
        }

        mutating func expectAgreement(
            _ text: [UInt8], maximumDepth: Int = 64, _ place: @autoclosure () -> String, source: SourceLocation = #_sourceLocation
        ) {
            guard !agrees(text, maximumDepth: maximumDepth) else { return }
            Issue.record(
                "\(place()), depth \(maximumDepth): \(String(decoding: text, as: UTF8.self).debugDescription)",
                sourceLocation: source)
        }
    }

    @Test("odd texts become what the tree makes of them, and are refused as it refuses them", arguments: 0..<24 as Range<UInt64>)
    func oddTexts(seed: UInt64) {
        var odd = OddTexts(seed: seed)
        var comparison = Comparison()
        for index in 0..<1500 {
            odd.faultRarity = index % 2 == 0 ? 0 : 60
            comparison.expectAgreement(odd.text(), "seed \(seed), text \(index)")
        }
        #expect(comparison.wellFormed > 800 && comparison.changed > 600, "seed \(seed)")
        #expect(comparison.faults[.duplicateKey, default: 0] > 10 && comparison.faults.count > 6, "\(comparison.faults)")
    }

    @Test("one changed byte, one missing, one more, and every place to be cut", arguments: 0..<16 as Range<UInt64>)
    func mutations(seed: UInt64) {
        var odd = OddTexts(seed: 1000 + seed)
        odd.faultRarity = 0
        var comparison = Comparison()
        let alphabet = bytes("\"\\{}[]:,0123456789.eE+-untrfalsbd/ \n\t\r\u{0}\u{1F}é\u{E000}😀") + [0x80, 0xBF, 0xC0, 0xED, 0xFF]
        for index in 0..<60 {
            let text = odd.text(depth: 3)
            for _ in 0..<40 {
                var changed = text
                let offset = Int.random(in: 0..<text.count, using: &odd.documents.generator)
                let byte =
                    odd.documents.generator.chance(3)
                    ? UInt8.random(in: 0...255, using: &odd.documents.generator)
                    : alphabet.randomElement(using: &odd.documents.generator)!
                switch Int.random(in: 0..<4, using: &odd.documents.generator) {
                case 0: changed.insert(byte, at: offset)
                case 1: changed.remove(at: offset)
                case 2: changed.swapAt(offset, Int.random(in: 0..<text.count, using: &odd.documents.generator))
                default: changed[offset] = byte
                }
                comparison.expectAgreement(changed, "seed \(seed), text \(index)")
            }
            guard text.count < 400 else { continue }
            for length in 0..<text.count {
                comparison.expectAgreement(Array(text[..<length]), "seed \(seed), text \(index), \(length) bytes of it")
            }
        }
        #expect(comparison.wellFormed > 100 && comparison.faults[.unexpectedEnd, default: 0] > 500, "\(comparison.faults)")
    }

    @Test("nesting around the limit, whatever the limit is", arguments: [0, 1, 2, 3, 47, 48, 63, 64, 65, 200])
    func depth(limit: Int) {
        var odd = OddTexts(seed: UInt64(limit))
        odd.faultRarity = 0
        var comparison = Comparison()
        for index in 0..<300 {
            let depth = max(0, limit + Int.random(in: -3...2, using: &odd.documents.generator))
            comparison.expectAgreement(odd.nested(depth), maximumDepth: limit, "limit \(limit), text \(index)")
        }
        #expect(comparison.faults[.depthExceeded, default: 0] > 30, "\(comparison.faults)")
        #expect(comparison.wellFormed > 30)
    }

    @Test("every malformed text of the parser's tests, and many around it", arguments: CorruptionTests.malformed)
    func malformed(_ sample: CorruptionTests.Case) {
        var comparison = Comparison()
        for (before, behind) in [("", ""), ("[", "]"), ("{\"b\":1, \"a\":", "}"), ("{\"b\":{\"y\":0,\"x\":0},\"a\":[", "]}")] {
            comparison.expectAgreement(bytes(before) + sample.text + bytes(behind), "\(before)…\(behind)")
            comparison.expectAgreement(bytes(" " + before) + sample.text, " \(before)…")
        }
        #expect(parseFault(sample.text) == sample.error)
    }

    @Test(
        "what comes out",
        arguments: [
            (" { } ", "{}"), ("[ ]", "[]"), ("\t[1 ,\r\n2]", "[1,2]"), ("{\"b\":1,\"a\":2}", #"{"a":2,"b":1}"#),
            (#"{"b" : { "d":1, "c":[ 2 ] } , "a" :"x y"}"#, #"{"a":"x y","b":{"c":[2],"d":1}}"#),
            ("{\"\u{E000}\":1,\"\u{10000}\":2,\"\u{FFFF}\":3}", "{\"\u{10000}\":2,\"\u{E000}\":1,\"\u{FFFF}\":3}"),
            (#"{"\\":1,"[":2,"\n":3," ":4}"#, #"{"\n":3," ":4,"[":2,"\\":1}"#), (#"{"b":1,"\u0061":2}"#, #"{"a":2,"b":1}"#),
            (#"{"ab":1,"a":2,"":3}"#, #"{"":3,"a":2,"ab":1}"#), ("[1.0,1e2,-0,0.10]", "[1,100,0,0.1]"),
            (#""\u00e9\/\u0041""#, "\"é/A\""), (" true ", "true"),
            ("{\"b\":[{\"z\":0,\"y\":0}],\"c\":0}", #"{"b":[{"y":0,"z":0}],"c":0}"#),
        ])
    func fixed(text: String, expected: String) throws {
        var canonicalizer = Canonicalizer()
        try canonicalizer.rewrite(bytes(text).span)
        #expect(String(decoding: canonicalizer.bytes, as: UTF8.self) == expected)
        try canonicalizer.rewrite(bytes(expected).span)
        #expect(String(decoding: canonicalizer.bytes, as: UTF8.self) == expected)
    }

    @Test(
        "of several repeated keys the earliest is named, also behind members that were sorted", arguments: 0..<8 as Range<UInt64>)
    func duplicates(seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        var comparison = Comparison()
        for _ in 0..<500 {
            let keys = (0..<Int.random(in: 2...9, using: &generator)).map { _ in
                ["a", "\\u0061", "b", "\\n", "\\u000a", "é", "\\u00e9", "\u{1F600}", "\\ud83d\\ude00", "\u{FFFD}"]
                    .randomElement(using: &generator)!
            }
            let object = "{" + keys.map { "\"\($0)\":{\"y\":0,\"x\":0}" }.joined(separator: ", ") + "}"
            comparison.expectAgreement(bytes(object), "seed \(seed)")
            comparison.expectAgreement(bytes("{\"z\":0,\"y\":\(object)}"), "seed \(seed)")
            comparison.expectAgreement(bytes("[{\"z\":0,\"y\":0},\(object)"), "seed \(seed)")
        }
        #expect(comparison.faults[.duplicateKey, default: 0] > 300 && comparison.wellFormed > 20)
    }

    @Test("an error, and a long text, leave nothing for the next one")
    func reuse() throws {
        var canonicalizer = Canonicalizer()
        let long = bytes(
            "{" + (0..<2000).reversed().map { "\"k\($0)\": [\($0), {\"b\":1,\"a\":2}]" }.joined(separator: ", ") + "}")
        let broken = [
            "{\"b\":1,\"a\":", "{\"b\":{\"d\":1,\"c\":2},\"a\":1,\"b\":2}", "[{\"z\":0,\"y\":1}", "{\"b\":1,\"a\":2} x", "",
        ]
        for text in [long] + broken.map(bytes) {
            let expected = Result { () throws(JSONError) in try JSON(parsing: text).canonicalBytes() }
            let found = Result { () throws(JSONError) in
                try canonicalizer.rewrite(text.span)
                return canonicalizer.bytes
            }
            #expect(found == expected)
            try canonicalizer.rewrite(bytes(" {\"b\":1,\"a\":[]}").span)
            #expect(canonicalizer.bytes == bytes("{\"a\":[],\"b\":1}"))
        }
    }

    @Test("the first line feed is found wherever it stands, among bytes that resemble it", arguments: 0..<8 as Range<UInt64>)
    func lineFeeds(seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        for length in 0..<40 {
            for _ in 0..<50 {
                let text =
                    (0..<length).map { _ in
                        [0x0A, 0x0B, 0x09, 0x8A, 0x00, 0xFF, 0x0D, 0x61, 0x61, 0x61].randomElement(using: &generator)!
                    }
                    as [UInt8]
                let start = Int.random(in: 0...length, using: &generator)
                #expect(text.span.firstLineFeed(from: start) == text[start...].firstIndex(of: 0x0A), "seed \(seed)")
            }
        }
    }
}

extension Result where Failure == JSONError {
    fileprivate init(_ body: () throws(JSONError) -> Success) {
        do throws(JSONError) { self = .success(try body()) } catch { self = .failure(error) }
    }
}
