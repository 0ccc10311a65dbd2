package import Ledger
import CanonicalJSON
import LedgerFormat

/// An entry that somebody names by its seq, as he saw it: a rule reads no ledger itself.
package struct Citation: Sendable {
    package let seq: UInt64
    package let action: String
    /// What it tells of a trauma; nil if it tells of none, and so of what a repair re-admitted without proof, which counts for nothing.
    package let incident: Incident?

    /// Looks for several.
    package static func all(
        _ seqs: [UInt64], in view: LedgerView, _ environment: Environment
    ) throws(LedgerError) -> [Citation] {
        var found: [Citation] = []
        for seq in seqs { found.append(try Citation(seq, in: view, environment)) }
        return found
    }

    /// Looks for the entry.
    ///
    /// - Throws: `refused` for a seq that no entry has, or that was lost or archived (with this cause); what reading throws.
    package init(_ seq: UInt64, in view: LedgerView, _ environment: Environment) throws(LedgerError) {
        let reader = EntryReader(view, environment)
        let entry: Entry
        var counts = true
        switch try reader.fate(of: seq) {
        case .inPlace(let found): entry = found
        case .readmitted(let readmission, _):
            entry = readmission.entry
            counts = readmission.isProven
        case .lost(let repair):
            throw LedgerError(.refused, "entry \(seq) was lost in repair \(repair): it shows nothing any more")
        case nil: throw LedgerError(.refused, "there is no entry \(seq); the last one is \(try reader.lastSeq())")
        }
        self.seq = seq
        action = entry.action
        incident =
            counts
            ? Incident(action: entry.action, actor: entry.actor, body: (try? JSON(parsing: entry.body)) ?? .null) : nil
    }
}
