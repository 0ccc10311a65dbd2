// A patch read from canonical text without a tree around it: folding reads one of each entry.

extension JSONPatch {
    /// Reads the patch that is a member of an object; nil if the object has no such member.
    ///
    /// - Parameter text: the whole object, known to be canonical JSON.
    /// - Throws: as `init(_:)` does of the same patch as a tree.
    package init?(member name: String, ofCanonical text: Span<UInt8>) throws(JSONPatchError) {
        var parser = JSONParser(maximumDepth: Self.depthMax)
        var found: Result<JSONPatch, JSONPatchError>?
        let isRead: Void? = try? parser.members(in: text, depth: 1) { (parser, key, text) throws(JSONError) in
            guard key.hasSameBytes(as: name) else {
                _ = try parser.value(in: text, depth: 1)
                return
            }
            found = try parser.patch(in: text, depth: 1)
        }
        guard isRead != nil else { preconditionFailure("the text is canonical JSON") }
        guard let found else { return nil }
        self = try found.get()
    }

    /// As deep as any canonical text of an entry.
    private static let depthMax = 64
}

extension JSONParser {
    /// Reads a patch; what is no patch is read to its end all the same.
    fileprivate mutating func patch(in text: Span<UInt8>, depth: Int) throws(JSONError) -> Result<JSONPatch, JSONPatchError> {
        guard text.byte(at: position) == UInt8(ascii: "[") else {
            _ = try value(in: text, depth: depth)
            return .failure(JSONPatchError(operation: nil, reason: .notAnArray))
        }
        var operations: [JSONPatch.Operation] = []
        var failure: JSONPatchError?
        var index = 0
        try elements(in: text, depth: depth + 1) { (parser, text) throws(JSONError) in
            switch try parser.operation(in: text, depth: depth + 1) {
            case .success(let operation): operations.append(operation)
            case .failure(let reason): failure = failure ?? JSONPatchError(operation: index, reason: reason)
            }
            index += 1
        }
        return failure.map { .failure($0) } ?? .success(JSONPatch(operations))
    }

    private mutating func operation(
        in text: Span<UInt8>, depth: Int
    ) throws(JSONError) -> Result<JSONPatch.Operation, JSONPatchError.Reason> {
        guard text.byte(at: position) == UInt8(ascii: "{") else {
            _ = try value(in: text, depth: depth)
            return .failure(.notAnObject)
        }
        var parts = JSONPatch.Operation.Parts()
        try members(in: text, depth: depth + 1) { (parser, key, text) throws(JSONError) in
            let value = try parser.value(in: text, depth: depth + 1)
            switch key {
            case "op": parts.name = value
            case "path": parts.path = value
            case "from": parts.from = value
            case "value": parts.value = value
            default: break
            }
        }
        do throws(JSONPatchError.Reason) {
            return .success(try JSONPatch.Operation(parts))
        } catch {
            return .failure(error)
        }
    }
}
