package import CanonicalJSON
package import LedgerFormat

/// A hold of a lane, limited in time. Who has its id and its token has the right to it, whatever he is called.
package struct Lease: Sendable, Equatable {
    package var id: LeaseID
    /// The fencing token: the seq of the entry that granted it, so that a later grant has a higher one.
    package var token: UInt64
    package var lane: Label
    /// As it was decided, not as it was asked for.
    package var kind: LaneKind
    package var tree: Tree
    package var laneClass: Label?
    package var holder: String
    /// The name that its run has in the journal of the reference; the lease's id if the holder gave none.
    package var loopTS: String
    package var host: String
    package var process: HolderProcess?
    /// In microseconds.
    package var ttl: Int64
    package var acquiredAt: Timestamp
    package var beat: Instant
    /// The last sign of progress.
    package var event: Instant
    /// What the holder wants to be kept with it and nobody here looks at: `run_id`, `children`, `mode`, `env_digest`.
    package var notes: JSONObject

    package static let noteNames = ["run_id", "children", "mode", "env_digest"]

    package init(
        id: LeaseID, token: UInt64, lane: Label, kind: LaneKind, tree: Tree, laneClass: Label? = nil, holder: String,
        loopTS: String? = nil, host: String = "", process: HolderProcess? = nil, ttl: Int64, acquiredAt: Timestamp, beat: Instant,
        event: Instant? = nil, notes: JSONObject = [:]
    ) {
        self.id = id
        self.token = token
        self.lane = lane
        self.kind = kind
        self.tree = tree
        self.laneClass = laneClass
        self.holder = holder
        self.loopTS = loopTS ?? id.description
        self.host = host
        self.process = process
        self.ttl = ttl
        self.acquiredAt = acquiredAt
        self.beat = beat
        self.event = event ?? beat
        self.notes = notes
    }
}

extension Lease {
    /// The lease as the journal of the reference has it, and beside that what only we know.
    ///
    /// The token is not in it: an entry does not know its own seq.
    package var json: JSONObject {
        var object: JSONObject = [
            "acquired_at": .string(acquiredAt.description), "beat": beat.json, "event": event.json,
            "heartbeat_at": .string(beat.time.description), "holder": .string(holder), "host_id": .string(host),
            "lane": .string(lane.text), "lane_kind": .string(kind.rawValue), "lease_id": .string(id.description),
            "loop_ts": .string(loopTS), "tree": tree.json, "ttl_minutes": .number(TimeSpan.minutes(ttl)),
        ]
        if let process {
            object["pid"] = .number(Double(process.pid))
            object["proc_starttime"] = process.start.map { .number(Double($0.ticks)) }
            object["proc_space"] = process.start.map { .string($0.space) }
        }
        object["class"] = laneClass.map { .string($0.text) }
        for name in Self.noteNames { object[name] = notes[name] }
        return object
    }

    /// Reads what `json` makes; nil if it is no lease.
    package init?(_ json: JSON, token: UInt64) {
        guard let id = json["lease_id"]?.string.flatMap({ LeaseID($0) }), let lane = json["lane"]?.string.flatMap({ Label($0) }),
            let kind = json["lane_kind"]?.string.flatMap({ LaneKind(rawValue: $0) }), let tree = Tree(json["tree"]),
            let holder = json["holder"]?.string, let loopTS = json["loop_ts"]?.string, let host = json["host_id"]?.string,
            let ttl = json["ttl_minutes"]?.number.flatMap({ TimeSpan.microseconds(minutes: $0) }),
            let acquiredAt = json["acquired_at"]?.string.flatMap({ Timestamp($0) }), let beat = Instant(json["beat"]),
            let event = Instant(json["event"])
        else { return nil }
        let notes = Self.noteNames.compactMap { name in json[name].map { (name, $0) } }
        self.init(
            id: id, token: token, lane: lane, kind: kind, tree: tree, laneClass: json["class"]?.string.flatMap { Label($0) },
            holder: holder, loopTS: loopTS, host: host, process: HolderProcess(json), ttl: ttl, acquiredAt: acquiredAt,
            beat: beat, event: event, notes: JSONObject(notes))
    }
}
