import CanonicalJSON

/// `<PRI>1 TIMESTAMP HOST APP PROCID MSGID DATA MESSAGE` (RFC 5424 §6); a `-` is a member that is not there.
enum Syslog5424 {
    /// Nil when the line has not the form.
    static func body(of line: [UInt8]) -> JSONObject? {
        var words = SyslogWords(line)
        guard var body = Syslog.priority(&words), words.take(UInt8(ascii: "1")) else { return nil }
        body["format"] = "rfc5424"
        for name in ["timestamp", "host", "app", "procid", "msgid"] {
            guard words.take(0x20), let text = words.field() else { return nil }
            if text == "-" { continue }
            if name == "timestamp", !Syslog.isTime(Array(text.utf8)) { return nil }
            body[name] = .string(text)
        }
        guard words.take(0x20), let data = data(&words) else { return nil }
        if !data.isEmpty { body["data"] = .object(data) }
        if words.isAtEnd { return body }
        guard words.take(0x20) else { return nil }
        if line.has(byteOrderMark, at: words.index) { words.index += byteOrderMark.count }
        for member in Syslog.message(line[words.index...]).members { body[member.key] = member.value }
        return body
    }

    private static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

    /// `-`, or elements `[id name="value" …]`, no id twice.
    private static func data(_ words: inout SyslogWords) -> JSONObject? {
        if words.take(UInt8(ascii: "-")) { return [:] }
        var data: JSONObject = [:]
        while words.take(UInt8(ascii: "[")) {
            guard let id = name(&words), data[id] == nil, let parameters = parameters(&words) else { return nil }
            data[id] = .object(parameters)
        }
        return data.isEmpty ? nil : data
    }

    /// Up to the closing bracket; a name that comes again, which the RFC allows, makes an array of its values.
    private static func parameters(_ words: inout SyslogWords) -> JSONObject? {
        var values: [String: [JSON]] = [:]
        while words.take(0x20) {
            guard let name = name(&words), words.take(UInt8(ascii: "=")), words.take(UInt8(ascii: "\"")),
                let value = value(&words)
            else { return nil }
            values[name, default: []].append(.string(value))
        }
        guard words.take(UInt8(ascii: "]")) else { return nil }
        return JSONObject(values.map { ($0.key, $0.value.count == 1 ? $0.value[0] : .array($0.value)) })
    }

    private static func name(_ words: inout SyslogWords) -> String? {
        let range = words.word(while: { $0 > 0x20 && !"=]\"".utf8.contains($0) })
        return range.isEmpty ? nil : words.text(range)
    }

    /// Up to the closing quotation mark; a backslash before anything but `"`, `\` and `]` is one itself.
    private static func value(_ words: inout SyslogWords) -> String? {
        var value: [UInt8] = []
        while !words.isAtEnd {
            var byte = words.line[words.index]
            words.index += 1
            if byte == UInt8(ascii: "\"") { return String(validating: value, as: UTF8.self) }
            if byte == UInt8(ascii: "\\"), !words.isAtEnd, "\"\\]".utf8.contains(words.line[words.index]) {
                byte = words.line[words.index]
                words.index += 1
            }
            value.append(byte)
        }
        return nil
    }
}
