package import CanonicalJSON
import LedgerFormat

/// How the lines that `ingest` takes are written.
package enum LogFormat: String, CaseIterable, Sendable {
    /// Each line is a draft, which says everything itself.
    case drafts
    /// Lines of any bytes, kept as they are.
    case raw
    /// A JSON object a line.
    case jsonl
    /// `key=value` pairs.
    case logfmt
    /// RFC 5424, RFC 3164 as it is found, and what is neither as a whole.
    case syslog

    /// What a line becomes the body of an entry by; the line comes without its line feed.
    ///
    /// - Throws: where in the line it is not what the format asks for.
    package func body(of line: [UInt8]) throws(LineError) -> JSONObject {
        switch self {
        case .drafts: preconditionFailure("a draft is more than a body")
        case .raw: PathText(line).members(textMember)
        case .jsonl: try JSONLine.body(of: line)
        case .logfmt: try Logfmt.body(of: line)
        case .syslog: Syslog.body(of: line)
        }
    }

    /// A line, or a part of one, that is not taken apart.
    package func wholeBody(of line: [UInt8]) -> JSONObject {
        var body = PathText(line).members(textMember)
        if self != .raw { body["format"] = "raw" }
        return body
    }

    /// The member that bears a line's text.
    var textMember: String { self == .raw ? "line" : "message" }
}

/// Where a line is not what its format asks for, and why.
package struct LineError: Error, Sendable, Equatable, CustomStringConvertible {
    /// In bytes from the line's start.
    package var offset: Int
    package var reason: String

    package init(at offset: Int, _ reason: String) {
        self.offset = offset
        self.reason = reason
    }

    package var description: String { reason }

    /// From 1, in code points, as editors count.
    package func column(in line: [UInt8]) -> Int { 1 + line.prefix(offset).count { $0 & 0xC0 != 0x80 } }
}
