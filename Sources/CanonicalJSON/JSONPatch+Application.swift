extension JSONPatch {
    /// The document that results from all operations in order.
    ///
    /// The result can be far larger than patch and document together, because copies may be copied; it shares memory
    /// until it is written. Whoever accepts patches from strangers limits their operations.
    package func apply(to document: JSON) throws(JSONPatchError) -> JSON {
        var result = document
        try apply(to: &result)
        return result
    }

    /// Makes all operations in order, in place; on an error the document is what it was.
    ///
    /// What nobody else holds is not copied, see `JSON.withValue(at:_:)`; adding and removing move the siblings behind.
    package func apply(to document: inout JSON) throws(JSONPatchError) {
        // What is one step is made or not.
        var undo: [Operation]? = operations.count == 1 && operations[0].isOneStep ? nil : []
        for (index, operation) in operations.enumerated() {
            do throws(JSONPatchError.Reason) {
                try document.make(operation, undo: &undo)
            } catch {
                document.takeBack(undo ?? [])
                throw JSONPatchError(operation: index, reason: error)
            }
        }
    }
}

extension JSON {
    /// Makes one operation, and puts behind `undo`, if there is one, what takes its steps back; on an error, those that were made.
    fileprivate mutating func make(
        _ operation: JSONPatch.Operation, undo: inout [JSONPatch.Operation]?
    ) throws(JSONPatchError.Reason) {
        switch operation {
        case .add(let path, let value):
            let back = try add(value, at: path)
            undo?.append(back)
        case .remove(let path):
            let old = try remove(at: path)
            undo?.append(.add(path, old))
        case .replace(let path, let value):
            let old = try replace(at: path, with: value)
            undo?.append(.replace(path, old))
        case .move(let from, let path):
            guard from != path else {
                _ = try existing(at: from)
                return
            }
            if from.isPrefix(of: path) { throw .movesIntoItself }
            let value = try remove(at: from)
            undo?.append(.add(from, value))
            let back = try add(value, at: path)
            undo?.append(back)
        case .copy(let from, let path):
            let back = try add(try existing(at: from), at: path)
            undo?.append(back)
        case .test(let path, let value):
            guard try existing(at: path) == value else { throw .testFailed(path) }
        }
    }

    /// Takes steps back, the last one first. Each fits the document that the steps before it had left, so none can fail;
    /// going on with a document that is half of a patch would be worse than to stop.
    fileprivate mutating func takeBack(_ undo: [JSONPatch.Operation]) {
        var taken: [JSONPatch.Operation]?
        for operation in undo.reversed() {
            do throws(JSONPatchError.Reason) {
                try make(operation, undo: &taken)
            } catch {
                preconditionFailure("a patch cannot be taken back: \(error)")
            }
        }
    }

    private func existing(at path: JSONPointer) throws(JSONPatchError.Reason) -> JSON {
        guard let value = self[path] else { throw .notFound(path) }
        return value
    }

    /// Adds a member, replaces one, or inserts an element (RFC 6902, section 4.1); answers what takes that back.
    private mutating func add(_ value: JSON, at path: JSONPointer) throws(JSONPatchError.Reason) -> JSONPatch.Operation {
        guard let last = path.tokens.last else { return .replace(path, try replace(at: path, with: value)) }
        return try withContainer(of: path) { (target) throws(JSONPatchError.Reason) in
            switch target.container {
            case .object:
                let old = target.withObject { $0.updateValue(value, forKey: last) }
                return old.map { .replace(path, $0) } ?? .remove(path)
            case .array:
                let count = target.array?.count ?? 0
                let isEnd = last.hasSameBytes(as: "-")
                guard let index = isEnd ? count : JSONPointer.arrayIndex(last) else { throw .notAnIndex(path) }
                guard index <= count else { throw .notFound(path) }
                target.withArray { $0.insert(value, at: index) }
                return .remove(isEnd ? path.ending(with: "\(index)") : path)
            case nil: throw .notFound(path)
            }
        }
    }

    /// Takes the value at `path` out (RFC 6902, section 4.2).
    private mutating func remove(at path: JSONPointer) throws(JSONPatchError.Reason) -> JSON {
        guard let last = path.tokens.last else { throw .removesRoot }
        let removed: JSON? = try withContainer(of: path) { (target) throws(JSONPatchError.Reason) in
            switch target.container {
            case .object: target.withObject { $0.removeValue(forKey: last) }
            case .array:
                target.withArray { elements in
                    guard let index = JSONPointer.arrayIndex(last), index < elements.count else { return nil }
                    return elements.remove(at: index)
                }
            case nil: nil
            }
        }
        guard let removed else { throw .notFound(path) }
        return removed
    }

    /// Puts `value` in the place of the one at `path` (RFC 6902, section 4.3), which it answers.
    private mutating func replace(at path: JSONPointer, with value: JSON) throws(JSONPatchError.Reason) -> JSON {
        guard let old = withValue(at: path, { (target: inout JSON) in exchange(&target, with: value) }) else {
            throw .notFound(path)
        }
        return old
    }

    /// Lets `body` change what holds the value at `path`, which is not the root.
    private mutating func withContainer<Result>(
        of path: JSONPointer, _ body: (inout JSON) throws(JSONPatchError.Reason) -> Result
    ) throws(JSONPatchError.Reason) -> Result {
        guard let result = try withValue(at: path.tokens.dropLast(), body) else { throw .notFound(path) }
        return result
    }
}

extension JSONPatch.Operation {
    /// Whether it fails, if it does, before it has changed anything.
    fileprivate var isOneStep: Bool {
        if case .move = self { false } else { true }
    }
}

extension JSONPointer {
    fileprivate func ending(with token: String) -> JSONPointer {
        JSONPointer(tokens: tokens.dropLast() + [token])
    }
}
