import CanonicalJSON
package import Ledger
import LedgerFormat

/// The states of projections at the last archived entry, each in an entry that goes beside the one that records the archive.
struct KeptStates {
    private(set) var drafts: [Draft] = []
    private var folds: [JSON] = []

    /// What the archive's entry says of them.
    var members: JSONObject { ["folds": .array(folds)] }

    /// Refuses a state that could not be kept.
    ///
    /// - Parameter seq: of the entry that would be the last archived one.
    static func check<State: Projection>(
        _: State.Type, at seq: UInt64, in view: LedgerView, _ environment: Environment
    ) throws(LedgerError) {
        var fold = try FoundFold<State>(in: view, to: FoldEnd(seq: seq), environment).fold
        try fold.advance(in: view, to: FoldEnd(seq: seq), environment)
        guard let mark = fold.mark, let ledger = view.ledger else { return }
        _ = try ArchivedState.draft(fold, mark, of: ledger)
    }

    /// - Parameters:
    ///   - mark: the last archived entry.
    ///   - view: of the ledger with all that is archived.
    mutating func keep<State: Projection>(
        _: State.Type, at mark: Mark, in view: LedgerView, of ledger: LedgerID, _ environment: Environment
    ) throws(LedgerError) {
        var fold = try FoundFold<State>(in: view, to: FoldEnd(seq: mark.seq), environment).fold
        try fold.advance(in: view, to: FoldEnd(seq: mark.seq), environment)
        guard fold.mark?.seq == mark.seq, fold.mark?.hash == mark.hash else {
            throw LedgerError(.tampered, "the state of \(State.name) cannot be told at seq \(mark.seq)")
        }
        let draft = try ArchivedState.draft(fold, mark, of: ledger)
        drafts.append(draft)
        folds.append([
            "name": .string(State.name), "sha256": .string(Digest(sha256: draft.body.span).description),
            "version": .number(Double(State.version)),
        ])
    }
}

extension ArchiveRecovery {
    /// Has the state behind the archive recorded too.
    ///
    /// - Returns: what of it cannot be told; then it can be read with the archive only.
    package mutating func keepStates(of projections: [any Projection.Type], _ environment: Environment) -> [String] {
        var (states, notices) = (KeptStates(), [String]())
        let mark = Mark(seq: tip.seq, hash: tip.hash, latest: latest)
        for projection in projections {
            do throws(LedgerError) {
                try states.keep(projection, at: mark, in: view, of: tip.ledger, environment)
            } catch {
                notices.append("the state of \(projection.name) is not recovered, and can be read with --archive only: \(error)")
            }
        }
        (drafts, members) = (states.drafts, states.members)
        return notices
    }
}
