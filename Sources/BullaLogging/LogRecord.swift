import CanonicalJSON
import Ledger
import LedgerFormat
import Logging

/// What one call of a logger becomes.
enum LogRecord {
    static let action = "log.line"
    /// Says how many lines found no room.
    static let droppedAction = "log.dropped"
    static let justification = Justification(.integrity, "a log line")

    /// The rest of an entry, with names and times, is small.
    private static let byteCountMax = Limits.draftPayload - 4096
    private static let messageByteCountMax = 64 << 10

    static func draft(_ event: LogEvent, _ metadata: Logger.Metadata, label: String, actor: String, id: String) -> Draft {
        var body: JSONObject = [
            "level": .string(event.level.rawValue), "label": .string(label), "message": .string(event.message.description),
            "source": .string(event.source), "file": .string(event.file), "function": .string(event.function),
            "line": .number(Double(event.line)), "time": .string(Environment.system.now().description),
        ]
        if !metadata.isEmpty { body["metadata"] = json(metadata) }
        if let error = event.error {
            body["error"] = ["description": .string("\(error)"), "type": .string(String(reflecting: type(of: error)))]
        }
        if let draft = draft(action, actor, body, id: id), draft.byteCount <= byteCountMax { return draft }
        // Too deep or too large for an entry: what it was about is kept.
        let message = event.message.description
        guard let draft = draft(action, actor, cut(body, message), id: id) else {
            preconditionFailure("a cut line has a form that every draft may have")
        }
        return draft
    }

    static func dropped(_ count: Int, actor: String, id: String) -> Draft {
        let body: JSONObject = ["count": .number(Double(count)), "message": "log lines found no room in the queue and are lost"]
        guard let draft = draft(droppedAction, actor, body, id: id) else { preconditionFailure("the actor was tried before") }
        return draft
    }

    /// Nil for an actor that is none, and for a body that nests too deep.
    static func draft(_ action: String, _ actor: String, _ body: JSONObject, id: String) -> Draft? {
        do throws(DraftError) {
            return try Draft(
                action: action, actor: actor, justification: justification, body: .object(body), context: ["id": .string(id)])
        } catch {
            return nil
        }
    }

    private static func cut(_ body: JSONObject, _ message: String) -> JSONObject {
        var cut: JSONObject = ["cut": .number(Double(JSON.object(body).canonicalBytes().count))]
        for name in ["level", "line", "time"] { cut[name] = body[name] }
        for name in ["label", "message", "source", "file", "function"] {
            cut[name] = .string(prefix(of: body[name]?.string ?? "", name == "message" ? messageByteCountMax : 1024))
        }
        return cut
    }

    /// At most so many bytes, and no half character.
    private static func prefix(of text: String, _ byteCount: Int) -> String {
        var prefix = String(text.unicodeScalars.prefix(byteCount))
        while prefix.utf8.count > byteCount { prefix.unicodeScalars.removeLast() }
        return prefix
    }

    private static func json(_ metadata: Logger.Metadata) -> JSON {
        .object(JSONObject(metadata.map { ($0.key, json($0.value)) }))
    }

    private static func json(_ value: Logger.MetadataValue) -> JSON {
        switch value {
        case .string(let text): .string(text)
        case .stringConvertible(let value): .string(value.description)
        case .array(let items): .array(items.map(json))
        case .dictionary(let metadata): json(metadata)
        }
    }
}

extension LogRecord {
    /// `service:` and the label, without what an actor's name may not have, and never the house's own name.
    static func actor(of label: String) -> String {
        var name: [UInt8] = []
        for scalar in label.unicodeScalars {
            let isAllowed = scalar.value >= 0x20 && scalar.value != 0x7F && scalar != "\"" && scalar != "\\"
            let bytes = isAllowed ? Array(String(scalar).utf8) : [UInt8(ascii: "_")]
            if name.count + bytes.count > Names.draftByteCount - 8 { break }
            name += bytes
        }
        let actor = "service:" + String(decoding: name, as: UTF8.self)
        return name.isEmpty || actor == ActorRoster.house ? "service:log" : actor
    }
}
