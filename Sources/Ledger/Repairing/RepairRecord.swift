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
        var object = object
        object["mac"] = .string(key.authenticate(label: Self.label, JSON.object(object).canonicalBytes()).description)
        return JSON.object(object).canonicalBytes()
    }

    private var object: JSONObject {
        [
            "body": body, "evidence": .string(evidence),
            "head": .string(head.description), "key": .string(key.description), "ledger": .string(ledger.description),
            "seq": .number(Double(seq)), "v": 1,
        ]
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
        guard var object = try? JSON(parsing: bytes).object, object["v"]?.integer == 1, let mac = object["mac"]?.string,
            let ledger = object["ledger"]?.string.flatMap(LedgerID.init(_:)),
            let key = object["key"]?.string.flatMap(KeyID.init(_:)), let seq = object["seq"]?.integer, seq > 0,
            let evidence = object["evidence"]?.string, let body = object["body"],
            let head = object["head"]?.string.flatMap(Digest.init(_:)), let sealing = keys[key]
        else { return nil }
        object["mac"] = nil
        guard sealing.authenticate(label: Self.label, JSON.object(object).canonicalBytes()).description == mac else { return nil }
        self.init(ledger: ledger, key: key, seq: UInt64(seq), evidence: evidence, body: body, head: head)
    }
}
