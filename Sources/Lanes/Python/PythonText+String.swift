import CanonicalJSON

extension PythonText {
    /// The same text; nil if there are lone surrogates in it.
    package var string: String? {
        guard let valid = try? UTF8Span(validating: bytes.span) else { return nil }
        return String(copying: valid)
    }
}

extension PythonJSON {
    /// The same value; nil if I-JSON cannot hold it: for an integer beyond 2^53, NaN, a lone surrogate.
    var strict: JSON? { try? JSON(parsing: dumped(keepsOnOneLine: true), maximumDepth: 16) }

    init(_ value: JSON) {
        guard let same = PythonJSON(reading: value.canonicalBytes()) else { preconditionFailure("canonical JSON is JSON") }
        self = same
    }

    var number: Double? {
        switch self {
        case .integer(let integer): Double(String(decoding: integer.text, as: UTF8.self))
        case .float(let number): number
        default: nil
        }
    }
}
