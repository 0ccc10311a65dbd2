import CanonicalJSON
import PlantedDefects

/// Decides what becomes of a draft whose writer had not seen what came since.
///
/// Each pair of entries is judged for itself, by their classes and by nothing that others say: so between classes it is the same
/// in whatever order they come. What ranks higher prevails also where it lost to something higher still.
package enum ConflictManager {
    /// Places that were lost, one way and the other.
    package struct Resolution: Sendable, Equatable {
        /// What the draft does not have.
        package var lost: [Collision] = []
        /// What it takes from others.
        package var overrode: [Collision] = []
        package init() {}

        package var isClean: Bool { lost.isEmpty && overrode.isEmpty }
    }

    /// What an equal class was first to say.
    package struct Contest: Error, Sendable, Equatable {
        package var collisions: [Collision]
    }

    /// Compares a draft with what came since.
    ///
    /// - Parameter others: all entries that its writer had not seen, in their order.
    package static func resolve(_ draft: PlacedEntry, against others: [PlacedEntry]) throws(Contest) -> Resolution {
        var comparison = Comparison(draft)
        for other in others { comparison.add(other) }
        guard comparison.contested.isEmpty else { throw Contest(collisions: comparison.contested) }
        return comparison.resolution
    }

    /// What an entry takes from others that were lower when it was recorded, whatever they are now.
    package static func wins(of winner: PlacedEntry, over losers: [PlacedEntry]) -> [Collision] {
        var winner = winner
        winner.rank = .highest
        var comparison = Comparison(winner)
        for var loser in losers {
            loser.rank = .unauthenticated
            comparison.add(loser)
        }
        return comparison.resolution.overrode
    }
}

private struct Comparison {
    let draft: PlacedEntry
    let writes, reads: PlaceTree
    var resolution = ConflictManager.Resolution()
    var contested: [Collision] = []
    /// Of the draft's writes, those that are lost already: each is told once.
    var lostWrites: Set<Int> = []
    var isPremiseLost = false

    init(_ draft: PlacedEntry) {
        self.draft = draft
        writes = PlaceTree(draft.writes.map(\.at))
        reads = PlaceTree(draft.reads)
    }

    mutating func add(_ other: PlacedEntry) {
        for theirs in other.writes {
            for index in writes.meeting(theirs.at) where differs(draft.writes[index], theirs) {
                collide(index, other, theirs)
            }
            if let index = reads.meeting(theirs.at).first, !planted(.readsUncompared) { loseRead(index, other, theirs) }
        }
        // Who read what a higher class now writes built on what no longer holds, and would have lost if he had come later.
        guard other.rank < draft.rank, !planted(.premisesKept) else { return }
        for read in other.reads {
            guard let index = writes.meeting(read).first else { continue }
            for theirs in other.premised(on: read) {
                resolution.overrode.append(
                    Collision(other, at: theirs, read: read, to: draft, draft.writes[index]))
            }
            return
        }
    }

    /// The same value at the same place is no conflict; a place inside the other always is.
    private func differs(_ ours: PlacedValue, _ theirs: PlacedValue) -> Bool {
        ours.at != theirs.at || !ours.value.agrees(with: theirs.value)
    }

    private mutating func collide(_ index: Int, _ other: PlacedEntry, _ theirs: PlacedValue) {
        let ours = draft.writes[index]
        if other.rank < draft.rank && !planted(.arrivalDecides) {
            let collision = Collision(other, at: theirs, to: draft, ours)
            if resolution.overrode.last != collision { resolution.overrode.append(collision) }
            return
        }
        let collision = Collision(draft, at: ours, to: other, theirs)
        if other.rank == draft.rank {
            contest(collision)
        } else if lostWrites.insert(index).inserted {
            resolution.lost.append(collision)
        }
    }

    /// The first few say enough.
    private mutating func contest(_ collision: Collision) {
        if contested.count < 16 { contested.append(collision) }
    }

    private mutating func loseRead(_ index: Int, _ other: PlacedEntry, _ theirs: PlacedValue) {
        guard other.rank >= draft.rank else { return }
        let losses = draft.premised(on: draft.reads[index]).map {
            Collision(draft, at: $0, read: draft.reads[index], to: other, theirs)
        }
        if other.rank == draft.rank {
            return contest(losses[0])
        }
        guard !isPremiseLost else { return }
        isPremiseLost = true
        for (index, loss) in losses.enumerated() where draft.writes.isEmpty || lostWrites.insert(index).inserted {
            resolution.lost.append(loss)
        }
    }
}

extension PlacedEntry {
    /// What goes with a premise: all that is written, or what was read itself.
    fileprivate func premised(on read: JSONPointer) -> [PlacedValue] {
        writes.isEmpty ? [PlacedValue(read, .unknown)] : writes
    }
}
