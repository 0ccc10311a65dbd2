extension PythonJSON {
    /// `str(value)`.
    package var pythonText: PythonText {
        if case .text(let text) = self { return text }
        var writer = ReprWriter()
        writer.write(self)
        return writer.text
    }
}

/// Python's `repr` of what JSON can hold.
private struct ReprWriter {
    private(set) var text = PythonText([])

    mutating func write(_ value: PythonJSON) {
        switch value {
        case .null: append("None")
        case .bool(let flag): append(flag ? "True" : "False")
        case .integer(let integer): text.bytes += integer.text
        case .float(let number): append(number.pythonText)
        case .text(let text): quote(text)
        case .array(let items):
            append("[")
            for (index, item) in items.enumerated() {
                if index > 0 { append(", ") }
                write(item)
            }
            append("]")
        case .object(let object):
            append("{")
            for (index, member) in object.members.enumerated() {
                if index > 0 { append(", ") }
                quote(member.name)
                append(": ")
                write(member.value)
            }
            append("}")
        }
    }

    private mutating func append(_ text: String) { self.text.bytes += Array(text.utf8) }

    private mutating func quote(_ text: PythonText) {
        let (single, double) = (UInt8(ascii: "'"), UInt8(ascii: "\""))
        let mark = text.bytes.contains(single) && !text.bytes.contains(double) ? double : single
        self.text.bytes.append(mark)
        for point in text.codePoints { append(point, mark: mark) }
        self.text.bytes.append(mark)
    }

    private mutating func append(_ point: UInt32, mark: UInt8) {
        switch point {
        case 0x09: append("\\t")
        case 0x0A: append("\\n")
        case 0x0D: append("\\r")
        case 0x5C: append("\\\\")
        case UInt32(mark): text.bytes += [0x5C, mark]
        case _ where Self.isPrintable(point): text.append(codePoint: point)
        case 0..<0x100: append("\\x" + Self.hex(point, digitCount: 2))
        case 0x100..<0x10000: append("\\u" + Self.hex(point, digitCount: 4))
        default: append("\\U" + Self.hex(point, digitCount: 8))
        }
    }

    private static func hex(_ point: UInt32, digitCount: Int) -> String {
        let digits = String(point, radix: 16)
        return String(repeating: "0", count: digitCount - digits.utf8.count) + digits
    }

    /// `str.isprintable`, by the standard library's tables: a code point that one edition of Unicode has and another has not may differ.
    private static func isPrintable(_ point: UInt32) -> Bool {
        if point < 0x7F { return point >= 0x20 }
        guard let scalar = Unicode.Scalar(point) else { return false }
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator, .spaceSeparator:
            return false
        default: return true
        }
    }
}
