extension JSON {
    /// Lets `body` change the value that `pointer` names, in place; answers nil, without calling it, if there is none.
    ///
    /// On the way down each container's contents are moved out and back, so what nobody else holds is not copied, and
    /// siblings cost nothing but the search among members, which halves. Of a container that somebody else holds too, the
    /// own level is copied, once.
    @discardableResult
    package mutating func withValue<Result, Failure: Error>(
        at pointer: JSONPointer, _ body: (inout JSON) throws(Failure) -> Result
    ) throws(Failure) -> Result? {
        try withValue(at: pointer.tokens[...], body)
    }

    mutating func withValue<Result, Failure: Error>(
        at tokens: ArraySlice<String>, _ body: (inout JSON) throws(Failure) -> Result
    ) throws(Failure) -> Result? {
        guard let token = tokens.first else { return try body(&self) }
        return switch container {
        case .object:
            try withObject { (object) throws(Failure) in
                let (index, found) = object.position(of: token)
                guard found else { return nil }
                return try object.withValue(at: index) { (value) throws(Failure) in
                    try value.withValue(at: tokens.dropFirst(), body)
                }
            }
        case .array:
            try withArray { (elements) throws(Failure) in
                guard let index = JSONPointer.arrayIndex(token), index < elements.count else { return nil }
                return try elements[index].withValue(at: tokens.dropFirst(), body)
            }
        case nil: nil
        }
    }

    enum Container { case object, array }

    /// Which container this is; nil for other values. To switch over `self` instead keeps a second reference meanwhile.
    var container: Container? {
        switch self {
        case .object: .object
        case .array: .array
        default: nil
        }
    }

    /// Lets `body` change this object in place. It is moved out meanwhile: a second reference would make the change a copy.
    mutating func withObject<Result, Failure: Error>(
        _ body: (inout JSONObject) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        guard case .object(var object) = exchange(&self, with: .null) else { preconditionFailure("this is no object") }
        defer { self = .object(object) }
        return try body(&object)
    }

    /// As `withObject`, for an array.
    mutating func withArray<Result, Failure: Error>(
        _ body: (inout [JSON]) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        guard case .array(var elements) = exchange(&self, with: .null) else { preconditionFailure("this is no array") }
        defer { self = .array(elements) }
        return try body(&elements)
    }
}
