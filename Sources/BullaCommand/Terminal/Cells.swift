/// How much room text takes on a terminal, in cells: a Chinese character takes two, an accent none.
package enum Cells {
    /// Nobody writes more marks on one letter than this; whole paragraphs of them draw over other lines.
    private static let scalarCountMax = 10

    package static func width(_ text: String) -> Int { text.reduce(0) { $0 + width($1) } }

    /// Printable text of at most `count` cells; what is cut ends with an ellipsis.
    package static func cut(_ text: String, to count: Int) -> String {
        let text = drawable(text)
        guard width(text) > count else { return text }
        guard count > 0 else { return "" }
        var cut = ""
        var used = 1
        for character in text {
            used += width(character)
            if used > count { break }
            cut.append(character)
        }
        return cut + "…"
    }

    /// The same, filled up with spaces to exactly `count` cells.
    static func fit(_ text: String, to count: Int) -> String {
        let cut = cut(text, to: count)
        return cut + String(repeating: " ", count: max(0, count - width(cut)))
    }

    /// Printable text in lines of at most `count` cells, broken at spaces where there are any.
    package static func wrap(_ text: String, to count: Int) -> [String] {
        var lines: [String] = []
        var line = ""
        for word in drawable(text).split(separator: " ") {
            var word = word
            if !line.isEmpty, width(line) + 1 + width(String(word)) > count {
                lines.append(line)
                line = ""
            }
            while width(String(word)) > count, count > 1 {
                var head = ""
                while let first = word.first, width(head) + width(first) <= count {
                    head.append(first)
                    word.removeFirst()
                }
                lines.append(head)
            }
            line += (line.isEmpty ? "" : " ") + word
        }
        return line.isEmpty ? lines : lines + [line]
    }

    /// What a terminal draws as it is counted here: no control, nothing without a width of its own.
    static func drawable(_ text: String) -> String {
        let text = Printable.text(text)
        if text.utf8.allSatisfy({ $0 < 0x80 }) { return text }
        return String(
            text.map { character in
                width(character) == 0 || character.unicodeScalars.count > scalarCountMax ? "\u{FFFD}" : character
            })
    }

    private static func width(_ character: Character) -> Int {
        if character.isASCII { return 1 }
        var width = 0
        for scalar in character.unicodeScalars {
            // The selector of coloured pictures.
            if scalar.value == 0xFE0F { return 2 }
            width = max(width, Self.width(scalar))
        }
        return width
    }

    private static func width(_ scalar: Unicode.Scalar) -> Int {
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format, .control: return 0
        default: break
        }
        if scalar.properties.isEmojiPresentation { return 2 }
        switch scalar.value {
        // East Asian wide and full-width forms (Unicode TR 11).
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xA960...0xA97F, 0xAC00...0xD7A3, 0xF900...0xFAFF,
            0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F200...0x1F2FF, 0x20000...0x3FFFD:
            return 2
        default: return 1
        }
    }
}
