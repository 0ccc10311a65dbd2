import LedgerFormat

/// A lesson as a handbook has it: a part of the section "Lessons", one for each signature. The same traumas give the same text.
package struct LessonText: Sendable, Equatable {
    package let signature: Signature
    package var count: UInt64
    package var trauma: String
    /// Nil for what is not known yet.
    package var rootCause, correction, lesson: String?
    /// Seqs of entries.
    package var evidence: [UInt64]

    package init(_ signature: Signature, count: UInt64, trauma: String, evidence: [UInt64]) {
        self.signature = signature
        self.count = count
        self.trauma = trauma
        self.evidence = evidence
    }

    private static let section = "## Lessons"

    /// A handbook's text with this lesson: in its place, if it has one of the signature, or behind the other ones.
    package func added(to text: String) -> String {
        var lines = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map { String(Substring($0)) }
        if lines.last == "" { lines.removeLast() }
        let outline = Outline(lines)
        guard let section = outline.range(of: Self.section, in: 0..<lines.count) else {
            return Self.text(Self.trimmed(lines[...]) + (lines.isEmpty ? [] : [""]) + [Self.section, ""] + part)
        }
        if let old = outline.range(of: heading, in: section) {
            let rest = lines[old.upperBound...]
            return Self.text(lines[..<old.lowerBound] + part + (rest.isEmpty ? [] : [""]) + rest)
        }
        let rest = lines[section.upperBound...]
        return Self.text(Self.trimmed(lines[..<section.upperBound]) + [""] + part + (rest.isEmpty ? [] : [""]) + rest)
    }

    private var heading: String { "### \(Self.line(signature.text))" }

    private var part: [String] {
        let entries = evidence.map(String.init).joined(separator: ", ")
        let advice = "not known yet: look at entry \(evidence.last.map(String.init) ?? "-") before this is done again"
        return [
            heading, "", "- What happened, \(count) times: \(Self.line(trauma))",
            "- Root cause: \(rootCause.map(Self.line) ?? Findings.notKnownYet)",
            "- Correction: \(correction.map(Self.line) ?? Findings.noneYet)", "- Lesson: \(lesson.map(Self.line) ?? advice)",
            "- Evidence: ledger entries \(entries)",
        ]
    }

    private static let lineByteCountMax = 1000

    /// In one line, without what cannot be seen: a trauma's words may come from anywhere.
    private static func line(_ text: String) -> String {
        let visible = String(String.UnicodeScalarView(text.unicodeScalars.map { $0.isHidden ? " " : $0 }))
        guard visible.utf8.count > lineByteCountMax else { return visible }
        return Brief.head(of: visible, lineByteCountMax) + "…"
    }

    private static func trimmed(_ lines: ArraySlice<String>) -> [String] {
        Array(lines.prefix(upTo: (lines.lastIndex { !$0.isEmpty && $0 != "\r" } ?? lines.startIndex - 1) + 1))
    }

    private static func text(_ lines: some Sequence<String>) -> String { lines.joined(separator: "\n") + "\n" }
}

/// Where headings stand in lines of Markdown.
private struct Outline {
    private let lines: [String]
    /// How many # begin a line; 0 for one that is no heading.
    private var levels: [Int] = []

    init(_ lines: [String]) {
        // A carriage return is a part of the line's end.
        self.lines = lines.map { $0.utf8.last == UInt8(ascii: "\r") ? String(decoding: $0.utf8.dropLast(), as: UTF8.self) : $0 }
        var code: Fence?
        for line in self.lines {
            if let open = code {
                if open.isClosed(by: line) { code = nil }
                levels.append(0)
                continue
            }
            code = Fence(line)
            let level = line.utf8.prefix { $0 == UInt8(ascii: "#") }.count
            let isHeading = level > 0 && line.utf8.dropFirst(level).first == UInt8(ascii: " ")
            levels.append(isHeading ? level : 0)
        }
    }

    /// From a heading up to the next one of the same level or a higher one.
    func range(of heading: String, in range: Range<Int>) -> Range<Int>? {
        guard let start = range.first(where: { levels[$0] > 0 && lines[$0].utf8.elementsEqual(heading.utf8) }) else { return nil }
        let end = (start + 1..<range.upperBound).first { levels[$0] > 0 && levels[$0] <= levels[start] }
        return start..<(end ?? range.upperBound)
    }
}

/// What begins lines of code: three or more ` or ~ behind three blanks at most.
private struct Fence {
    private let mark: UInt8
    private let count: Int
    private let rest: Substring.UTF8View

    init?(_ line: String) {
        let text = line.utf8.drop { $0 == UInt8(ascii: " ") }
        guard line.utf8.count - text.count <= 3, let mark = text.first, mark == UInt8(ascii: "`") || mark == UInt8(ascii: "~")
        else { return nil }
        self.mark = mark
        count = text.prefix { $0 == mark }.count
        rest = text.dropFirst(count)
        // Code within a line may begin it too.
        guard count >= 3, mark == UInt8(ascii: "~") || !rest.contains(mark) else { return nil }
    }

    func isClosed(by line: String) -> Bool {
        guard let other = Fence(line) else { return false }
        return other.mark == mark && other.count >= count
            && other.rest.allSatisfy { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
    }
}
