/// Lower-case hexadecimal, in words of 16 digits.
package enum Hex {
    private static let digits: InlineArray<16, UInt8> = [
        0x30, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66,
    ]

    /// Appends the 16 digits of `word`.
    package static func append(_ word: UInt64, to bytes: inout [UInt8]) {
        var shift: UInt64 = 64
        while shift > 0 {
            shift -= 4
            bytes.append(digits[Int(word >> shift & 15)])
        }
    }

    /// Reads 16 digits at `offset`; nil when there are fewer or one is no lower-case hexadecimal digit.
    package static func word(_ bytes: Span<UInt8>, at offset: Int) -> UInt64? {
        guard offset >= 0, bytes.count >= 16, offset <= bytes.count - 16 else { return nil }
        var value: UInt64 = 0
        for index in offset..<offset + 16 {
            let byte = bytes[index]
            let digit: UInt8
            switch byte {
            case 0x30...0x39: digit = byte &- 0x30
            case 0x61...0x66: digit = byte &- 0x57
            default: return nil
            }
            value = value << 4 | UInt64(digit)
        }
        return value
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
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
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
