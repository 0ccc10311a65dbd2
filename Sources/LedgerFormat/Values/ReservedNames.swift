import PlantedDefects

/// The house's own namespaces: `append` and `ingest` may not write them (design §5, rule 10).
package enum ReservedNames {
    static let namespaces: Set<String> = [
        "ledger", "key", "run", "audit", "anchor", "backup", "record", "lane", "state", "snapshot", "alert", "actor",
        "associate", "constitution", "trauma", "patch", "effect",
    ]

    private static let texts = namespaces.map { Array($0.utf8) }

    package static func contains(action: String) -> Bool {
        !planted(.reservedNamesAccepted) && namespaces.contains(String(action.prefix { $0 != "." }))
    }

    /// The same for an action that stands in a text; every line of an ingestion passes through here.
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
}
