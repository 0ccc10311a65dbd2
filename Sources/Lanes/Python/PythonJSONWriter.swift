extension PythonJSON {
    /// As `json.dumps(value, sort_keys=True, ensure_ascii=False)` writes it.
    ///
    /// - Parameter keepsOnOneLine: whether characters at which `str.splitlines` cuts are escaped. Python writes U+0085, U+2028 and U+2029 as
    ///   they are, and then reads two broken lines.
    ///
    /// Lone surrogates are escaped in any case, since no UTF-8 has them: there Python fails.
    package func dumped(keepsOnOneLine: Bool) -> [UInt8] {
        var writer = PythonJSONWriter(keepsOnOneLine: keepsOnOneLine)
        writer.write(self)
        return writer.bytes
    }
}

private struct PythonJSONWriter {
    let keepsOnOneLine: Bool
    private(set) var bytes: [UInt8] = []

    init(keepsOnOneLine: Bool) { self.keepsOnOneLine = keepsOnOneLine }

    mutating func write(_ value: PythonJSON) {
        switch value {
        case .null: append("null")
        case .bool(let flag): append(flag ? "true" : "false")
        case .integer(let integer): bytes += integer.text
        case .float(let number) where number.isNaN: append("NaN")
        case .float(let number) where number.isInfinite: append(number < 0 ? "-Infinity" : "Infinity")
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
            let sorted = object.members.sorted { $0.name < $1.name }
            for (index, member) in sorted.enumerated() {
                if index > 0 { append(", ") }
                quote(member.name)
                append(": ")
                write(member.value)
            }
            append("}")
        }
    }

    private mutating func append(_ text: String) { bytes += Array(text.utf8) }

    private mutating func quote(_ text: PythonText) {
        bytes.append(UInt8(ascii: "\""))
        let span = text.bytes.span
        var offset = 0
        while offset < span.count {
            let (point, length) = span.codePoint(at: offset)
            if let escape = escape(of: point) {
                append(escape)
            } else {
                bytes += text.bytes[offset..<offset + length]
            }
            offset += length
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private func escape(of point: UInt32) -> String? {
        switch point {
        case 0x08: "\\b"
        case 0x09: "\\t"
        case 0x0A: "\\n"
        case 0x0C: "\\f"
        case 0x0D: "\\r"
        case 0x22: "\\\""
        case 0x5C: "\\\\"
        case 0x20..<0x80: nil
        case 0..<0x20, 0xD800..<0xE000: unicodeEscape(point)
        default: keepsOnOneLine && PythonSpace.isLineEnd(point) ? unicodeEscape(point) : nil
        }
    }

    private func unicodeEscape(_ point: UInt32) -> String {
        let digits = String(point, radix: 16)
        return "\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits
    }
}
