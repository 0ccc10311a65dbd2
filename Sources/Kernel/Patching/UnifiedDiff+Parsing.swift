// A parser that takes one form only: what two readers could understand in two ways, nobody approves.
extension UnifiedDiff {
    /// Reads the text of a diff of one file.
    ///
    /// - Parameter name: of the file, which both headings must name, alone or behind `a/` and `b/`.
    package init(parsing text: [UInt8], of name: String) throws(UnifiedDiffFault) {
        let lines = Self.lines(of: text)
        guard !lines.isEmpty else { throw .empty }
        guard lines.last?.last == UInt8(ascii: "\n") else { throw .cut(line: lines.count) }
        try Self.checkHeading(lines, 0, "--- ", "a/", name)
        try Self.checkHeading(lines, 1, "+++ ", "b/", name)
        var next = 2
        while next < lines.count {
            let hunk = try Self.hunk(lines, &next)
            hunks.append(hunk)
        }
        guard hunks.contains(where: { $0.lines.contains { $0.kind != .context } }) else { throw .empty }
    }

    private static func checkHeading(
        _ lines: [ArraySlice<UInt8>], _ index: Int, _ mark: String, _ prefix: String, _ name: String
    ) throws(UnifiedDiffFault) {
        guard index < lines.count, lines[index].starts(with: mark.utf8) else { throw .heading(line: index + 1, mark) }
        // A tab separates the name from a time, which means nothing here.
        let rest = lines[index].dropFirst(mark.utf8.count).dropLast().prefix { $0 != UInt8(ascii: "\t") }
        guard rest.elementsEqual(name.utf8) || rest.elementsEqual((prefix + name).utf8) else {
            throw .otherFile(line: index + 1, String(decoding: rest, as: UTF8.self), name)
        }
    }

    private static func hunk(_ lines: [ArraySlice<UInt8>], _ next: inout Int) throws(UnifiedDiffFault) -> Hunk {
        let first = next + 1
        guard let heading = HunkHeading(lines[next]) else { throw .hunkHeading(line: first) }
        var hunk = Hunk(oldStart: heading.old.start, newStart: heading.new.start)
        var (old, new) = (heading.old.count, heading.new.count)
        next += 1
        while old > 0 || new > 0 {
            guard next < lines.count else { throw .counts(line: first) }
            guard let kind = lines[next].first.flatMap(Line.Kind.init(rawValue:)) else { throw .line(next + 1) }
            if kind != .added { old -= 1 }
            if kind != .removed { new -= 1 }
            guard old >= 0, new >= 0 else { throw .counts(line: first) }
            var bytes = lines[next].dropFirst()
            next += 1
            if next < lines.count, lines[next].first == UInt8(ascii: "\\") {
                guard lines[next].dropLast().elementsEqual(noLineFeed.utf8) else { throw .line(next + 1) }
                bytes = bytes.dropLast()
                next += 1
            }
            hunk.lines.append(Line(kind, bytes))
        }
        guard !hunk.lines.isEmpty else { throw .hunkHeading(line: first) }
        return hunk
    }
}

/// `@@ -3,2 +3,4 @@`, and perhaps words behind it.
private struct HunkHeading {
    /// How many lines lie before the range, and how many are in it.
    let old, new: (start: Int, count: Int)

    init?(_ line: ArraySlice<UInt8>) {
        let words = line.dropLast().split(separator: UInt8(ascii: " "), maxSplits: 4, omittingEmptySubsequences: false)
        guard words.count >= 4, words[0].elementsEqual("@@".utf8), words[3].elementsEqual("@@".utf8),
            let old = Self.range(words[1], UInt8(ascii: "-")), let new = Self.range(words[2], UInt8(ascii: "+"))
        else { return nil }
        self.old = old
        self.new = new
    }

    private static func range(_ word: ArraySlice<UInt8>, _ mark: UInt8) -> (start: Int, count: Int)? {
        guard word.first == mark else { return nil }
        let parts = word.dropFirst().split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let first = number(parts[0]), let count = parts.count == 2 ? number(parts[1]) : 1
        else { return nil }
        guard count > 0 else { return (first, 0) }
        return first >= 1 ? (first - 1, count) : nil
    }

    /// Plain decimal, and not so large that anything overflows.
    private static func number(_ digits: ArraySlice<UInt8>) -> Int? {
        guard (1...9).contains(digits.count), digits.allSatisfy({ (0x30...0x39).contains($0) }),
            digits.count == 1 || digits.first != 0x30
        else { return nil }
        return digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
    }
}
