import CanonicalJSON
import LedgerFormat

/// Makes what comes from a ledger safe to print: no control character, and nothing that turns text around or cannot be seen, reaches a
/// terminal.
enum Printable {
    /// Text with such characters as `\u{…}`.
    static func text(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isUnsafe) else { return text }
        var safe = ""
        for scalar in text.unicodeScalars {
            if isUnsafe(scalar) { safe += "\\u{\(String(scalar.value, radix: 16))}" } else { safe.unicodeScalars.append(scalar) }
        }
        return safe
    }

    /// A name among others on a line: in quotes where it holds a space, so that none looks like another one with less of them.
    static func name(_ name: String) -> String {
        name.unicodeScalars.contains(where: \.properties.isWhitespace) ? "\"\(name)\"" : name
    }

    /// A text's lines, each safe to print; tabs stay. Swift takes the two bytes of a line's end for one character.
    static func lines(_ text: String) -> [String] {
        text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            let line = line.last == "\r" ? line.dropLast() : line
            return line.split(separator: "\t", omittingEmptySubsequences: false).map { Self.text(String($0)) }
                .joined(separator: "\t")
        }
    }

    /// The beginning of what is too long for a sentence, and how much more there is.
    static func shortened(_ text: String) -> String {
        guard text.unicodeScalars.count > 200 else { return text }
        return String(String.UnicodeScalarView(text.unicodeScalars.prefix(200))) + "… (\(text.utf8.count) bytes)"
    }

    /// Canonical JSON with the same characters as JSON escapes: the same data, safe to print.
    static func json(_ bytes: [UInt8]) -> [UInt8] {
        // All of them are DEL or lie beyond ASCII.
        guard bytes.contains(where: { $0 >= 0x7F }) else { return bytes }
        var safe: [UInt8] = []
        safe.reserveCapacity(bytes.count)
        for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars {
            if isUnsafe(scalar) {
                for unit in UTF16.encode(scalar) ?? UTF16.encodedReplacementCharacter {
                    let digits = String(unit, radix: 16)
                    safe += Array(("\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits).utf8)
                }
            } else {
                safe += Array(UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
            }
        }
        return safe
    }

    /// The same for several lines.
    static func json(lines: [UInt8]) -> [UInt8] {
        Array(lines.split(separator: 0x0A, omittingEmptySubsequences: false).map { json(Array($0)) }.joined(separator: [0x0A]))
    }

    static func json(_ value: JSON) -> String { String(decoding: json(value.canonicalBytes()), as: UTF8.self) }

    /// Indented JSON for people.
    static func pretty(_ value: JSON, indent: String = "") -> String {
        let inner = indent + "  "
        switch value {
        case .object(let object) where !object.isEmpty:
            let lines = object.members.map { "\(inner)\(json(.string($0.key))): \(pretty($0.value, indent: inner))" }
            return "{\n" + lines.joined(separator: ",\n") + "\n\(indent)}"
        case .array(let items) where !items.isEmpty:
            return "[\n" + items.map { inner + pretty($0, indent: inner) }.joined(separator: ",\n") + "\n\(indent)]"
        default: return json(value)
        }
    }

    static func isUnsafe(_ scalar: Unicode.Scalar) -> Bool { scalar.isHidden }
}
