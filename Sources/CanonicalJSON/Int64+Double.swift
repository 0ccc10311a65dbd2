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
