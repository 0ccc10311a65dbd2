package import CanonicalJSON

// What a log holds: values under names, and text in which anything may stand.
extension Redactor {
    /// The same object with secrets replaced, in values and in keys.
    package func redact(_ object: JSONObject) -> JSONObject {
        var redacted: JSONObject = [:]
        for member in object.members {
            var key = text(member.key)
            // Two keys that became one: none of the values is lost.
            while redacted[key] != nil { key += "+" }
            redacted[key] = redact(member.value, under: member.key)
        }
        return redacted
    }

    private func redact(_ value: JSON, under name: String) -> JSON {
        switch value {
        case .object(let object): .object(redact(object))
        case .array(let items): .array(items.map { redact($0, under: name) })
        case .string(let string): .string(secret(string, under: name) ?? text(string))
        case .number: secret(value.canonicalText, under: name).map { .string($0) } ?? value
        case .bool, .null: value
        }
    }

    /// What replaces a value that is a secret by its name; nil when it is none.
    private func secret(_ value: String, under name: String) -> String? {
        let bytes = Array(value.utf8)
        guard let kind = SecretName.kind(name), !HarmlessValue.matches(bytes, kind) else { return nil }
        return Marker.ranges(in: bytes) == [bytes.indices] ? value : marker(bytes)
    }

    private func text(_ string: String) -> String { redact([string])[0] }
}
