extension PythonText {
    /// UTF-8 as Python reads it with `errors="replace"`: every longest piece that begins no character becomes one U+FFFD.
    package init(decoding bytes: [UInt8]) {
        if (try? UTF8Span(validating: bytes.span)) != nil {
            self.init(bytes)
            return
        }
        var text: [UInt8] = []
        text.reserveCapacity(bytes.count + 16)
        var offset = 0
        while offset < bytes.count {
            let (length, isWhole) = Self.piece(bytes, at: offset)
            if isWhole { text += bytes[offset..<offset + length] } else { text += [0xEF, 0xBF, 0xBD] }
            offset += length
        }
        self.init(text)
    }

    /// How many of the bytes at `offset` are a character, or the longest beginning of one; one byte if they are neither.
    ///
    /// Only the second byte's range depends on the first (The Unicode Standard, table 3-7).
    private static func piece(_ bytes: [UInt8], at offset: Int) -> (length: Int, isWhole: Bool) {
        let (count, second): (Int, ClosedRange<UInt8>)
        switch bytes[offset] {
        case 0..<0x80: return (1, true)
        case 0xC2...0xDF: (count, second) = (2, 0x80...0xBF)
        case 0xE0: (count, second) = (3, 0xA0...0xBF)
        case 0xED: (count, second) = (3, 0x80...0x9F)
        case 0xE1...0xEF: (count, second) = (3, 0x80...0xBF)
        case 0xF0: (count, second) = (4, 0x90...0xBF)
        case 0xF1...0xF3: (count, second) = (4, 0x80...0xBF)
        case 0xF4: (count, second) = (4, 0x80...0x8F)
        default: return (1, false)
        }
        for index in 1..<count {
            let range = index == 1 ? second : 0x80...0xBF
            guard offset + index < bytes.count, range.contains(bytes[offset + index]) else { return (index, false) }
        }
        return (count, true)
    }
}
