/// Secrets that are known by their look, wherever they stand.
enum TokenShapes {
    private struct Shape {
        let prefix: [UInt8]
        let restByteCountMin: Int
        /// What may follow besides letters and digits.
        let others: [UInt8]
        /// Whether the prefix is too short to be trusted within a word.
        let startsWord: Bool
        let needsDigit: Bool

        init(
            _ prefix: String, _ restByteCountMin: Int, _ others: String = "", startsWord: Bool = false,
            needsDigit: Bool = false
        ) {
            self.prefix = Array(prefix.utf8)
            self.restByteCountMin = restByteCountMin
            self.others = Array(others.utf8)
            self.startsWord = startsWord
            self.needsDigit = needsDigit
        }
    }

    private static let shapes: [Shape] = [
        Shape("ghp_", 16), Shape("gho_", 16), Shape("ghu_", 16), Shape("ghs_", 16), Shape("ghr_", 16),
        Shape("github_pat_", 16, "_"),
        Shape("glpat-", 16, "_-."), Shape("gldt-", 16, "_-"), Shape("glrt-", 16, "_-"),
        Shape("xoxa-", 10, "-"), Shape("xoxb-", 10, "-"), Shape("xoxe-", 10, "-"), Shape("xoxp-", 10, "-"),
        Shape("xoxr-", 10, "-"), Shape("xoxs-", 10, "-"), Shape("xapp-", 10, "-", needsDigit: true),
        Shape("AKIA", 16, startsWord: true, needsDigit: true), Shape("ASIA", 16, startsWord: true, needsDigit: true),
        Shape("AIza", 30, "_-"),
        Shape("sk-", 20, "_-", startsWord: true, needsDigit: true),
        Shape("sk_live_", 10), Shape("rk_live_", 10), Shape("sk_test_", 10), Shape("rk_test_", 10), Shape("whsec_", 16),
        Shape("npm_", 30, startsWord: true), Shape("hf_", 30, startsWord: true), Shape("pypi-AgE", 30, "_-"),
        Shape("dop_v1_", 30), Shape("SG.", 30, "._-", startsWord: true, needsDigit: true),
        Shape("ya29.", 20, "_-", startsWord: true), Shape("AGE-SECRET-KEY-1", 30),
    ]
    private static let starts: [Bool] = {
        var starts = [Bool](repeating: false, count: 256)
        for shape in shapes { starts[Int(shape.prefix[0])] = true }
        return starts
    }()

    private static let keyBegin = Array("-----BEGIN ".utf8)
    private static let keyEnd = Array("-----END ".utf8)
    private static let dashes = Array("-----".utf8)

    static func ranges(in text: [UInt8]) -> [Range<Int>] {
        var ranges: [Range<Int>] = []
        var index = 0
        while index < text.count {
            if let end = end(in: text, at: index) {
                ranges.append(index..<end)
                index = end
            } else {
                index += 1
            }
        }
        return ranges
    }

    private static func end(in text: [UInt8], at index: Int) -> Int? {
        switch text[index] {
        case UInt8(ascii: "-"): privateKeyEnd(text, index)
        case UInt8(ascii: "e"): webTokenEnd(text, index)
        default: shapeEnd(text, index)
        }
    }

    private static func shapeEnd(_ text: [UInt8], _ index: Int) -> Int? {
        guard starts[Int(text[index])] else { return nil }
        for shape in shapes where text.has(shape.prefix, at: index) {
            if shape.startsWord, isWithinWord(text, index) { continue }
            let start = index + shape.prefix.count
            let end = text.end(of: start, while: { $0.isAlphanumeric || shape.others.contains($0) })
            if end - start < shape.restByteCountMin { continue }
            if shape.needsDigit, !text[start..<end].contains(where: \.isDigit) { continue }
            return end
        }
        return nil
    }

    private static func isWithinWord(_ text: [UInt8], _ index: Int) -> Bool {
        index > 0 && (text[index - 1].isAlphanumeric || text[index - 1] == 0x5F || text[index - 1] == 0x2D)
    }

    /// A JWT: three parts of base64url, the first two JSON objects.
    private static func webTokenEnd(_ text: [UInt8], _ index: Int) -> Int? {
        let dot = UInt8(ascii: ".")
        func part(_ start: Int) -> Int { text.end(of: start, while: { $0.isAlphanumeric || $0 == 0x5F || $0 == 0x2D }) }
        guard text.has("eyJ".utf8, at: index), !isWithinWord(text, index) else { return nil }
        let first = part(index)
        guard first < text.count, text[first] == dot, text.has("eyJ".utf8, at: first + 1) else { return nil }
        let second = part(first + 1)
        return second < text.count && text[second] == dot ? part(second + 1) : second
    }

    /// From a private key's first line to its last, or to the text's end if that is missing.
    private static func privateKeyEnd(_ text: [UInt8], _ index: Int) -> Int? {
        guard text.has(keyBegin, at: index) else { return nil }
        let label = index + keyBegin.count
        let labelEnd = text.end(of: label, while: { $0.isUpper || $0 == 0x20 || $0.isDigit })
        guard text.has(dashes, at: labelEnd), text.text(label..<labelEnd).contains("PRIVATE KEY") else { return nil }
        var end = labelEnd
        while end < text.count, !text.has(keyEnd, at: end) { end += 1 }
        guard end < text.count else { return text.count }
        var close = end + keyEnd.count
        while close < text.count, !text.has(dashes, at: close) { close += 1 }
        return min(close + dashes.count, text.count)
    }
}
