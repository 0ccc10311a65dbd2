/// The decimal with the fewest digits that rounds to a given double, and of these the nearest (ECMA-262, Number::toString).
///
/// The digits come from the standard library, which finds the same ones but arranges them otherwise.
package struct ShortestDecimal {
    /// The digits as an integer; it has neither leading nor trailing zeros.
    package private(set) var significand: UInt64 = 0
    /// How many digits there are, 17 at most.
    package private(set) var count = 0
    /// How many digits stand before the decimal point, if positive; else minus the number of zeros behind it.
    package private(set) var point = 0

    /// `magnitude` must be positive and finite.
    package init(magnitude: Double) {
        var text = ASCIIBuffer()
        magnitude.write(to: &text)
        var pointSeen = false
        var digitsBeforePoint = 0
        var zeros = 0
        var index = 0
        while index < text.count, text[index] != UInt8(ascii: "e") {
            let byte = text[index]
            index += 1
            if byte == UInt8(ascii: ".") {
                pointSeen = true
                continue
            }
            if !pointSeen { digitsBeforePoint += 1 }
            if byte == UInt8(ascii: "0") {
                // Leading zeros move the point; inner ones count only if another digit follows.
                if count == 0 { digitsBeforePoint -= 1 } else { zeros += 1 }
                continue
            }
            appendDigit(byte - UInt8(ascii: "0"), after: zeros)
            zeros = 0
        }
        point = digitsBeforePoint + text.exponent(from: index)
    }

    private mutating func appendDigit(_ digit: UInt8, after zeros: Int) {
        for _ in 0..<zeros { significand *= 10 }
        significand = significand * 10 + UInt64(digit)
        count += zeros + 1
    }
}

/// Takes the standard library's text of one number without allocating.
private struct ASCIIBuffer: TextOutputStream {
    private var bytes = InlineArray<32, UInt8>(repeating: 0)
    private(set) var count = 0

    subscript(index: Int) -> UInt8 { bytes[index] }

    mutating func write(_ string: String) {
        for byte in string.utf8 { append(byte) }
    }

    /// The entrance that the standard library uses for text that is not in a `String`; without it, it calls `write`.
    mutating func _writeASCII(_ buffer: UnsafeBufferPointer<UInt8>) {
        for index in buffer.indices { append(unsafe buffer[index]) }
    }

    private mutating func append(_ byte: UInt8) {
        bytes[count] = byte
        count += 1
    }

    /// The value of what stands from `start` on: nothing, or `e`, a sign and digits.
    func exponent(from start: Int) -> Int {
        var value = 0
        var isNegative = false
        var index = start + 1
        while index < count {
            switch bytes[index] {
            case UInt8(ascii: "-"): isNegative = true
            case UInt8(ascii: "+"): break
            default: value = value * 10 + Int(bytes[index] - UInt8(ascii: "0"))
            }
            index += 1
        }
        return isNegative ? -value : value
    }
}
