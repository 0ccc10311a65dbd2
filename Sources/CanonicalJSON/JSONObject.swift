/// The members of a JSON object, always sorted by the UTF-16 code units of their keys (RFC 8785, section 3.2.3).
package struct JSONObject: Sendable {
    package struct Member: Sendable, Equatable {
        package let key: String
        package var value: JSON

        package init(key: String, value: JSON) {
            self.key = key
            self.value = value
        }

        package static func == (left: Member, right: Member) -> Bool {
            left.key.hasSameBytes(as: right.key) && left.value == right.value
        }
    }

    /// In canonical order, each key once.
    package private(set) var members: [Member]

    package init() {
        members = []
    }

    /// Collects `pairs` in any order; of several with the same key the last one counts.
    package init(_ pairs: some Sequence<(String, JSON)>) {
        members = []
        for (key, value) in pairs { members.append(Member(key: key, value: value)) }
        guard !Self.isAscending(members) else { return }
        let order = Self.canonicalOrder(of: members)
        var sorted: [Member] = []
        sorted.reserveCapacity(members.count)
        for index in order {
            if let last = sorted.last, last.key.hasSameBytes(as: members[index].key) { sorted.removeLast() }
            sorted.append(members[index])
        }
        members = sorted
    }

    /// Takes over members that are known to be in canonical order.
    init(ascending members: [Member]) {
        self.members = members
    }

    package var count: Int { members.count }
    package var isEmpty: Bool { members.isEmpty }
    package var keys: [String] { members.map(\.key) }
}

extension JSONObject: Equatable {
    package static func == (left: JSONObject, right: JSONObject) -> Bool {
        left.members == right.members
    }
}

extension JSONObject {
    /// The value of the member called `key`; assigning nil removes the member.
    package subscript(key: String) -> JSON? {
        get {
            let (index, found) = position(of: key)
            return found ? members[index].value : nil
        }
        set {
            if let newValue { updateValue(newValue, forKey: key) } else { removeValue(forKey: key) }
        }
    }

    /// Sets the member called `key`; answers the value that it had, or nil if it is new.
    @discardableResult
    package mutating func updateValue(_ value: JSON, forKey key: String) -> JSON? {
        let (index, found) = position(of: key)
        guard found else {
            members.insert(Member(key: key, value: value), at: index)
            return nil
        }
        let old = members[index].value
        members[index].value = value
        return old
    }

    /// Takes the member called `key` out; answers its value, or nil if there is none.
    @discardableResult
    package mutating func removeValue(forKey key: String) -> JSON? {
        let (index, found) = position(of: key)
        return found ? members.remove(at: index).value : nil
    }

    /// Where `key` is, or where it would have to be inserted.
    func position(of key: String) -> (index: Int, found: Bool) {
        let wanted = key.utf8Span.span
        var low = 0
        var high = members.count
        while low < high {
            let middle = low + (high - low) / 2
            switch KeyOrder.compare(members[middle].key.utf8Span.span, wanted) {
            case .equal: return (middle, true)
            case .less: low = middle + 1
            case .greater: high = middle
            }
        }
        return (low, false)
    }

    /// Lets `body` change a member's value in place, without a copy of what lies below it.
    mutating func withValue<Result, Failure: Error>(
        at index: Int, _ body: (inout JSON) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(&members[index].value)
    }
}

extension JSONObject {
    static func isAscending(_ members: [Member]) -> Bool {
        for index in members.indices.dropFirst()
        where KeyOrder.compare(members[index - 1].key, members[index].key) != .less {
            return false
        }
        return true
    }

    /// The indices of `members` in canonical order; those with equal keys keep the order that they had.
    static func canonicalOrder(of members: [Member]) -> [Int] {
        members.indices.sorted { left, right in
            switch KeyOrder.compare(members[left].key, members[right].key) {
            case .less: true
            case .equal: left < right
            case .greater: false
            }
        }
    }
}
