import Lanes
import TestSupport
import Testing

/// What Python's json, int, str and repr answer, compared with python3 itself.
@Suite("Lanes: Python's JSON", .enabled(if: PythonPeer.system != nil, "no python3"))
struct PythonJSONTests {
    private let peer: PythonPeer

    init() throws { peer = try #require(PythonPeer.system) }

    private static let dumps = """
        import json, sys
        for line in sys.stdin:
            text = bytes.fromhex(line).decode("utf-8")
            try:
                written = json.dumps(json.loads(text), sort_keys=True, ensure_ascii=False)
            except ValueError:
                print("bad")
                continue
            print("".join("\\\\u%04x" % ord(c) if 0xD800 <= ord(c) < 0xE000 else c for c in written).encode().hex())
        """

    @Test("the same JSON is read, and written the same", arguments: 1...4 as ClosedRange<UInt64>)
    func written(seed: UInt64) throws {
        var random = RandomJournal(seed: seed)
        try compare(seed: seed, (0..<3000).map { _ in random.value() }, with: Self.dumps) { text in
            guard let value = PythonJSON(reading: Array(text.utf8)) else { return "bad" }
            return hex(value.dumped(keepsOnOneLine: false))
        }
    }

    @Test("floats are written as repr has them", arguments: 1...2 as ClosedRange<UInt64>)
    func floats(seed: UInt64) throws {
        var random = RandomJournal(seed: seed)
        var texts =
            (-330...310).flatMap { ["1e\($0)", "1.5e\($0)", "9.999999999999999e\($0)"] } + ["1e999", "-1e999", "-Infinity"]
        for _ in 0..<6000 {
            let number = Double(bitPattern: UInt64.random(in: 0...UInt64.max, using: &random.generator))
            if number.isFinite { texts.append("\(number)") }
            texts.append("\(Double.random(in: -1e17...1e17, using: &random.generator))")
        }
        try compare(seed: seed, texts, with: Self.dumps) { text in
            hex(try #require(PythonJSON(reading: Array(text.utf8))).dumped(keepsOnOneLine: false))
        }
    }

    @Test("int() reads the same integers", arguments: 1...2 as ClosedRange<UInt64>)
    func integers(seed: UInt64) throws {
        let script = """
            import json, sys
            for line in sys.stdin:
                try:
                    print(int(json.loads(bytes.fromhex(line).decode("utf-8"))))
                except (ValueError, TypeError, OverflowError):
                    print("none")
            """
        var random = RandomJournal(seed: seed)
        let pieces = [
            "1", "0", "_", "+", "-", " ", "\u{a0}", "\\t", "\\u001c", "\\u0085", "٣", "\u{1d7d9}", "²", "９", "x", ".", "e",
            "\\u0000", "\u{200b}",
        ]
        var texts = (0..<4000).map { _ in
            "\"" + (0..<Int.random(in: 0..<5, using: &random.generator)).map { _ in random.pick(pieces) }.joined() + "\""
        }
        texts += (0..<1000).map { _ in random.value(depth: 4) }.filter { PythonJSON(reading: Array($0.utf8)) != nil }
        texts += [
            "\"\(String(repeating: "9", count: 4300))\"", "\"\(String(repeating: "9", count: 4301))\"", "1e308", "-1e308",
            "1e999",
        ]
        texts += [
            "\"\(String(repeating: "0", count: 4301))\"", "4503599627370496.5", "-4503599627370497.5", "9007199254740993e3",
            "0.99",
        ]
        try compare(seed: seed, texts, with: script) { text in
            let value = try #require(PythonJSON(reading: Array(text.utf8)))
            return PythonInteger(of: value).map { String(decoding: $0.text, as: UTF8.self) } ?? "none"
        }
    }

    @Test("int() knows the digits of every script")
    func digits() throws {
        let script = """
            import sys, unicodedata
            for line in sys.stdin:
                text = chr(int(line))
                # A later edition of Unicode than Python's knows more.
                print("unknown" if unicodedata.category(text) == "Cn" else int(text))
            """
        let digits = (0x80...0x10FFFF).compactMap { Unicode.Scalar($0) }.filter {
            $0.properties.generalCategory == .decimalNumber
        }
        #expect(digits.count > 600)
        let answers = try peer.answers(of: script, to: digits.map { String($0.value) })
        #expect(answers.filter { $0 != "unknown" }.count > 600)
        for (digit, answer) in zip(digits, answers) where answer != "unknown" {
            let value = try #require(PythonInteger(of: .text(String(Character(digit)))))
            #expect(String(decoding: value.text, as: UTF8.self) == answer, "U+\(String(digit.value, radix: 16))")
        }
    }

    @Test("str() writes the same text, by which journals tell leases apart", arguments: 1...2 as ClosedRange<UInt64>)
    func texts(seed: UInt64) throws {
        let script = """
            import json, sys
            for line in sys.stdin:
                print(str(json.loads(bytes.fromhex(line).decode("utf-8"))).encode("utf-8", "surrogatepass").hex())
            """
        var random = RandomJournal(seed: seed)
        var texts = (0..<3000).map { _ in random.value() }.filter { PythonJSON(reading: Array($0.utf8)) != nil }
        // Every code point of the first plane, eight of them a text; what only one of both editions of Unicode has is left out.
        let points = (0x20...0xFFFF).compactMap { Unicode.Scalar($0) }.filter { $0.properties.age.map { $0.major < 14 } ?? false }
        texts += stride(from: 0, to: points.count, by: 8).map { start in
            "[\""
                + points[start..<min(start + 8, points.count)].map { $0 == "\"" || $0 == "\\" ? "\\\($0)" : String($0) }.joined()
                + "\"]"
        }
        try compare(seed: seed, texts, with: script) { text in
            hex(try #require(PythonJSON(reading: Array(text.utf8)), "\(text.debugDescription)").pythonText.bytes)
        }
    }

    @Test("lines, white space and bytes that are no UTF-8 are the same", arguments: 1...4 as ClosedRange<UInt64>)
    func lines(seed: UInt64) throws {
        // Lines that are no JSON come back with their numbers and texts.
        let script = """
            import sys
            for line in sys.stdin:
                lines = bytes.fromhex(line).decode("utf-8", "replace").splitlines()
                print(",".join("%d:%s" % (i, l.strip().encode().hex()) for i, l in enumerate(lines[:-1]) if l.strip()))
            """
        var random = RandomJournal(seed: seed)
        let pieces: [[UInt8]] =
            (0x00...0x20).map { [UInt8($0)] } + (0x7E...0xFF).map { [UInt8($0)] }
            + [0x85, 0xA0, 0x1680, 0x180E, 0x2000, 0x200A, 0x200B, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000, 0xFEFF, 0x1F600]
            .map { Array(String(Unicode.Scalar($0 as UInt32)!).utf8) } + [Array("x".utf8), Array("\r\n".utf8)]
        let texts = (0..<4000).map { _ in
            (0..<Int.random(in: 0..<12, using: &random.generator)).flatMap { _ in random.pick(pieces) }
        }
        let answers = try peer.answers(of: script, to: texts.map(hex))
        try #require(answers.count == texts.count)
        for (text, answer) in zip(texts, answers) {
            let entries = try LaneJournal.entries(of: text)
            let own = entries.map { entry in
                guard let line = entry["_line"], let raw = entry["_raw"] else { return "?" }
                return String(decoding: line.pythonText.bytes, as: UTF8.self) + ":" + hex(raw.pythonText.bytes)
            }
            #expect(own.joined(separator: ",") == answer, "seed \(seed), \(hex(text))")
        }
    }

    private func compare(seed: UInt64, _ texts: [String], with script: String, _ own: (String) throws -> String) throws {
        let answers = try peer.answers(of: script, to: texts.map { hex(Array($0.utf8)) })
        try #require(answers.count == texts.count)
        for (text, answer) in zip(texts, answers) {
            let own = try own(text)
            #expect(own == answer, "seed \(seed), \(text.debugDescription)")
        }
    }
}
