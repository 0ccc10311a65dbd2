/// Hands out one value.
struct JSONValueDecoder: Decoder {
    let value: JSON
    let codingPath: [any CodingKey]

    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws(DecodingError) -> KeyedDecodingContainer<Key> {
        guard case .object(let object) = value else {
            throw value.isInsteadOf("an object").decodingError(JSONObject.self, at: codingPath)
        }
        if let key = object.ambiguousKey {
            throw JSONCodingError.Reason.duplicateKey(key).decodingError(JSONObject.self, at: codingPath)
        }
        return KeyedDecodingContainer(JSONKeyedDecoder(object: object, codingPath: codingPath))
    }

    func unkeyedContainer() throws(DecodingError) -> any UnkeyedDecodingContainer {
        guard case .array(let elements) = value else {
            throw value.isInsteadOf("an array").decodingError([JSON].self, at: codingPath)
        }
        return JSONUnkeyedDecoder(elements: elements, codingPath: codingPath)
    }

    func singleValueContainer() -> any SingleValueDecodingContainer { self }

    /// Lets `type` read the value.
    func decoded<Value: Decodable>(as type: Value.Type) throws(DecodingError) -> Value {
        do {
            return try Value(from: self)
        } catch let error as DecodingError {
            throw error
        } catch {
            throw JSONCodingError.Reason.refused("\(error)").decodingError(type, at: codingPath)
        }
    }
}

extension JSONValueDecoder: SingleValueDecodingContainer {
    func decodeNil() -> Bool { value.isNull }

    func decode<Value: JSONScalar>(_ type: Value.Type) throws(DecodingError) -> Value {
        do throws(JSONCodingError.Reason) {
            return try Value(scalar: value)
        } catch {
            throw error.decodingError(type, at: codingPath)
        }
    }

    func decode<Value: Decodable>(_ type: Value.Type) throws(DecodingError) -> Value { try decoded(as: type) }
}

extension JSONObject {
    /// A key that Swift's `String`, and so a dictionary, takes for another one of this object: é and e with an accent.
    fileprivate var ambiguousKey: String? {
        // Two such texts are never both ASCII.
        if members.allSatisfy({ $0.key.utf8.allSatisfy { $0 < 0x80 } }) { return nil }
        var seen: Set<String> = []
        return members.first { !seen.insert($0.key).inserted }?.key
    }
}
