/// The order of keys in canonical JSON: by UTF-16 code units (RFC 8785, section 3.2.3), decided on UTF-8 without converting.
///
/// UTF-8 and UTF-16 order differ in one respect only: code points from U+10000 on begin with a surrogate (D800–DFFF) in
/// UTF-16 and so come before U+E000–U+FFFF, while their UTF-8 lead bytes (F0–F4) come after those of the others (EE, EF).
enum KeyOrder: Equatable {
    case less, equal, greater

    /// Orders two texts by the first byte in which their UTF-8 forms differ.
    @inline(__always)
    static func ofDiffering(_ left: UInt8, _ right: UInt8) -> KeyOrder {
        if left >= 0xEE, right >= 0xEE, (left >= 0xF0) != (right >= 0xF0) {
            return left >= 0xF0 ? .less : .greater
        }
        return left < right ? .less : .greater
    }

    static func compare(_ left: String, _ right: String) -> KeyOrder {
        compare(left.utf8Span.span, right.utf8Span.span)
    }

    @inline(__always)
    static func compare(_ left: Span<UInt8>, _ right: Span<UInt8>) -> KeyOrder {
        let shared = min(left.count, right.count)
        var offset = 0
        while offset < shared {
            let difference = left.word(at: offset) ^ right.word(at: offset)
            if difference != 0 {
                let differing = offset + difference.trailingZeroBitCount >> 3
                if differing >= shared { break }
                return ofDiffering(left[differing], right[differing])
            }
            offset += 8
        }
        return left.count == right.count ? .equal : left.count < right.count ? .less : .greater
    }
}

extension KeyOrder {
    /// Orders two runs of `bytes`, both the inside of a string without escapes.
    @inline(__always)
    static func comparePlain(_ left: Range<Int>, _ right: Range<Int>, in bytes: Span<UInt8>) -> KeyOrder {
        let shared = min(left.count, right.count)
        var offset = 0
        while offset < shared {
            let difference = bytes.word(at: left.lowerBound + offset) ^ bytes.word(at: right.lowerBound + offset)
            if difference != 0 {
                let differing = offset + difference.trailingZeroBitCount >> 3
                if differing >= shared { break }
                return ofDiffering(bytes[left.lowerBound + differing], bytes[right.lowerBound + differing])
            }
            offset += 8
        }
        return left.count == right.count ? .equal : left.count < right.count ? .less : .greater
    }

    /// Orders two runs of `bytes`, both the inside of a string whose escapes are the canonical ones.
    static func compareEscaped(_ left: Range<Int>, _ right: Range<Int>, in bytes: Span<UInt8>) -> KeyOrder {
        var leftOffset = left.lowerBound
        var rightOffset = right.lowerBound
        while leftOffset < left.upperBound, rightOffset < right.upperBound {
            let leftByte = CanonicalEscape.nextByte(in: bytes, at: &leftOffset)
            let rightByte = CanonicalEscape.nextByte(in: bytes, at: &rightOffset)
            if leftByte != rightByte { return ofDiffering(leftByte, rightByte) }
        }
        let leftEnded = leftOffset == left.upperBound
        let rightEnded = rightOffset == right.upperBound
        return leftEnded == rightEnded ? .equal : leftEnded ? .less : .greater
    }
}

extension String {
    /// Whether both texts are the same code points; `==` would also equate é with e and an accent.
    func hasSameBytes(as other: String) -> Bool {
        KeyOrder.compare(self, other) == .equal
    }
}
