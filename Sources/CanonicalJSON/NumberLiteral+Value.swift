extension NumberLiteral {
    /// The nearest double; refuses what is too large, and integers that no double holds or names (RFC 7493, section 2.2).
    func value(in bytes: Span<UInt8>) throws(JSONError) -> Double {
        guard !isZero else { return isNegative ? -0.0 : 0.0 }
        if let magnitude = exactlyScaledMagnitude { return isNegative ? -magnitude : magnitude }
        let magnitude = roundedMagnitude(in: bytes)
        guard magnitude.isFinite else { throw JSONError(.numberOutOfRange, at: range.lowerBound) }
        guard !isInteger || names(magnitude, in: bytes) else {
            throw JSONError(.numberNotExact, at: range.lowerBound)
        }
        return isNegative ? -magnitude : magnitude
    }

    /// The magnitude where one correctly rounded operation gives it: both operands are exact doubles.
    ///
    /// With at most 15 digits, every integer is also the shortest form of its double.
    private var exactlyScaledMagnitude: Double? {
        guard digitCount <= 15, scale.magnitude <= 22 else { return nil }
        return scale < 0 ? Double(head) / PowerOfTen.exact(-scale) : Double(head) * PowerOfTen.exact(scale)
    }

    /// Rounds by the standard library, which is handed no more digits than can matter.
    private func roundedMagnitude(in bytes: Span<UInt8>) -> Double {
        let leadingPower = scale + digitCount - 1
        if leadingPower > 400 { return .infinity }
        if leadingPower < -400 { return 0 }
        // Between two doubles lies a number of at most 767 digits; one digit more says on which side of it we are.
        let kept = min(digitCount, 768)
        var text = ""
        forEachDigit(in: bytes, limit: kept) { digit in
            text.unicodeScalars.append(Unicode.Scalar(digit + UInt8(ascii: "0")))
        }
        if kept < digitCount { text += "1" }
        let power = scale + digitCount - text.utf8.count
        guard let value = Double("\(text)e\(power)") else { preconditionFailure("not a number: \(text)e\(power)") }
        return value
    }

    /// Whether this integer is what `magnitude` holds, or the shortest decimal that stands for it.
    private func names(_ magnitude: Double, in bytes: Span<UInt8>) -> Bool {
        // Below 2^53 every integer is a double, and 15 digits or fewer are always the shortest form.
        if magnitude < 0x1p53 || digitCount <= 15 { return true }
        return isShortest(of: magnitude, in: bytes) || isHeld(by: magnitude, in: bytes)
    }

    private func isShortest(of magnitude: Double, in bytes: Span<UInt8>) -> Bool {
        let shortest = ShortestDecimal(magnitude: magnitude)
        return digitCount == shortest.count && scale + digitCount == shortest.point
            && digitCount <= Self.headDigits && head == shortest.significand
    }

    private func isHeld(by magnitude: Double, in bytes: Span<UInt8>) -> Bool {
        // Trailing zeros are powers of five in the significand, which has room for 22. So short texts never cost much.
        guard scale <= 22 else { return false }
        let expansion = IntegerExpansion(of: magnitude)
        guard digitCount + scale == expansion.digits.count else { return false }
        var index = 0
        var agrees = true
        forEachDigit(in: bytes, limit: digitCount) { digit in
            agrees = agrees && digit == expansion.digits[index]
            index += 1
        }
        return agrees && expansion.digits[digitCount...].allSatisfy { $0 == 0 }
    }
}
