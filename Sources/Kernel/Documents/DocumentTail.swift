import CanonicalJSON
package import Ledger
package import LedgerFormat

/// The tree as a writer has seen it, and what others did to it since.
package struct DocumentTail: Sendable {
    /// The entry that was seen.
    package let base: UInt64
    /// The tree behind it.
    package let seen: Documents
    /// What came since, with what it put where.
    package private(set) var changes: [PlacedEntry] = []
    /// What of it does not count, because a higher class had said something else.
    private(set) var lost: Set<Claim> = []

    /// What one entry says of one place.
    struct Claim: Hashable, Sendable {
        private let seq: UInt64
        private let place: [UInt8]

        init(_ seq: UInt64, _ place: JSONPointer) {
            self.seq = seq
            self.place = Array(place.description.utf8)
        }
    }

    /// Reads no more than what lies behind the newest snapshot before the base.
    package init(
        behind base: UInt64, in view: LedgerView, _ environment: Environment, _ ranks: ActorRanks
    ) throws(LedgerError) {
        let end = FoldEnd(seq: base)
        var fold = try FoundFold<Documents>(in: view, to: end, environment).fold
        try fold.advance(in: view, to: end, environment)
        self.init(base: base, seen: fold.state)
        var (documents, mark, tail) = (fold.state, fold.mark, self)
        try FactReader(view, of: Documents.namespaces, environment).read(after: &mark) { fact in
            tail.add(fact, to: &documents, ranks.rank(of: fact.actor, at: fact.seq))
        }
        self = tail
    }

    /// Nothing came since.
    init(base: UInt64, seen: Documents) {
        self.base = base
        self.seen = seen
    }

    private mutating func add(_ fact: Fact, to documents: inout Documents, _ rank: ClassOrder.Rank) {
        let (body, context) = (fact.body, fact.context)
        let places: [JSONPointer]
        if body["meant"] != nil {
            // Its patch also mends what others lost.
            places = Self.pointers(context["writes"])
        } else {
            let patch = body["patch"].flatMap { try? JSONPatch($0) }
            places = patch.flatMap { try? $0.places(on: documents.root) }?.writes ?? []
        }
        let skippedCount = documents.skippedCount
        documents.apply(fact)
        guard documents.skippedCount == skippedCount, !places.isEmpty else { return }
        let losses = Self.collisions(body["lost"])
        for loss in losses { lost.insert(Claim(fact.seq, loss.at)) }
        for win in Self.collisions(body["overrode"]) {
            if let seq = win.loser.seq { lost.insert(Claim(seq, win.at)) }
        }
        changes.append(
            PlacedEntry(
                seq: fact.seq, position: fact.position, actor: fact.actor, rank: rank,
                reads: Self.pointers(context["reads"]),
                writes: places.map { place in
                    let loss = losses.first { $0.at == place }
                    return PlacedValue(place, loss?.loser.value ?? .init(documents.root[place]))
                }))
    }

    private static func pointers(_ json: JSON?) -> [JSONPointer] {
        (json?.array ?? []).compactMap { item in item.string.flatMap { try? JSONPointer(parsing: $0) } }
    }

    private static func collisions(_ json: JSON?) -> [Collision] { (json?.array ?? []).compactMap { Collision($0) } }
}
