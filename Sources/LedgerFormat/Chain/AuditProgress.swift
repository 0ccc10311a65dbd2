import CanonicalJSON

/// How far audits have come: the file `snapshots/audit`, sealed, so that only a holder of the key can write one.
///
/// A cache: it says where to go on, never what the ledger holds.
package struct AuditProgress: Sendable, Equatable {
    /// A walk from the first entry that ran out of time, and goes on in the next audit.
    package struct Pass: Sendable, Equatable {
        package var began: Timestamp
        /// What HEAD vouched for when it began; at or behind that entry the pass is over.
        package var goal: UInt64
        /// Where the last verified frame starts that ends a decision, with its seq.
        package var place: Place
        package var hash: Digest

        package init(began: Timestamp, goal: UInt64, place: Place, hash: Digest) {
            self.began = began
            self.goal = goal
            self.place = place
            self.hash = hash
        }
    }

    /// The last pass that came to its end: every entry up to `seq` was verified.
    package struct Full: Sendable, Equatable {
        package var seq: UInt64
        package var time: Timestamp

        package init(seq: UInt64, time: Timestamp) {
            self.seq = seq
            self.time = time
        }
    }

    package var ledger: LedgerID
    package var key: KeyID
    /// Nil when the next audit begins at the first entry.
    package var pass: Pass?
    package var full: Full?

    package init(ledger: LedgerID, key: KeyID) {
        self.ledger = ledger
        self.key = key
    }

    /// A file is at most this long; a longer one has not its form.
    package static let byteCountMax = 1024
    private static let label = "bulla/1/audit\n"

    /// The canonical bytes of the file, with the MAC under `key`.
    package func sealed(with key: SealingKey) -> [UInt8] {
        var object = object
        object["mac"] = .string(mac(key).description)
        return JSON.object(object).canonicalBytes()
    }

    private func mac(_ key: SealingKey) -> Digest {
        key.authenticate(label: Self.label, JSON.object(object).canonicalBytes())
    }

    private var object: JSONObject {
        var object: JSONObject = ["key": .string(key.description), "ledger": .string(ledger.description), "v": 1]
        if let full { object["full"] = ["seq": .number(Double(full.seq)), "time": .string(full.time.description)] }
        if let pass {
            object["pass"] = [
                "began": .string(pass.began.description), "goal": .number(Double(pass.goal)),
                "hash": .string(pass.hash.description), "offset": .number(Double(pass.place.offset)),
                "segment": .number(Double(pass.place.segment)), "seq": .number(Double(pass.place.seq)),
            ]
        }
        return object
    }
}

/// Why a sealed position is not believed.
package enum AuditProgressFault: Error, Sendable, Equatable {
    case form, mac, foreign
}

extension AuditProgressFault: CustomStringConvertible {
    package var description: String {
        switch self {
        case .form: "it has not the form of one"
        case .mac: "its mac does not match"
        case .foreign: "it belongs to another ledger or key"
        }
    }
}

extension AuditProgress {
    /// Reads the file's bytes, which `key` must have sealed for `ledger`.
    package init(file bytes: [UInt8], ledger: LedgerID, key: SealingKey) throws(AuditProgressFault) {
        guard bytes.count <= Self.byteCountMax, let object = (try? JSON(parsing: bytes, maximumDepth: 4))?.object,
            let progress = AuditProgress(object), let mac = object["mac"]?.string.flatMap({ Digest($0) })
        else { throw .form }
        guard progress.ledger == ledger, progress.key == key.id else { throw .foreign }
        guard mac == progress.mac(key) else { throw .mac }
        // What has other members, or is not canonical, is not what a writer writes.
        guard progress.sealed(with: key) == bytes else { throw .form }
        self = progress
    }

    private init?(_ object: JSONObject) {
        guard object["v"]?.integer == 1, let ledger = object["ledger"]?.string.flatMap({ LedgerID($0) }),
            let key = object["key"]?.string.flatMap({ KeyID($0) })
        else { return nil }
        self.init(ledger: ledger, key: key)
        if let member = object["full"] {
            guard let full = Full(member) else { return nil }
            self.full = full
        }
        if let member = object["pass"] {
            guard let pass = Pass(member) else { return nil }
            self.pass = pass
        }
    }
}

extension AuditProgress.Full {
    fileprivate init?(_ json: JSON) {
        guard let seq = json["seq"]?.seq, let time = json["time"]?.string.flatMap({ Timestamp($0) }) else { return nil }
        self.init(seq: seq, time: time)
    }
}

extension AuditProgress.Pass {
    fileprivate init?(_ json: JSON) {
        guard let began = json["began"]?.string.flatMap({ Timestamp($0) }), let goal = json["goal"]?.seq,
            let hash = json["hash"]?.string.flatMap({ Digest($0) }), let segment = json["segment"]?.seq,
            let seq = json["seq"]?.seq, let offset = json["offset"]?.integer, offset >= 0
        else { return nil }
        self.init(began: began, goal: goal, place: Place(segment: segment, offset: Int(offset), seq: seq), hash: hash)
    }
}

extension JSON {
    /// A seq: a whole number from 1 to 2^53 − 1.
    fileprivate var seq: UInt64? {
        guard let integer, integer >= 1, integer <= Int64(Limits.seq) else { return nil }
        return UInt64(integer)
    }
}
