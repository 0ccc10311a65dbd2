import CanonicalJSON
import LedgerFormat

/// The plan of a repair as it lies in the file `repair` while it is carried out: sealed, so that only its own end is made from it.
struct RepairRecord: Equatable {
    let ledger: LedgerID
    let key: KeyID
    /// Of `ledger.repaired`.
    let seq: UInt64
    /// The path under which the damaged ledger is kept.
    let evidence: String
    /// The body of `ledger.repaired`.
    let body: JSON
    /// Of HEAD's bytes when the directories changed places: under another HEAD the repair is over, or another story.
    let head: Digest

    private static let label = "bulla/1/repair\n"
    /// A longer file is none.
    static let byteCountMax = 4 << 20

    func sealed(with key: SealingKey) -> [UInt8] {
        let members: JSONObject = [
            "body": body, "evidence": .string(evidence), "head": .string(head.description), "seq": .number(Double(seq)),
        ]
        return SealedObject(ledger: ledger, key: self.key, members).bytes(label: Self.label, key)
    }

    init(ledger: LedgerID, key: KeyID, seq: UInt64, evidence: String, body: JSON, head: Digest) {
        self.ledger = ledger
        self.key = key
        self.seq = seq
        self.evidence = evidence
        self.body = body
        self.head = head
    }

    /// Reads a file that one of the keys has sealed; nil for any other.
    init?(_ bytes: [UInt8], keys: [KeyID: SealingKey]) {
        guard let object = try? SealedObject(bytes, label: Self.label, keys: keys),
            let seq = object.members["seq"]?.integer, seq > 0, let evidence = object.members["evidence"]?.string,
            let body = object.members["body"], let head = object.members["head"]?.string.flatMap(Digest.init(_:))
        else { return nil }
        self.init(ledger: object.ledger, key: object.key, seq: UInt64(seq), evidence: evidence, body: body, head: head)
    }
}
