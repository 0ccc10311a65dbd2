package import CanonicalJSON
import PlantedDefects

/// What an entry or a draft says of places: what its writer had read, and what he puts there.
package struct PlacedEntry: Sendable {
    /// As receipts name it; nil for a draft.
    package var seq: UInt64?
    /// Where in the chain it stands: elsewhere only where a repair has re-admitted it.
    package var position: UInt64
    package var actor: String
    package var rank: ClassOrder.Rank
    package var reads: [JSONPointer]
    package var writes: [PlacedValue]
    /// It changes the tree of documents, which events only speak of.
    package private(set) var isOfTree = false

    package init(
        seq: UInt64? = nil, position: UInt64 = 0, actor: String, rank: ClassOrder.Rank, reads: [JSONPointer] = [],
        writes: [PlacedValue]
    ) {
        self.seq = seq
        self.position = position
        self.actor = actor
        self.rank = rank
        self.reads = reads
        self.writes = writes
    }
}

extension PlacedEntry {
    package var places: [JSONPointer] { reads + writes.map(\.at) }
}

/// What is to stand at a place.
package struct PlacedValue: Sendable, Equatable {
    package var at: JSONPointer
    package var value: Value

    package init(_ at: JSONPointer, _ value: Value) {
        self.at = at
        self.value = value
    }

    package enum Value: Sendable, Equatable {
        case present(JSON)
        /// One whose canonical text has this SHA-256: there was no room for itself.
        case digest(Digest)
        case absent
        /// It is said by a patch whose outcome is not to be had here; equal to nothing.
        case unknown

        package init(_ value: JSON?) { self = value.map { .present($0) } ?? .absent }

        package func agrees(with other: Value) -> Bool {
            switch (self, other) {
            case (.unknown, _), (_, .unknown): false
            case (.digest(let digest), .present(let value)), (.present(let value), .digest(let digest)):
                value.digest == digest && !planted(.digestsUncompared)
            default: self == other
            }
        }

        package var json: JSON? {
            if case .present(let value) = self { value } else { nil }
        }
    }
}

// What entries of all verbs say, by their context and body
extension PlacedEntry {
    /// Nil for a draft that names no place.
    package init?(_ draft: Draft, seq: UInt64? = nil, rank: ClassOrder.Rank) {
        guard draft.namesPlaces else { return nil }
        self.init(
            draft.contextObject, action: draft.action, draft.body, seq: seq, position: seq ?? 0, actor: draft.actor, rank: rank)
    }

    /// Nil for an entry that names no place, or was re-admitted without proof.
    package init?(_ frame: FrameView, of bytes: Span<UInt8>, _ ranks: ActorRanks) {
        let entry: Entry
        if let readmission = Readmission(frame, of: bytes) {
            guard readmission.isProven else { return nil }
            entry = readmission.entry
        } else {
            guard frame.context.count > 2 else { return nil }
            entry = Entry(frame, of: bytes)
        }
        guard let context = (try? JSON(parsing: entry.context))?.object, Context.namesPlaces(context) else { return nil }
        self.init(
            context, action: entry.action, entry.body, seq: entry.seq, position: frame.seq, actor: entry.actor,
            rank: ranks.rank(of: entry.actor, at: entry.seq))
    }

    private init?(
        _ context: JSONObject, action: String, _ body: [UInt8], seq: UInt64?, position: UInt64, actor: String,
        rank: ClassOrder.Rank
    ) {
        guard let body = try? JSON(parsing: body) else { return nil }
        let isOfTree = action.utf8.starts(with: "state.".utf8)
        self.init(
            seq: seq, position: position, actor: actor, rank: rank, reads: Context.pointers(context["reads"]),
            writes: Context.pointers(context["writes"]).map { at in
                PlacedValue(at, isOfTree ? Self.patched(at, body) : Self.said(at, body))
            })
        self.isOfTree = isOfTree
    }

    /// What an event says of a place is what its body holds there, and else all that it says.
    private static func said(_ at: JSONPointer, _ body: JSON) -> PlacedValue.Value { .present(body[at] ?? body) }

    /// What a change says of a place, as far as it can be told without the tree.
    private static func patched(_ at: JSONPointer, _ body: JSON) -> PlacedValue.Value {
        // What was meant is told there where it has no room of its own.
        if body["meant"] == nil,
            let loss = (body["lost"]?.array ?? []).lazy.compactMap({ Collision($0) }).first(where: { $0.at == at })
        {
            return loss.loser.value
        }
        guard let json = body["meant"] ?? body["patch"], let patch = try? JSONPatch(json) else { return .unknown }
        return switch patch.outcome(at: at) {
        case .value(let value): .present(value)
        case .absent: .absent
        case .unknown: .unknown
        }
    }
}

extension JSON {
    /// SHA-256 of the canonical text.
    var digest: Digest { Digest(sha256: canonicalBytes().span) }
}
