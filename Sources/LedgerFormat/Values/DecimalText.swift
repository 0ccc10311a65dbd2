import CanonicalJSON

/// A whole number in decimal digits, without an allocation.
struct DecimalText {
    private var digits = InlineArray<20, UInt8>(repeating: 0x30)
    private(set) var count = 0

    init(_ value: UInt64) {
        var rest = value
        repeat {
            let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
            count += 1
            digits[20 - count] = 0x30 + UInt8(truncatingIfNeeded: digit)
            rest = quotient
        } while rest > 0
    }

    func append(to bytes: inout [UInt8]) { bytes.append(copying: digits.span.extracting(20 - count..<20)) }
}
