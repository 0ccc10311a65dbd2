package import DurableFiles
package import LedgerFormat

/// The comparison that readers make: the anchor is read before the ledger, so that whoever writes meanwhile raises no false alarm.
package struct AnchorWatch: Sendable {
    package let ledger: LedgerID
    package let finding: AnchorFinding
    private let here: PathText
    private let storage: any Storage
    private let keyring: Keyring?

    /// Nil where no anchors are kept, or the ledger does not say which one it is.
    ///
    /// - Parameter keyring: keys from outside, instead of the ledger's own.
    package init?(_ store: (any AnchorStore)?, _ storage: any Storage, keyring: Keyring? = nil) throws(LedgerError) {
        guard let store else { return nil }
        let view = try LedgerView(storage, keyring: keyring)
        guard let ledger = view.genesis?.ledger ?? view.validHead?.ledger else { return nil }
        self.ledger = ledger
        finding = store.read(ledger)
        here = store.here
        self.storage = storage
        self.keyring = keyring
    }

    /// What the anchor of then says of the ledger as it is now, whose last entry is `lastSeq`.
    package func verdict(lastSeq: UInt64, _ environment: Environment) throws(LedgerError) -> AnchorVerdict {
        try LedgerView.asking(storage, keyring: keyring) { view throws(LedgerError) in
            try AnchorVerdict(finding, at: here, firstSeq: view.firstSeq, lastSeq: lastSeq) { seq throws(LedgerError) in
                if seq < view.firstSeq { return try EntryReader(view, environment).hash(ofArchived: seq) }
                // Under a seq that lies in a repair's gap a writer looks too, for what was seen here.
                if seq == finding.seqSeen(at: here) { return try EntryReader(view, environment).hash(of: seq) }
                var found: Digest?
                var reader = EntryReader(view, environment)
                reader.passesLaterVersions = true
                try reader.read(from: seq, through: seq) { frame, bytes in
                    found = frame.hash(in: bytes)
                    return false
                }
                return found
            }
        }
    }
}

extension AuditReport {
    /// The last entry that is whole: behind it there is nothing, or what a crash tore.
    package var lastSeq: UInt64 { verdict == .torn ? place.seq - 1 : tip?.seq ?? 0 }

    /// Takes in what the anchor says; other tampering, found before, is named first.
    package mutating func add(_ anchor: AnchorVerdict, ledger path: String) {
        guard case .alarm(let objections) = anchor, verdict != .tampered, let first = objections.first else { return }
        verdict = .tampered
        place.seq = first.sighting.seq
        reason = first.message(ledger: path)
    }
}
