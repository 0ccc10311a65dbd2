extension JSONPatch {
    /// The document that results from all operations in order; on an error nothing has changed.
    ///
    /// The result can be far larger than patch and document together, because copies may be copied; it shares memory
    /// until it is written. Whoever accepts patches from strangers limits their operations.
    package func apply(to document: JSON) throws(JSONPatchError) -> JSON {
        var result = document
        for (index, operation) in operations.enumerated() {
            do throws(JSONPatchError.Reason) {
                try operation.apply(to: &result)
            } catch {
                throw JSONPatchError(operation: index, reason: error)
            }
        }
        return result
    }
}

extension JSONPatch.Operation {
    fileprivate func apply(to document: inout JSON) throws(JSONPatchError.Reason) {
        switch self {
        case .add(let path, let value): try document.add(value, at: path)
        case .remove(let path): _ = try document.remove(at: path)
        case .replace(let path, let value): try document.replace(at: path, with: value)
        case .move(let from, let path):
            guard from != path else {
                _ = try document.existing(at: from)
                return
            }
            if from.isPrefix(of: path) { throw .movesIntoItself }
            let value = try document.remove(at: from)
            try document.add(value, at: path)
        case .copy(let from, let path): try document.add(try document.existing(at: from), at: path)
        case .test(let path, let value):
            guard try document.existing(at: path) == value else { throw .testFailed(path) }
        }
    }
}

extension JSON {
    fileprivate func existing(at path: JSONPointer) throws(JSONPatchError.Reason) -> JSON {
        guard let value = self[path] else { throw .notFound(path) }
        return value
    }

    /// Adds a member, replaces one, or inserts an element (RFC 6902, section 4.1).
    fileprivate mutating func add(_ value: JSON, at path: JSONPointer) throws(JSONPatchError.Reason) {
        guard let last = path.tokens.last else {
            self = value
            return
        }
        try withContainer(of: path) { (container: inout JSON) throws(JSONPatchError.Reason) in
            switch container {
            case .object(var object):
                container = .null
                object[last] = value
                container = .object(object)
            case .array(var elements):
                let isEnd = last.hasSameBytes(as: "-")
                guard let index = isEnd ? elements.count : JSONPointer.arrayIndex(last) else {
                    throw .notAnIndex(path)
                }
                guard index <= elements.count else { throw .notFound(path) }
                container = .null
                elements.insert(value, at: index)
                container = .array(elements)
            default: throw .notFound(path)
            }
        }
    }

    /// Takes the value at `path` out (RFC 6902, section 4.2).
    fileprivate mutating func remove(at path: JSONPointer) throws(JSONPatchError.Reason) -> JSON {
        guard let last = path.tokens.last else { throw .removesRoot }
        let removed = try existing(at: path)
        try withContainer(of: path) { (container: inout JSON) throws(JSONPatchError.Reason) in
            switch container {
            case .object(var object):
                container = .null
                object[last] = nil
                container = .object(object)
            case .array(var elements):
                guard let index = JSONPointer.arrayIndex(last) else { throw .notAnIndex(path) }
                container = .null
                elements.remove(at: index)
                container = .array(elements)
            default: throw .notFound(path)
            }
        }
        return removed
    }

    /// Puts `value` in the place of the one at `path` (RFC 6902, section 4.3).
    fileprivate mutating func replace(at path: JSONPointer, with value: JSON) throws(JSONPatchError.Reason) {
        _ = try existing(at: path)
        try withValue(at: path.tokens[...], of: path) { (target: inout JSON) in target = value }
    }

    /// Lets `body` change what holds the value at `path`, which is not the root.
    private mutating func withContainer(
        of path: JSONPointer, _ body: (inout JSON) throws(JSONPatchError.Reason) -> Void
    ) throws(JSONPatchError.Reason) {
        try withValue(at: path.tokens.dropLast(), of: path, body)
    }

    /// Lets `body` change the value at `tokens` in place; containers that nobody else holds are not copied.
    private mutating func withValue(
        at tokens: ArraySlice<String>, of path: JSONPointer,
        _ body: (inout JSON) throws(JSONPatchError.Reason) -> Void
    ) throws(JSONPatchError.Reason) {
        guard let token = tokens.first else { return try body(&self) }
        switch self {
        case .object(var object):
            let (index, found) = object.position(of: token)
            guard found else { throw .notFound(path) }
            self = .null
            defer { self = .object(object) }
            try object.withValue(at: index) { (value: inout JSON) throws(JSONPatchError.Reason) in
                try value.withValue(at: tokens.dropFirst(), of: path, body)
            }
        case .array(var elements):
            guard let index = JSONPointer.arrayIndex(token), index < elements.count else { throw .notFound(path) }
            self = .null
            defer { self = .array(elements) }
            try elements[index].withValue(at: tokens.dropFirst(), of: path, body)
        default: throw .notFound(path)
        }
    }
}
