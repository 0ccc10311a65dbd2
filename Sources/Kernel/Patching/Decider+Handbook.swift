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

/// A handbook's text at a point of the ledger's history.
package struct KeptHandbook: Sendable {
    package let handbook: Handbook
    /// The act whose text it is.
    package let act: UInt64
    /// No act comes before that point: it is what the first one found.
    package let isFound: Bool

    /// - Throws: `refused` if the ledger holds no text of it.
    package init(_ name: HandbookName, upTo end: FoldEnd, in view: LedgerView, _ environment: Environment) throws(LedgerError) {
        var before: (act: UInt64, text: String)?
        var found: (act: UInt64, text: String)?
        var past = Mark(lastArchivedIn: view)
        try FactReader(view, of: Patches.namespaces, environment).read(after: &past, to: end) { fact in
            if let act = Self.act(fact, name) { before = (fact.seq, act.after) }
        }
        if before == nil {
            // What an archived act left is not what a later one found.
            if let act = try Self.archivedAct(of: name, in: view, environment) {
                throw try EntryReader(view, environment).absence(of: act)
            }
            try FactReader(view, of: Patches.namespaces, environment).read(after: &past) { fact in
                if found == nil, let act = Self.act(fact, name) { found = (fact.seq, act.before) }
            }
        }
        guard let kept = before ?? found else {
            let what = "no patch of \(name) was signed, so the ledger does not hold its text"
            guard let base = view.base else { throw LedgerError(.refused, what) }
            let absence = try EntryReader(view, environment).absence(of: base.seq - 1)
            throw LedgerError(.refused, "\(what), as far as it is here: \(absence.message)", .archived)
        }
        handbook = try Handbook.refusing(name, Array(kept.text.utf8))
        act = kept.act
        isFound = before == nil
    }

    /// The last one that the state knows and the ledger does not hold.
    private static func archivedAct(
        of name: HandbookName, in view: LedgerView, _ environment: Environment
    ) throws(LedgerError) -> UInt64? {
        guard view.base != nil else { return nil }
        var fold = try FoundFold<Patches>(in: view, environment).fold
        try fold.advance(in: view, environment)
        let patches = fold.state.patches.filter { $0.change.handbook.utf8.elementsEqual(name.text.utf8) }
        return patches.flatMap { [$0.approval, $0.act].compactMap { $0 } }.filter { $0 < view.firstSeq }.max()
    }

    private static func act(_ fact: Fact, _ name: HandbookName) -> HandbookAct? {
        guard fact.action == SignedRequest.Verb.approvePatch.action || fact.action == SignedRequest.Verb.revertPatch.action,
            let act = HandbookAct(fact.body), act.change.handbook.utf8.elementsEqual(name.text.utf8)
        else { return nil }
        return act
    }
}
