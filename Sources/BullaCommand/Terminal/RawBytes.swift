/// Bytes of which nothing is known, for people to look at.
enum RawBytes {
    /// As text where they are text that is safe to print; every other byte as `\x…`, every other character as `\u{…}`.
    static func text(_ bytes: [UInt8]) -> String {
        var parser = Unicode.UTF8.ForwardParser()
        var iterator = bytes.makeIterator()
        var position = 0
        var text = ""
        while true {
            switch parser.parseScalar(from: &iterator) {
            case .valid(let encoded):
                position += encoded.count
                let scalar = Unicode.UTF8.decode(encoded)
                if !Printable.isUnsafe(scalar) {
                    text.unicodeScalars.append(scalar)
                } else if scalar.isASCII {
                    text += "\\x" + hex(UInt8(scalar.value))
                } else {
                    text += "\\u{\(String(scalar.value, radix: 16))}"
                }
            case .error(let length):
                for byte in bytes[position..<position + length] { text += "\\x" + hex(byte) }
                position += length
            case .emptyInput: return text
            }
        }
    }

    static let hexColumnCount = 16

    /// Lines of an offset, 16 bytes, and the same as ASCII.
    static func hexDump(_ bytes: [UInt8], from offset: Int) -> [String] {
        stride(from: 0, to: bytes.count, by: hexColumnCount).map { start in
            let row = bytes[start..<min(start + hexColumnCount, bytes.count)]
            var line = padded(offset + start) + " "
            for column in 0..<hexColumnCount {
                if column == hexColumnCount / 2 { line += " " }
                line += column < row.count ? " " + hex(row[row.startIndex + column]) : "   "
            }
            let ascii = row.map { (0x20..<0x7F).contains($0) ? Character(Unicode.Scalar($0)) : "." }
            return line + "  |" + String(ascii) + "|"
        }
    }

    static func hex(_ byte: UInt8) -> String { (byte < 16 ? "0" : "") + String(byte, radix: 16) }

    /// Offsets are decimal, as everywhere.
    private static func padded(_ offset: Int) -> String {
        let text = String(offset)
        return String(repeating: "0", count: max(0, 10 - text.utf8.count)) + text
    }
}
