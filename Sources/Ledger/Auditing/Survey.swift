package import LedgerFormat

/// What is left of a damaged ledger: the runs of entries that verify, and the ranges between them that do not.
package struct Survey: Sendable, Equatable {
    /// A range of bytes of which no frame is sound; or none, where only entries are missing.
    package struct Damage: Sendable, Equatable {
        /// Where it begins, with the seq that was expected there.
        package var start: Place
        /// Where the next sound frame stands, with its seq; nil when there is none behind it.
        package var next: Place?
        /// The bytes of `start`'s segment that it takes, up to its end if `next` lies in a later one.
        package var byteCount: Int
        package var reason: String
    }

    /// Entries that follow each other, each with its seal and, but for the first, its link.
    package struct Run: Sendable, Equatable {
        package var start: Place
        package var entryCount: UInt64
        /// The last entry.
        package var tip: ChainTip
        /// Whether HEAD's entry is among them: what it vouches for proves them.
        package var holdsHead: Bool
    }

    package var runs: [Run] = []
    package var damages: [Damage] = []
    /// Where the search was given up, after too many damages.
    package var gaveUpAt: Place?

    package var entryCount: UInt64 { runs.reduce(0) { $0 + $1.entryCount } }
}
