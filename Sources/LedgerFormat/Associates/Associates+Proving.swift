import CanonicalJSON
import PlantedDefects

// What a repair takes over, and from what.
extension Associates.Mending {
    /// What is left of acts behind a verified prefix.
    package struct Traces: Sendable {
        /// In sound entries.
        package var acts: [(act: Associates.Act, request: SignedRequest)] = []
        /// Associates as sound entries state them.
        package var stated: [Associates] = []
        /// Requests without a sound entry around them: found in damaged bytes, or kept by those who signed.
        package var loose: [SignedRequest] = []
        /// Of the last sound entry before the damage; nil if there is none.
        package var time: Timestamp?

        package init() {}
    }

    /// What the traces prove, and what they only say.
    ///
    /// An act follows another one by its base, so that none counts twice, and none that never was the next. A loose request may never
    /// have been carried out, although enough have signed it: so none of them adds a key, or lets fewer sign by a constitution, and none
    /// counts that had expired before the damage begins.
    package init(_ associates: Associates, _ traces: Traces, in ledger: LedgerID) {
        var known = associates
        var (past, byteCount): (Set<Digest>, Int) = ([], 0)
        while past.insert(known.act.hash).inserted, let (request, act) = traces.act(behind: known, past, in: ledger) {
            byteCount += request.json.canonicalBytes().count
            // What is too much for one entry counts as lost.
            guard byteCount <= Self.actsByteCountMax, let changed = known.after(request, act) else { break }
            known = changed
            acts.append(Act(request: request, hash: act.hash))
        }
        guard let latest = traces.latest, latest.act.seq > known.act.seq else { return }
        // An act was lost: whom it removed must not come back; whom it added must be added again.
        var suspended = known
        suspended.isSuspended = true
        let gone = known.keys.filter { !latest.signers.contains($0) }
        let withdrawn = known.withdrawn + gone.filter { !known.withdrawn.contains($0) }
        if suspended.allows(withdrawn: withdrawn), !planted(.removedAssociateBack) { self.withdrawn = gone }
    }

    private static let actsByteCountMax = 256 << 10

    /// Whom the entries that were lost removed, so that fewer would be left than must sign: they are back.
    package func returning(to associates: Associates, _ traces: Traces) -> [ActorKey] {
        guard withdrawn.isEmpty, let latest = traces.latest else { return [] }
        var known = associates
        for act in acts {
            if let changed = known.after(act.request, .init(seq: known.act.seq, hash: act.hash)) { known = changed }
        }
        guard latest.act.seq > known.act.seq, known.act.hash != latest.act.hash else { return [] }
        return known.keys.filter { !latest.signers.contains($0) }
    }
}

extension Associates.Mending.Traces {
    /// The last of those that are stated.
    package var latest: Associates? { stated.max { $0.act.seq < $1.act.seq } }

    /// The act that follows on the last one known, if enough have signed it.
    ///
    /// - Parameter past: hashes of acts before, which no other entry has.
    func act(
        behind known: Associates, _ past: Set<Digest>, in ledger: LedgerID
    ) -> (request: SignedRequest, act: Associates.Act)? {
        func follows(_ request: SignedRequest, on associates: Associates) -> Bool {
            associates.objection(to: request, in: ledger, at: nil, behind: nil) == nil
        }
        for (act, request) in acts where act.seq > known.act.seq && follows(request, on: known) { return (request, act) }
        guard !planted(.looseRequestsForgotten) else { return nil }
        let loose = loose.filter { !$0.hadExpired(at: time) }
        for request in loose where known.believes(loose: request) && follows(request, on: known) {
            // Of its entry nothing is known but what the next act says of it.
            let bases = (acts.map(\.request.base) + loose.map(\.base)).filter { !past.contains($0) }
            let hash = bases.first { base in
                guard let behind = known.after(request, .init(seq: known.act.seq, hash: base)) else { return false }
                return acts.contains { $0.request.base == base && follows($0.request, on: behind) }
                    || loose.contains { $0.base == base && behind.believes(loose: $0) && follows($0, on: behind) }
            }
            return (request, .init(seq: known.act.seq, hash: hash ?? .zero))
        }
        return nil
    }
}

extension SignedRequest {
    /// Whether nothing behind a sound entry can have carried it out any more.
    ///
    /// - Parameter time: that entry's; nil where there is none.
    package func hadExpired(at time: Timestamp?) -> Bool {
        time.map { expires < $0 && !planted(.looseExpiredCounts) } ?? false
    }
}

extension Associates {
    /// Whether a request without its entry may count at all.
    package func believes(loose request: SignedRequest) -> Bool {
        switch request.verb {
        case .add: planted(.looseAdditionCounts)
        case .adopt: request.arguments["threshold"]?.integer ?? 0 >= Int64(threshold) || planted(.looseAdoptionLowers)
        case .remove, .release, .approvePatch, .revertPatch, .forceLane: true
        }
    }
}
