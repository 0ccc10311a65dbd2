/// Takes what one value encodes.
///
/// A value has one form. That it asks for two containers of different kinds, or writes twice, is a mistake in its program, which
/// the protocol gives us no error for: it stops the process.
final class JSONValueEncoder: Encoder {
    /// How many containers a value may lie in: as many as our parser can be allowed.
    static let maximumDepth = 512

    let codingPath: [any CodingKey]
    private var encoded: EncodedValue?

    init(codingPath: [any CodingKey]) { self.codingPath = codingPath }

    var userInfo: [CodingUserInfoKey: Any] { [:] }

    /// Whoever encodes recurses, so a depth without an end would overflow the stack.
    func checkDepth() throws(EncodingError) {
        guard codingPath.count <= Self.maximumDepth else {
            throw JSONCodingError.Reason.tooDeep.encodingError(JSON.null, at: codingPath)
        }
    }

    /// What has been encoded, which is an empty object if that is nothing (`Encodable.encode(to:)`).
    func json() throws(EncodingError) -> JSON {
        try checkDepth()
        guard let encoded else { return [:] }
        return try encoded.json()
    }

    /// Sets the only value.
    func set(_ json: JSON) {
        guard encoded == nil else { stopForSecondValue() }
        encoded = .value(json)
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        // A subclass and its superclass may share one.
        if encoded == nil { encoded = .object(EncodedObject(codingPath: codingPath)) }
        guard case .object(let object) = encoded else { stopForSecondValue() }
        return KeyedEncodingContainer(JSONKeyedEncoder(object: object))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        if encoded == nil { encoded = .array(EncodedArray(codingPath: codingPath)) }
        guard case .array(let array) = encoded else { stopForSecondValue() }
        return JSONUnkeyedEncoder(array: array)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer { self }

    private func stopForSecondValue() -> Never {
        preconditionFailure("what is encoded at \"\(JSONPointer(codingPath))\" has two values, or two forms")
    }
}

extension JSONValueEncoder: SingleValueEncodingContainer {
    func encodeNil() { set(.null) }
    func encode(_ value: some JSONScalar) throws(EncodingError) { set(try JSON(encoding: value, at: codingPath)) }
    func encode(_ value: some Encodable) throws(EncodingError) { set(try JSON(encoding: value, at: codingPath)) }
}
