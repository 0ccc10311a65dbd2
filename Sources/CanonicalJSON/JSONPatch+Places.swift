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
    /// Puts a value at a place, or nothing; false if there is no room for it: what it should stand in is not there.
    package mutating func put(_ value: JSON?, at place: JSONPointer) -> Bool {
        let isThere = self[place] != nil
        let operation: JSONPatch.Operation
        if let value {
            if !isThere, case .array? = self[JSONPointer(tokens: Array(place.tokens.dropLast()))] { return false }
            operation = isThere ? .replace(place, value) : .add(place, value)
        } else {
            guard isThere else { return true }
            operation = .remove(place)
        }
        return (try? JSONPatch([operation]).apply(to: &self)) != nil
    }
}
