import CanonicalJSON
import Ledger
import LedgerFormat
import PlantedDefects

/// What entries did to a tree, one after the other.
struct DocumentChanges: Sendable {
    /// The entry behind which they begin, and the tree there.
    let start: UInt64
    let root: JSON
    /// With what they put where.
    private(set) var entries: [PlacedEntry] = []
    /// By their seqs.
    private var indices: [UInt64: Int] = [:]
    /// What does not count, of them or of earlier ones.
    private(set) var lost: Set<DocumentTail.Claim> = []
    /// The earliest entry of which something does not count; behind all of them if there is none.
    private(set) var firstLost = UInt64.max
    /// Whether the tree at the start holds nothing that has lost since.
    var isPure: Bool { firstLost > start || planted(.groundBelieved) }

    static func read(
        behind start: UInt64, in view: LedgerView, _ environment: Environment, _ ranks: ActorRanks
    ) throws(LedgerError) -> (seen: Fold<Documents>, changes: DocumentChanges, tip: UInt64) {
        let end = FoldEnd(seq: start)
        var fold = try FoundFold<Documents>(in: view, to: end, environment).fold
        try fold.advance(in: view, to: end, environment)
        var (documents, mark) = (fold.state, fold.mark)
        var changes = DocumentChanges(start: start, root: fold.state.root)
        try FactReader(view, of: Documents.namespaces, environment).read(after: &mark) { fact in
            changes.add(fact, to: &documents, ranks.rank(of: fact.actor, at: fact.seq))
        }
        return (fold, changes, mark?.seq ?? start)
    }

    private init(start: UInt64, root: JSON) {
        self.start = start
        self.root = root
    }

    private mutating func lose(_ seq: UInt64, _ place: JSONPointer) {
        lost.insert(DocumentTail.Claim(seq, place))
        firstLost = min(firstLost, max(seq, 1))
    }

    private mutating func add(_ fact: Fact, to documents: inout Documents, _ rank: ClassOrder.Rank) {
        let (body, context) = (fact.body, fact.context)
        let places: [JSONPointer]
        if body["lost"] != nil {
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
        for loss in losses { lose(fact.seq, loss.at) }
        for win in Self.collisions(body["overrode"]) {
            if let seq = win.loser.seq { lose(seq, win.at) }
        }
        let entry = PlacedEntry(
            seq: fact.seq, position: fact.position, actor: fact.actor, rank: rank,
            reads: Self.pointers(context["reads"]),
            writes: places.map { place in
                let loss = losses.first { $0.at == place }
                return PlacedValue(place, loss?.loser.value ?? .init(documents.root[place]))
            })
        loseUntold((body["overrode_more"]?.array ?? []).compactMap { $0.integer.flatMap(UInt64.init(exactly:)) }, to: entry)
        indices[fact.seq] = entries.count
        entries.append(entry)
    }

    /// Others of which an entry had no room to say what they lost to it: that follows from what they and it say.
    private mutating func loseUntold(_ seqs: [UInt64], to winner: PlacedEntry) {
        guard !seqs.isEmpty, !planted(.untoldLosersKept) else { return }
        for seq in seqs { firstLost = min(firstLost, max(seq, 1)) }
        for win in ConflictManager.wins(of: winner, over: seqs.compactMap { indices[$0].map { entries[$0] } }) {
            if let seq = win.loser.seq { lose(seq, win.at) }
        }
    }

    private static func pointers(_ json: JSON?) -> [JSONPointer] {
        (json?.array ?? []).compactMap { item in item.string.flatMap { try? JSONPointer(parsing: $0) } }
    }

    private static func collisions(_ json: JSON?) -> [Collision] { (json?.array ?? []).compactMap { Collision($0) } }
}
