package import CanonicalJSON
import PlantedDefects

// Behind damage
extension Associates {
    /// What a repair knows of associates besides what the entries in place say.
    package struct Mending: Sendable, Equatable {
        /// An act that stood in the damage, or behind it. Its own signatures prove it, as they did in its place.
        package struct Act: Sendable, Equatable {
            package let request: SignedRequest
            /// Of its entry: what the next act names; zeros where that is lost, and no act follows.
            package let hash: Digest
        }

        package internal(set) var acts: [Act] = []
        package internal(set) var withdrawn: [ActorKey] = []
        /// How many must sign, where an act that is lost asked for more.
        package internal(set) var threshold: Int?

        package init() {}

        package var isEmpty: Bool { acts.isEmpty && withdrawn.isEmpty && threshold == nil }
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
            // The text stands in the repair's entry from now on.
            if old.request.verb == .adopt { mended.constitution?.act = act }
        }
        mended.act = act
        mended.isSuspended = !planted(.repairUnsuspended)
        if let threshold = mending.threshold {
            guard threshold > mended.threshold, threshold <= mended.keys.count else { throw .form }
            mended.threshold = threshold
        }
        // Whoever was withdrawn before stays so.
        let withdrawn = mended.withdrawn + mending.withdrawn.filter { !mended.withdrawn.contains($0) }
        guard mended.allows(withdrawn: withdrawn) || planted(.repairUnsuspended) else { throw .form }
        mended.withdrawn = withdrawn
        return mended
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
        if let threshold { members["threshold"] = .number(Double(threshold)) }
        return members
    }

    /// Reads a body; nil if it has not the form.
    init?(_ body: JSONObject) {
        if let member = body["withdrawn"] {
            guard let keys = member.actorKeys else { return nil }
            withdrawn = keys
        }
        if let member = body["threshold"] {
            guard let count = member.integer, (1...Int64(Associates.countMax)).contains(count) else { return nil }
            threshold = Int(count)
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
