import CanonicalJSON

/// A verified entry with its texts, for those who read it one by one.
package struct Entry: Sendable {
    package let seq: UInt64
    package let time: Timestamp
    package let actor: String
    package let action: String
    package let justification: Justification
    /// Canonical objects.
    package let body: [UInt8]
    package let context: [UInt8]
    package let key: KeyID
    package let ledger: LedgerID
    package let hash: Digest
    package let synced: UInt64
    /// The idempotency key, if it has one.
    package let id: String?
    package let namedPlaces: NamedPlaces

    /// Copies what a view shows of `bytes`.
    package init(_ frame: FrameView, of bytes: Span<UInt8>) {
        seq = frame.seq
        time = frame.time
        actor = bytes.text(frame.actor)
        action = bytes.text(frame.action)
        let reason = (try? JSON(parsing: bytes.extracting(frame.reason.lowerBound - 1..<frame.reason.upperBound + 1)))?.string
        guard let reason else { preconditionFailure("a view's reason is a canonical string") }
        justification = Justification(frame.pillar, reason)
        body = bytes.copy(frame.body)
        context = bytes.copy(frame.context)
        key = frame.key(in: bytes)
        ledger = frame.ledger(in: bytes)
        hash = frame.hash(in: bytes)
        synced = frame.synced
        let members = frame.context.count > 2 ? (try? JSON(parsing: context))?.object ?? [:] : [:]
        id = members["id"]?.string
        namedPlaces = NamedPlaces(members)
    }

    package var receipt: Receipt { Receipt(ledger: ledger, seq: seq, hash: hash, time: time) }
}
