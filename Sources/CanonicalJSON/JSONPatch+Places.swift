extension JSONPatch {
    /// What a patch says of a document: the places that it writes and looks at, none inside another, and what comes of it.
    package struct Places: Sendable {
        package var writes: [JSONPointer]
        /// What `test` and `copy` look at.
        package var reads: [JSONPointer]
        package var result: JSON
    }

    /// Makes the patch on a document, and tells where.
    ///
    /// What makes an array longer or shorter writes the whole array: each element behind has another place then.
    package func places(on document: JSON) throws(JSONPatchError) -> Places {
        var result = document
        var (writes, reads): ([JSONPointer], [JSONPointer]) = ([], [])
        for (index, operation) in operations.enumerated() {
            switch operation {
            case .add(let path, _), .remove(let path): writes.append(result.movedPlace(path))
            case .replace(let path, _): writes.append(path)
            case .move(let from, let path): writes += [result.movedPlace(from), result.movedPlace(path)]
            case .copy(let from, let path):
                reads.append(from)
                writes.append(result.movedPlace(path))
            case .test(let path, _): reads.append(path)
            }
            do throws(JSONPatchError) { try JSONPatch([operation]).apply(to: &result) } catch {
                throw JSONPatchError(operation: index, reason: error.reason)
            }
        }
        return Places(writes: JSONPointer.outermost(writes), reads: JSONPointer.outermost(reads), result: result)
    }
}

extension JSON {
    /// What changes when something comes to a place, or leaves it.
    fileprivate func movedPlace(_ path: JSONPointer) -> JSONPointer {
        guard !path.tokens.isEmpty else { return path }
        let parent = JSONPointer(tokens: Array(path.tokens.dropLast()))
        if case .array? = self[parent] { return parent }
        return path
    }
}

extension JSONPointer {
    /// Whether one of the two lies in the other, or both are the same.
    package func meets(_ other: JSONPointer) -> Bool { isPrefix(of: other) || other.isPrefix(of: self) }

    /// The places that lie in none of the others, each once, in the order of their steps' bytes.
    package static func outermost(_ places: [JSONPointer]) -> [JSONPointer] {
        var kept: [JSONPointer] = []
        // Behind each place come those inside it.
        for place in places.sorted(by: { $0.precedes($1) }) {
            if let last = kept.last, last.isPrefix(of: place) { continue }
            kept.append(place)
        }
        return kept
    }

    private func precedes(_ other: JSONPointer) -> Bool {
        tokens.lexicographicallyPrecedes(other.tokens) { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }
}

extension JSON {
    /// Puts a value at a place, or nothing.
    ///
    /// Where it has no room, room is made: what is missing around it becomes an object, as does what stands in its way, and an array
    /// in which it is no element becomes an object of the same elements. So in whatever order values come to places of which none
    /// lies in another, the outcome is the same.
    package mutating func put(_ value: JSON?, at place: JSONPointer) {
        if value == nil, self[place] == nil { return }
        if !replace(value, at: place) { makeRoom(for: value, at: place.tokens[...]) }
    }

    /// In place, if there is room.
    private mutating func replace(_ value: JSON?, at place: JSONPointer) -> Bool {
        let isThere = self[place] != nil
        // An element that comes or goes would give each behind it another place.
        if value == nil || !isThere, case .array? = self[JSONPointer(tokens: Array(place.tokens.dropLast()))] { return false }
        let operation: JSONPatch.Operation = value.map { isThere ? .replace(place, $0) : .add(place, $0) } ?? .remove(place)
        return (try? JSONPatch([operation]).apply(to: &self)) != nil
    }

    private mutating func makeRoom(for value: JSON?, at tokens: ArraySlice<String>) {
        guard let token = tokens.first else { return self = value ?? [:] }
        let rest = tokens.dropFirst()
        if case .array(var elements) = self {
            if let index = JSONPointer.arrayIndex(token), index < elements.count, value != nil || !rest.isEmpty {
                elements[index].makeRoom(for: value, at: rest)
                return self = .array(elements)
            }
            self = .object(JSONObject(elements.enumerated().map { ("\($0.offset)", $0.element) }))
        }
        var object = object ?? [:]
        if rest.isEmpty {
            object[token] = value
        } else {
            var member = object[token] ?? [:]
            member.makeRoom(for: value, at: rest)
            object[token] = member
        }
        self = .object(object)
    }
}
