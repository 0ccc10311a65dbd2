import CanonicalJSON
import DurableFiles

/// Draws texts of drafts: members in any order and spacing, and, now and then, what no draft has.
struct DraftTexts {
    var random: SeededGenerator
    /// How many of a hundred places are wrong.
    var oddity = 10

    init(seed: UInt64) { random = SeededGenerator(seed: seed) }

    private mutating func isOdd() -> Bool { random.below(100) < oddity }

    private mutating func pick(_ texts: [String]) -> String { texts[random.below(texts.count)] }

    mutating func draft() -> String {
        var members = [("action", action()), ("actor", actor()), ("body", body()), ("justification", justification())]
        if random.below(3) > 0 { members.append(("context", context())) }
        if isOdd() { members.remove(at: random.below(members.count)) }
        if isOdd() { members.append(members[random.below(max(1, members.count))]) }
        if isOdd() {
            members.append(
                (pick(["sig", "", "seq", "v", "Action", "bodyé", "contexts", "justificatio"]), pick(["1", "{}", "\"\""])))
        }
        if isOdd() { members[random.below(members.count)].1 = pick(["null", "1", "\"x\"", "[]", "{}", "[{}]", "true"]) }
        let isSorted = random.below(4) == 0
        if isSorted { members.sort { $0.0 < $1.0 } } else { members.shuffle(using: &random) }
        let hasSpaces = !isSorted && random.coin()
        let text = object(members, hasSpaces: hasSpaces)
        if isOdd(), random.below(4) == 0 { return pick(["[\(text)]", text + "}", text + "x", "\u{FEFF}" + text, "", "7", " "]) }
        return hasSpaces ? space() + text + space() : text
    }

    private mutating func space() -> String { pick(["", "", " ", "\t", "\r\n ", "  "]) }

    private mutating func object(_ members: [(String, String)], hasSpaces: Bool) -> String {
        let written = members.map { key, value in
            let name = hasSpaces && random.below(6) == 0 ? escapedLetter(key) : key
            return hasSpaces ? "\(space())\"\(name)\"\(space()):\(space())\(value)\(space())" : "\"\(name)\":\(value)"
        }
        return "{" + written.joined(separator: ",") + "}"
    }

    /// With one of its letters written as an escape.
    private mutating func escapedLetter(_ name: String) -> String {
        guard let first = name.utf8.first else { return name }
        return "\\u00" + (first < 16 ? "0" : "") + String(first, radix: 16) + name.dropFirst()
    }

    private mutating func action() -> String {
        if isOdd() {
            return pick([
                "\"\"", "\"A\"", "\"a.\"", "\".a\"", "\"a..b\"", "\"a b\"", "\"a\\n\"", "\"é\"", "\"a\\u0000\"", "\"a/b\"",
                "\"\\u0041\"",
                "\"\(String(repeating: "a", count: 257))\"", "\"a\\\"b\"",
            ])
        }
        return pick([
            "\"a\"", "\"test.event\"", "\"a_1.b.c\"", "\"\\u0061.b\"", "\"ledger.genesis\"", "\"lane\"", "\"ledgers.x\"",
            "\"run.x\"", "\"effect\"",
            "\"\(String(repeating: "a", count: 256))\"",
        ])
    }

    private mutating func actor() -> String {
        if isOdd() {
            return pick([
                "\"\"", "\"a\"", "\":b\"", "\"a:\"", "\"A:b\"", "\"a:b\\n\"", "\"a:\\\"\"", "\"a:\\\\\"", "\"a:\u{7F}\"",
                "\"é:b\"", "\"a:\\u0001\"",
                "\"a:\(String(repeating: "b", count: 255))\"", "\"a:\\ud800\"",
            ])
        }
        return pick([
            "\"user:ada\"", "\"a:é\"", "\"a:e\u{301}\"", "\"a:\u{1F600} x\"", "\"a:\\u00e9\"", "\"a:b:c\"", "\"a:/\"",
            "\"a:\\/\"", "\"a: \"",
            "\"a:\u{80}\"", "\"a:\(String(repeating: "b", count: 254))\"", "\"a:\\ud83d\\ude00\"",
        ])
    }

    private mutating func body() -> String {
        if isOdd() {
            return pick(["[]", "null", "\"{}\"", "{\"a\":01}", "{\"a\":1e400}", "{\"b\":1,\"a\":1,\"b\":2}", "{\"a\":\"\\x\"}"])
        }
        switch random.below(4) {
        case 0: return "{}"
        case 1: return nested(44 + random.below(4))
        default:
            let members = (0..<random.below(6)).map { number in
                ("\(pick(["k", "é", "\u{E000}", "\u{1F600}", "\\n", "\\u0041", "a\\\"", ""]))\(number)", value(depth: 3))
            }
            return object(members, hasSpaces: random.coin())
        }
    }

    private mutating func value(depth: Int) -> String {
        switch random.below(depth > 0 ? 7 : 5) {
        case 0: return pick(["1", "-1", "1.0", "1e2", "0.5", "-0", "12345678901", "1e21", "1E-7"])
        case 1: return pick(["true", "false", "null"])
        case 2, 3, 4:
            return pick([
                "\"\"", "\"x\"", "\"é\"", "\"\\n\"", "\"\\u000a\"", "\"\\/\"", "\"\u{1F600}\"", "\"\\ud83d\\ude00\"", "\"}}\"",
                "\"\\\"}}\"",
            ])
        case 5:
            return "[" + (0..<random.below(4)).map { _ in value(depth: depth - 1) }.joined(separator: pick([",", ", "])) + "]"
        default:
            return object((0..<random.below(4)).map { ("m\(9 - $0)", value(depth: depth - 1)) }, hasSpaces: random.coin())
        }
    }

    /// An object of so many levels.
    private func nested(_ depth: Int) -> String {
        "{\"a\":" + String(repeating: "[", count: depth - 1) + String(repeating: "]", count: depth - 1) + "}"
    }

    private mutating func context() -> String {
        if isOdd() {
            return pick([
                "[]", "{\"part\":[1,2]}", "{\"x\":1}", "{\"id\":\"\"}", "{\"id\":1}", "{\"base\":0}", "{\"base\":1.5}",
                "{\"causes\":[0]}",
                "{\"reads\":[\"a\"]}", "{\"writes\":\"/a\"}", "{\"trace\":null}", "{\"id\":\"a\",\"id\":\"b\"}",
                "{\"id\":\"\(String(repeating: "c", count: 257))\"}", "null",
            ])
        }
        if random.below(4) == 0 { return pick(["{}", "{ }"]) }
        var members: [(String, String)] = []
        if random.coin() {
            members.append(("id", pick(["\"1\"", "\"é\"", "\"e\u{301}\"", "\"\\u00e9\"", "\"a\\nb\"", "\"\\\"\""])))
        }
        if random.coin() { members.append(("base", pick(["1", "9007199254740991", "1e3"]))) }
        if random.coin() { members.append(("causes", pick(["[]", "[1,2]", "[ 3 ]"]))) }
        if random.coin() { members.append(("reads", pick(["[]", "[\"\",\"/a/~0\"]"]))) }
        if random.coin() { members.append(("writes", pick(["[]", "[\"/~1\", \"/é\"]"]))) }
        if random.coin() { members.append(("trace", "\"00-ab\"")) }
        members.shuffle(using: &random)
        return object(members, hasSpaces: random.coin())
    }

    private mutating func justification() -> String {
        if isOdd() {
            return pick([
                "{}", "[]", "{\"pillar\":\"integrity\"}", "{\"reason\":\"\"}", "{\"pillar\":\"x\",\"reason\":\"\"}",
                "{\"pillar\":1,\"reason\":\"\"}",
                "{\"pillar\":\"integrity\",\"reason\":1}", "{\"pillar\":\"integrity\",\"reason\":\"\",\"x\":1}",
                "{\"a\":1,\"pillar\":\"integrity\",\"reason\":\"\"}", "{\"pillar\":\"integrityx\",\"reason\":\"\"}",
                "{\"pillar\":\"Integrity\",\"reason\":\"\"}", "{\"pillar\":\"integrit\",\"reason\":\"\"}", "\"integrity\"",
            ])
        }
        var members = [
            ("pillar", pick(["\"sovereignty\"", "\"integrity\"", "\"resilience\"", "\"evolution\"", "\"\\u0069ntegrity\""])),
            ("reason", pick(["\"\"", "\"why\"", "\"é \\n \\\\ \\\"\"", "\"\\u000a\"", "\"}}\"", "\"\u{1F600}\u{2028}\""])),
        ]
        if random.coin() { members.reverse() }
        return object(members, hasSpaces: random.coin())
    }
}
