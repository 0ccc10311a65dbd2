import CanonicalJSON
package import Ledger
package import LedgerFormat

// A handbook that somebody changed or lost is put back to what associates signed last; nobody has to sign that again.
extension Decider {
    /// Records what stood there, and puts the text back; a crash between them leaves it pending, as with a patch.
    ///
    /// - Parameter act: the one whose text is wanted: the last one of the handbook.
    /// - Returns: nil if the handbook is that text already.
    package mutating func restoreHandbook(
        _ name: HandbookName, to act: UInt64, as actor: String, _ justification: Justification, _ shelf: Shelf
    ) throws(LedgerError) -> Receipt? {
        _ = try finishPatches(shelf)
        let found = try shelf.find(name)
        let lost = try LedgerView.asking(session.storage) { [archives, environment] view throws(LedgerError) in
            try LostHandbookAct(of: name, in: try view.withArchives(archives), environment)
        }
        if let lost { throw LedgerError(.refused, "\(lost); nothing was recorded") }
        let decided = try decide(on: Patches.self, as: actor) { patches, moment throws(LedgerError) in
            try patches.restore(name, to: act, over: found, justification, moment)
        }
        guard let receipt = decided.receipts.first else { return nil }
        if let obstacle = try finishPatches(shelf).first(where: { $0.patch.act == act })?.obstacle {
            throw LedgerError(
                .inputOutput,
                "entry \(receipt.seq) says that \(name) is put back, but it was not changed: \(obstacle); mend that: the next "
                    + "`bulla patch` verb, or `bulla run`, does the rest")
        }
        return receipt
    }
}

extension Patches {
    /// Puts a handbook back to what an act left, if it is the last one of the handbook.
    ///
    /// - Parameter found: what stands there; nil for nothing.
    func restore(
        _ name: HandbookName, to act: UInt64, over found: Handbook?, _ justification: Justification, _ moment: Moment
    ) throws(LedgerError) -> Decision<Void> {
        guard let patch = newest(of: name), let last = patch.act else {
            throw LedgerError(.refused, "no patch of \(name) is known that associates signed; nothing was recorded")
        }
        guard last == act else {
            throw LedgerError(
                .refused,
                "associates signed another text of \(name) since, in entry \(last): take that back with `bulla patch revert \(patch.seq)`, or "
                    + "write the earlier text with --out and propose it; nothing was recorded")
        }
        guard !patch.isPending else {
            throw LedgerError(.refused, "patch \(patch.seq) \(patch.told); nothing was recorded")
        }
        if found?.digest == patch.step.after { return Decision([]) }
        var body: JSONObject = [
            "act": .number(Double(act)), "found": .string((found?.digest ?? .zero).description), "handbook": .string(name.text),
        ]
        body["before"] = (found?.text).map { .string($0) }
        return Decision([try moment.draft(Self.restored, justification, body, ["causes": [.number(Double(act))]])])
    }
}
