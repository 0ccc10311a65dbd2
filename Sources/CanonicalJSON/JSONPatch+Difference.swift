extension JSONPatch {
    /// A patch that turns `old` into `new`; it is empty exactly if they are equal.
    ///
    /// Arrays are compared from both ends, so one inserted or removed run is found as such; the patch is always right
    /// but not always the shortest.
    package static func diff(from old: JSON, to new: JSON) -> JSONPatch {
        var difference = Difference()
        difference.compare(old, new)
        return JSONPatch(difference.operations)
    }
}

private struct Difference {
    var operations: [JSONPatch.Operation] = []
    private var path = JSONPointer()

    mutating func compare(_ old: JSON, _ new: JSON) {
        if old == new { return }
        switch (old, new) {
        case (.object(let old), .object(let new)): compare(old, new)
        case (.array(let old), .array(let new)): compare(old, new)
        default: operations.append(.replace(path, new))
        }
    }

    /// Goes through both in step, as both are sorted.
    private mutating func compare(_ old: JSONObject, _ new: JSONObject) {
        var added = new.members[...]
        for member in old.members {
            while let next = added.first, KeyOrder.compare(next.key, member.key) == .less {
                add(added.removeFirst())
            }
            if let next = added.first, next.key.hasSameBytes(as: member.key) {
                added.removeFirst()
                below(member.key) { $0.compare(member.value, next.value) }
            } else {
                operations.append(.remove(path.appending(member.key)))
            }
        }
        for member in added { add(member) }
    }

    private mutating func add(_ member: JSONObject.Member) {
        operations.append(.add(path.appending(member.key), member.value))
    }

    private mutating func compare(_ old: [JSON], _ new: [JSON]) {
        let shorter = min(old.count, new.count)
        var prefix = 0
        while prefix < shorter, old[prefix] == new[prefix] { prefix += 1 }
        var suffix = 0
        while suffix < shorter - prefix, old[old.count - 1 - suffix] == new[new.count - 1 - suffix] { suffix += 1 }
        for index in prefix..<shorter - suffix {
            below("\(index)") { $0.compare(old[index], new[index]) }
        }
        // From the end, so that the indices before stay what they were.
        for index in (shorter - suffix..<old.count - suffix).reversed() {
            operations.append(.remove(path.appending("\(index)")))
        }
        for index in shorter - suffix..<new.count - suffix {
            operations.append(.add(path.appending("\(index)"), new[index]))
        }
    }

    private mutating func below(_ token: String, _ body: (inout Difference) -> Void) {
        path.tokens.append(token)
        body(&self)
        path.tokens.removeLast()
    }
}
