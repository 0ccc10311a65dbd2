extension CanonicalScanner {
    /// The offset behind the canonical number at `start`, which is a digit or a minus sign.
    ///
    /// With at most 15 significant digits no two decimals share a double, so such a number is canonical if its form is.
    @inline(__always)
    static func numberEnd(in bytes: Span<UInt8>, at start: Int) throws(JSONError) -> Int {
        // Most numbers are short and whole, so that one word shows all of them and what follows.
        if let word = bytes.fullWord(at: start) {
            let digits = DecimalDigits.count(in: word)
            let next = UInt8(truncatingIfNeeded: word &>> UInt64(8 * digits))
            let isWhole = next != UInt8(ascii: ".") && next | 0x20 != UInt8(ascii: "e")
            if 1..<8 ~= digits, isWhole, digits == 1 || word & 0xFF != 0x30 { return start &+ digits }
        }
        let first = bytes.byte(at: start) == UInt8(ascii: "-") ? start &+ 1 : start
        let wholeEnd = digitsEnd(in: bytes, from: first)
        let hasFraction = bytes.byte(at: wholeEnd) == UInt8(ascii: ".")
        let end = hasFraction ? digitsEnd(in: bytes, from: wholeEnd &+ 1) : wholeEnd
        var isPlain = end &- first <= 15 && wholeEnd > first
        if bytes.byte(at: first) == UInt8(ascii: "0") {
            // Either zero itself, without a sign, or a fraction that is not so small as to need an exponent.
            let lengthMaximum = bytes.byte(at: first &+ 2) == UInt8(ascii: "0") ? 8 : 17
            isPlain = hasFraction ? wholeEnd &- first == 1 && end &- first <= lengthMaximum : end &- start == 1
        }
        // A fraction's last zero is one too many; a point without digits is a fault as well.
        if hasFraction, bytes.byte(at: end &- 1) < UInt8(ascii: "1") { isPlain = false }
        if isPlain, bytes.byte(at: end) | 0x20 != UInt8(ascii: "e") { return end }
        return try otherNumberEnd(in: bytes, at: start)
    }

    /// The offset of the first byte from `start` on that is no digit.
    @inline(__always)
    static func digitsEnd(in bytes: Span<UInt8>, from start: Int) -> Int {
        var position = start
        while bytes.byte(at: position) &- UInt8(ascii: "0") < 10 { position &+= 1 }
        return position
    }

    /// Judges the rarer forms by formatting the double that they stand for.
    @inline(never)
    private static func otherNumberEnd(in bytes: Span<UInt8>, at start: Int) throws(JSONError) -> Int {
        let literal = try NumberLiteral(in: bytes, at: start)
        guard literal.isCanonical(in: bytes) else { throw JSONError(.notCanonicalNumber, at: start) }
        return literal.range.upperBound
    }
}

extension NumberLiteral {
    /// Whether the text is what ECMAScript writes for the double nearest to it.
    ///
    /// That double is not computed by correct rounding, which takes long arithmetic or an allocation. It is enough to
    /// find any double whose canonical text this is: the estimate is off by a few units in the last place at most, so
    /// the doubles around it are tried.
    fileprivate func isCanonical(in bytes: Span<UInt8>) -> Bool {
        // Canonical text has 17 significant digits and 25 characters at most.
        guard digitCount <= 17, range.count <= 25 else { return false }
        if isZero { return range.count == 1 }
        let estimate = estimatedMagnitude
        var below = estimate
        var above = estimate
        for _ in 0...Self.estimateErrorMaximum {
            if isText(of: below, in: bytes) || isText(of: above, in: bytes) { return true }
            below = below.nextDown
            above = above.nextUp
        }
        return false
    }

    /// At most 17 roundings lead to the estimate, each wrong by half a unit, which may double once.
    private static var estimateErrorMaximum: Int { 20 }

    private var estimatedMagnitude: Double {
        var estimate = Double(head)
        guard -400...400 ~= scale else { return scale < 0 ? 0 : .infinity }
        var power = scale
        while power >= 22 {
            estimate *= PowerOfTen.exact(22)
            power -= 22
        }
        while power <= -22 {
            estimate /= PowerOfTen.exact(22)
            power += 22
        }
        return power < 0 ? estimate / PowerOfTen.exact(-power) : estimate * PowerOfTen.exact(power)
    }

    private func isText(of magnitude: Double, in bytes: Span<UInt8>) -> Bool {
        guard magnitude.isFinite, magnitude > 0 else { return false }
        let text = NumberText(isNegative ? -magnitude : magnitude)
        guard text.count == range.count else { return false }
        for index in 0..<text.count where text[index] != bytes[range.lowerBound + index] { return false }
        return true
    }
}
