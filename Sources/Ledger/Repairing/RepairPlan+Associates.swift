import CanonicalJSON
import DurableFiles
package import LedgerFormat
import PlantedDefects

// Who signs for the house behind the repair
extension RepairPlan {
    /// Takes over what sound entries behind the damage, what is left in the damage, and what was kept elsewhere prove.
    mutating func mendAssociates(
        _ traces: Associates.Mending.Traces, _ survey: Survey, _ view: LedgerView
    ) throws(StorageError) {
        var traces = traces
        // Where nothing of the beginning is left, they are taken as the last sound entry states them.
        if !prefix.knowsActors { traces.stated = [] }
        if actors.associates != nil {
            for damage in survey.damages { traces.loose += try Self.requests(in: damage, view) }
        }
        mendAssociates(traces)
    }

    mutating func mendAssociates(_ traces: Associates.Mending.Traces = .init()) {
        guard let associates = actors.associates else { return }
        var traces = traces
        traces.loose += requests
        traces.time = prefix.tip?.time
        mending = Associates.Mending(associates, traces, in: ledger)
        // No writer adopts what locks an enrolled actor out, and so no entry of such an adoption is lost.
        while let last = mending.acts.last(where: { $0.request.verb == .adopt })?.request, traces.loose.contains(last),
            last.objectionToClasses(actors) != nil, !planted(.looseAdoptionLocksOut)
        {
            traces.loose.removeAll { $0 == last }
            mending = Associates.Mending(associates, traces, in: ledger)
        }
        returningAssociates = mending.returning(to: associates, traces)
        if let stated = traces.latest?.constitution, !mending.acts.contains(where: { $0.request.verb == .adopt }),
            stated.articles != associates.constitution?.articles
        {
            lostConstitution = stated
        }
    }

    /// Those whose text is left in a damaged range; what spans two windows is found in the second.
    private static func requests(in damage: Survey.Damage, _ view: LedgerView) throws(StorageError) -> [SignedRequest] {
        let reader = try SegmentReader(view.storage)
        var found: [SignedRequest] = []
        for segment in reader.segments where segment >= damage.start.segment && segment <= damage.next?.segment ?? .max {
            let file = try reader.open(segment: segment)
            let size = try file.status().size
            let end = damage.next.flatMap { $0.segment == segment ? $0.offset : nil } ?? size
            var offset = segment == damage.start.segment ? damage.start.offset : 0
            while offset < end, found.count < SignedRequest.foundCountMax {
                let window = try file.bytes(in: offset..<min(end, offset + windowByteCount))
                for request in SignedRequest.found(in: window.span) where !found.contains(request) { found.append(request) }
                guard window.count == windowByteCount else { break }
                offset += windowByteCount - SignedRequest.byteCountMax
            }
        }
        return found
    }

    private static let windowByteCount = 4 << 20

    /// Those who sign behind the repair; nil if nobody does.
    package var associatesBehind: Associates? {
        var body = RosterStatement(actors).members
        for member in mending.members.members { body[member.key] = member.value }
        return RosterStatement(action: ChainTurn.repaired, body: body)?.after(seq, .zero)?.associates
    }

    /// What was given and proves nothing, and why; nil if all of it counts.
    package var refusedRequest: (request: SignedRequest, why: String)? {
        guard let request = requests.first(where: { request in !mending.acts.contains { $0.request == request } }) else {
            return nil
        }
        if request.verb == .add {
            return (
                request,
                "what adds a key does not count without its entry, or a sound act that follows it: let it be signed again behind the release"
            )
        }
        if let associates = actors.associates, [.adopt, .remove].contains(request.verb), !associates.believes(loose: request) {
            return (
                request,
                "what lets fewer sign does not count without its entry, or a sound act that follows it: let it be signed again behind the release"
            )
        }
        if let tip = prefix.tip, request.hadExpired(at: tip.time) {
            return (
                request,
                "it expired at \(request.expires), and entry \(tip.seq), the last one before what is lost, is of \(tip.time): nothing behind "
                    + "that can have carried it out; let it be signed again behind the release"
            )
        }
        if let objection = request.objectionToClasses(actors) { return (request, "\(objection)") }
        let objection = actors.associates.map { $0.objection(to: request, in: ledger, at: nil, behind: nil) } ?? .nobody
        return (
            request,
            objection?.description
                ?? "sound entries behind the damage say something else of the associates, or another request stands in its place"
        )
    }
}

// Where nobody knows who signs
extension RepairPlan {
    /// What whoever repairs says of associates. It counts only where nothing that is left of the ledger says it.
    package enum Naming: Sendable {
        /// There were none, or they are given up.
        case nobody
        case these(Associates)

        /// - Throws: what is wrong with the keys, or with how many must sign.
        package init(_ keys: [ActorKey], threshold: Int) throws(AssociateObjection) {
            // The first entry was the last act that is known of, and its hash is not.
            self = .these(try Associates(keys, threshold: threshold, act: .init(seq: 1, hash: .zero)))
        }
    }

    mutating func nameAssociates(_ salvage: Salvage) {
        losesAssociates = !prefix.knowsActors && !prefix.archiveTellsActors && !salvage.tellsAssociates
        if losesAssociates, case .these(let associates) = naming { actors.associates = associates }
    }

    /// What whoever repairs has to say before: whoever damages the one entry that names associates must not take them away by it.
    package var missingNames: String? {
        guard isNeeded, losesAssociates, naming == nil, !planted(.associatesTakenAway) else { return nil }
        let archive = firstSeq > 1 && !usesArchives ? "give the archive's directory with --archive, or " : ""
        return
            "nothing sound says whether the ledger had associates, whose signatures open a locked house: if it had, \(archive)restore a "
            + "backup, or name them as they were, with --associate KEY and --threshold M; if it had none, or they are given up, say "
            + "--without-associates"
    }

    /// What else he has to say before: who was removed would hold the house again, as nothing that is left proves who came after him.
    package var missingConsent: String? {
        guard isNeeded, !returningAssociates.isEmpty, !acceptsRemoved, !planted(.removedAssociateAccepted) else { return nil }
        let keys = returningAssociates.map(\.description).joined(separator: " and ")
        return
            "an act of the associates is lost without a trace, and what follows it proves nothing without it: so \(keys) would sign again, who "
            + "had been removed; give the request that was signed for the lost act, with --request FILE, or restore a backup, or say --with-removed"
    }

    /// Why the names that were given do not count; nil if they do.
    var refusedNames: String? {
        guard !losesAssociates else { return nil }
        switch (naming, actors.associates == nil) {
        case (.these, true): return "the ledger has no associates, as sound entries say, and nobody is named by a repair"
        case (.these, false):
            return "who signs for the house is known by sound entries, and nobody is named by a repair: leave --associate out"
        case (.nobody, false):
            return
                "who signs for the house is known by sound entries, and no repair gives them up: leave --without-associates out"
        case (.nobody, true), (nil, _): return nil
        }
    }
}
