extension JSON {
    /// What `value` encodes; equal values give equal JSON.
    ///
    /// An integer that a double cannot hold exactly is refused, never rounded. A type that encodes nothing gives `{}`, as the
    /// standard library demands. A `JSON` inside is taken as it is, without a look at what it holds.
    package init(encoding value: some Encodable) throws(JSONCodingError) {
        do throws(EncodingError) {
            self = try JSON(encoding: value, at: [])
        } catch {
            throw JSONCodingError(error)
        }
    }

    /// As above, for a value at `path` in the one that is being encoded.
    init(encoding value: some Encodable, at path: [any CodingKey]) throws(EncodingError) {
        let encoder = JSONValueEncoder(codingPath: path)
        try encoder.checkDepth()
        do {
            try value.encode(to: encoder)
        } catch let error as EncodingError {
            throw error
        } catch {
            throw JSONCodingError.Reason.refused("\(error)").encodingError(value, at: path)
        }
        self = try encoder.json()
    }

    init(encoding scalar: some JSONScalar, at path: @autoclosure () -> [any CodingKey]) throws(EncodingError) {
        do throws(JSONCodingError.Reason) {
            self = try scalar.scalar()
        } catch {
            throw error.encodingError(scalar, at: path())
        }
    }
}
