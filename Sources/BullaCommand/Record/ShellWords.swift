/// Splits a script into commands, and those into words, as a shell would see them from afar: quotes and escapes are respected,
/// expansions are not made. Ranges are of the text as it stands, with the quotes.
enum ShellWords {
    static func commands(_ text: [UInt8], _ range: Range<Int>) -> [[Range<Int>]] {
        var commands: [[Range<Int>]] = [[]]
        var start: Int?
        var index = range.lowerBound
        func finish() {
            if let begun = start { commands[commands.count - 1].append(begun..<min(index, range.upperBound)) }
            start = nil
        }
        while index < range.upperBound {
            let byte = text[index]
            switch byte {
            case UInt8(ascii: ";"), UInt8(ascii: "|"), UInt8(ascii: "&"), UInt8(ascii: "("), UInt8(ascii: ")"),
                UInt8(ascii: "`"),
                0x0A:
                finish()
                commands.append([])
            case 0x20, 0x09, 0x0D, UInt8(ascii: "<"), UInt8(ascii: ">"):
                finish()
            case UInt8(ascii: "\\"):
                start = start ?? index
                index += 1
            case UInt8(ascii: "\""), UInt8(ascii: "'"):
                start = start ?? index
                index = closing(text, index, before: range.upperBound)
            default: start = start ?? index
            }
            index += 1
        }
        finish()
        return commands.filter { !$0.isEmpty }
    }

    /// The index of the quote that closes the one at `index`, or the bound.
    static func closing(_ text: [UInt8], _ index: Int, before bound: Int) -> Int {
        let quote = text[index]
        var end = index + 1
        while end < bound, text[end] != quote {
            if quote == UInt8(ascii: "\""), text[end] == UInt8(ascii: "\\") { end += 1 }
            end += 1
        }
        return min(end, bound)
    }

    /// Without the quotes around the whole; and whether those keep a shell from expanding.
    static func unquoted(_ text: [UInt8], _ range: Range<Int>) -> (range: Range<Int>, isLiteral: Bool) {
        guard range.count >= 2, text[range.lowerBound].isQuote,
            closing(text, range.lowerBound, before: range.upperBound) == range.upperBound - 1
        else { return (range, false) }
        return ((range.lowerBound + 1)..<(range.upperBound - 1), text[range.lowerBound] == UInt8(ascii: "'"))
    }
}
