/// Writes elements at the end of an array.
struct JSONUnkeyedEncoder: UnkeyedEncodingContainer {
    let array: EncodedArray

    var codingPath: [any CodingKey] { array.codingPath }
    var count: Int { array.count }

    func encodeNil() { array.append(.value(.null)) }

    func encode(_ value: some JSONScalar) throws(EncodingError) {
        array.append(.value(try JSON(encoding: value, at: array.endPath)))
    }

    func encode(_ value: some Encodable) throws(EncodingError) {
        array.append(.value(try JSON(encoding: value, at: array.endPath)))
    }

    func nestedContainer<NestedKey: CodingKey>(keyedBy type: NestedKey.Type) -> KeyedEncodingContainer<NestedKey> {
        encoder().container(keyedBy: type)
    }

    func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { encoder().unkeyedContainer() }

    func superEncoder() -> any Encoder { encoder() }

    /// An encoder for the next element, which is written as it pleases the caller.
    private func encoder() -> JSONValueEncoder {
        let encoder = JSONValueEncoder(codingPath: array.endPath)
        array.append(.later(encoder))
        return encoder
    }
}
