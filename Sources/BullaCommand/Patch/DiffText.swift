/// A diff as a person reads it: what would turn or hide text is spelled out, and on a terminal colours tell what goes and what comes.
enum DiffText {
    static func lines(of diff: String, isColoured: Bool) -> [String] {
        // By bytes: Swift takes CR LF for one character.
        let lines = diff.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).dropLast()
        return lines.enumerated().map { index, line in
            let line = Substring(line)
            // Tabs are no danger, and a handbook may have them.
            let text = line.split(separator: "\t", omittingEmptySubsequences: false).map { Printable.text(String($0)) }
                .joined(separator: "\t")
            guard isColoured, let colour = colour(of: line, isHeading: index < 2) else { return text }
            return "\u{1B}[\(colour)m\(text)\u{1B}[0m"
        }
    }

    private static func colour(of line: Substring, isHeading: Bool) -> Int? {
        if isHeading { return 1 }
        switch line.utf8.first {
        case UInt8(ascii: "+"): return 32
        case UInt8(ascii: "-"): return 31
        case UInt8(ascii: "@"): return 36
        default: return nil
        }
    }
}
