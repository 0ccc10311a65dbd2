/// A list of changes to a document (RFC 6902), which are made all or not at all.
package struct JSONPatch: Sendable, Equatable {
    package enum Operation: Sendable, Equatable {
        case add(JSONPointer, JSON)
        case remove(JSONPointer)
        case replace(JSONPointer, JSON)
        case move(from: JSONPointer, to: JSONPointer)
        case copy(from: JSONPointer, to: JSONPointer)
        case test(JSONPointer, JSON)
    }

    package var operations: [Operation]

    package init(_ operations: [Operation] = []) {
        self.operations = operations
    }
}

/// Why a patch could not be read or applied, and which of its operations is to blame.
package struct JSONPatchError: Error, Equatable, Sendable {
    package enum Reason: Error, Equatable, Sendable {
        /// The patch itself is no array.
        case notAnArray
        /// The operation is no object.
        case notAnObject
        /// The operation lacks a member, or the member is of the wrong type.
        case badMember(String)
        /// `op` is none of the six.
        case unknownOperation
        case badPointer(JSONPointer.SyntaxError)
        /// No value is at this place.
        case notFound(JSONPointer)
        /// The token that should choose an array's element is no index.
        case notAnIndex(JSONPointer)
        /// A value cannot be moved into itself.
        case movesIntoItself
        /// A document cannot be without its root.
        case removesRoot
        case testFailed(JSONPointer)
    }

    /// Counted from 0; nil if the patch as a whole is at fault.
    package var operation: Int?
    package var reason: Reason

    package init(operation: Int?, reason: Reason) {
        self.operation = operation
        self.reason = reason
    }
}

extension JSONPatchError: CustomStringConvertible {
    package var description: String {
        guard let operation else { return "the patch fails: \(reason)" }
        return "operation \(operation) of the patch fails: \(reason)"
    }
}

extension JSONPatchError.Reason: CustomStringConvertible {
    package var description: String {
        switch self {
        case .notAnArray: "a patch must be an array"
        case .notAnObject: "an operation must be an object"
        case .badMember(let name): "member \"\(name)\" is missing or of the wrong type"
        case .unknownOperation: "\"op\" is none of add, remove, replace, move, copy, test"
        case .badPointer(let error): "\(error)"
        case .notFound(let pointer): "there is nothing at \"\(pointer.shortened)\""
        case .notAnIndex(let pointer): "\"\(pointer.shortened)\" does not end with an index of the array"
        case .movesIntoItself: "a value cannot be moved into itself"
        case .removesRoot: "the whole document cannot be removed"
        case .testFailed(let pointer): "the value at \"\(pointer.shortened)\" is not the expected one"
        }
    }
}
