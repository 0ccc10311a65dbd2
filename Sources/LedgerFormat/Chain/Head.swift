import CanonicalJSON
import PlantedDefects

/// How far the ledger is vouched for, and whether the house is locked (FORMAT.md §5).
package struct Head: Sendable, Equatable {
    package var alert: Bool
    /// Offset in the segment behind the last vouched frame, in bytes.
    package var end: Int
    package var key: KeyID
    package var ledger: LedgerID
    /// First seq of the segment.
    package var segment: UInt64
    package var seq: UInt64
    package var tip: Digest

    package init(alert: Bool, end: Int, segment: UInt64, tip: ChainTip) {
        self.alert = alert
        self.end = end
        self.segment = segment
        key = tip.key
        ledger = tip.ledger
        seq = tip.seq
        self.tip = tip.hash
    }

    /// A HEAD file is at most this long; a longer one has not its form.
    package static let byteCountMax = 1024
    private static let label = "bulla/1/head\n"

    /// The canonical bytes of the file, with the MAC under `key`.
    package func sealed(with key: SealingKey) -> [UInt8] { bytes(mac: mac(key)) }

    /// The MAC: domain-separated from an entry's SIG by its label.
    package func mac(_ key: SealingKey) -> Digest { key.authenticate(label: Self.label, bytes(mac: nil)) }

    private func bytes(mac: Digest?) -> [UInt8] {
        var writer = CanonicalWriter(reserving: 400)
        writer.beginObject()
        writer.key("alert")
        writer.bool(alert)
        writer.key("end")
        writer.integer(Int64(end))
        writer.key("key")
        writer.string(key.description)
        writer.key("ledger")
        writer.string(ledger.description)
        if let mac {
            writer.key("mac")
            writer.string(mac.description)
        }
        writer.key("segment")
        writer.unsigned(segment)
        writer.key("seq")
        writer.unsigned(seq)
        writer.key("tip")
        writer.string(tip.description)
        writer.key("v")
        writer.integer(1)
        writer.endObject()
        return writer.bytes
    }
}

/// Why a HEAD is not valid.
package enum HeadFault: Error, Sendable, Equatable {
    case missing, form, mac, foreignLedger, foreignKey
}

extension HeadFault: CustomStringConvertible {
    package var description: String {
        switch self {
        case .missing: "HEAD is missing or empty"
        case .form: "HEAD is not of the form that the format asks for"
        case .mac: "HEAD's mac does not match"
        case .foreignLedger: "HEAD belongs to another ledger"
        case .foreignKey: "HEAD names another key than the first entry"
        }
    }
}

extension Head {
    /// Reads the file's bytes; the MAC is checked if its key is among `keys`.
    package init(file bytes: [UInt8], keys: [KeyID: SealingKey]) throws(HeadFault) {
        guard !bytes.isEmpty else { throw .missing }
        guard bytes.count <= Self.byteCountMax else { throw .form }
        let object: JSONObject
        do throws(JSONError) { object = try JSON(parsing: bytes).object ?? JSONObject() } catch { throw .form }
        guard object.count == 9, let alert = object["alert"]?.bool, let end = object["end"]?.plainPositive,
            let key = object["key"]?.string.flatMap({ KeyID($0) }),
            let ledger = object["ledger"]?.string.flatMap({ LedgerID($0) }),
            let mac = object["mac"]?.string.flatMap({ Digest($0) }),
            let segment = object["segment"]?.plainPositive,
            let seq = object["seq"]?.plainPositive,
            let tip = object["tip"]?.string.flatMap({ Digest($0) }), object["v"]?.integer == 1
        else { throw .form }
        self.alert = alert
        self.end = Int(end)
        self.key = key
        self.ledger = ledger
        self.segment = segment
        self.seq = seq
        self.tip = tip
        // What is not canonical is not the form: the bytes must be the ones that a writer writes.
        guard self.bytes(mac: mac) == bytes else { throw .form }
        if let sealing = keys[key], self.mac(sealing) != mac, !planted(.macUnchecked) { throw .mac }
    }
}

extension JSON {
    /// A whole number from 1 to 2^53 − 1.
    fileprivate var plainPositive: UInt64? {
        integer.flatMap { UInt64(exactly: $0) }.flatMap { (1...Limits.seq).contains($0) ? $0 : nil }
    }
}
