import PlantedDefects

/// How far the ledger is vouched for, and whether the house is locked (FORMAT.md §5).
package struct Head: Sendable, Equatable {
    package var alert: Bool
    /// Offset in the segment behind the last vouched frame, in bytes.
    package var end: Int
    /// The key that the chain calls for behind that frame.
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

    init(alert: Bool, end: Int, key: KeyID, ledger: LedgerID, segment: UInt64, seq: UInt64, tip: Digest) {
        self.alert = alert
        self.end = end
        self.key = key
        self.ledger = ledger
        self.segment = segment
        self.seq = seq
        self.tip = tip
    }

    /// A HEAD file is at most this long; a longer one has not its form.
    package static let byteCountMax = 1024
    private static let label = "bulla/1/head\n"

    /// The canonical bytes of the file, with the MAC under `key`.
    package func sealed(with key: SealingKey) -> [UInt8] { bytes(mac: mac(key)) }

    /// The MAC: domain-separated from an entry's SIG by its label.
    package func mac(_ key: SealingKey) -> Digest { key.authenticate(label: Self.label, bytes(mac: nil)) }

    /// The one form that a HEAD has: canonical JSON whose names are fixed, so it is written down as it stands.
    func bytes(mac: Digest?) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(400)
        bytes += (alert ? "{\"alert\":true,\"end\":" : "{\"alert\":false,\"end\":").utf8
        DecimalText(UInt64(end)).append(to: &bytes)
        bytes += ",\"key\":\"".utf8
        key.append(to: &bytes)
        bytes += "\",\"ledger\":\"".utf8
        ledger.append(to: &bytes)
        if let mac {
            bytes += "\",\"mac\":\"".utf8
            mac.append(to: &bytes)
        }
        bytes += "\",\"segment\":".utf8
        DecimalText(segment).append(to: &bytes)
        bytes += ",\"seq\":".utf8
        DecimalText(seq).append(to: &bytes)
        bytes += ",\"tip\":\"".utf8
        tip.append(to: &bytes)
        bytes += "\",\"v\":1}".utf8
        return bytes
    }
}

/// Why a HEAD is not valid.
package enum HeadFault: Error, Sendable, Equatable {
    case missing, form, mac, foreignLedger
    /// The chain calls for another key behind the entry that it vouches for; only a repair looks so far.
    case foreignKey
}

extension HeadFault: CustomStringConvertible {
    package var description: String {
        switch self {
        case .missing: "HEAD is missing or empty"
        case .form: "HEAD is not of the form that the format asks for"
        case .mac: "HEAD's mac does not match"
        case .foreignLedger: "HEAD belongs to another ledger"
        case .foreignKey: "HEAD is sealed with another key than the one that the chain calls for there"
        }
    }
}

extension Head {
    /// Reads the file's bytes; the MAC is checked if its key is among `keys`.
    package init(file bytes: [UInt8], keys: [KeyID: SealingKey]) throws(HeadFault) {
        guard !bytes.isEmpty else { throw .missing }
        guard bytes.count <= Self.byteCountMax, let (head, mac) = HeadParser.read(bytes.span) else { throw .form }
        self = head
        // What is not canonical is not the form: the bytes must be the ones that a writer writes.
        guard self.bytes(mac: mac) == bytes else { throw .form }
        if let sealing = keys[key], self.mac(sealing) != mac, !planted(.macUnchecked) { throw .mac }
    }
}
