import LedgerFormat

/// The random name of a lease: with its token it is the right to the lease. Written as 16 lower-case hexadecimal digits.
package struct LeaseID: Sendable, Hashable, CustomStringConvertible {
    private let word: UInt64

    package init(_ word: UInt64) { self.word = word }

    package init?(_ text: String) {
        guard text.utf8.count == 16, let word = Hex.word(Array(text.utf8).span, at: 0) else { return nil }
        self.init(word)
    }

    package var description: String { Hex.text([word]) }
}
