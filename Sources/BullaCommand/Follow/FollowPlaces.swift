import CanonicalJSON
import Ledger
import LedgerFormat

/// Where in followed files the lines end that were archived: the archive's entry keeps it, so that following goes on behind it.
struct FollowPlaces {
    /// The last line of an actor in a file.
    struct Place {
        var actor: String
        var position: FollowPosition
        /// Which part of its line was recorded last; 0 for a whole one.
        var part: Int
        /// The seq under which it was recorded.
        var seq: UInt64
    }

    private(set) var places: [Place] = []
    /// Every line that was archived has its place here, or a later one of the same file.
    private(set) var isComplete = true

    private static let name = "follows"
    /// The entry holds much else.
    private static let byteCountMax = 64 << 10

    /// Of the archived entries: the newest places, as many as fit into the entry.
    ///
    /// - Parameter view: of a ledger with all of them, or with those that an earlier archive's entry does not know.
    init(in view: LedgerView, through last: UInt64) throws(LedgerError) {
        var newest: [String: Place] = [:]
        func note(_ place: Place) {
            let key = "\(place.position.device):\(place.position.inode):\(place.actor)"
            if place.seq > newest[key]?.seq ?? 0 { newest[key] = place }
        }
        if view.base != nil, let before = try EntryReader(view, .system).explanation() {
            let earlier = FollowPlaces(before)
            isComplete = earlier.isComplete
            earlier.places.forEach(note)
        }
        try EntryReader(view, .system).read(from: view.firstSeq, through: last) { frame, bytes in
            if let place = Place(frame, bytes) { note(place) }
            return true
        }
        var byteCount = 0
        for place in newest.values.sorted(by: { $0.seq > $1.seq }) {
            byteCount += place.json.canonicalBytes().count + 1
            guard byteCount <= Self.byteCountMax else {
                isComplete = false
                break
            }
            places.append(place)
        }
    }

    /// As the entry says that explains a ledger's beginning; incomplete where it does not speak of them.
    init(_ explanation: ArchiveExplanation) {
        let member = explanation.body[Self.name]
        places = member?["places"]?.array?.compactMap(Place.init) ?? []
        isComplete = member?["complete"]?.bool ?? false
    }

    /// For the archive's entry.
    var members: JSONObject {
        [Self.name: ["complete": .bool(isComplete), "places": .array(places.map(\.json))]]
    }
}

extension FollowPlaces.Place {
    /// Of an entry that a follower recorded, also one that a repair re-admitted.
    init?(_ frame: FrameView, _ bytes: Span<UInt8>) {
        let readmission = Readmission(frame, of: bytes)
        guard readmission != nil || Self.isNamed(bytes.text(frame.context)) else { return nil }
        let entry = readmission?.entry ?? Entry(frame, of: bytes)
        guard let position = entry.id.flatMap(FollowPosition.init) else { return nil }
        let isPart = position.byteCount > LinePart.byteCountMax - 4
        let part = isPart ? (try? JSON(parsing: entry.body))?["part"]?.integer ?? 0 : 0
        self.init(actor: entry.actor, position: position, part: Int(max(0, part)), seq: entry.seq)
    }

    /// By the context's first bytes most entries are passed over; a signed one names its base first.
    private static func isNamed(_ context: String) -> Bool {
        let id = context.hasPrefix("{\"base\":") ? context.drop { $0 != "," }.dropFirst() : context.dropFirst()
        return id.hasPrefix("\"id\":\"follow:")
    }

    fileprivate init?(_ json: JSON) {
        guard let actor = json["actor"]?.string, let position = json["id"]?.string.flatMap(FollowPosition.init),
            let part = json["part"]?.integer, part >= 0, let seq = json["seq"]?.integer, seq > 0
        else { return nil }
        self.init(actor: actor, position: position, part: Int(part), seq: UInt64(seq))
    }

    fileprivate var json: JSON {
        [
            "actor": .string(actor), "id": .string(position.text), "part": .number(Double(part)), "seq": .number(Double(seq)),
        ]
    }
}
