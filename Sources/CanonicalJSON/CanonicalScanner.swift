/// Decides whether bytes are canonical JSON (RFC 8785) without reading them into values and without allocating.
///
/// It accepts exactly the bytes that the writer gives back after the parser has read them. A scanner may be used for many
/// values one after the other; after an error its position is undefined.
package struct CanonicalScanner: Sendable {
    /// In bytes; where the next value begins.
    package var position: Int

    /// The last keys of the objects around the current one, saved while something nested inside them is read.
    var savedKeyStarts = InlineArray<64, Int>(repeating: 0)
    var savedKeyEnds = InlineArray<64, Int>(repeating: 0)

    package init(at position: Int = 0) {
        self.position = position
    }

    /// The first reason why `bytes` are not exactly one canonical value, or nil if they are.
    package static func firstFault(in bytes: Span<UInt8>, maximumDepth: Int = 64) -> JSONError? {
        var scanner = CanonicalScanner()
        do throws(JSONError) {
            try scanner.skipValue(in: bytes, maximumDepth: maximumDepth)
        } catch {
            return error
        }
        return scanner.position == bytes.count ? nil : JSONError(.trailingBytes, at: scanner.position)
    }

    /// Moves behind the string whose opening quote is at the position.
    package mutating func skipString(in bytes: Span<UInt8>) throws(JSONError) {
        guard bytes.byte(at: position) == UInt8(ascii: "\"") else { throw Self.unexpected(in: bytes, at: position) }
        var escapes = false
        position = try Self.stringEnd(in: bytes, at: position, escapes: &escapes)
    }
}
