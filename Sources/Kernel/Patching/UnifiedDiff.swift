/// The difference of two texts, as `diff -u` tells it: what is taken away and what is put there, with lines around it that stay.
///
/// A line is its bytes with the line feed; only the last one of a text may have none.
package struct UnifiedDiff: Sendable, Equatable {
    package struct Line: Sendable, Equatable {
        package enum Kind: UInt8, Sendable {
            case context = 0x20
            case removed = 0x2D
            case added = 0x2B
        }

        package let kind: Kind
        package let bytes: ArraySlice<UInt8>

        init(_ kind: Kind, _ bytes: ArraySlice<UInt8>) {
            self.kind = kind
            self.bytes = bytes
        }
    }

    package struct Hunk: Sendable, Equatable {
        /// How many lines of each text lie before it.
        let oldStart, newStart: Int
        package internal(set) var lines: [Line] = []

        var oldCount: Int { lines.count { $0.kind != .added } }
        var newCount: Int { lines.count { $0.kind != .removed } }
    }

    package internal(set) var hunks: [Hunk] = []

    /// Lines that it adds.
    package var added: [Line] { hunks.flatMap(\.lines).filter { $0.kind == .added } }

    /// The lines of a text, each with its line feed.
    static func lines(of text: [UInt8]) -> [ArraySlice<UInt8>] {
        var lines: [ArraySlice<UInt8>] = []
        var start = 0
        for (index, byte) in text.enumerated() where byte == UInt8(ascii: "\n") {
            lines.append(text[start...index])
            start = index + 1
        }
        if start < text.count { lines.append(text[start...]) }
        return lines
    }
}

// As text
extension UnifiedDiff {
    static let noLineFeed = "\\ No newline at end of file"

    /// Its text, about a file of this name; empty if it changes nothing.
    package func text(of name: String) -> [UInt8] {
        guard !hunks.isEmpty else { return [] }
        var text = Array("--- a/\(name)\n+++ b/\(name)\n".utf8)
        for hunk in hunks {
            text += Array("\(hunk.heading)\n".utf8)
            for line in hunk.lines {
                text.append(line.kind.rawValue)
                text += line.bytes
                if line.bytes.last != UInt8(ascii: "\n") { text += Array("\n\(Self.noLineFeed)\n".utf8) }
            }
        }
        return text
    }
}

extension UnifiedDiff.Hunk {
    /// `@@ -3,2 +3,4 @@`: an empty range is told by the line before it, and a count of one is left out.
    package var heading: String { "@@ -\(Self.range(oldStart, oldCount)) +\(Self.range(newStart, newCount)) @@" }

    private static func range(_ start: Int, _ count: Int) -> String {
        count == 0 ? "\(start),0" : count == 1 ? "\(start + 1)" : "\(start + 1),\(count)"
    }
}
