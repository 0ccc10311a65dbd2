package import CanonicalJSON
import PlantedDefects

/// What an entry says of the roster: as it was before, and what the entry changes (FORMAT.md §4.7, §4.8).
///
/// While anybody is or was enrolled, or the ledger has associates, each segment begins with one, so that whoever writes looks there and
/// nowhere else.
package struct RosterStatement: Sendable, Equatable {
    package enum Change: Sendable, Equatable {
        case none
        case enrolment(actor: String, actorClass: String, key: ActorKey)
        case revocation(actor: String)
        /// What associates have signed.
        case act(SignedRequest)
    }

    /// Before the entry.
    package var roster: ActorRoster
    package var change: Change
    /// It stands in an entry that mends the ledger: that one may add what the damage took.
    package private(set) var isRepair = false
    /// What that one knows of associates.
    package private(set) var mending = Associates.Mending()

    package init(_ roster: ActorRoster, _ change: Change = .none) {
        self.roster = roster
        self.change = change
    }

    package static let enrolled = "actor.enrolled"
    package static let revoked = "actor.revoked"
    package static let stated = "actor.stated"

    package var action: String {
        switch change {
        case .none: Self.stated
        case .enrolment: Self.enrolled
        case .revocation: Self.revoked
        case .act(let request): request.verb.action
        }
    }

    /// The roster behind the entry, by its seq and hash; nil if the change is none that may be made. Nobody's signature is looked at.
    package func after(_ seq: UInt64, _ hash: Digest) -> ActorRoster? {
        var roster = roster
        if isRepair, let before = roster.associates {
            guard let mended = try? before.mended(by: mending, in: nil, .init(seq: seq, hash: hash)) else { return nil }
            roster.associates = mended
        }
        switch change {
        case .none: break
        case .enrolment(let actor, let actorClass, let key):
            guard roster.add(.init(actor: actor, actorClass: actorClass, key: key, enrolled: seq)) else { return nil }
        case .revocation(let actor): guard roster.revoke(actor, at: seq) else { return nil }
        case .act(let request):
            guard let changed = roster.associates?.after(request, .init(seq: seq, hash: hash)) else { return nil }
            roster.associates = changed
        }
        return roster
    }
}

// The body of the entry
extension RosterStatement {
    package var members: JSONObject {
        var members: JSONObject = ["roster": roster.json]
        if let associates = roster.associates { members["associates"] = associates.json }
        switch change {
        case .none: break
        case .enrolment(let actor, let actorClass, let key):
            members["actor"] = .string(actor)
            members["class"] = .string(actorClass)
            members["key"] = .string(key.description)
        case .revocation(let actor): members["actor"] = .string(actor)
        case .act(let request): members["request"] = request.json
        }
        return members
    }

    /// Reads a body; nil if it has not the form that its action asks for.
    package init?(action: String, body: JSONObject) {
        guard var roster = body["roster"].flatMap(ActorRoster.init(_:)) else { return nil }
        if let member = body["associates"] {
            guard let associates = Associates(member) else { return nil }
            roster.associates = associates
        }
        self.init(roster)
        switch action {
        case Self.stated: break
        case ChainTurn.repaired:
            isRepair = true
            if roster.associates != nil {
                guard let mending = Associates.Mending(body) else { return nil }
                self.mending = mending
            }
        case Self.enrolled:
            guard let actor = body["actor"]?.string, Names.isActor(actor), actor != ActorRoster.house,
                actor.utf8.count <= Names.draftByteCount, let actorClass = body["class"]?.string,
                ActorRoster.isClass(actorClass), let text = body["key"]?.string, let key = try? ActorKey(text)
            else { return nil }
            change = .enrolment(actor: actor, actorClass: actorClass, key: key)
        case Self.revoked:
            guard let actor = body["actor"]?.string else { return nil }
            change = .revocation(actor: actor)
        default:
            guard roster.associates != nil, let request = body["request"].flatMap(SignedRequest.init(_:)),
                request.verb.action == action || planted(.requestOfAnotherVerb)
            else { return nil }
            if request.handbookChange != nil, HandbookAct(.object(body)) == nil { return nil }
            if let force = request.laneForce, !force.allows(body) { return nil }
            change = .act(request)
        }
    }

    /// What a frame says, if it is one of these, or a repair that names a roster.
    package init?(_ frame: FrameView, _ bytes: Span<UInt8>) {
        guard frame.isTurn else { return nil }
        switch ChainTurn(frame, bytes) {
        case .roster(let statement): self = statement
        case .repair:
            guard let body = (try? JSON(parsing: bytes.extracting(frame.body)))?.object else { return nil }
            self.init(action: ChainTurn.repaired, body: body)
        default: return nil
        }
    }
}
