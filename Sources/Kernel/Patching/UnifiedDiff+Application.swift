import PlantedDefects

extension UnifiedDiff {
    /// What becomes of a text. Every line that stays or goes must stand where it is said, byte by byte.
    package func applied(to text: [UInt8]) throws(UnifiedDiffFault) -> [UInt8] {
        let lines = Self.lines(of: text)
        var result: [ArraySlice<UInt8>] = []
        var next = 0
        for hunk in hunks {
            guard hunk.oldStart >= next, hunk.oldStart <= lines.count else { throw .place(hunk.heading) }
            result += lines[next..<hunk.oldStart]
            next = hunk.oldStart
            guard hunk.newStart == result.count else { throw .place(hunk.heading) }
            for line in hunk.lines {
                if line.kind != .added {
                    guard next < lines.count, lines[next] == line.bytes || planted(.diffContextUnchecked) else {
                        throw .mismatch(line: next + 1)
                    }
                    next += 1
                }
                if line.kind != .removed { result.append(line.bytes) }
            }
        }
        result += lines[next...]
        if let short = result.dropLast().firstIndex(where: { $0.last != UInt8(ascii: "\n") }) { throw .joined(line: short + 1) }
        return Array(result.joined())
    }
}
