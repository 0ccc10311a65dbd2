/// What the parser and the checker have in common inside strings.
enum StringScan {
    /// The offset of the first quote or backslash from `start` on; all before it is valid UTF-8 without control characters.
    ///
    /// Plain ASCII is handled right here, without calls; all else is left to `otherPlainEnd`.
    @inline(__always)
    static func plainEnd(in bytes: Span<UInt8>, from start: Int) throws(JSONError) -> Int {
        var position = start
        while let word = bytes.fullWord(at: position) {
            let stops = EightBytes.stops(word)
            if stops != 0 {
                position &+= stops.trailingZeroBitCount &>> 3
                let byte = bytes.byte(at: position)
                if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { return position }
                break
            }
            position &+= 8
        }
        return try otherPlainEnd(in: bytes, from: position)
    }

    /// As `plainEnd`, also for other than ASCII, for faults, and for the last bytes.
    @inline(never)
    private static func otherPlainEnd(in bytes: Span<UInt8>, from start: Int) throws(JSONError) -> Int {
        var position = start
        while true {
            // Beyond the end the bytes read as zeros, which count as control characters: the loop always stops there.
            let stops = EightBytes.stops(bytes.word(at: position))
            guard stops != 0 else {
                position &+= 8
                continue
            }
            position &+= stops.trailingZeroBitCount &>> 3
            let byte = bytes.byte(at: position)
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { return position }
            guard byte >= 0x80 else { throw controlOrEnd(in: bytes, at: position) }
            position = try multibyteEnd(in: bytes, from: position)
        }
    }

    @inline(never)
    private static func controlOrEnd(in bytes: Span<UInt8>, at offset: Int) -> JSONError {
        JSONError(offset < bytes.count ? .controlCharacter : .unexpectedEnd, at: min(offset, bytes.count))
    }

    /// The end of a run of UTF-8 sequences of two bytes or more.
    @inline(__always)
    private static func multibyteEnd(in bytes: Span<UInt8>, from start: Int) throws(JSONError) -> Int {
        var position = start
        repeat {
            let length = sequenceLength(in: bytes, at: position)
            guard length > 0 else { throw JSONError(.invalidUTF8, at: position) }
            position &+= length
        } while bytes.byte(at: position) >= 0x80
        return position
    }

    /// The length of the well-formed sequence at `offset`, whose first byte is above 0x7F; 0 if it is ill-formed.
    ///
    /// Only the second byte's range depends on the first (The Unicode Standard, table 3-7): so overlong forms,
    /// surrogates and code points beyond U+10FFFF are kept out.
    @inline(__always)
    private static func sequenceLength(in bytes: Span<UInt8>, at offset: Int) -> Int {
        let second = bytes.byte(at: offset &+ 1)
        let wellFormed: Bool
        let length: Int
        switch bytes[offset] {
        case 0xC2...0xDF: (length, wellFormed) = (2, isContinuation(second))
        case 0xE0: (length, wellFormed) = (3, second >= 0xA0 && second <= 0xBF)
        case 0xED: (length, wellFormed) = (3, second >= 0x80 && second <= 0x9F)
        case 0xE1...0xEF: (length, wellFormed) = (3, isContinuation(second))
        case 0xF0: (length, wellFormed) = (4, second >= 0x90 && second <= 0xBF)
        case 0xF1...0xF3: (length, wellFormed) = (4, isContinuation(second))
        case 0xF4: (length, wellFormed) = (4, second >= 0x80 && second <= 0x8F)
        default: return 0
        }
        guard wellFormed else { return 0 }
        if length > 2, !isContinuation(bytes.byte(at: offset &+ 2)) { return 0 }
        if length > 3, !isContinuation(bytes.byte(at: offset &+ 3)) { return 0 }
        return length
    }

    @inline(__always)
    private static func isContinuation(_ byte: UInt8) -> Bool {
        byte & 0xC0 == 0x80
    }
}
