// Strings: "with escapes" or 'as they stand', in one line.
extension TOMLReader {
    mutating func text() throws(ProposalError) -> String {
        let start = offset
        guard let mark = current else { preconditionFailure("a quotation mark was seen") }
        if bytes[offset...].starts(with: [mark, mark, mark]) {
            throw error("texts over several lines are not used in a constitution")
        }
        offset += 1
        var text: [UInt8] = []
        while let byte = current, byte != UInt8(ascii: "\n"), byte != UInt8(ascii: "\r") {
            offset += 1
            if byte == mark { return String(decoding: text, as: UTF8.self) }
            if byte == UInt8(ascii: "\\"), mark == UInt8(ascii: "\"") {
                text += try escaped()
            } else {
                text.append(byte)
            }
        }
        throw error("this text has no end: a quotation mark is missing", at: start)
    }

    /// What a backslash and what follows it stand for.
    private mutating func escaped() throws(ProposalError) -> [UInt8] {
        let start = offset - 1
        let letter = current
        offset += 1
        switch letter {
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "n"): return [0x0A]
        case UInt8(ascii: "f"): return [0x0C]
        case UInt8(ascii: "r"): return [0x0D]
        case UInt8(ascii: "\""): return [0x22]
        case UInt8(ascii: "\\"): return [0x5C]
        case UInt8(ascii: "u"): return try scalar(digitCount: 4, from: start)
        case UInt8(ascii: "U"): return try scalar(digitCount: 8, from: start)
        default: throw error("a backslash stands before b, t, n, f, r, \", \\, u or U only", at: start)
        }
    }

    private mutating func scalar(digitCount: Int, from start: Int) throws(ProposalError) -> [UInt8] {
        let digits = bytes[offset...].prefix(digitCount)
        let text = String(decoding: digits, as: UTF8.self)
        guard digits.count == digitCount, text.allSatisfy(\.isHexDigit), text.utf8.count == digitCount,
            let value = UInt32(text, radix: 16), let scalar = Unicode.Scalar(value)
        else { throw error("this is no character: \(digitCount) hexadecimal digits follow here", at: start) }
        offset += digitCount
        return Array(String(Character(scalar)).utf8)
    }
}
