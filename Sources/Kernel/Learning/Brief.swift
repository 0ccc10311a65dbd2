/// The beginning of a text, as state keeps it: short, in one line, and of a length that its coding cannot swell.
enum Brief {
    /// With the ellipsis that a longer text ends with.
    static let byteCountMax = 120

    static func text(_ text: String) -> String {
        // Controls take six bytes when they are coded, and no terminal may see them; a backslash or quotation mark takes two.
        let isPlain = text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
        let line =
            isPlain
            ? text : String(String.UnicodeScalarView(text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? " " : $0 }))
        guard line.utf8.count > byteCountMax else { return line }
        return head(of: line, byteCountMax - 3) + "…"
    }

    /// Whole scalars of at most so many bytes.
    static func head(of text: String, _ byteCount: Int) -> String {
        var head = String.UnicodeScalarView()
        var left = byteCount
        for scalar in text.unicodeScalars {
            left -= UTF8.width(scalar)
            if left < 0 { break }
            head.append(scalar)
        }
        return String(head)
    }
}
