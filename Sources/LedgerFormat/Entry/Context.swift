import CanonicalJSON

/// The members that an entry's context may have, and their forms (design §2).
enum Context {
    static func check(_ context: JSONObject) throws(DraftError) {
        for member in context.members {
            let (name, value) = (member.key, member.value)
            guard let isWellFormed = rules[name] else { throw .context("\"\(name)\" is not one of its members") }
            guard isWellFormed(value) else { throw .context("\"\(name)\" has not its form") }
            guard !placeNames.contains(name) || value.array?.count ?? 0 <= placeCountMax else {
                throw .context("\"\(name)\" names more than \(placeCountMax) places")
            }
            guard !placeNames.contains(name) || value.canonicalBytes().count <= placeByteCountMax else {
                throw .context("\"\(name)\" has more than \(placeByteCountMax) bytes")
            }
        }
    }

    /// Whether it says what was read or is written: then it is compared with what came since its `base`.
    static func namesPlaces(_ context: JSONObject) -> Bool {
        placeNames.contains { context[$0]?.array?.isEmpty == false }
    }

    private static let placeNames = ["reads", "writes"]

    /// Whoever is compared with it pays for each.
    private static let placeCountMax = 1000
    /// So there is room to say which of them was lost.
    private static let placeByteCountMax = 256 << 10

    /// What one of these two says; what is no pointer was written by nobody of ours.
    static func pointers(_ value: JSON?) -> [JSONPointer] {
        (value?.array ?? []).compactMap { item in item.string.flatMap { try? JSONPointer(parsing: $0) } }
    }

    private static let rules: [String: @Sendable (JSON) -> Bool] = [
        "id": { isText($0) },
        "base": { isSeq($0) },
        "causes": { $0.array?.allSatisfy(isSeq) ?? false },
        "reads": { isPointers($0) },
        "writes": { isPointers($0) },
        "trace": { isText($0) },
        "sign": { $0.string.map { ActorSignature($0) != nil } ?? false },
    ]

    private static func isText(_ value: JSON) -> Bool {
        guard let text = value.string else { return false }
        return (1...256).contains(text.utf8.count)
    }

    private static func isSeq(_ value: JSON) -> Bool {
        guard let number = value.integer else { return false }
        return number >= 1 && number <= Int64(Limits.seq)
    }

    private static func isPointers(_ value: JSON) -> Bool {
        value.array?.allSatisfy { item in item.string.map { (try? JSONPointer(parsing: $0)) != nil } ?? false } ?? false
    }
}

/// What a context says of places, but for what its writer had seen: he may know more when he says it again.
package struct NamedPlaces: Sendable, Equatable {
    private var reads, writes: JSON?

    init(_ context: JSONObject) {
        reads = Self.list(context["reads"])
        writes = Self.list(context["writes"])
    }

    /// An empty list is as good as none.
    private static func list(_ value: JSON?) -> JSON? { value?.array?.isEmpty == false ? value : nil }
}

extension NamedPlaces: CustomStringConvertible {
    package var description: String {
        [("reads", reads), ("writes", writes)].map { name, list in
            list.map { ", \(name) \($0.canonicalText.prefix(200))" } ?? ""
        }.joined()
    }
}

extension Draft {
    package var namedPlaces: NamedPlaces { NamedPlaces(namesPlaces ? contextObject : [:]) }
}
