/// What makes two traumas the same one come again. It is its bytes; é and e with an accent behind it are two.
package struct Signature: Sendable, Hashable, Comparable, CustomStringConvertible {
    package let text: String

    package static let byteCountMax = 96

    /// - Returns: nil for an empty text, a longer one, and one with blanks or control characters.
    package init?(_ text: String) {
        guard !text.isEmpty, text.utf8.count <= Self.byteCountMax,
            !text.unicodeScalars.contains(where: { $0.value <= 0x20 || (0x7F...0xA0).contains($0.value) })
        else { return nil }
        self.text = text
    }

    // Most differ in Swift's sense already, which is told faster.
    package static func == (one: Signature, other: Signature) -> Bool {
        one.text == other.text && one.text.utf8.elementsEqual(other.text.utf8)
    }
    package static func < (one: Signature, other: Signature) -> Bool { one.text.utf8.lexicographicallyPrecedes(other.text.utf8) }
    // Texts of the same bytes have the same hash.
    package func hash(into hasher: inout Hasher) { hasher.combine(text) }
    package var description: String { text }
}

extension Signature: Codable {
    package init(from decoder: any Decoder) throws {
        guard let signature = Self(try decoder.singleValueContainer().decode(String.self)) else {
            throw DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: "it is no signature"))
        }
        self = signature
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}
