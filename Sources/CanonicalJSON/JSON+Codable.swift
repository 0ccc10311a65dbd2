/// Inside our own encoder and decoder a `JSON` passes as it is; others are given its parts, or give theirs.
extension JSON: Codable {
    package func encode(to encoder: any Encoder) throws {
        if let own = encoder as? JSONValueEncoder { return own.set(self) }
        switch self {
        case .null:
            var container = encoder.singleValueContainer()
            try container.encodeNil()
        case .bool(let value): try value.encode(to: encoder)
        case .number(let value): try value.encode(to: encoder)
        case .string(let value): try value.encode(to: encoder)
        case .array(let elements): try elements.encode(to: encoder)
        case .object(let object):
            var container = encoder.container(keyedBy: JSONCodingKey.self)
            for member in object.members { try container.encode(member.value, forKey: JSONCodingKey(member.key)) }
        }
    }

    package init(from decoder: any Decoder) throws {
        if let own = decoder as? JSONValueDecoder {
            self = own.value
        } else if let members = try? decoder.container(keyedBy: JSONCodingKey.self) {
            let keys = members.allKeys
            self = .object(JSONObject(try keys.map { ($0.stringValue, try members.decode(JSON.self, forKey: $0)) }))
        } else if var elements = try? decoder.unkeyedContainer() {
            var result: [JSON] = []
            while !elements.isAtEnd { result.append(try elements.decode(JSON.self)) }
            self = .array(result)
        } else {
            self = try JSON(scalarIn: try decoder.singleValueContainer())
        }
    }

    private init(scalarIn container: any SingleValueDecodingContainer) throws {
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else {
            self = .string(try container.decode(String.self))
        }
    }
}
