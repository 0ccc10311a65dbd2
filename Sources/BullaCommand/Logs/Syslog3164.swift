import CanonicalJSON

/// `<PRI>Mmm dd hh:mm:ss HOST TAG[PID]: MESSAGE`, as RFC 3164 found it and as it is still written.
///
/// What is found besides: no `<PRI>`, as in files; a time as in RFC 3339, which rsyslog writes now; no host, as programs send
/// it to their own machine; no tag.
enum Syslog3164 {
    /// Nil when the line has not the form.
    static func body(of line: [UInt8]) -> JSONObject? {
        var words = SyslogWords(line)
        var body = Syslog.priority(&words) ?? [:]
        body["format"] = "rfc3164"
        guard let time = time(&words), words.take(0x20) else { return nil }
        body["timestamp"] = .string(time)
        if let tag = tag(&words) {
            tag.add(to: &body)
        } else {
            guard let host = words.field() else { return nil }
            body["host"] = .string(host)
            guard words.take(0x20) else { return words.isAtEnd ? body : nil }
            tag(&words)?.add(to: &body)
        }
        for member in Syslog.message(line[words.index...]).members { body[member.key] = member.value }
        return body
    }

    private static let months: Set = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// `Jan  2 15:04:05`, or a time of RFC 3339.
    private static func time(_ words: inout SyslogWords) -> String? {
        let start = words.index
        guard let first = words.field() else { return nil }
        if Syslog.isTime(Array(first.utf8)) { return first }
        guard months.contains(first), words.take(0x20) else { return nil }
        _ = words.take(0x20)
        let day = words.word(while: \.isDigit)
        guard (1...2).contains(day.count), let number = Int(words.line.text(day)), (1...31).contains(number), words.take(0x20),
            let clock = words.field(), isClock(Array(clock.utf8))
        else { return nil }
        return words.line.text(start..<words.index)
    }

    /// `15:04:05`, also with a fraction.
    private static func isClock(_ text: [UInt8]) -> Bool {
        Syslog.isTime(Array("2000-01-01T".utf8) + text + [UInt8(ascii: "Z")])
    }

    private struct Tag {
        var app: String
        var process: String?

        func add(to body: inout JSONObject) {
            body["app"] = .string(app)
            if let process { body["procid"] = .string(process) }
        }
    }

    /// `TAG:` or `TAG[PID]:` with the blank behind it; nil, and nothing taken, when none stands here.
    private static func tag(_ words: inout SyslogWords) -> Tag? {
        let start = words.index
        let app = words.word(while: { $0 != 0x20 && !":[".utf8.contains($0) })
        guard !app.isEmpty, let name = words.text(app) else {
            words.index = start
            return nil
        }
        var tag = Tag(app: name)
        if words.take(UInt8(ascii: "[")) {
            let process = words.word(while: { $0 != 0x20 && $0 != UInt8(ascii: "]") })
            tag.process = words.text(process)
            guard tag.process?.isEmpty == false, words.take(UInt8(ascii: "]")) else {
                words.index = start
                return nil
            }
        }
        // A host may have colons in it, as IPv6 has; a tag's colon ends its word.
        guard words.take(UInt8(ascii: ":")), words.isAtEnd || words.take(0x20) else {
            words.index = start
            return nil
        }
        return tag
    }
}
