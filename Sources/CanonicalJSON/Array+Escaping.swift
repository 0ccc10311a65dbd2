extension Array where Element == UInt8 {
    /// Appends a text as a canonical JSON string, with its quotation marks.
    package mutating func append(quoting text: String) {
        append(UInt8(ascii: "\""))
        _ = append(escaping: text.utf8Span.span)
        append(UInt8(ascii: "\""))
    }

    /// Appends `text`, which must be UTF-8, with minimal escapes (RFC 8785, section 3.2.2.2); answers whether none was needed.
    mutating func append(escaping text: Span<UInt8>) -> Bool {
        var runStart = 0
        var position = 0
        while true {
            let escapes = EightBytes.escapes(text.word(at: position))
            guard escapes != 0 else {
                position &+= 8
                continue
            }
            // Beyond its end the text reads as zeros, which count as control characters: the loop always stops here.
            position &+= escapes.trailingZeroBitCount &>> 3
            append(copying: text.extracting(runStart..<Swift.min(position, text.count)))
            if position >= text.count { return runStart == 0 }
            append(escape: text[position])
            position += 1
            runStart = position
        }
    }

    private mutating func append(escape byte: UInt8) {
        append(UInt8(ascii: "\\"))
        if let letter = CanonicalEscape.letter(for: byte) {
            append(letter)
            return
        }
        append(UInt8(ascii: "u"))
        append(UInt8(ascii: "0"))
        append(UInt8(ascii: "0"))
        append(Hexadecimal.lowerDigit(byte >> 4))
        append(Hexadecimal.lowerDigit(byte & 0xF))
    }
}
