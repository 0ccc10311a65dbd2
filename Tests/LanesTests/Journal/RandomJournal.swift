import DurableFiles

/// Draws journals, and JSON for them, that lean towards what is hard.
struct RandomJournal {
    var generator: SeededGenerator

    init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

    static let names = [
        "lane", "lane_kind", "tree", "loop_ts", "host_id", "pid", "acquired_at", "heartbeat_at", "ttl_minutes", "holder",
        "run_id", "ts",
        "seq", "lease", "op", "leases", "children", "seq_watermark", "z", "é",
    ]
    /// As they stand between quotes.
    private static let texts = [
        "", "a", "b", "t", "é", "e\u{301}", "\u{2028}", "\u{85}", "x y", "\\ud800", "\\udc00a", "\\ud83d\\ude00", "😀", "\u{7f}",
        "it's",
        "\\\"q\\\"", "'\\\"", "\\\\", "\\n", "\\t7\\r", "\u{200b}", "\u{a0}", "1", "True", "1.5", "['a']", "None", "\u{ffff}",
        "\u{1d7d8}",
        "²", "\u{e50}\u{e51}", "٣", "\\u00857", "-3", "+4", "1_0", "_1", "\u{ad}", "\u{3000}", "\\/", "\\u001c", "\\b\\f",
        "\\ud800\\ud83d\\ude00",
    ]
    private static let numbers = [
        "0", "-0", "1", "7", "-5", "1e3", "1E3", "3.99", "-1.5", "1e16", "1e15", "123456789012345680", "1.0", "-0.0", "0.1",
        "1e-4", "1e-5",
        "1.7976931348623157e308", "5e-324", "9223372036854775808", "123456789012345678901234567890", "NaN", "1e22", "1e23",
        "0.00012345",
        "12345678901234567.0", "9007199254740993.0", "1e100", "-1.9e20", "0.1e+1",
    ]
    private static let badWords = [
        "01", "1.", ".5", "+1", "1e", "-", "0x1", "1_0", "--1", "nan", "Infinit", "True", "-NaN", "\"\\x\"", "\"\t\"",
    ]
    private static let operations = [
        "ACQUIRE", "ACQUIRE", "ACQUIRE", "RELEASE", "SCAVENGE", "HEARTBEAT", "ADOPT", "ADOPT", "RECONCILE", "CHECKPOINT",
        "_CORRUPT",
        "REFUSE", "acquire",
    ]
    private static let identities = [
        "\"a\"", "\"a\"", "\"b\"", "\"c\"", "\"é\"", "\"e\u{301}\"", "\"\"", "null", "1", "\"1\"", "[\"a\"]", "\"['a']\"", "1.0",
        "true",
        "{\"k\": [null, \"it's\"]}", "\"{'k': [None, \\\"it's\\\"]}\"", "1e999", "\"\\ud800\"",
    ]
    private static let junk: [[UInt8]] = [
        [0xFF], [0xC3], [0xE2, 0x80], [0xF0, 0x9F, 0x98], [0xED, 0xA0, 0x80], [0xC0, 0xAF], [0xF4, 0x90, 0x80, 0x80], [0x80],
        [0xE0, 0x80, 0x80], [0xF8, 0x88, 0x80, 0x80, 0x80], [0x22], [0x00], [0x01], [0xE2, 0x80, 0xA8], [0xC2, 0x85],
        [0xF1, 0x80, 0x80],
        [0xC2, 0xA0], [0x1F],
    ]
    private static let lineEnds = [
        "\r\n", "\r", "\u{0B}", "\u{0C}", "\u{1C}", "\u{1D}", "\u{1E}", "\u{85}", "\u{2028}", "\u{2029}", "\n\n",
    ]

    mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &generator) < percent }

    mutating func pick<Element>(_ elements: [Element]) -> Element { elements.randomElement(using: &generator)! }

    mutating func value(depth: Int = 0) -> String {
        switch Int.random(in: 0..<100, using: &generator) {
        case 0..<40: return "\"" + pick(Self.texts) + (chance(20) ? pick(Self.texts) : "") + "\""
        case 40..<64: return pick(Self.numbers)
        case 64..<65: return pick(Self.badWords)
        case 65..<75: return pick(["null", "true", "false"])
        case _ where depth > 3: return "[]"
        case 75..<87:
            let items = (0..<Int.random(in: 0..<4, using: &generator)).map { _ in space() + value(depth: depth + 1) + space() }
            return "[" + items.joined(separator: ",") + (items.isEmpty ? space() : "") + "]"
        default:
            // Sometimes so many members that they are looked up otherwise.
            let count = chance(5) ? 40 : Int.random(in: 0..<5, using: &generator)
            let members = (0..<count).map { _ in
                "\"" + pick(Self.texts + Self.names) + "\"" + space() + ":" + value(depth: count > 9 ? 4 : depth + 1)
            }
            return "{" + space() + members.joined(separator: ",") + "}"
        }
    }

    private mutating func space() -> String { pick(["", "", "", " ", "\t"]) }

    private mutating func lease() -> String {
        var members: [(String, String)] = []
        for name in Self.names.shuffled(using: &generator).prefix(Int.random(in: 0..<7, using: &generator)) {
            members.append((name, name == "lane" || name == "loop_ts" ? pick(Self.identities) : value(depth: 2)))
        }
        return object(members)
    }

    private mutating func entry() -> String {
        let operation = pick(Self.operations)
        var members = [("op", chance(97) ? "\"\(operation)\"" : value())]
        if chance(95) { members.append(("lane", pick(Self.identities))) }
        if chance(80) { members.append(("loop_ts", chance(70) ? "\"t\"" : pick(Self.identities))) }
        if chance(60) {
            members.append(("seq", chance(60) ? String(Int.random(in: 0..<100, using: &generator)) : value(depth: 3)))
        }
        if chance(10) { members.append(("seq_watermark", value(depth: 3))) }
        if chance(50) { members.append(("lease", chance(90) ? lease() : value())) }
        if operation == "CHECKPOINT" {
            let leases = (0..<Int.random(in: 0..<4, using: &generator)).map { _ in chance(90) ? lease() : value() }
            members.append(("leases", chance(90) ? "[" + leases.joined(separator: ", ") + "]" : value()))
        }
        for name in Self.names where chance(12) { members.append((name, value(depth: 1))) }
        members.shuffle(using: &generator)
        return object(members)
    }

    private func object(_ members: [(String, String)]) -> String {
        "{" + members.map { "\"\($0)\": \($1)" }.joined(separator: ", ") + "}"
    }

    mutating func journal() -> [UInt8] {
        var bytes: [UInt8] = []
        for _ in 0..<Int.random(in: 0..<14, using: &generator) {
            var line =
                switch Int.random(in: 0..<100, using: &generator) {
                case 0..<80: Array(entry().utf8)
                case 80..<85: Array(value().utf8)
                case 85..<90: Array(pick(["", " ", "\u{a0}", "junk", "\u{feff}{}", "  x  ", "{\"op\":\"ACQ"]).utf8)
                default: Array(entry().utf8.prefix(Int.random(in: 0..<40, using: &generator)))
                }
            if chance(10) {
                line =
                    Array(pick([" ", "\u{a0}", "\t", "\u{3000}"]).utf8) + line + Array(pick([" ", "\u{1f}", "\u{2007}"]).utf8)
            }
            if chance(12) {
                let index = Int.random(in: 0...line.count, using: &generator)
                line.replaceSubrange(index..<min(line.count, index + (chance(50) ? 1 : 0)), with: pick(Self.junk))
            }
            bytes += line + Array((chance(50) ? "\n" : pick(Self.lineEnds)).utf8)
        }
        if chance(30) { bytes = bytes.dropLast() }
        return bytes
    }
}
