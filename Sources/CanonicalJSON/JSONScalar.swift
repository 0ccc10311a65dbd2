/// The types that are one JSON value each: `Codable` ends with them.
protocol JSONScalar: Codable {
    func scalar() throws(JSONCodingError.Reason) -> JSON
    init(scalar json: JSON) throws(JSONCodingError.Reason)
}

extension Bool: JSONScalar {
    func scalar() -> JSON { .bool(self) }

    init(scalar json: JSON) throws(JSONCodingError.Reason) {
        guard case .bool(let value) = json else { throw json.isInsteadOf("true or false") }
        self = value
    }
}

extension String: JSONScalar {
    func scalar() -> JSON { .string(self) }

    init(scalar json: JSON) throws(JSONCodingError.Reason) {
        guard case .string(let value) = json else { throw json.isInsteadOf("a string") }
        self = value
    }
}

extension Double: JSONScalar {
    func scalar() throws(JSONCodingError.Reason) -> JSON {
        guard isFinite else { throw .notFinite }
        return .number(self)
    }

    init(scalar json: JSON) throws(JSONCodingError.Reason) {
        guard case .number(let value) = json else { throw json.isInsteadOf("a number") }
        self = value
    }
}

/// Written exactly, read as the nearest that `Float` has, as Swift reads its literals; only what is too large is refused.
extension Float: JSONScalar {
    func scalar() throws(JSONCodingError.Reason) -> JSON { try Double(self).scalar() }

    init(scalar json: JSON) throws(JSONCodingError.Reason) {
        let number = try Double(scalar: json)
        self.init(number)
        guard isFinite else { throw .outOfRange(type: "Float", number: number) }
    }
}

extension JSONScalar where Self: FixedWidthInteger {
    func scalar() throws(JSONCodingError.Reason) -> JSON {
        guard let json = JSON(exactly: self) else { throw .notExact("\(self)") }
        return json
    }

    init(scalar json: JSON) throws(JSONCodingError.Reason) {
        let number = try Double(scalar: json)
        guard let integer = Self(holding: number) else { throw .outOfRange(type: "\(Self.self)", number: number) }
        self = integer
    }
}

// The 128-bit integers are refused by the standard library's own default.
extension Int: JSONScalar {}
extension Int8: JSONScalar {}
extension Int16: JSONScalar {}
extension Int32: JSONScalar {}
extension Int64: JSONScalar {}
extension UInt: JSONScalar {}
extension UInt8: JSONScalar {}
extension UInt16: JSONScalar {}
extension UInt32: JSONScalar {}
extension UInt64: JSONScalar {}

extension JSON {
    func isInsteadOf(_ expected: String) -> JSONCodingError.Reason {
        let found =
            switch self {
            case .null: "null"
            case .bool: "true or false"
            case .number: "a number"
            case .string: "a string"
            case .array: "an array"
            case .object: "an object"
            }
        return .wrongKind(expected: expected, found: found)
    }
}
