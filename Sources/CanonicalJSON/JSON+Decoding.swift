extension JSON {
    /// The value of a Swift type that this is the JSON of; members that the type does not ask for are ignored.
    ///
    /// A number that an integer type does not hold is refused, never rounded; `Float` takes its nearest.
    package func decoded<Value: Decodable>(as type: Value.Type = Value.self) throws(JSONCodingError) -> Value {
        do throws(DecodingError) {
            return try JSONValueDecoder(value: self, codingPath: []).decoded(as: type)
        } catch {
            throw JSONCodingError(error)
        }
    }
}
