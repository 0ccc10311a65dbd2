extension Int64 {
    /// The integer that `value` is, or nil if it has a fraction or lies outside the range.
    ///
    /// The standard library's `init(exactly:)` compiles to a call of libm's `trunc`, which this target does not link.
    init?(holding value: Double) {
        guard value >= -0x1p63, value < 0x1p63 else { return nil }
        self.init(value)
        guard Double(self) == value else { return nil }
    }
}

extension FixedWidthInteger {
    /// The integer that `value` is, or nil if it has a fraction or lies outside the range.
    init?(holding value: Double) {
        if let integer = Int64(holding: value) {
            self.init(exactly: integer)
            return
        }
        // From 2^63 on a double is its significand, of 53 bits, times a power of two.
        let significand = Int64(value.significandBitPattern | 1 << 52)
        let shift = Int(value.exponent) - 52
        guard value.isFinite, value.magnitude >= 0x1p63, shift < Self.bitWidth - 1,
            let integer = Self(exactly: value < 0 ? -significand : significand)
        else { return nil }
        let (result, overflow) = integer.multipliedReportingOverflow(by: 1 << shift)
        guard !overflow else { return nil }
        self = result
    }
}
