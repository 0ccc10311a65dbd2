/// The canonical text of a number (RFC 8785, section 3.2.2.3; ECMA-262, Number::toString), without allocating.
struct NumberText {
    private var storage = InlineArray<32, UInt8>(repeating: 0)
    private(set) var count = 0

    /// `value` must be finite.
    init(_ value: Double) {
        precondition(value.isFinite, "JSON has no NaN and no infinity")
        let magnitude = value.magnitude
        if value < 0 { append(UInt8(ascii: "-")) }
        if magnitude <= 0x1p53, let integer = Int64(holding: magnitude) {
            appendInteger(integer.magnitude)
        } else {
            append(ShortestDecimal(magnitude: magnitude))
        }
    }

    subscript(index: Int) -> UInt8 { storage[index] }

    /// Lays out the digits: plainly from 1e-6 to below 1e21, else with an exponent.
    private mutating func append(_ decimal: ShortestDecimal) {
        switch decimal.point {
        case decimal.count...21 where decimal.count <= 21:
            appendInteger(decimal.significand)
            for _ in decimal.count..<decimal.point { append(UInt8(ascii: "0")) }
        case 1...21:
            appendDigits(decimal, pointAfter: decimal.point)
        case -5...0:
            append(UInt8(ascii: "0"))
            append(UInt8(ascii: "."))
            for _ in decimal.point..<0 { append(UInt8(ascii: "0")) }
            appendInteger(decimal.significand)
        default:
            appendDigits(decimal, pointAfter: 1)
            append(UInt8(ascii: "e"))
            append(decimal.point > 0 ? UInt8(ascii: "+") : UInt8(ascii: "-"))
            appendInteger(UInt64((decimal.point - 1).magnitude))
        }
    }

    private mutating func appendDigits(_ decimal: ShortestDecimal, pointAfter leading: Int) {
        let start = count
        appendInteger(decimal.significand)
        guard decimal.count > leading else { return }
        append(0)
        var index = count - 1
        while index > start + leading {
            storage[index] = storage[index - 1]
            index -= 1
        }
        storage[index] = UInt8(ascii: ".")
    }

    private mutating func appendInteger(_ value: UInt64) {
        var reversed = InlineArray<20, UInt8>(repeating: 0)
        var digits = 0
        var rest = value
        repeat {
            let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
            reversed[digits] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: digit)
            digits += 1
            rest = quotient
        } while rest > 0
        while digits > 0 {
            digits -= 1
            append(reversed[digits])
        }
    }

    private mutating func append(_ byte: UInt8) {
        storage[count] = byte
        count += 1
    }
}
