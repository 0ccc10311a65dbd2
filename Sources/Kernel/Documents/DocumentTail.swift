import CanonicalJSON
package import Ledger
package import LedgerFormat
import PlantedDefects

/// The tree as a writer has seen it, and what others did to it since.
package struct DocumentTail: Sendable {
    /// The entry that was seen.
    package let base: UInt64
    /// The tree behind it.
    package let seen: Documents
    /// What came since.
    private let since: DocumentChanges
    /// From where the tree can be made again: nothing that is in it there has lost since. It begins where `since` does, or earlier.
    let ground: DocumentChanges

    /// What came since, with what it put where.
    package var changes: [PlacedEntry] { since.entries }
    /// What of it does not count, because a higher class had said something else.
    var lost: Set<Claim> { since.lost }

    /// What one entry says of one place.
    struct Claim: Hashable, Sendable {
        private let seq: UInt64
        private let place: [UInt8]

        init(_ seq: UInt64, _ place: JSONPointer) {
            self.seq = seq
            self.place = Array(place.description.utf8)
        }
    }

    /// Reads no more than what lies behind the newest snapshot before the base; and further back, a bounded way, only where entries
    /// behind the base have taken something from some before it.
    ///
    /// - Throws: `refused` where a repair has left no entry at the base.
    package init(
        behind base: UInt64, in view: LedgerView, _ environment: Environment, _ ranks: ActorRanks
    ) throws(LedgerError) {
        let reach = WriterSession.unseenCountMax
        let floor = max(base > reach ? base - reach : 0, min(base, view.firstSeq - 1))
        let (seen, since, tip) = try DocumentChanges.read(behind: base, in: view, environment, ranks)
        guard seen.seq == base || planted(.displacedBaseTaken) else { throw WriterSession.displacement(of: base, tip: tip) }
        var (ground, start) = (since, base)
        while !ground.isPure, start > floor, !planted(.groundUnsought) {
            // Twice as far each time: who takes from others may have been taken from, again and again.
            let further = tip - start + 1
            start = max(floor, min(ground.firstLost - 1, start > further ? start - further : 0))
            ground = try DocumentChanges.read(behind: start, in: view, environment, ranks).changes
        }
        self.base = base
        self.seen = seen.state
        self.since = since
        self.ground = ground
    }
}
