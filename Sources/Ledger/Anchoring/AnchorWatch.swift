package import LedgerFormat

/// The comparison that readers make: the anchor is read before the ledger, so that whoever writes meanwhile raises no false alarm.
package struct AnchorWatch: Sendable {
    package let here: PathText
    private let finding: AnchorFinding

    /// Nil where no anchors are kept, or the ledger does not say which one it is.
    package init?(_ store: (any AnchorStore)?, _ view: LedgerView) {
        guard let store, let ledger = view.genesis?.ledger ?? view.validHead?.ledger else { return nil }
        here = store.here
        finding = store.read(ledger)
    }

    /// - Parameter view: a look at the ledger that was taken later.
    package func verdict(
        on view: LedgerView, lastSeq: UInt64, _ environment: Environment
    ) throws(LedgerError) -> AnchorVerdict {
        try AnchorVerdict(finding, at: here, lastSeq: lastSeq) { seq throws(LedgerError) in
            var found: Digest?
            try EntryReader(view, environment).read(from: seq, through: seq) { frame, bytes in
                found = frame.hash(in: bytes)
                return false
            }
            return found
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
