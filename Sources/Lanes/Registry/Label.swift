/// A name that a user gives: of a lane, a class, a unit of work. It is its bytes; é and e with an accent behind it are two.
package struct Label: Sendable, Hashable, Comparable, CustomStringConvertible {
    package let text: String

    package static let byteCountMax = 256

    /// - Returns: nil for an empty text, a longer one, and one with control characters.
    package init?(_ text: String) {
        guard !text.isEmpty, text.utf8.count <= Self.byteCountMax,
            !text.unicodeScalars.contains(where: { $0.value < 0x20 || (0x7F..<0xA0).contains($0.value) })
        else { return nil }
        self.text = text
    }

    // Most differ in Swift's sense already, which is told faster.
    package static func == (one: Label, other: Label) -> Bool {
        one.text == other.text && one.text.utf8.elementsEqual(other.text.utf8)
    }
    package static func < (one: Label, other: Label) -> Bool { one.text.utf8.lexicographicallyPrecedes(other.text.utf8) }
    // Texts of the same bytes have the same hash.
    package func hash(into hasher: inout Hasher) { hasher.combine(text) }
    package var description: String { text }
}
