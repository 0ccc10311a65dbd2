/// The escapes of canonical JSON (RFC 8785, section 3.2.2.2): two characters where JSON has such a form, else `\u00xx`.
package enum CanonicalEscape {
    /// The letter after the backslash for `byte`, or nil if `byte` has no escape of two characters.
    static func letter(for byte: UInt8) -> UInt8? {
        switch byte {
        case 0x08: UInt8(ascii: "b")
        case 0x09: UInt8(ascii: "t")
        case 0x0A: UInt8(ascii: "n")
        case 0x0C: UInt8(ascii: "f")
        case 0x0D: UInt8(ascii: "r")
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): byte
        default: nil
        }
    }

    /// What the escape of two characters with this letter stands for; `\/` is JSON, but not canonical.
    package static func byte(forLetter letter: UInt8) -> UInt8? {
        switch letter {
        case UInt8(ascii: "b"): 0x08
        case UInt8(ascii: "t"): 0x09
        case UInt8(ascii: "n"): 0x0A
        case UInt8(ascii: "f"): 0x0C
        case UInt8(ascii: "r"): 0x0D
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): letter
        default: nil
        }
    }

    /// The end of the canonical escape whose backslash is at `offset`, or nil if what stands there is none.
    static func end(in bytes: Span<UInt8>, at offset: Int) -> Int? {
        let letter = bytes.byte(at: offset + 1)
        if byte(forLetter: letter) != nil { return offset + 2 }
        guard letter == UInt8(ascii: "u"), let unit = Hexadecimal.unit(in: bytes, at: offset + 2) else { return nil }
        guard unit < 0x20, self.letter(for: UInt8(unit)) == nil else { return nil }
        let last = bytes.byte(at: offset + 5)
        return last >= UInt8(ascii: "A") && last <= UInt8(ascii: "F") ? nil : offset + 6
    }

    /// Reads one byte of the text that a canonical string stands for, and moves `offset` behind it.
    static func nextByte(in bytes: Span<UInt8>, at offset: inout Int) -> UInt8 {
        let first = bytes[offset]
        guard first == UInt8(ascii: "\\") else {
            offset += 1
            return first
        }
        if let plain = byte(forLetter: bytes[offset + 1]) {
            offset += 2
            return plain
        }
        let unit = Hexadecimal.unit(in: bytes, at: offset + 2) ?? 0
        offset += 6
        return UInt8(truncatingIfNeeded: unit)
    }
}

enum Hexadecimal {
    /// The UTF-16 code unit that four hexadecimal digits name, or nil if there are not four.
    static func unit(in bytes: Span<UInt8>, at offset: Int) -> UInt16? {
        var unit: UInt16 = 0
        for index in offset..<offset + 4 {
            guard let digit = digit(bytes.byte(at: index)) else { return nil }
            unit = unit << 4 | UInt16(digit)
        }
        return unit
    }

    static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    static func lowerDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
    }
}
