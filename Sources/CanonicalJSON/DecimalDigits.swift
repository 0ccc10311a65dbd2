/// Decimal digits in a word of eight characters, the first in the lowest byte.
// Without `@usableFromInline` on the type other modules call its functions, whatever these say of inlining.
@usableFromInline
package enum DecimalDigits {
    /// How many digits the word begins with.
    @inlinable @inline(__always)
    package static func count(in word: UInt64) -> Int {
        let values = word ^ 0x3030_3030_3030_3030
        // What is no digit is above 9 now: it has one of the upper four bits, or gets one by adding 6 to the lower seven,
        // which carries nothing into the next byte.
        let sums = (values & 0x7F7F_7F7F_7F7F_7F7F) &+ 0x0606_0606_0606_0606
        return ((values | sums) & 0xF0F0_F0F0_F0F0_F0F0).trailingZeroBitCount &>> 3
    }

    /// The number that eight digits stand for; NULs count as zeros.
    @inlinable @inline(__always)
    package static func value(of word: UInt64) -> UInt64 {
        // Neighbours are put together three times: to numbers of two digits, of four, of eight.
        var value = word & 0x0F0F_0F0F_0F0F_0F0F
        value = (value &* 10 &+ value &>> 8) & 0x00FF_00FF_00FF_00FF
        value = (value &* 100 &+ value &>> 16) & 0x0000_FFFF_0000_FFFF
        return (value &* 10_000 &+ value &>> 32) & 0xFFFF_FFFF
    }
}
