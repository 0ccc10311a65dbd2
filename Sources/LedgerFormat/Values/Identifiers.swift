/// The random 128-bit name of a ledger: a frame cannot be moved to another ledger.
package struct LedgerID: Sendable, Hashable, CustomStringConvertible {
    let words: (UInt64, UInt64)

    package init(_ high: UInt64, _ low: UInt64) { words = (high, low) }

    /// Reads 32 lower-case hexadecimal digits at `offset`.
    package init?(hex bytes: Span<UInt8>, at offset: Int = 0) {
        guard let high = Hex.word(bytes, at: offset), let low = Hex.word(bytes, at: offset + 16) else { return nil }
        self.init(high, low)
    }

    package init?(_ text: String) {
        guard text.utf8.count == 32 else { return nil }
        self.init(hex: Array(text.utf8).span)
    }

    package static func == (a: LedgerID, b: LedgerID) -> Bool { a.words == b.words }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(words.0)
        hasher.combine(words.1)
    }

    /// 32 lower-case hexadecimal digits.
    package var description: String { Hex.text([words.0, words.1]) }

    package func append(to bytes: inout [UInt8]) {
        Hex.append(words.0, to: &bytes)
        Hex.append(words.1, to: &bytes)
    }
}

/// The name of a sealing key: the first 64 bits of SHA-256 over a label and the key (FORMAT.md §4).
package struct KeyID: Sendable, Hashable, CustomStringConvertible {
    let word: UInt64

    package init(_ word: UInt64) { self.word = word }

    /// Reads 16 lower-case hexadecimal digits at `offset`.
    package init?(hex bytes: Span<UInt8>, at offset: Int = 0) {
        guard let word = Hex.word(bytes, at: offset) else { return nil }
        self.init(word)
    }

    package init?(_ text: String) {
        guard text.utf8.count == 16 else { return nil }
        self.init(hex: Array(text.utf8).span)
    }

    /// 16 lower-case hexadecimal digits.
    package var description: String { Hex.text([word]) }

    package func append(to bytes: inout [UInt8]) { Hex.append(word, to: &bytes) }
}
