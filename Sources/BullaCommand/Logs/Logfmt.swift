import CanonicalJSON

/// `key=value` pairs with blanks between them, as Heroku's router, Go's log packages and Grafana write them.
///
/// Values are text and stay text. `key` alone is true, `key=` is empty, and a key that comes again makes an array of its values:
/// nothing that a line says is lost.
struct Logfmt {
    private let line: [UInt8]
    private var index = 0

    static func body(of line: [UInt8]) throws(LineError) -> JSONObject {
        do throws(UTF8.ValidationError) {
            _ = try UTF8Span(validating: line.span)
        } catch {
            throw LineError(at: error.byteOffsets.lowerBound, "the line is not UTF-8")
        }
        var reader = Logfmt(line: line)
        return try reader.body()
    }

    private init(line: [UInt8]) { self.line = line }

    private mutating func body() throws(LineError) -> JSONObject {
        var values: [String: [JSON]] = [:]
        while true {
            index = line.end(of: index, while: { $0 <= 0x20 })
            guard index < line.count else { break }
            let key = try key()
            values[key, default: []].append(try value())
        }
        return JSONObject(values.map { ($0.key, $0.value.count == 1 ? $0.value[0] : .array($0.value)) })
    }

    private mutating func key() throws(LineError) -> String {
        let end = line.end(of: index, while: { $0 > 0x20 && $0 != UInt8(ascii: "=") && $0 != UInt8(ascii: "\"") })
        if end < line.count, line[end] == UInt8(ascii: "\"") { throw LineError(at: end, "a quotation mark stands in a key") }
        guard end > index else { throw LineError(at: index, "a value has no key") }
        defer { index = end }
        return line.text(index..<end)
    }

    private mutating func value() throws(LineError) -> JSON {
        guard index < line.count, line[index] == UInt8(ascii: "=") else { return true }
        index += 1
        if index < line.count, line[index] == UInt8(ascii: "\"") { return .string(try quoted()) }
        let end = line.end(of: index, while: { $0 > 0x20 && $0 != UInt8(ascii: "\"") })
        if end < line.count, line[end] == UInt8(ascii: "\"") {
            throw LineError(at: end, "a quotation mark stands in a value that does not begin with one")
        }
        defer { index = end }
        return .string(line.text(index..<end))
    }

    /// From the opening quotation mark on; behind the closing one comes a blank or the end.
    private mutating func quoted() throws(LineError) -> String {
        let start = index
        index += 1
        var text: [UInt8] = []
        while true {
            let end = line.end(of: index, while: { $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") })
            text += line[index..<end]
            guard end < line.count else { throw LineError(at: start, "the quotation marks are not closed") }
            index = end
            if line[index] == UInt8(ascii: "\"") { break }
            text += try escaped().utf8
        }
        index += 1
        guard index == line.count || line[index] <= 0x20 else {
            throw LineError(at: index, "a quoted value is followed by something else than a blank")
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// The escapes of JSON, and those that Go's quoting writes besides.
    private mutating func escaped() throws(LineError) -> String {
        let start = index
        guard start + 1 < line.count else { throw LineError(at: start, "an escape has no end") }
        index += 2
        switch line[start + 1] {
        case UInt8(ascii: "\""): return "\""
        case UInt8(ascii: "\\"): return "\\"
        case UInt8(ascii: "/"): return "/"
        case UInt8(ascii: "'"): return "'"
        case UInt8(ascii: "a"): return "\u{07}"
        case UInt8(ascii: "b"): return "\u{08}"
        case UInt8(ascii: "f"): return "\u{0C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "v"): return "\u{0B}"
        case UInt8(ascii: "x"):
            // Beyond ASCII it is a byte of no text.
            if let number = digits(2), number < 0x80 { return String(Unicode.Scalar(UInt8(number))) }
        case UInt8(ascii: "u"): if let scalar = utf16() { return String(scalar) }
        case UInt8(ascii: "U"): if let scalar = digits(8).flatMap(Unicode.Scalar.init) { return String(scalar) }
        default: break
        }
        throw LineError(at: start, "this escape stands for no character")
    }

    /// The scalar whose first or only code unit's digits begin here.
    private mutating func utf16() -> Unicode.Scalar? {
        guard let first = digits(4) else { return nil }
        guard (0xD800..<0xDC00).contains(first) else { return Unicode.Scalar(first) }
        guard line.has("\\u".utf8, at: index) else { return nil }
        index += 2
        guard let second = digits(4), (0xDC00..<0xE000).contains(second) else { return nil }
        return Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
    }

    private mutating func digits(_ count: Int) -> UInt32? {
        guard index + count <= line.count else { return nil }
        var number: UInt32 = 0
        for digit in line[index..<index + count] {
            guard let value = Character(Unicode.Scalar(digit)).hexDigitValue else { return nil }
            number = number << 4 | UInt32(value)
        }
        index += count
        return number
    }
}
