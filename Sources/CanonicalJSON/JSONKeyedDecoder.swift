/// Hands out the members of an object.
struct JSONKeyedDecoder<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let object: JSONObject
    let codingPath: [any CodingKey]

    var allKeys: [Key] { object.members.compactMap { Key(stringValue: $0.key) } }

    func contains(_ key: Key) -> Bool { object[key.stringValue] != nil }

    func decodeNil(forKey key: Key) throws(DecodingError) -> Bool { try decoder(forKey: key).decodeNil() }

    func decode<Value: JSONScalar>(_ type: Value.Type, forKey key: Key) throws(DecodingError) -> Value {
        try decoder(forKey: key).decode(type)
    }

    func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws(DecodingError) -> Value {
        try decoder(forKey: key).decode(type)
    }

    func nestedContainer<NestedKey: CodingKey>(
        keyedBy type: NestedKey.Type, forKey key: Key
    ) throws(DecodingError) -> KeyedDecodingContainer<NestedKey> {
        try decoder(forKey: key).container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) throws(DecodingError) -> any UnkeyedDecodingContainer {
        try decoder(forKey: key).unkeyedContainer()
    }

    func superDecoder() throws(DecodingError) -> any Decoder { try decoder(forKey: JSONCodingKey.super) }
    func superDecoder(forKey key: Key) throws(DecodingError) -> any Decoder { try decoder(forKey: key) }

    private func decoder(forKey key: any CodingKey) throws(DecodingError) -> JSONValueDecoder {
        guard let value = object[key.stringValue] else {
            let context = DecodingError.Context(codingPath: codingPath, debugDescription: "the object has no such member")
            throw DecodingError.keyNotFound(key, context)
        }
        return JSONValueDecoder(value: value, codingPath: codingPath + [key])
    }
}
