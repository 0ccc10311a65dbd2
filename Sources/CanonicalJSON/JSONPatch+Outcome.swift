extension JSONPatch {
    /// What stands at a place, as far as a patch tells.
    package enum Outcome: Sendable, Equatable {
        case value(JSON)
        case absent
        /// It depends on the document.
        case unknown
    }

    /// What stands at a place behind the patch, whatever document it was made on.
    package func outcome(at place: JSONPointer) -> Outcome { outcome(at: place, behind: operations[...]) }

    /// Looks for the last operation that puts something there, and makes those behind it on that.
    private func outcome(at place: JSONPointer, behind operations: ArraySlice<Operation>) -> Outcome {
        guard let last = operations.last else { return .unknown }
        let earlier = operations.dropLast()
        switch last {
        case .add(let path, let value), .replace(let path, let value), .test(let path, let value):
            if let rest = place.steps(below: path) { return value[rest].map { .value($0) } ?? .absent }
        case .copy(let from, let path), .move(let from, let path):
            if let rest = place.steps(below: path) { return outcome(at: from.appending(rest), behind: earlier) }
        case .remove: break
        }
        if last.moved.contains(where: { $0.mayShift(place) }) { return .unknown }
        if last.left.contains(where: { $0.isPrefix(of: place) }) { return .absent }
        guard last.changed.contains(where: { place.isPrefix(of: $0) }) else { return outcome(at: place, behind: earlier) }
        guard let inner = last.seen(from: place), case .value(var value) = outcome(at: place, behind: earlier),
            (try? JSONPatch([inner]).apply(to: &value)) != nil
        else { return .unknown }
        return .value(value)
    }
}

extension JSONPatch.Operation {
    /// Where something comes or goes.
    fileprivate var moved: [JSONPointer] {
        switch self {
        case .add(let path, _), .remove(let path), .copy(_, let path): [path]
        case .move(let from, let path): [from, path]
        case .replace, .test: []
        }
    }

    /// Where something goes.
    fileprivate var left: [JSONPointer] {
        switch self {
        case .remove(let path), .move(let path, _): [path]
        default: []
        }
    }

    /// Where something is another one then.
    fileprivate var changed: [JSONPointer] {
        if case .replace(let path, _) = self { [path] } else { moved }
    }

    /// The same on what stands at a place; nil if it needs more than that.
    fileprivate func seen(from place: JSONPointer) -> JSONPatch.Operation? {
        switch self {
        case .add(let path, let value): path.steps(below: place).map { .add($0, value) }
        case .remove(let path): path.steps(below: place).map { .remove($0) }
        case .replace(let path, let value): path.steps(below: place).map { .replace($0, value) }
        case .test(let path, let value): path.steps(below: place).map { .test($0, value) }
        case .move(let from, let path):
            from.steps(below: place).flatMap { from in path.steps(below: place).map { .move(from: from, to: $0) } }
        case .copy(let from, let path):
            from.steps(below: place).flatMap { from in path.steps(below: place).map { .copy(from: from, to: $0) } }
        }
    }
}

extension JSONPointer {
    /// The way from an enclosing place to this one; nil if that does not enclose it.
    fileprivate func steps(below place: JSONPointer) -> JSONPointer? {
        place.isPrefix(of: self) ? JSONPointer(tokens: Array(tokens.dropFirst(place.tokens.count))) : nil
    }

    /// Whether it can be an element whose coming or going gives another place another element.
    fileprivate func mayShift(_ place: JSONPointer) -> Bool {
        guard let last = tokens.last, last == "-" || JSONPointer.arrayIndex(last) != nil else { return false }
        return place.tokens.count >= tokens.count && JSONPointer(tokens: tokens.dropLast()).isPrefix(of: place)
    }

    fileprivate func appending(_ rest: JSONPointer) -> JSONPointer { JSONPointer(tokens: tokens + rest.tokens) }
}
