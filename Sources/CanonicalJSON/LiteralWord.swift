/// JSON's three words.
enum LiteralWord {
    case `true`, `false`, null

    init?(startingWith byte: UInt8) {
        switch byte {
        case UInt8(ascii: "t"): self = .true
        case UInt8(ascii: "f"): self = .false
        case UInt8(ascii: "n"): self = .null
        default: return nil
        }
    }

    var value: JSON {
        switch self {
        case .true: .bool(true)
        case .false: .bool(false)
        case .null: .null
        }
    }

    /// The letters as a little-endian word, and how many there are.
    var letters: (word: UInt64, length: Int) {
        switch self {
        case .true: (0x6575_7274, 4)
        case .false: (0x65_736C_6166, 5)
        case .null: (0x6C6C_756E, 4)
        }
    }

    /// The offset behind the word, whose first letter is known to stand at `start`.
    @inline(__always)
    func end(in bytes: Span<UInt8>, at start: Int) throws(JSONError) -> Int {
        let (word, length) = letters
        let mask: UInt64 = 1 << UInt64(8 * length) - 1
        let difference = (bytes.word(at: start) ^ word) & mask
        if difference == 0 { return start &+ length }
        throw .unexpected(in: bytes, at: start + difference.trailingZeroBitCount >> 3)
    }
}
