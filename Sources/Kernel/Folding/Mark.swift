package import Ledger
package import LedgerFormat

/// An entry that a fold stands at.
package struct Mark: Sendable, Equatable {
    package var seq: UInt64
    package var hash: Digest
    /// The latest time of any entry up to here: clocks step back, and this never does.
    package var latest: Timestamp

    package init(seq: UInt64, hash: Digest, latest: Timestamp) {
        self.seq = seq
        self.hash = hash
        self.latest = latest
    }
}

extension Mark {
    /// The last archived entry, where a ledger begins behind an archive: for who reads what is left, and folds nothing.
    package init?(lastArchivedIn view: LedgerView) {
        guard let base = view.base, let genesis = view.genesis else { return nil }
        // Before any time.
        let latest = ChainTip(emptyLedger: genesis.ledger, key: base.key).time
        self.init(seq: base.seq - 1, hash: base.previousHash, latest: latest)
    }
}

/// Up to where entries are folded: both bounds hold.
package struct FoldEnd: Sendable, Equatable {
    package var seq: UInt64
    /// Nothing later than this, by the latest time of any entry so far.
    package var time: Timestamp?

    package static var tip: FoldEnd { FoldEnd() }

    package init(seq: UInt64 = .max, time: Timestamp? = nil) {
        self.seq = seq
        self.time = time
    }
}
