import CanonicalJSON
import Testing

@Suite("Corruption")
struct CorruptionTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let text: [UInt8]
        let kind: JSONError.Kind
        let offset: Int

        init(_ text: String, _ kind: JSONError.Kind, _ offset: Int) { self.init(bytes(text), kind, offset) }

        init(_ text: [UInt8], _ kind: JSONError.Kind, _ offset: Int) {
            self.text = text
            self.kind = kind
            self.offset = offset
        }

        var testDescription: String { String(decoding: text, as: UTF8.self).debugDescription }
        var error: JSONError { JSONError(kind, at: offset) }
    }

    static let malformed: [Case] = [
        Case("", .unexpectedEnd, 0), Case("{", .unexpectedEnd, 1), Case("[", .unexpectedEnd, 1),
        Case("[1", .unexpectedEnd, 2), Case("[1,", .unexpectedEnd, 3), Case("{\"a\"", .unexpectedEnd, 4),
        Case("{\"a\":", .unexpectedEnd, 5), Case("{\"a\":1", .unexpectedEnd, 6), Case("{\"a\":1,", .unexpectedEnd, 7),
        Case("\"", .unexpectedEnd, 1), Case("\"ab", .unexpectedEnd, 3), Case("\"\\", .unexpectedEnd, 2),
        Case("\"\\u00", .unexpectedEnd, 5), Case("tru", .unexpectedEnd, 3), Case("nul", .unexpectedEnd, 3),
        Case("-", .unexpectedEnd, 1), Case("1.", .unexpectedEnd, 2), Case("1e", .unexpectedEnd, 2),
        Case("1e+", .unexpectedEnd, 3), Case("[1,]", .unexpectedByte, 3), Case("[,1]", .unexpectedByte, 1),
        Case("{,}", .unexpectedByte, 1), Case("{\"a\":1,}", .unexpectedByte, 7), Case("{\"a\"1}", .unexpectedByte, 4),
        Case("{1:2}", .unexpectedByte, 1), Case("{\"a\":}", .unexpectedByte, 5), Case("[1}", .unexpectedByte, 2),
        Case("{\"a\":1]", .unexpectedByte, 6), Case("[1;2]", .unexpectedByte, 2), Case("]", .unexpectedByte, 0),
        Case("tRue", .unexpectedByte, 1), Case("falsy", .unexpectedByte, 4), Case("nil", .unexpectedByte, 1),
        Case("NaN", .unexpectedByte, 0), Case("Infinity", .unexpectedByte, 0), Case("-Infinity", .unexpectedByte, 1),
        Case("+1", .unexpectedByte, 0), Case(".5", .unexpectedByte, 0), Case("01", .unexpectedByte, 1),
        Case("-01", .unexpectedByte, 2), Case("1.e5", .unexpectedByte, 2), Case("1.x", .unexpectedByte, 2),
        Case("1ex", .unexpectedByte, 2), Case("'a'", .unexpectedByte, 0), Case("1 2", .trailingBytes, 2),
        Case("1x", .trailingBytes, 1), Case("{}}", .trailingBytes, 2), Case("\"a\"\"", .trailingBytes, 3),
        Case("\u{FEFF}1", .byteOrderMark, 0), Case("\"a\nb\"", .controlCharacter, 2),
        Case("\"a\u{0}b\"", .controlCharacter, 2), Case("[\"\u{1F}\"]", .controlCharacter, 2),
        Case("\"\\x\"", .invalidEscape, 1), Case("\"a\\u12g4\"", .invalidEscape, 2),
        Case("\"\\U0041\"", .invalidEscape, 1),
        Case("\"\\ud800\"", .loneSurrogate, 1), Case("\"a\\udc00\"", .loneSurrogate, 2),
        Case("\"\\ud800\\ud800\"", .loneSurrogate, 1), Case("\"\\ud800\\n\"", .loneSurrogate, 1),
        Case("\"\\udfff\\ud800\"", .loneSurrogate, 1), Case("\"\\ud800\\u0041\"", .loneSurrogate, 1),
        Case("{\"a\":1,\"a\":2}", .duplicateKey, 7), Case("{\"b\":1,\"a\":1,\"b\":1,\"a\":1}", .duplicateKey, 13),
        Case("{\"a\":1,\"\\u0061\":2}", .duplicateKey, 7), Case("{\"x\":{\"b\":0},\"w\":0,\"x\":0}", .duplicateKey, 19),
        Case("1\u{0}", .trailingBytes, 1), Case("[1\u{A0}]", .unexpectedByte, 2),
    ]

    @Test("malformed text is refused with the kind and place of the fault", arguments: malformed)
    func malformedText(_ sample: Case) {
        #expect(parseFault(sample.text) == sample.error)
        #expect(canonicalFault(sample.text) != nil)
    }

    @Test(
        "bytes that are not UTF-8 are refused",
        arguments: [
            [0x80], [0xBF], [0xC0, 0x80], [0xC1, 0xBF], [0xC2], [0xC2, 0x41], [0xE0, 0x80, 0x80], [0xE0, 0x9F, 0xBF],
            [0xE1, 0x80], [0xE1, 0x80, 0x41], [0xED, 0xA0, 0x80], [0xED, 0xBF, 0xBF], [0xEF, 0xBF],
            [0xF0, 0x80, 0x80, 0x80],
            [0xF0, 0x8F, 0xBF, 0xBF], [0xF1, 0x80, 0x80], [0xF1, 0x80, 0x80, 0x41], [0xF4, 0x90, 0x80, 0x80],
            [0xF5, 0x80, 0x80, 0x80], [0xF8, 0x88, 0x80, 0x80, 0x80], [0xFE], [0xFF],
        ] as [[UInt8]])
    func invalidUTF8(sequence: [UInt8]) {
        for prefix in ["", "x", "é", "1234567", "12345678", "😀漢"] {
            let start = bytes("[\"\(prefix)")
            let error = JSONError(.invalidUTF8, at: start.count)
            #expect(parseFault(start + sequence + bytes("\"]")) == error)
            #expect(canonicalFault(start + sequence + bytes("\"]")) == error)
            #expect(parseFault(start + sequence) == error)
            #expect(canonicalFault(start + sequence) == error)
        }
    }

    @Test("every code point passes, and every pair of bytes is judged as the standard library judges it")
    func allUTF8() {
        var all: [UInt8] = bytes("\"")
        for value in 0x80...0x10FFFF as ClosedRange<UInt32> {
            if let scalar = Unicode.Scalar(value) { all += scalar.utf8 }
        }
        all += bytes("\"")
        #expect(canonicalFault(all) == nil)
        #expect(parseFault(all) == nil)
        for first in 0x80...0xFF as ClosedRange<UInt8> {
            for second in 0x80...0xFF as ClosedRange<UInt8> {
                for tail in [[], [0x80], [0x80, 0x80]] as [[UInt8]] {
                    let sequence = [first, second] + tail
                    let isValid = String(validating: sequence, as: UTF8.self) != nil
                    #expect((canonicalFault(bytes("\"") + sequence + bytes("\"")) == nil) == isValid, "\(sequence)")
                }
            }
        }
    }

    @Test(
        "JSON in another than the canonical form is refused by the checker only",
        arguments: [
            Case(" 1", .notCanonicalSpace, 0), Case("[1, 2]", .notCanonicalSpace, 3),
            Case("[ 1]", .notCanonicalSpace, 1),
            Case("{\"a\" :1}", .notCanonicalSpace, 4), Case("{\"a\":1\n}", .notCanonicalSpace, 6),
            Case("{\"b\":1,\"a\":2}", .notCanonicalOrder, 7), Case("{\"ab\":1,\"a\":2}", .notCanonicalOrder, 8),
            Case("{\"\u{E000}\":1,\"\u{10000}\":2}", .notCanonicalOrder, 9),
            Case("{\"\\\\\":1,\"[\":2}", .notCanonicalOrder, 8), Case("{\" \":1,\"\\n\":2}", .notCanonicalOrder, 7),
            Case("{\"x\":{\"b\":[]},\"a\":0}", .notCanonicalOrder, 14),
            Case("\"\\/\"", .notCanonicalEscape, 1), Case("\"\\u0041\"", .notCanonicalEscape, 1),
            Case("\"\\u000A\"", .notCanonicalEscape, 1), Case("\"\\u000a\"", .notCanonicalEscape, 1),
            Case("\"\\u001F\"", .notCanonicalEscape, 1), Case("\"x\\u0022\"", .notCanonicalEscape, 2),
            Case("\"\\ud83d\\ude00\"", .notCanonicalEscape, 1), Case("\"\\u0020\"", .notCanonicalEscape, 1),
        ])
    func notCanonical(_ sample: Case) {
        #expect(parseFault(sample.text) == nil)
        #expect(canonicalFault(sample.text) == sample.error)
        #expect(!survivesRoundTrip(sample.text))
    }

    @Test("trailing white space is no part of a canonical text")
    func trailingSpace() {
        #expect(canonicalFault(bytes("1\n")) == JSONError(.trailingBytes, at: 1))
        #expect(canonicalFault(bytes("{\"a\":1,\"a\":2}")) == JSONError(.duplicateKey, at: 7))
    }

    @Test("the checker accepts a changed byte only if the text is canonical again", arguments: 0..<24 as Range<UInt64>)
    func mutations(seed: UInt64) {
        var random = RandomDocuments(seed: seed)
        let alphabet =
            bytes("\"\\{}[]:,0123456789.eE+-untrfalsbd/ \n\u{0}\u{1F}é\u{E000}😀") + [0x80, 0xBF, 0xC0, 0xED, 0xFF]
        var accepted = 0
        for index in 0..<120 {
            let text = random.value().canonicalBytes()
            for _ in 0..<25 {
                var changed = text
                let offset = Int.random(in: 0..<text.count, using: &random.generator)
                let byte =
                    random.generator.chance(3)
                    ? UInt8.random(in: 0...255, using: &random.generator)
                    : alphabet.randomElement(using: &random.generator)!
                switch Int.random(in: 0..<4, using: &random.generator) {
                case 0: changed.insert(byte, at: offset)
                case 1: changed.remove(at: offset)
                case 2: changed.swapAt(offset, Int.random(in: 0..<text.count, using: &random.generator))
                default: changed[offset] = byte
                }
                let isCanonical = canonicalFault(changed) == nil
                if isCanonical { accepted += 1 }
                #expect(
                    isCanonical == survivesRoundTrip(changed),
                    "seed \(seed), document \(index): \(String(decoding: changed, as: UTF8.self))")
            }
        }
        #expect(accepted > 0)
    }

    @Test("every prefix of a document is refused as cut short", arguments: 0..<8 as Range<UInt64>)
    func prefixes(seed: UInt64) {
        var random = RandomDocuments(seed: seed)
        for _ in 0..<20 {
            let text = JSON.object(random.object(depth: 3)).canonicalBytes()
            for length in 0..<text.count {
                let prefix = Array(text[..<length])
                #expect(parseFault(prefix) != nil && canonicalFault(prefix) != nil, "seed \(seed)")
            }
        }
    }
}
