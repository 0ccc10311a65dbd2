/// Replaces what looks like a secret in the arguments of a command by a keyed digest, and leaves the rest legible.
///
/// A heuristic: it knows names (`--password`, `API_KEY=`), places (`curl -u`, `user:pass@host`, headers) and shapes (`ghp_…`, JWT),
/// in arguments and in the shell scripts that are arguments. Equal secrets give equal digests. What is redacted already stays.
package struct Redactor {
    private let digest: ([UInt8]) -> String

    /// Takes the digest of a secret, as text of ASCII letters and digits.
    package init(digest: @escaping ([UInt8]) -> String) { self.digest = digest }

    package func redact(_ arguments: [String]) -> [String] {
        var texts = arguments.map { Array($0.utf8) }
        // A replaced secret may have hidden the bounds of another one. Each pass that finds something leaves fewer bytes
        // outside of markers, so that this ends, and a second redaction has nothing to find.
        while true {
            let found = SecretFinder.secrets(in: texts)
            if found.allSatisfy(\.isEmpty) { break }
            for index in texts.indices { replace(found[index], in: &texts[index]) }
        }
        return texts.map { String(decoding: $0, as: UTF8.self) }
    }

    private func replace(_ secrets: [Range<Int>], in text: inout [UInt8]) {
        for secret in secrets.reversed() {
            text.replaceSubrange(secret, with: marker(Array(text[secret])).utf8)
        }
    }

    /// What stands for a secret.
    func marker(_ secret: [UInt8]) -> String {
        String(decoding: Marker.opening + digest(secret).utf8 + Marker.closing, as: UTF8.self)
    }
}

/// `[redacted:<digest>]`.
enum Marker {
    static let opening = Array("[redacted:".utf8)
    static let closing = Array("]".utf8)

    static func ranges(in text: [UInt8]) -> [Range<Int>] {
        var ranges: [Range<Int>] = []
        var index = 0
        while index < text.count {
            if text.has(opening, at: index) {
                let end = text.end(of: index + opening.count, while: { $0.isAlphanumeric || "+/=_-".utf8.contains($0) })
                if end > index + opening.count, text.has(closing, at: end) {
                    ranges.append(index..<(end + 1))
                    index = end
                }
            }
            index += 1
        }
        return ranges
    }
}

extension [UInt8] {
    func has(_ part: some Collection<UInt8>, at index: Int) -> Bool {
        index >= 0 && index + part.count <= count && self[index..<(index + part.count)].elementsEqual(part)
    }

    /// The first index from `start` whose byte does not match, or the bound.
    func end(of start: Int, before bound: Int? = nil, while matches: (UInt8) -> Bool) -> Int {
        var index = start
        while index < bound ?? count, matches(self[index]) { index += 1 }
        return index
    }

    /// Where the run of matching bytes that ends at `end` starts.
    func start(of end: Int, after bound: Int = 0, while matches: (UInt8) -> Bool) -> Int {
        var index = end
        while index > bound, matches(self[index - 1]) { index -= 1 }
        return index
    }

    func text(_ range: Range<Int>) -> String { String(decoding: self[range], as: UTF8.self) }
}

extension UInt8 {
    var isUpper: Bool { self >= 0x41 && self <= 0x5A }
    var isLower: Bool { self >= 0x61 && self <= 0x7A }
    var isDigit: Bool { self >= 0x30 && self <= 0x39 }
    var isLetter: Bool { isUpper || isLower }
    var isAlphanumeric: Bool { isLetter || isDigit }
    var isBlank: Bool { self == 0x20 || self == 0x09 || self == 0x0A || self == 0x0D }
    var isQuote: Bool { self == UInt8(ascii: "\"") || self == UInt8(ascii: "'") }
    /// In names of options, variables and members.
    var isNameByte: Bool { isAlphanumeric || self == 0x5F || self == 0x2D || self == 0x2E }
}
