import CanonicalJSON
package import Ledger
import LedgerFormat
import PlantedDefects

/// A projection's whole state at the last archived entry, kept in an entry: from there it is folded where what lies before is gone.
enum ArchivedState<State: Projection> {
    static var action: String { "snapshot.archived" }

    /// What keeps a fold; nothing else must be known of the entries that it is made of.
    static func draft(_ fold: Fold<State>, _ mark: Mark, of ledger: LedgerID) throws(LedgerError) -> Draft {
        let members: JSONObject
        do throws(SnapshotFault) {
            members = try Snapshot(ledger: ledger, mark: mark, state: fold.state).members()
        } catch {
            throw LedgerError(.refused, "the state of \(State.name) cannot be archived: \(error)")
        }
        let draft: Draft
        do throws(DraftError) {
            draft = try Draft(
                action: action, actor: "service:bulla",
                justification: Justification(.resilience, "the entries that this state was folded from are archived"),
                body: .object(members))
        } catch {
            throw LedgerError(
                .refused, "the state of \(State.name) does not fit into an entry, and so nothing is archived: \(error)")
        }
        let byteCount = draft.body.count
        guard byteCount <= byteCountMax || planted(.stateFitUntried) else {
            throw LedgerError(
                .refused,
                "the state of \(State.name) has \(byteCount) bytes, and an entry that keeps it behind an archive has room for "
                    + "\(byteCountMax): nothing was archived; make it smaller first, such as by fewer or shorter \(State.name == "lanes" ? "patterns" : "values")"
            )
        }
        return draft
    }

    /// An entry's other members take less than the rest.
    private static var byteCountMax: Int { Limits.draftPayload - (2 << 10) }

    /// The state behind an archive, from the first entry that keeps one of this version; nil if none does.
    static func find(
        in view: LedgerView, to end: FoldEnd, _ environment: Environment
    ) throws(LedgerError) -> Snapshot<State>? {
        var found: Snapshot<State>?
        try EntryReader(view, environment).read(from: view.firstSeq) { frame, bytes in
            let body: [UInt8]
            if frame.action.count == action.utf8.count, bytes.text(frame.action) == action {
                body = bytes.copy(frame.body)
            } else if let readmission = Readmission(frame, of: bytes), readmission.isProven, readmission.entry.action == action {
                body = readmission.entry.body
            } else {
                return true
            }
            guard let members = (try? JSON(parsing: body))?.object,
                let snapshot = try? Snapshot<State>(members, of: frame.ledger(in: bytes)),
                snapshot.mark.seq + 1 >= view.firstSeq, snapshot.mark.seq <= end.seq,
                end.time.map({ snapshot.mark.latest <= $0 }) ?? true,
                SnapshotFolder<State>.holds(snapshot.mark, view, environment)
            else { return true }
            found = snapshot
            return false
        }
        return found
    }
}

extension Fold {
    /// Before the first entry; or, where the first ones were archived, behind them.
    ///
    /// - Throws: `refused` where no entry says what the state was there.
    package init(beginningOf view: LedgerView, to end: FoldEnd = .tip, _ environment: Environment) throws(LedgerError) {
        guard view.base != nil else {
            self.init()
            return
        }
        guard let found = try ArchivedState<State>.find(in: view, to: end, environment) else {
            let absence = try EntryReader(view, environment).absence(of: 1)
            throw LedgerError(
                absence.code, "the state of \(State.name) cannot be told: \(absence.message)", at: absence.place, absence.cause)
        }
        self.init(found.state, at: found.mark)
    }
}
