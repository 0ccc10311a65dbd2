/// Hands out the elements of an array, one after the other.
struct JSONUnkeyedDecoder: UnkeyedDecodingContainer {
    let elements: [JSON]
    let codingPath: [any CodingKey]
    private(set) var currentIndex = 0

    init(elements: [JSON], codingPath: [any CodingKey]) {
        self.elements = elements
        self.codingPath = codingPath
    }

    var count: Int? { elements.count }
    var isAtEnd: Bool { currentIndex >= elements.count }

    /// As the protocol has it, only a null is stepped over.
    mutating func decodeNil() throws(DecodingError) -> Bool {
        let isNull = try decoder().decodeNil()
        if isNull { currentIndex += 1 }
        return isNull
    }

    mutating func decode<Value: JSONScalar>(_ type: Value.Type) throws(DecodingError) -> Value {
        try next { decoder throws(DecodingError) in try decoder.decode(type) }
    }

    mutating func decode<Value: Decodable>(_ type: Value.Type) throws(DecodingError) -> Value {
        try next { decoder throws(DecodingError) in try decoder.decode(type) }
    }

    mutating func nestedContainer<NestedKey: CodingKey>(
        keyedBy type: NestedKey.Type
    ) throws(DecodingError) -> KeyedDecodingContainer<NestedKey> {
        try next { decoder throws(DecodingError) in try decoder.container(keyedBy: type) }
    }

    mutating func nestedUnkeyedContainer() throws(DecodingError) -> any UnkeyedDecodingContainer {
        try next { decoder throws(DecodingError) in try decoder.unkeyedContainer() }
    }

    mutating func superDecoder() throws(DecodingError) -> any Decoder {
        try next { decoder throws(DecodingError) in decoder }
    }

    /// Steps over an element only when `body` has read it, so that after an error the same one can be read as another type.
    private mutating func next<Result>(
        _ body: (JSONValueDecoder) throws(DecodingError) -> Result
    ) throws(DecodingError) -> Result {
        let result = try body(try decoder())
        currentIndex += 1
        return result
    }

    private func decoder() throws(DecodingError) -> JSONValueDecoder {
        let path = codingPath + [JSONCodingKey(currentIndex)]
        guard !isAtEnd else { throw JSONCodingError.Reason.missing.decodingError(JSON.self, at: path) }
        return JSONValueDecoder(value: elements[currentIndex], codingPath: path)
    }
}
