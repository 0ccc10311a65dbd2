/// All decimal digits of a double that is an integer: at most 309 of them.
package struct IntegerExpansion {
    /// Values from 0 to 9, the most significant one first.
    package private(set) var digits: [UInt8] = []

    private static let limbBase: UInt64 = 1_000_000_000

    /// `magnitude` must be at least 2^52, so that its significand is a whole number.
    package init(of magnitude: Double) {
        precondition(magnitude.isFinite && magnitude >= 0x1p52, "not a large integer")
        let significand = magnitude.significandBitPattern | 1 << 52
        var limbs = [significand % Self.limbBase, significand / Self.limbBase]
        var doublings = Int(magnitude.exponent) - 52
        while doublings > 0 {
            let step = min(doublings, 32)
            Self.shiftLeft(&limbs, by: step)
            doublings -= step
        }
        for limb in limbs.reversed() { appendDigits(of: limb) }
        digits.removeFirst(digits.prefix { $0 == 0 }.count)
    }

    private static func shiftLeft(_ limbs: inout [UInt64], by step: Int) {
        var carry: UInt64 = 0
        for index in limbs.indices {
            let product = limbs[index] << UInt64(step) + carry
            limbs[index] = product % limbBase
            carry = product / limbBase
        }
        while carry > 0 {
            limbs.append(carry % limbBase)
            carry /= limbBase
        }
    }

    private mutating func appendDigits(of limb: UInt64) {
        var divisor = Self.limbBase / 10
        while divisor > 0 {
            digits.append(UInt8(limb / divisor % 10))
            divisor /= 10
        }
    }
}
