/// Writes members into an object.
struct JSONKeyedEncoder<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let object: EncodedObject

    var codingPath: [any CodingKey] { object.codingPath }

    func encodeNil(forKey key: Key) { object.append(.value(.null), forKey: key) }

    func encode(_ value: some JSONScalar, forKey key: Key) throws(EncodingError) {
        object.append(.value(try JSON(encoding: value, at: codingPath + [key])), forKey: key)
    }

    func encode(_ value: some Encodable, forKey key: Key) throws(EncodingError) {
        object.append(.value(try JSON(encoding: value, at: codingPath + [key])), forKey: key)
    }

    func nestedContainer<NestedKey: CodingKey>(
        keyedBy type: NestedKey.Type, forKey key: Key
    ) -> KeyedEncodingContainer<NestedKey> {
        encoder(forKey: key).container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer { encoder(forKey: key).unkeyedContainer() }

    func superEncoder() -> any Encoder { encoder(forKey: JSONCodingKey.super) }
    func superEncoder(forKey key: Key) -> any Encoder { encoder(forKey: key) }

    /// An encoder for a member that is written as it pleases the caller.
    private func encoder(forKey key: any CodingKey) -> JSONValueEncoder {
        let encoder = JSONValueEncoder(codingPath: codingPath + [key])
        object.append(.later(encoder), forKey: key)
        return encoder
    }
}
