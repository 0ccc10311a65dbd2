import CanonicalJSON
import LedgerFormat

/// Lines of syslog: RFC 5424, the older form of RFC 3164 as programs and files have it, and whatever else comes, as a whole.
///
/// The member `format` says which of them a line was. No line is refused: a log's reader does not choose what is written.
enum Syslog {
    static func body(of line: [UInt8]) -> JSONObject {
        if let body = Syslog5424.body(of: line) ?? Syslog3164.body(of: line) { return body }
        return LogFormat.syslog.wholeBody(of: line)
    }

    /// By their numbers (RFC 5424 §6.2.1).
    private static let facilities = [
        "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp", "ntp", "audit",
        "alert", "clock", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
    ]
    private static let severities = ["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"]

    /// `<PRI>` at the front: a number up to 191 without leading zeros.
    static func priority(_ words: inout SyslogWords) -> JSONObject? {
        let start = words.index
        guard words.take(UInt8(ascii: "<")) else { return nil }
        let digits = words.word(while: \.isDigit)
        guard (1...3).contains(digits.count), digits.count == 1 || words.line[digits.lowerBound] != UInt8(ascii: "0"),
            let number = Int(words.line.text(digits)), number < facilities.count * 8, words.take(UInt8(ascii: ">"))
        else {
            words.index = start
            return nil
        }
        return ["facility": .string(facilities[number / 8]), "severity": .string(severities[number % 8])]
    }

    /// RFC 3339, with up to nine digits of a second's fraction.
    static func isTime(_ text: [UInt8]) -> Bool {
        let pattern = Array("0000-00-00T00:00:00".utf8)
        guard text.count > pattern.count, zip(text, pattern).allSatisfy({ fits($0, $1) }) else { return false }
        var index = pattern.count
        if text[index] == UInt8(ascii: ".") {
            let end = text.end(of: index + 1, while: \.isDigit)
            guard (1...9).contains(end - index - 1) else { return false }
            index = end
        }
        let zone = text[index...]
        return zone.elementsEqual("Z".utf8)
            || zone.count == 6 && zip(zone, "+00:00".utf8).allSatisfy({ fits($0, $1) || $1 == UInt8(ascii: "+") && $0 == 0x2D })
    }

    /// Whether a byte is a digit where the pattern has 0, and the pattern's own elsewhere.
    private static func fits(_ byte: UInt8, _ pattern: UInt8) -> Bool {
        pattern == UInt8(ascii: "0") ? byte.isDigit : byte == pattern
    }

    /// What follows the header; bytes that are no UTF-8 stand in base64 beside the printable form.
    static func message(_ bytes: ArraySlice<UInt8>) -> JSONObject { PathText(Array(bytes)).members("message") }
}

/// Reads a line's header word by word.
struct SyslogWords {
    let line: [UInt8]
    var index = 0

    init(_ line: [UInt8]) { self.line = line }

    var isAtEnd: Bool { index == line.count }

    mutating func take(_ byte: UInt8) -> Bool {
        guard index < line.count, line[index] == byte else { return false }
        index += 1
        return true
    }

    mutating func word(while matches: (UInt8) -> Bool) -> Range<Int> {
        let start = index
        index = line.end(of: start, while: matches)
        return start..<index
    }

    /// Text up to a blank or the end; nil when there is none, or when it is not UTF-8 or has control characters.
    mutating func field() -> String? {
        let range = word(while: { $0 != 0x20 })
        return range.isEmpty ? nil : text(range)
    }

    func text(_ range: Range<Int>) -> String? {
        guard line[range].allSatisfy({ $0 > 0x20 && $0 != 0x7F }) else { return nil }
        return String(validating: line[range], as: UTF8.self)
    }
}
