/// A number as it stands in a text, split into sign, significant digits and power of ten without any rounding.
struct NumberLiteral {
    /// From the sign, or the first digit, to behind the last character.
    let range: Range<Int>
    let isNegative: Bool
    /// Where the first digit that is not zero stands.
    private(set) var firstDigit = 0
    /// How many digits there are from the first to the last that is not zero; 0 for zero.
    private(set) var digitCount = 0
    /// The leading digits, at most 18 of them, as a number.
    private(set) var head: UInt64 = 0
    /// The power of ten by which the significant digits, read as an integer, are multiplied.
    private(set) var scale = 0

    static let headDigits = 18

    /// Reads the number at `start` (RFC 8259, section 6).
    init(in bytes: Span<UInt8>, at start: Int) throws(JSONError) {
        isNegative = bytes.byte(at: start) == UInt8(ascii: "-")
        let integerStart = isNegative ? start + 1 : start
        let integerEnd = try Self.digitsEnd(in: bytes, from: integerStart)
        if bytes[integerStart] == UInt8(ascii: "0"), integerEnd > integerStart + 1 {
            throw .unexpected(in: bytes, at: integerStart + 1)
        }
        var end = integerEnd
        if bytes.byte(at: end) == UInt8(ascii: ".") { end = try Self.digitsEnd(in: bytes, from: end + 1) }
        let mantissaEnd = end
        var exponent = 0
        if bytes.byte(at: end) | 0x20 == UInt8(ascii: "e") {
            (exponent, end) = try Self.exponent(in: bytes, from: end + 1)
        }
        range = start..<end
        collectDigits(in: bytes, integer: integerStart..<integerEnd, mantissaEnd: mantissaEnd)
        scale = digitCount == 0 ? 0 : scale + exponent
    }

    var isZero: Bool { digitCount == 0 }

    /// Whether the number, as written, is mathematically an integer.
    var isInteger: Bool { scale >= 0 }

    private mutating func collectDigits(in bytes: Span<UInt8>, integer: Range<Int>, mantissaEnd: Int) {
        var seen = 0
        var afterPoint = 0
        for offset in integer.lowerBound..<mantissaEnd {
            let byte = bytes[offset]
            if byte == UInt8(ascii: ".") { continue }
            if offset > integer.upperBound { afterPoint += 1 }
            if seen == 0 {
                if byte == UInt8(ascii: "0") { continue }
                firstDigit = offset
            }
            seen += 1
            if byte != UInt8(ascii: "0") {
                digitCount = seen
                scale = -afterPoint
            }
        }
        guard digitCount > 0 else { return }
        // Zeros between the last significant digit and the point multiply by ten each.
        if scale == 0 { scale = seen - afterPoint - digitCount }
        var leading: UInt64 = 0
        forEachDigit(in: bytes, limit: min(digitCount, Self.headDigits)) { leading = leading * 10 + UInt64($0) }
        head = leading
    }

    /// Calls `body` with the values of the first `limit` significant digits.
    func forEachDigit(in bytes: Span<UInt8>, limit: Int, _ body: (UInt8) -> Void) {
        var left = limit
        var offset = firstDigit
        while left > 0 {
            if bytes[offset] != UInt8(ascii: ".") {
                body(bytes[offset] - UInt8(ascii: "0"))
                left -= 1
            }
            offset += 1
        }
    }
}

extension NumberLiteral {
    private static func digitsEnd(in bytes: Span<UInt8>, from start: Int) throws(JSONError) -> Int {
        let end = CanonicalScanner.digitsEnd(in: bytes, from: start)
        guard end > start else { throw .unexpected(in: bytes, at: start) }
        return end
    }

    /// Reads the exponent behind the letter; the value stops growing long before it can overflow.
    private static func exponent(
        in bytes: Span<UInt8>, from start: Int
    ) throws(JSONError) -> (value: Int, end: Int) {
        let sign = bytes.byte(at: start)
        let hasSign = sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+")
        let digits = hasSign ? start + 1 : start
        let end = try digitsEnd(in: bytes, from: digits)
        var value = 0
        // Far larger than any text is long, so that no number of digits can bring the value back into range.
        let limit = 1 << 58
        for offset in digits..<end {
            value = min(limit, value * 10 + Int(bytes[offset] - UInt8(ascii: "0")))
        }
        return (sign == UInt8(ascii: "-") ? -value : value, end)
    }
}
