import CanonicalJSON
package import LedgerFormat
import PlantedDefects

// Drafts that say what they read and write, and which entry their writer had seen last. Others are not looked at.
extension WriterSession {
    /// A draft is compared with at most so many entries that its writer had not seen.
    package static let unseenCountMax: UInt64 = 10_000

    /// Whether a draft with this base can be compared with what came since.
    ///
    /// - Throws: `refused` for a base that lies too far behind, in an archive, or ahead.
    package static func checkUnseen(base: UInt64, tip: UInt64, firstSeq: UInt64) throws(LedgerError) {
        let advice = "nothing was recorded: look at it as it is now, and try again with --base \(tip)"
        guard base <= tip else {
            throw LedgerError(.refused, "nobody has seen entry \(base): the last one is \(tip); nothing was recorded")
        }
        guard tip - base <= unseenCountMax || planted(.unseenUnbounded) else {
            throw LedgerError(
                .refused, "entry \(base) lies more than \(unseenCountMax) entries behind the last one, \(tip); \(advice)")
        }
        guard base + 1 >= firstSeq else {
            throw LedgerError(.refused, "what follows entry \(base) was archived; \(advice)", .archived)
        }
    }

    /// A base inside a gap that a repair left: what had been seen there stands elsewhere now, or nowhere.
    package static func displacement(of base: UInt64, tip: UInt64) -> LedgerError {
        LedgerError(
            .refused,
            "entry \(base) has lost its place in a repair, and what came since cannot be told from what had been seen; "
                + "nothing was recorded: look at it as it is now, and try again with --base \(tip)")
    }

    /// What becomes of a decision's drafts, one after the other: they have seen each other.
    ///
    /// The tree's own verbs have compared theirs with the tree before, and what is left are events.
    ///
    /// - Throws: `conflict`, with both values, where an equal class was first to say something else.
    mutating func resolution(
        of drafts: [Draft], _ batch: inout Batch
    ) throws(LedgerError) -> ConflictManager.Resolution {
        var resolution = ConflictManager.Resolution()
        for (index, draft) in drafts.enumerated() where draft.namesPlaces {
            guard let base = draft.base, let found = try self.resolution(of: draft, seen: base, &batch) else { continue }
            resolution.lost += found.lost.map { $0.with(part: index + 1) }
            resolution.overrode += found.overrode.map { $0.with(part: index + 1) }
        }
        return resolution
    }

    private mutating func resolution(
        of draft: Draft, seen base: UInt64, _ batch: inout Batch
    ) throws(LedgerError) -> ConflictManager.Resolution? {
        guard let state, !planted(.conflictsUnresolved) else { return nil }
        let tip = batch.writer?.tip.seq ?? inFlight?.tip.seq ?? state.tip.seq
        try Self.checkUnseen(base: base, tip: tip, firstSeq: state.firstSeq)
        guard base < tip, let placed = PlacedEntry(draft, rank: ranks.rank(of: draft.actor, at: tip + 1)) else { return nil }
        try loadPlaces(behind: base, &batch)
        guard let places = self.state?.places else { return nil }
        if places.isDisplaced(base), !planted(.displacedBaseTaken) { throw Self.displacement(of: base, tip: tip) }
        let found = places.entries(behind: base, meeting: placed)
        let others = found.filter { placed.isComparable(with: $0) }
        do throws(ConflictManager.Contest) {
            return try ConflictManager.resolve(placed, against: others)
        } catch {
            throw LedgerError(error, tip: tip)
        }
    }

    /// Keeps in mind what a sealed draft says of places.
    mutating func note(_ draft: Draft, _ seq: UInt64, _ batch: inout Batch) {
        guard draft.namesPlaces, let placed = PlacedEntry(draft, seq: seq, rank: ranks.rank(of: draft.actor, at: seq)) else {
            return
        }
        batch.placed.append(placed)
        state?.places?.insert(placed)
    }

    private mutating func loadPlaces(behind base: UInt64, _ batch: inout Batch) throws(LedgerError) {
        if let known = state?.places, known.base <= base { return }
        guard let current = state else { return }
        var places = PlaceWindow(behind: base, firstSeq: current.firstSeq)
        // Entries in the block, and what is under way, are not on the disk.
        let durable = inFlight?.tip.seq ?? current.tip.seq
        if durable > base {
            let ranks = ranks
            // With the entry that was seen, which tells whether it is there.
            try review(lastCount: durable - base + 1, &batch) { frame, bytes in
                places.pass(frame.seq)
                if let placed = PlacedEntry(frame, of: bytes, ranks) { places.insert(placed) }
            }
        }
        for placed in planted(.batchUncompared) ? [] : batch.placed { places.insert(placed) }
        state?.places = places
    }
}

extension WriterSession {
    /// Who prevails over whom, wherever that is asked. Requires the lock.
    package var ranks: ActorRanks {
        ActorRanks(actors.associates?.constitution.map { ClassOrder($0.articles) } ?? .standard, of: actors)
    }
}

extension PlacedEntry {
    /// What an event says changes no tree: it may be late there, but takes nothing from it, in whatever order they come.
    fileprivate func isComparable(with other: PlacedEntry) -> Bool {
        switch (isOfTree, other.isOfTree) {
        case (false, false): true
        case (false, true): other.rank >= rank
        case (true, false): other.rank < rank && !planted(.eventsOverlooked)
        // That was resolved with the tree at hand.
        case (true, true): false
        }
    }
}

extension Collision {
    fileprivate func with(part: Int) -> Collision {
        var collision = self
        collision.part = part
        return collision
    }
}

extension LedgerError {
    /// An equal class was first.
    package init(_ contest: ConflictManager.Contest, tip: UInt64) {
        self.init(
            .conflict,
            "\(contest.collisions[0].contestText); nothing was recorded: look at it, and try again with --base \(tip)",
            collisions: contest.collisions)
    }

    /// A higher class had said something else; it is recorded all the same.
    package init(lost collisions: [Collision], in seq: UInt64) {
        let more = collisions.count > 1 ? "; and \(collisions.count - 1) more" : ""
        self.init(
            .conflict, "\(collisions[0].lossText)\(more); entry \(seq) keeps what it was to be", collisions: collisions)
    }
}
