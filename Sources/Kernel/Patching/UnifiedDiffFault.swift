/// Why a text is no diff, or fits to another text. Lines are counted from 1.
package enum UnifiedDiffFault: Error, Sendable, Equatable {
    case empty
    case cut(line: Int)
    case heading(line: Int, String)
    case otherFile(line: Int, String, String)
    case hunkHeading(line: Int)
    case counts(line: Int)
    case line(Int)
    /// Hunks overlap, or begin where they cannot.
    case place(String)
    /// A line of the text is another one than the diff says.
    case mismatch(line: Int)
    case joined(line: Int)
}

extension UnifiedDiffFault: CustomStringConvertible {
    package var description: String {
        switch self {
        case .empty: "it changes nothing"
        case .cut(let line): "its line \(line) does not end: a part of it is missing"
        case .heading(let line, let mark):
            "its line \(line) is not the heading that begins with \"\(mark)\", as `diff -u` writes it"
        case .otherFile(let line, let found, let name): "its line \(line) names \(found), and the patch is for \(name)"
        case .hunkHeading(let line): "its line \(line) is no heading such as @@ -3,2 +3,4 @@"
        case .counts(let line): "the hunk in its line \(line) has not so many lines as its heading says"
        case .line(let line): "its line \(line) begins with none of blank, + and -"
        case .place(let heading): "the hunk \(heading) cannot stand there: hunks follow each other, and their line numbers add up"
        case .mismatch(let line): "line \(line) of the handbook is another one than the diff says"
        case .joined(let line): "line \(line) of the result would have no end, and others follow it"
        }
    }
}
