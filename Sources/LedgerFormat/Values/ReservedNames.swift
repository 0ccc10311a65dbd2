import PlantedDefects

/// The house's own namespaces: `append` and `ingest` may not write them (design §5, rule 10).
package enum ReservedNames {
    static let namespaces: Set<String> = [
        "ledger", "key", "run", "audit", "anchor", "backup", "record", "lane", "state", "snapshot", "alert", "actor",
        "associate", "constitution", "trauma", "patch", "effect",
    ]

    /// Of these, what people and agents record by verbs of their own; of all others the house itself speaks.
    private static let granted: Set<String> = ["record", "lane", "state", "trauma", "effect"]

    private static let texts = namespaces.map { Array($0.utf8) }

    package static func contains(action: String) -> Bool {
        !planted(.reservedNamesAccepted) && namespaces.contains(String(action.prefix { $0 != "." }))
    }

    /// Whether the house itself records such entries. (It proposes patches too; who else does, `Patches` looks at.)
    static func isHouse(action: String) -> Bool {
        let namespace = String(action.prefix { $0 != "." })
        return namespaces.contains(namespace) && !granted.contains(namespace)
    }

    /// Whether an action that stands in a text is reserved; every line of an ingestion passes through here.
    static func contains(_ bytes: Span<UInt8>, _ action: Range<Int>) -> Bool {
        texts.contains { name in
            guard name.count <= action.count,
                name.count == action.count || bytes[action.lowerBound + name.count] == UInt8(ascii: ".")
            else { return false }
            for index in name.indices where name[index] != bytes[action.lowerBound + index] { return false }
            return true
        }
    }
}

extension Draft {
    package var isReserved: Bool { ReservedNames.contains(text.span, members.action) }

    /// Whether it speaks in the house's name of what the house does not record. Readers take it: what was recorded before this rule stays valid.
    package var borrowsHouseName: Bool {
        guard members.actor.count == Self.house.count else { return false }
        for (index, byte) in Self.house.enumerated() where text[members.actor.lowerBound + index] != byte { return false }
        return !ReservedNames.isHouse(action: action)
    }

    private static let house = Array(ActorRoster.house.utf8)
}
