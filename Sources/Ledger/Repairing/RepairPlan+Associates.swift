import CanonicalJSON
import DurableFiles
package import LedgerFormat

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
        mending = Associates.Mending(associates, traces, in: ledger)
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
            return (request, "what adds a key does not count without its entry: let it be signed again behind the release")
        }
        if let associates = actors.associates, request.verb == .adopt, !associates.believes(loose: request) {
            return (
                request,
                "what lets fewer sign does not count without its entry: let it be signed again behind the release"
            )
        }
        let objection = actors.associates.map { $0.objection(to: request, in: ledger, at: nil, behind: nil) } ?? .nobody
        return (request, objection?.description ?? "it does not follow on what is known")
    }
}
