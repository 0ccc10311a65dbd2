extension JSON {
    package var isNull: Bool {
        if case .null = self { true } else { false }
    }

    package var bool: Bool? {
        if case .bool(let value) = self { value } else { nil }
    }

    package var number: Double? {
        if case .number(let value) = self { value } else { nil }
    }

    /// The number as an integer, or nil if it has a fraction or lies outside `Int64`.
    package var integer: Int64? {
        if case .number(let value) = self { Int64(holding: value) } else { nil }
    }

    package var string: String? {
        if case .string(let value) = self { value } else { nil }
    }

    package var array: [JSON]? {
        if case .array(let value) = self { value } else { nil }
    }

    package var object: JSONObject? {
        if case .object(let value) = self { value } else { nil }
    }

    /// The member called `key`; nil if there is none, or if this is no object.
    package subscript(key: String) -> JSON? {
        object?[key]
    }

    /// The element at `index`; nil if there is none, or if this is no array.
    package subscript(index: Int) -> JSON? {
        guard case .array(let elements) = self, elements.indices.contains(index) else { return nil }
        return elements[index]
    }
}

extension JSON {
    /// The number `value`, or nil if a double cannot hold it exactly.
    package init?(exactly value: some BinaryInteger) {
        guard let number = Double(exactly: value) else { return nil }
        self = .number(number)
    }
}
