package import CanonicalJSON
import PlantedDefects

// Behind damage
extension Associates {
    /// What a repair knows of associates besides what the entries in place say.
    package struct Mending: Sendable, Equatable {
        /// An act that stood behind the damage. Its own signatures prove it, as they did in its place.
        package struct Act: Sendable, Equatable {
            package let request: SignedRequest
            /// Of its entry: what the next act names.
            package let hash: Digest
        }

        package internal(set) var acts: [Act] = []
        package internal(set) var withdrawn: [ActorKey] = []

        package init() {}

        package var isEmpty: Bool { acts.isEmpty && withdrawn.isEmpty }
    }

    /// Those behind a repair: suspended, and all requests that were made before are void.
    ///
    /// - Parameter act: the repair's entry.
    func mended(by mending: Mending, in ledger: LedgerID?, _ act: Act) throws(AssociateObjection) -> Associates {
        var mended = self
        for old in mending.acts {
            if let ledger, let objection = mended.objection(to: old.request, in: ledger, at: nil, behind: nil) { throw objection }
            mended = try mended.applying(old.request, behind: nil)
            mended.act = Act(seq: mended.act.seq, hash: old.hash)
        }
        mended.act = act
        mended.isSuspended = !planted(.repairUnsuspended)
        // Whoever was withdrawn before stays so.
        let withdrawn = mended.withdrawn + mending.withdrawn.filter { !mended.withdrawn.contains($0) }
        guard mended.allows(withdrawn: withdrawn) || planted(.repairUnsuspended) else { throw .form }
        mended.withdrawn = withdrawn
        return mended
    }
}

extension Associates.Mending {
    /// What sound entries behind the damage prove, and what they only say.
    ///
    /// - Parameters:
    ///   - acts: in the order of their seqs; those that do not follow the last one known prove nothing.
    ///   - stated: associates as entries behind the damage state them.
    package init(
        _ associates: Associates, acts: [(act: Associates.Act, request: SignedRequest)], stated: [Associates], in ledger: LedgerID
    ) {
        var known = associates
        var byteCount = 0
        for (act, request) in acts.sorted(by: { $0.act.seq < $1.act.seq }) where act.seq > known.act.seq {
            guard known.objection(to: request, in: ledger, at: nil, behind: nil) == nil,
                let changed = known.after(request, act)
            else { continue }
            byteCount += request.json.canonicalBytes().count
            // What is too much for one entry counts as lost.
            guard byteCount <= Self.actsByteCountMax else { break }
            known = changed
            self.acts.append(Act(request: request, hash: act.hash))
        }
        guard let latest = stated.max(by: { $0.act.seq < $1.act.seq }), latest.act.seq > known.act.seq else { return }
        // An act was lost: whom it removed must not come back; whom it added must be added again.
        var suspended = known
        suspended.isSuspended = true
        let gone = known.keys.filter { !latest.signers.contains($0) }
        let withdrawn = known.withdrawn + gone.filter { !known.withdrawn.contains($0) }
        if suspended.allows(withdrawn: withdrawn), !planted(.removedAssociateBack) { self.withdrawn = gone }
    }

    private static let actsByteCountMax = 256 << 10

    /// Whom the entries that were lost removed, so that fewer would be left than must sign: they are back.
    package func returning(to associates: Associates, stated: [Associates]) -> [ActorKey] {
        guard withdrawn.isEmpty, let latest = stated.max(by: { $0.act.seq < $1.act.seq }) else { return [] }
        var known = associates
        for act in acts { if let changed = known.after(act.request, known.act) { known = changed } }
        guard latest.act.seq > known.act.seq, acts.last?.hash != latest.act.hash else { return [] }
        return known.keys.filter { !latest.signers.contains($0) }
    }
}

// In the body of `ledger.repaired` (FORMAT.md §4.8)
extension Associates.Mending {
    package var members: JSONObject {
        var members = JSONObject()
        if !acts.isEmpty {
            members["acts"] = .array(acts.map { ["hash": .string($0.hash.description), "request": $0.request.json] })
        }
        if !withdrawn.isEmpty { members["withdrawn"] = .keys(withdrawn) }
        return members
    }

    /// Reads a body; nil if it has not the form.
    init?(_ body: JSONObject) {
        if let member = body["withdrawn"] {
            guard let keys = member.actorKeys else { return nil }
            withdrawn = keys
        }
        guard let member = body["acts"] else { return }
        guard let items = member.array else { return nil }
        for item in items {
            guard item.object?.members.count == 2, let hash = item["hash"]?.string.flatMap({ Digest($0) }),
                let request = item["request"].flatMap(SignedRequest.init(_:))
            else { return nil }
            acts.append(Act(request: request, hash: hash))
        }
    }
}
