import CanonicalJSON
package import DurableFiles
package import Ledger
package import LedgerFormat

// Old entries leave the ledger, and what they led to stays.
extension Decider {
    /// What an archive took.
    package struct Archived: Sendable {
        package var statement: ArchiveStatement
        /// Of `ledger.archived`.
        package var receipt: Receipt
    }

    /// Copies segments to another place, verifies the copies, records that together with the state of the house's projections, and only
    /// then removes the segments.
    ///
    /// - Parameters:
    ///   - projections: those whose state is kept: without it they could not be folded any more.
    ///   - target: a base of the archive's own, with a directory `ledger/`.
    ///   - directory: what the entry says of where it is.
    package mutating func archive(
        _ limit: ArchivePlan.Limit, keeping projections: [any Projection.Type], to target: any Storage,
        named directory: PathText, reason: String,
        progress: (@Sendable (Int, Int) -> Void)? = nil
    ) throws(LedgerError) -> Archived {
        let plan = try ArchivePlan(LedgerView(session.storage), limit, environment)
        if plan.endsActiveSegment {
            try session.acquire()
            try releasing { decider throws(LedgerError) in try decider.session.endSegment() }
        }
        let view = try LedgerView(session.storage)
        let segments = plan.finishedSegments(of: view)
        guard !segments.isEmpty else { throw plan.refusal }
        var archiver = Archiver(environment)
        archiver.progress = progress
        let copied = try archiver.copy(segments, of: view, to: target)
        let mark = Mark(seq: copied.tip.seq, hash: copied.tip.hash, latest: copied.latest)
        var states: [(draft: Draft, json: JSON)] = []
        for projection in projections { states.append(try archivedState(of: projection, at: mark, copied, view)) }
        let members: JSONObject = ["folds": .array(states.map(\.json))]
        try session.acquire()
        let answer = try releasing { decider throws(LedgerError) in
            try decider.session.archive(copied, to: directory, reason: reason, members, states.map(\.draft))
        }
        return Archived(statement: copied.statement, receipt: answer.receipts[0])
    }

    private func archivedState<State: Projection>(
        of _: State.Type, at mark: Mark, _ copied: Archiver.Copied, _ view: LedgerView
    ) throws(LedgerError) -> (draft: Draft, json: JSON) {
        var fold = try FoundFold<State>(in: view, to: FoldEnd(seq: mark.seq), environment).fold
        try fold.advance(in: view, to: FoldEnd(seq: mark.seq), environment)
        guard fold.mark?.seq == mark.seq, fold.mark?.hash == mark.hash else {
            throw LedgerError(.tampered, "the state of \(State.name) cannot be told at seq \(mark.seq); nothing was removed")
        }
        let draft = try ArchivedState.draft(fold, mark, of: copied.tip.ledger)
        let json: JSON = [
            "name": .string(State.name), "sha256": .string(Digest(sha256: draft.body.span).description),
            "version": .number(Double(State.version)),
        ]
        return (draft, json)
    }
}
