/// A 256-bit digest: SHA-256 or HMAC-SHA256 (FIPS 180-4, RFC 2104), 32 bytes.
///
/// Comparison takes the same time wherever two digests differ, so that a wrong seal tells nothing about the right one.
package struct Digest: Sendable, Hashable {
    /// The 32 bytes as four big-endian words.
    var words: InlineArray<4, UInt64>

    /// The `prev_hash` of the first entry.
    package static let zero = Digest(words: [0, 0, 0, 0])

    init(words: InlineArray<4, UInt64>) { self.words = words }

    /// Takes exactly 32 bytes.
    package init(bytes: Span<UInt8>) {
        precondition(bytes.count == 32, "a digest has 32 bytes")
        words = InlineArray { word in
            var value: UInt64 = 0
            for index in 0..<8 { value = value << 8 | UInt64(bytes[word * 8 + index]) }
            return value
        }
    }

    package static func == (a: Digest, b: Digest) -> Bool {
        var difference: UInt64 = 0
        for index in 0..<4 { difference |= a.words[index] ^ b.words[index] }
        return difference == 0
    }

    package func hash(into hasher: inout Hasher) {
        for index in 0..<4 { hasher.combine(words[index]) }
    }

    /// The 32 bytes.
    package var bytes: [UInt8] {
        (0..<32).map { UInt8(truncatingIfNeeded: words[$0 / 8] >> UInt64(56 - 8 * ($0 % 8))) }
    }
}

extension Digest: CustomStringConvertible {
    /// 64 lower-case hexadecimal digits.
    package var description: String { Hex.text(words) }

    /// Reads 64 lower-case hexadecimal digits at `offset`; nil when they are anything else.
    package init?(hex bytes: Span<UInt8>, at offset: Int = 0) {
        var words = InlineArray<4, UInt64>(repeating: 0)
        for index in 0..<4 {
            guard let word = Hex.word(bytes, at: offset + 16 * index) else { return nil }
            words[index] = word
        }
        self.init(words: words)
    }

    /// Reads 64 lower-case hexadecimal digits; nil when the text is anything else.
    package init?(_ text: String) {
        guard text.utf8.count == 64 else { return nil }
        self.init(hex: Array(text.utf8).span)
    }

    /// Appends 64 lower-case hexadecimal digits.
    package func append(to bytes: inout [UInt8]) { Hex.append(words, to: &bytes) }
}
