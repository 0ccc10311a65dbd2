package import Ledger
import LedgerFormat
import PlantedDefects

/// Acts of patches that are pending: their entries alone hold the texts that handbooks are to have, and so stay in the ledger until they do.
struct PendingActs: Sendable {
    private var fold: Fold<Patches>

    /// Nil where the ledger does not tell its patches any more, as an earlier build has archived it.
    init?(in view: LedgerView, _ environment: Environment) throws(LedgerError) {
        do throws(LedgerError) { fold = try FoundFold<Patches>(in: view, environment).fold } catch {
            guard error.cause == .archived else { throw error }
            return nil
        }
    }

    /// - Parameter last: the last entry that would go.
    /// - Throws: `refused` if one of them would go too.
    mutating func check(through last: UInt64, in view: LedgerView, _ environment: Environment) throws(LedgerError) {
        try fold.advance(in: view, environment)
        guard !planted(.pendingActArchived) else { return }
        for text in fold.state.pending {
            let act = text.act
            guard act.seq >= view.firstSeq, act.seq <= last else { continue }
            throw LedgerError(
                .refused,
                "patch \(act.proposal) of \(text.handbook) is not applied yet, and entry \(act.seq), which holds the text that was signed, "
                    + "would go: finish it with `bulla patch review`, which says what is in its way, or give it up with "
                    + "`bulla patch reject \(act.proposal)`; nothing was archived")
        }
    }
}

extension ArchivePlan {
    /// - Throws: `refused` if the act of a pending patch would go.
    package func checkPatches(in view: LedgerView, _ environment: Environment) throws(LedgerError) {
        guard let last = segments.last?.last, var acts = try PendingActs(in: view, environment) else { return }
        try acts.check(through: last, in: view, environment)
    }
}
