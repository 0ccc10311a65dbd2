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
                var snapshot = try? Snapshot<State>(members, of: frame.ledger(in: bytes)),
                // Damage is met by whoever goes on from here.
                let mark = try? standing(snapshot.mark, before: frame.seq, in: view, environment),
                mark.seq <= end.seq, end.time.map({ mark.latest <= $0 }) ?? true
            else { return true }
            snapshot.mark = mark
            found = snapshot
            return false
        }
        return found
    }

    /// Behind which entry a fold goes on that was kept at `mark`; nil if the ledger goes on from nothing that belongs to it.
    ///
    /// A repair may have taken that entry to another place, or lost it: then it is the last one that tells of something no later.
    ///
    /// - Parameter seq: where it is kept, in an entry that counts.
    private static func standing(
        _ mark: Mark, before seq: UInt64, in view: LedgerView, _ environment: Environment
    ) throws(LedgerError) -> Mark? {
        // The first entry that is there names the hash of the last archived one.
        if mark.seq < view.firstSeq {
            return mark.seq + 1 == view.base?.seq && mark.hash == view.base?.previousHash ? mark : nil
        }
        let reader = EntryReader(view, environment)
        if case .inPlace(let entry)? = try reader.fate(of: mark.seq) { return entry.hash == mark.hash ? mark : nil }
        if planted(.repairedStateForgotten) { return nil }
        var (last, latest): (Mark?, Timestamp) = (nil, mark.latest)
        try reader.read(from: view.firstSeq, through: seq) { frame, bytes in
            latest = max(latest, frame.time)
            let told = Readmission(frame, of: bytes)?.view.seq ?? frame.seq
            if told <= mark.seq { last = Mark(seq: frame.seq, hash: frame.hash(in: bytes), latest: latest) }
            return true
        }
        return last
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
