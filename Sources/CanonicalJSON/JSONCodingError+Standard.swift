extension JSONCodingError.Reason {
    /// This reason in the form that the protocols of `Codable` prescribe.
    func encodingError(_ value: Any, at path: [any CodingKey]) -> EncodingError {
        let error = JSONCodingError(path: JSONPointer(path), reason: self)
        return .invalidValue(value, .init(codingPath: path, debugDescription: "\(error)", underlyingError: error))
    }

    /// This reason in the form that the protocols of `Codable` prescribe: some types catch one kind and try another type.
    func decodingError(_ type: Any.Type, at path: [any CodingKey]) -> DecodingError {
        let error = JSONCodingError(path: JSONPointer(path), reason: self)
        let context = DecodingError.Context(codingPath: path, debugDescription: "\(error)", underlyingError: error)
        return switch self {
        case .missing, .wrongKind(_, found: "null"): .valueNotFound(type, context)
        case .wrongKind: .typeMismatch(type, context)
        default: .dataCorrupted(context)
        }
    }
}

extension JSONCodingError {
    /// What `encodingError` had put into `error`; or what a type that refuses a value says itself.
    init(_ error: EncodingError) {
        switch error {
        case .invalidValue(_, let context):
            self.init(context.codingPath, context.debugDescription, context.underlyingError)
        @unknown default: self.init([], "\(error)", nil)
        }
    }

    /// What `decodingError` had put into `error`; or what a type that refuses a value says itself.
    init(_ error: DecodingError) {
        switch error {
        case .keyNotFound(let key, let context):
            self.init(path: JSONPointer(context.codingPath + [key]), reason: .missing)
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
            self.init(context.codingPath, context.debugDescription, context.underlyingError)
        @unknown default: self.init([], "\(error)", nil)
        }
    }

    private init(_ path: [any CodingKey], _ words: String, _ underlying: (any Error)?) {
        self = underlying as? JSONCodingError ?? JSONCodingError(path: JSONPointer(path), reason: .refused(words))
    }
}
