/// A text as Python has it: any code points, lone surrogates among them, which no `String` can hold.
///
/// Compared by code points: é and e with an accent differ. What a journal calls the same lane is decided by this.
package struct PythonText: Hashable, Sendable {
    /// Generalized UTF-8: as UTF-8, and a lone surrogate by the same rule in three bytes. Its order of bytes is that of code points.
    package var bytes: [UInt8]

    package init(_ bytes: [UInt8]) { self.bytes = bytes }

    package init(_ text: String) { bytes = Array(text.utf8) }

    package var isEmpty: Bool { bytes.isEmpty }
}

extension PythonText {
    /// All bytes at once: `Array` would take them one by one.
    package func hash(into hasher: inout Hasher) {
        // The pointer lives as long as the closure, and the hasher only reads through it.
        unsafe bytes.withUnsafeBytes { buffer in unsafe hasher.combine(bytes: buffer) }
        hasher.combine(bytes.count)
    }
}

extension PythonText: Comparable {
    package static func < (left: PythonText, right: PythonText) -> Bool { left.bytes.lexicographicallyPrecedes(right.bytes) }
}

extension PythonText: ExpressibleByStringLiteral {
    package init(stringLiteral text: String) { self.init(text) }
}

extension PythonText {
    mutating func append(codePoint value: UInt32) {
        switch value {
        case 0..<0x80: bytes.append(UInt8(value))
        case 0x80..<0x800:
            bytes.append(0xC0 | UInt8(value >> 6))
            bytes.append(continuation(value))
        case 0x800..<0x10000:
            bytes.append(0xE0 | UInt8(value >> 12))
            bytes.append(continuation(value >> 6))
            bytes.append(continuation(value))
        default:
            bytes.append(0xF0 | UInt8(value >> 18))
            bytes.append(continuation(value >> 12))
            bytes.append(continuation(value >> 6))
            bytes.append(continuation(value))
        }
    }

    private func continuation(_ value: UInt32) -> UInt8 { 0x80 | UInt8(value & 0x3F) }

    /// The text, one code point after the other.
    var codePoints: [UInt32] {
        var points: [UInt32] = []
        points.reserveCapacity(bytes.count)
        var offset = 0
        while offset < bytes.count {
            let (point, length) = bytes.span.codePoint(at: offset)
            points.append(point)
            offset += length
        }
        return points
    }
}

extension Span where Element == UInt8 {
    /// The code point whose first byte is at `offset`, and its length in bytes. The bytes must be generalized UTF-8.
    func codePoint(at offset: Int) -> (point: UInt32, length: Int) {
        let first = self[offset]
        let (length, mask): (Int, UInt8) =
            switch first {
            case 0..<0x80: (1, 0x7F)
            case 0x80..<0xE0: (2, 0x1F)
            case 0xE0..<0xF0: (3, 0x0F)
            default: (4, 0x07)
            }
        var point = UInt32(first & mask)
        for index in offset + 1..<offset + length { point = point << 6 | UInt32(self[index] & 0x3F) }
        return (point, length)
    }
}
