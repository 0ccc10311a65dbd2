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
        /// What the first entry builds on, where earlier ones were archived and no entry so far explains it.
        package var base: ChainBase?
        /// The keys that were not there and are needed, each with those that sealed its retirement.
        package var absences: [KeyID: Set<KeyID>] = [:]

        package init(
            began: Timestamp, goal: UInt64, place: Place, hash: Digest, base: ChainBase? = nil,
            absences: [KeyID: Set<KeyID>] = [:]
        ) {
            self.began = began
            self.goal = goal
            self.place = place
            self.hash = hash
            self.base = base
            self.absences = absences
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
    package static let byteCountMax = 4096
    private static let label = "bulla/1/audit\n"

    /// The canonical bytes of the file, with the MAC under `key`.
    package func sealed(with key: SealingKey) -> [UInt8] {
        SealedObject(ledger: ledger, key: self.key, members).bytes(label: Self.label, key)
    }

    private var members: JSONObject {
        var members = JSONObject()
        if let full { members["full"] = ["seq": .number(Double(full.seq)), "time": .string(full.time.description)] }
        if let pass {
            var object: JSONObject = [
                "began": .string(pass.began.description), "goal": .number(Double(pass.goal)),
                "hash": .string(pass.hash.description), "offset": .number(Double(pass.place.offset)),
                "segment": .number(Double(pass.place.segment)), "seq": .number(Double(pass.place.seq)),
            ]
            if let base = pass.base {
                object["base"] = [
                    "hash": .string(base.previousHash.description), "key": .string(base.key.description),
                    "seq": .number(Double(base.seq)),
                ]
            }
            if !pass.absences.isEmpty {
                object["absent"] = .object(
                    JSONObject(
                        pass.absences.map { key, retirers in
                            (key.description, .array(retirers.map(\.description).sorted().map { .string($0) }))
                        }))
            }
            members["pass"] = .object(object)
        }
        return members
    }
}

extension AuditProgress {
    /// Reads the file's bytes, which `key` must have sealed for `ledger`.
    package init(file bytes: [UInt8], ledger: LedgerID, key: SealingKey) throws(SealedObjectFault) {
        guard bytes.count <= Self.byteCountMax else { throw .form }
        let object = try SealedObject(bytes, label: Self.label, ledger: ledger, keys: [key.id: key], depthMax: 4)
        self.init(ledger: object.ledger, key: object.key)
        if let member = object.members["full"] {
            guard let full = Full(member) else { throw .form }
            self.full = full
        }
        if let member = object.members["pass"] {
            guard let pass = Pass(member) else { throw .form }
            self.pass = pass
        }
        // What has other members is not what a writer writes.
        guard members == object.members else { throw .form }
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
        var base: ChainBase?
        if let found = json["base"] {
            guard let hash = found["hash"]?.string.flatMap({ Digest($0) }), let seq = found["seq"]?.seq,
                let key = found["key"]?.string.flatMap({ KeyID($0) })
            else { return nil }
            base = ChainBase(seq: seq, previousHash: hash, key: key)
        }
        var absences: [KeyID: Set<KeyID>] = [:]
        for member in json["absent"]?.object?.members ?? [] {
            guard let key = KeyID(member.key), let retirers = member.value.array else { return nil }
            absences[key] = Set(retirers.compactMap { $0.string.flatMap { KeyID($0) } })
        }
        self.init(
            began: began, goal: goal, place: Place(segment: segment, offset: Int(offset), seq: seq), hash: hash, base: base,
            absences: absences)
    }
}

extension JSON {
    /// A seq: a whole number from 1 to 2^53 − 1.
    var seq: UInt64? {
        guard let integer, integer >= 1, integer <= Int64(Limits.seq) else { return nil }
        return UInt64(integer)
    }
}
