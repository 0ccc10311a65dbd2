import CanonicalJSON

/// Draws JSON texts as nobody writes them: white space everywhere, members in any order, odd escapes and numbers, and faults.
struct OddTexts {
    var documents: RandomDocuments

    init(seed: UInt64) { documents = RandomDocuments(seed: seed) }

    /// One in so many things is not well-formed; 0 for none.
    var faultRarity = 400

    private static let keys = [
        "a", "b", "aa", "é", "e\u{301}", "", "\n", "\"", "\\", "/", "a\u{0}", "\u{7F}", "\u{D7FF}", "\u{E000}", "\u{FFFD}",
        "\u{FFFF}", "\u{10000}", "\u{1F600}", "\u{10FFFF}", "12345678", "123456789", "1234567\u{E000}", "1234567\u{1F600}",
        "12345678\n", "12345678\u{1F}",
    ]

    private static let numbers = [
        "0", "-0", "0.0", "-0.0", "0e5", "1", "-1", "1.0", "1.50", "10", "1e0", "1E2", "1e+2", "1e-2", "0.1", "0.10",
        "0.000001", "0.0000001", "1e-7", "1e21", "1e20", "100000000000000000000", "1000000000000000000000",
        "9007199254740991", "9007199254740992", "9007199254740993", "12345678", "1234567", "123456789012345",
        "1234567890123456", "0.12345678901234567", "1.7976931348623157e308", "1e308", "5e-324", "4.9e-324", "1e-400", "2.5e-1",
        "12345678.5", "-0.5", "333333333.33333329", "1E30", "4.50", "2e-3", "0.000000000000000000000000001",
    ]

    private static let badTokens = [
        "01", "-", "1.", ".5", "1e", "+1", "1e400", "-1e999", "9007199254740993e1", "tru", "nul", "falsee", "True", "NaN", "'a'",
        "\"", "\"\\x\"", "\"\\u12\"", "\"\\ud800\"", "\"\\udc00\"", "\"\\ud800\\u0041\"", "\"\u{1}\"", "}", "]", ",", ":", "",
        "[1,]", "[,1]", "{,}", "{\"a\":1,}", "{\"a\"}", "{1:2}", "//", "\u{FEFF}", "\u{A0}", "\u{0}", "\"\\", "\"\\u00",
    ]

    private mutating func isFaulty() -> Bool { faultRarity > 0 && documents.generator.chance(faultRarity) }

    mutating func space() -> String {
        guard documents.generator.chance(3) else { return "" }
        return (0..<Int.random(in: 1...3, using: &documents.generator)).map { _ in
            [" ", "\t", "\n", "\r"].randomElement(using: &documents.generator)!
        }.joined()
    }

    mutating func text(depth: Int = 5) -> [UInt8] { bytes(space() + value(depth: depth) + space()) }

    /// A value inside so many arrays and objects.
    mutating func nested(_ depth: Int) -> [UInt8] {
        var (opening, closing) = ("", "")
        for _ in 0..<depth {
            let isObject = documents.generator.chance(2)
            let brother = documents.generator.chance(4)
            opening +=
                space() + (isObject ? "{" + (brother ? "\"z\":[]," : "") + space() + "\"k\":" : "[" + (brother ? "[{}]," : ""))
            closing = (isObject ? "}" : "]") + space() + closing
        }
        return bytes(opening + value(depth: 1) + closing)
    }

    mutating func value(depth: Int) -> String {
        if isFaulty() { return Self.badTokens.randomElement(using: &documents.generator)! }
        switch Int.random(in: 0..<(depth > 0 ? 8 : 4), using: &documents.generator) {
        case 0: return ["true", "false", "null"].randomElement(using: &documents.generator)!
        case 1: return Self.numbers.randomElement(using: &documents.generator)!
        case 2: return JSON.number(documents.number()).canonicalText
        case 3: return string(documents.string())
        case 4, 5: return sequence("[", "]") { $0.value(depth: depth - 1) }
        default: return object(depth: depth)
        }
    }

    private mutating func object(depth: Int) -> String {
        // Few keys to draw from make repetitions, many make long runs to be sorted.
        let drawsFromPool = documents.generator.chance(2)
        let repeats = documents.generator.chance(4)
        var used: Set<[UInt8]> = []
        return sequence("{", "}") { odd in
            var key = ""
            repeat {
                key = drawsFromPool ? Self.keys.randomElement(using: &odd.documents.generator)! : odd.documents.string()
            } while !used.insert(Array(key.utf8)).inserted && !repeats
            return odd.string(key) + odd.space() + ":" + odd.space() + odd.value(depth: depth - 1)
        }
    }

    private mutating func sequence(_ opener: String, _ closer: String, _ item: (inout OddTexts) -> String) -> String {
        let count = Int.random(in: 0...(documents.generator.chance(8) ? 12 : 4), using: &documents.generator)
        var text = opener + space()
        for index in 0..<count {
            if index > 0 { text += space() + "," + space() }
            text += item(&self)
        }
        return text + space() + closer
    }

    /// With any of the escapes that JSON has for a character, or none.
    private mutating func string(_ text: String) -> String {
        let isPlain = documents.generator.chance(2)
        return "\"" + text.unicodeScalars.map { escaped($0, isPlain: isPlain) }.joined() + "\""
    }

    private mutating func escaped(_ scalar: Unicode.Scalar, isPlain: Bool) -> String {
        let short: [Unicode.Scalar: String] = [
            "\u{8}": "\\b", "\t": "\\t", "\n": "\\n", "\u{C}": "\\f", "\r": "\\r", "\"": "\\\"", "\\": "\\\\", "/": "\\/",
        ]
        let mustBeEscaped = scalar.value < 0x20 || scalar == "\"" || scalar == "\\"
        if !mustBeEscaped, isPlain || !documents.generator.chance(5) { return String(scalar) }
        if let short = short[scalar], isPlain || documents.generator.chance(2) { return short }
        return String(scalar).utf16.map { unit in
            let digits = String(unit, radix: 16, uppercase: !isPlain && documents.generator.chance(2))
            return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        }.joined()
    }
}
