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
    /// have been carried out, although enough have signed it: so none of them adds a key, or lets fewer sign, unless a sound act follows it,
    /// and none counts that had expired before the damage begins.
    package init(_ associates: Associates, _ traces: Traces, in ledger: LedgerID) {
        var (known, traces) = (associates, traces)
        traces.loose.removeAll { [time = traces.time] in $0.hadExpired(at: time) }
        var (past, byteCount): (Set<Digest>, Int) = ([], 0)
        while past.insert(known.act.hash).inserted, let (request, act) = traces.act(behind: known, past, in: ledger) {
            byteCount += request.json.canonicalBytes().count
            // What is too much for one entry counts as lost.
            guard byteCount <= Self.actsByteCountMax, let changed = known.after(request, act) else { break }
            known = changed
            acts.append(Act(request: request, hash: act.hash))
        }
        guard let latest = traces.latest, latest.act.seq >= known.act.seq else { return }
        // An act was lost, or is taken for another one: whom it removed must not come back, and not fewer must sign than it asked for.
        // What only takes away needs no proof; whom it added must be added again.
        var suspended = known
        suspended.isSuspended = true
        let gone = known.signers.filter { !latest.signers.contains($0) }
        if suspended.allows(withdrawn: known.withdrawn + gone), !planted(.removedAssociateBack) { withdrawn = gone }
        let most = min(latest.threshold, known.signers.count - withdrawn.count)
        if most > known.threshold, !planted(.repairLowersThreshold) { threshold = most }
    }

    private static let actsByteCountMax = 256 << 10

    /// Whom the entries behind removed, so that fewer would be left than must sign: they are back.
    package func returning(to associates: Associates, _ traces: Traces) -> [ActorKey] {
        guard withdrawn.isEmpty, let latest = traces.latest else { return [] }
        var known = associates
        for act in acts {
            if let changed = known.after(act.request, .init(seq: known.act.seq, hash: act.hash)) { known = changed }
        }
        guard latest.act.seq >= known.act.seq, !acts.contains(where: { $0.hash == latest.act.hash }) else { return [] }
        return known.signers.filter { !latest.signers.contains($0) }
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
        for (act, request) in acts where act.seq > known.act.seq && known.isFollowed(by: request, in: ledger) {
            return (request, act)
        }
        guard !planted(.looseRequestsForgotten) else { return nil }
        for request in loose where known.isFollowed(by: request, in: ledger) {
            if let act = act(of: request, behind: known, past, in: ledger, isBelieved: true) { return (request, act) }
        }
        return nil
    }

    /// The entry that is lost around a request: nothing is known of it but what is said behind it. Nil if that contradicts the request, which
    /// somebody may have put in another one's place, or is too little.
    ///
    /// - Parameter isBelieved: whether those before it may count without a sound act behind them.
    private func act(
        of request: SignedRequest, behind known: Associates, _ past: Set<Digest>, in ledger: LedgerID, isBelieved: Bool
    ) -> Associates.Act? {
        func behind(_ act: Associates.Act) -> Associates? {
            guard !past.contains(act.hash), let behind = known.after(request, act) else { return nil }
            let told = stated.first { $0.act.hash == act.hash }
            return told.map(behind.agrees) ?? true || planted(.contradictedRequestCounts) ? behind : nil
        }
        // The act that is told to have this hash, and whose seq is told with it.
        func told(_ hash: Digest) -> Associates.Act {
            stated.first { $0.act.hash == hash }?.act ?? .init(seq: known.act.seq, hash: hash)
        }
        for (_, next) in acts where behind(told(next.base))?.isFollowed(by: next, in: ledger) == true { return told(next.base) }
        let isBelieved = isBelieved && known.believes(loose: request)
        for next in loose {
            guard let behind = behind(told(next.base)), behind.isFollowed(by: next, in: ledger) else { continue }
            if act(of: next, behind: behind, past.union([next.base]), in: ledger, isBelieved: isBelieved) != nil {
                return told(next.base)
            }
        }
        guard isBelieved else { return nil }
        let next = stated.filter { $0.act.seq > known.act.seq }.min { $0.act.seq < $1.act.seq }
        guard let next else { return .init(seq: known.act.seq, hash: .zero) }
        return behind(next.act) == nil ? nil : next.act
    }
}

extension Associates {
    /// Whether they are the same, whatever made them so.
    fileprivate func agrees(with told: Associates) -> Bool {
        keys == told.keys && threshold == told.threshold && constitution?.articles == told.constitution?.articles
            && isSuspended == told.isSuspended && withdrawn == told.withdrawn
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
    /// Whether a request without its entry may count where no sound act follows it.
    package func believes(loose request: SignedRequest) -> Bool {
        switch request.verb {
        case .add: planted(.looseAdditionCounts)
        case .remove: asksForAsMany(request) || planted(.looseRemovalLowers)
        case .adopt: asksForAsMany(request) || planted(.looseAdoptionLowers)
        case .release, .approvePatch, .revertPatch, .forceLane: true
        }
    }

    private func asksForAsMany(_ request: SignedRequest) -> Bool {
        request.arguments["threshold"]?.integer ?? 0 >= Int64(threshold)
    }

    fileprivate func isFollowed(by request: SignedRequest, in ledger: LedgerID) -> Bool {
        objection(to: request, in: ledger, at: nil, behind: nil) == nil
    }
}
