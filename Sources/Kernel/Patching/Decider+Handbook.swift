import CanonicalJSON
package import Ledger
package import LedgerFormat

// A handbook that somebody changed or lost is put back to what associates signed last; nobody has to sign that again.
extension Decider {
    /// Records what stood there, and puts the text back; a crash between them leaves it pending, as with a patch.
    ///
    /// - Parameter kept: the text that is wanted: that of the handbook's last act.
    /// - Returns: nil if the handbook is that text already.
    package mutating func restoreHandbook(
        to kept: KeptHandbook, as actor: String, _ justification: Justification, _ shelf: Shelf
    ) throws(LedgerError) -> Receipt? {
        precondition(!kept.isFound, "nobody has signed what an act found")
        let (name, act) = (kept.handbook.name, kept.act)
        _ = try finishPatches(shelf)
        try shelf.checkPlace(of: name)
        let found = try shelf.look(at: name)
        let decided = try decide(on: Patches.self, as: actor) { patches, moment throws(LedgerError) in
            try patches.restore(name, to: act, kept.handbook.digest, over: found, justification, moment)
        }
        guard let receipt = decided.receipts.first else { return nil }
        if let obstacle = try finishPatches(shelf).first(where: { $0.act.seq == act })?.obstacle {
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
        _ name: HandbookName, to act: UInt64, _ text: Digest, over found: Shelf.Found?, _ justification: Justification,
        _ moment: Moment
    ) throws(LedgerError) -> Decision<Void> {
        guard let last = self.text(of: name) else {
            guard lossSeq > 0 else {
                throw LedgerError(.refused, "no patch of \(name) is known that associates signed; nothing was recorded")
            }
            throw LedgerError(
                .refused,
                "entries were lost, or may have been, as entry \(lossSeq) tells, and for \(name) nothing is known to be signed since: nobody can tell which text was "
                    + "signed last, and so none is put back unsigned; write it to a file with --out and propose it, and let it be approved; nothing was "
                    + "recorded")
        }
        guard last.act.seq == act else {
            throw LedgerError(
                .refused,
                "associates signed another text of \(name) since, in entry \(last.act.seq), for patch \(last.act.proposal): take back what is applied "
                    + "with `bulla patch revert`, or write the earlier text with --out and propose it; nothing was recorded")
        }
        guard !last.isPending else {
            throw LedgerError(.refused, "patch \(last.act.proposal) \(last.told); nothing was recorded")
        }
        if found?.digest == text { return Decision([]) }
        var body: JSONObject = [
            "act": .number(Double(act)), "found": .string((found?.digest ?? .zero).description), "handbook": .string(name.text),
        ]
        // What is no text, or a longer one, has no room.
        body["before"] = (try? found?.content.get()).map { .string($0.text) }
        return Decision([try moment.draft(Self.restored, justification, body, ["causes": [.number(Double(act))]])])
    }
}
