import CanonicalJSON

/// Lower-case hexadecimal, in words of 16 digits.
package enum Hex {
    /// Appends the 16 digits of `word`.
    package static func append(_ word: UInt64, to bytes: inout [UInt8]) {
        bytes.append(littleEndian: [digits(UInt32(word >> 32)), digits(UInt32(truncatingIfNeeded: word))])
    }

    /// Appends the 64 digits of four words in one copy.
    package static func append(_ words: InlineArray<4, UInt64>, to bytes: inout [UInt8]) {
        let halves = InlineArray<8, UInt64> { half in
            let word = words[half >> 1]
            return digits(half & 1 == 0 ? UInt32(word >> 32) : UInt32(truncatingIfNeeded: word))
        }
        bytes.append(littleEndian: halves)
    }

    /// The eight digits of a value, the first in the lowest byte.
    @inline(__always)
    private static func digits(_ value: UInt32) -> UInt64 {
        // Each half goes to its place, then each quarter, then each digit.
        var spread = UInt64(value.byteSwapped)
        spread = (spread | spread << 16) & 0x0000_FFFF_0000_FFFF
        spread = (spread | spread << 8) & 0x00FF_00FF_00FF_00FF
        spread = (spread >> 4 | spread << 8) & 0x0F0F_0F0F_0F0F_0F0F
        let letters = (spread &+ 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101
        return spread &+ 0x3030_3030_3030_3030 &+ letters &* 0x27
    }

    /// Reads 16 digits at `offset`; nil when there are fewer or one is no lower-case hexadecimal digit.
    @inline(__always)
    package static func word(_ bytes: Span<UInt8>, at offset: Int) -> UInt64? {
        guard let first = bytes.fullWord(at: offset), let second = bytes.fullWord(at: offset + 8),
            let high = value(ofEightDigits: first), let low = value(ofEightDigits: second)
        else { return nil }
        return UInt64(high) << 32 | UInt64(low)
    }

    /// Eight digits at once, the first in the lowest byte: links and seals of every entry pass through here.
    @inline(__always)
    private static func value(ofEightDigits text: UInt64) -> UInt32? {
        let ones: UInt64 = 0x0101_0101_0101_0101
        // Bit 6 tells letters from digits; letters are moved to follow the digits, so that every digit is 0x30 plus its value.
        let letters = text >> 6 & ones
        let moved = text &- letters &* 0x27
        let nibbles = moved & (ones &* 0x0F)
        // A value is above 9 if and only if it was a letter.
        let isAboveNine = (nibbles &+ ones &* 6) >> 4 & ones
        guard moved & (ones &* 0xF0) == ones &* 0x30, isAboveNine == letters, text & (ones &* 0x80) == 0 else { return nil }
        let bytes = (nibbles << 4 | nibbles >> 8) & 0x00FF_00FF_00FF_00FF
        let pairs = (bytes | bytes >> 8) & 0x0000_FFFF_0000_FFFF
        return UInt32(truncatingIfNeeded: pairs | pairs >> 16).byteSwapped
    }

    /// The digits of several words as one text.
    package static func text<let count: Int>(_ words: InlineArray<count, UInt64>) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(16 * count)
        for index in 0..<count { append(words[index], to: &bytes) }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Two digits a byte.
    package static func text(of bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        text.reserveCapacity(2 * bytes.count)
        for byte in bytes {
            let pair = digits(UInt32(byte))
            text.append(UInt8(truncatingIfNeeded: pair >> 48))
            text.append(UInt8(truncatingIfNeeded: pair >> 56))
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Reads an even number of lower-case digits; nil when the text is anything else.
    package static func bytes(of text: Span<UInt8>) -> [UInt8]? {
        guard text.count % 2 == 0 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count / 2)
        for index in stride(from: 0, to: text.count, by: 2) {
            guard let high = value(of: text[index]), let low = value(of: text[index + 1]) else { return nil }
            bytes.append(high << 4 | low)
        }
        return bytes
    }

    private static func value(of byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte &- 0x30
        case 0x61...0x66: byte &- 0x57
        default: nil
        }
    }
}
