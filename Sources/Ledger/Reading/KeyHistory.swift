package import LedgerFormat
import DurableFiles

/// What one key has sealed.
package struct KeyUse: Sendable, Equatable {
    package var key: KeyID
    package var firstSeq: UInt64
    package var lastSeq: UInt64
    package var entryCount: UInt64 = 0
    /// When its first entry was sealed.
    package var since: Timestamp
    /// The entry that retires it.
    package var retiredAt: UInt64?
}

/// The keys of a ledger in the order of their introduction, from a walk over all of it.
package struct KeyHistory: Sendable {
    package private(set) var uses: [KeyUse] = []
    /// The key that the next entry must be sealed with.
    package private(set) var current: KeyID?
    /// The keys of entries that were archived, as the last archive tells.
    package private(set) var archived: Set<KeyID> = []

    /// - Throws: at the first damage; what a torn tail or a write under way leaves behind the end does not count.
    package init(_ view: LedgerView, _ environment: Environment) throws(LedgerError) {
        var uses: [KeyUse] = []
        var current = view.validHead?.key
        var archived: Set<KeyID> = []
        try EntryReader(view, environment).read(from: view.firstSeq) { frame, bytes in
            let key = frame.key(in: bytes)
            if uses.last?.key != key {
                uses.append(KeyUse(key: key, firstSeq: frame.seq, lastSeq: frame.seq, since: frame.time))
            }
            uses[uses.count - 1].lastSeq = frame.seq
            uses[uses.count - 1].entryCount += 1
            if let retired = frame.retiredKey(in: bytes), let index = uses.firstIndex(where: { $0.key == retired }) {
                uses[index].retiredAt = frame.seq
            }
            if let statement = frame.archived(in: bytes) { archived = Set(statement.keys.map(\.key)) }
            // HEAD may lag behind a rotation.
            current = ChainTip(frame, of: bytes).key
            return true
        }
        self.uses = uses
        self.current = current
        if view.base != nil { self.archived = archived }
    }
}
