extension JSONPointer {
    /// The value that this pointer names in `document`, or nil if there is none (RFC 6901, section 4).
    package func evaluate(on document: JSON) -> JSON? {
        var current = document
        for token in tokens {
            switch current {
            case .object(let object):
                guard let value = object[token] else { return nil }
                current = value
            case .array(let elements):
                guard let index = Self.arrayIndex(token), index < elements.count else { return nil }
                current = elements[index]
            default: return nil
            }
        }
        return current
    }

    /// The number that `token` writes in the only form allowed for an index: decimal digits without leading zeros.
    static func arrayIndex(_ token: String) -> Int? {
        let digits = token.utf8
        guard digits.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }) else { return nil }
        if digits.count > 1, digits.first == UInt8(ascii: "0") { return nil }
        return Int(token)
    }
}

extension JSON {
    /// The value that `pointer` names, or nil if there is none.
    package subscript(pointer: JSONPointer) -> JSON? {
        pointer.evaluate(on: self)
    }
}
