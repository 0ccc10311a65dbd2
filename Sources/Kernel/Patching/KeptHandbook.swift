import CanonicalJSON
package import Ledger
import LedgerFormat

/// A handbook's text at a point of the ledger's history: what associates signed last, and was not given up.
package struct KeptHandbook: Sendable {
    package let handbook: Handbook
    /// The act whose text it is.
    package let act: UInt64
    /// No act comes before that point: it is what the first one found.
    package let isFound: Bool

    /// - Throws: `refused` if the ledger holds no text of it.
    package init(_ name: HandbookName, upTo end: FoldEnd, in view: LedgerView, _ environment: Environment) throws(LedgerError) {
        let reader = FactReader(view, of: Patches.namespaces, environment)
        var past = Mark(lastArchivedIn: view)
        var acts = SignedActs(name)
        try reader.read(after: &past, to: end) { acts.take($0) }
        let earlier = acts.seqs
        // What was given up later never was the handbook's text either.
        try reader.read(after: &past) { acts.take($0) }
        let last = acts.seqs.last { earlier.contains($0) }
        if last == nil, let act = try Self.archivedAct(of: name, in: view, environment) {
            // What an archived act left is not what a later one found.
            throw try EntryReader(view, environment).absence(of: act)
        }
        guard let seq = last ?? acts.first else {
            let what = "no patch of \(name) was signed, so the ledger does not hold its text"
            guard let base = view.base else { throw LedgerError(.refused, what) }
            let absence = try EntryReader(view, environment).absence(of: base.seq - 1)
            throw LedgerError(.refused, "\(what), as far as it is here: \(absence.message)", .archived)
        }
        let body = try? JSON(parsing: EntryReader(view, environment).entry(seq).body)
        guard let kept = body.flatMap(HandbookAct.init) else {
            throw LedgerError(.tampered, "entry \(seq) does not hold the text that was signed")
        }
        handbook = try Handbook.refusing(name, Array((last == nil ? kept.before : kept.after).utf8))
        act = seq
        isFound = last == nil
    }

    /// The last one that the state knows and the ledger does not hold.
    private static func archivedAct(
        of name: HandbookName, in view: LedgerView, _ environment: Environment
    ) throws(LedgerError) -> UInt64? {
        guard view.base != nil else { return nil }
        var fold = try FoundFold<Patches>(in: view, environment).fold
        try fold.advance(in: view, environment)
        let patches = fold.state.patches.filter { $0.stage != .rejected && $0.isOf(name.text) }
        let texts = fold.state.texts.filter { $0.isOf(name.text) }.flatMap { [$0.act.seq, $0.earlier?.seq] }
        let seqs = patches.flatMap { [$0.approval, $0.act] } + texts
        return seqs.compactMap { $0 }.filter { $0 < view.firstSeq }.max()
    }
}

/// What was signed for a handbook, without what was given up.
private struct SignedActs {
    private let name: HandbookName
    private(set) var seqs: [UInt64] = []
    /// Of all, also of those that were given up.
    private(set) var first: UInt64?
    /// The patch of the last one, while nothing says that it was carried out.
    private var pending: UInt64?

    init(_ name: HandbookName) { self.name = name }

    mutating func take(_ fact: Fact) {
        switch fact.action {
        case SignedRequest.Verb.approvePatch.action, SignedRequest.Verb.revertPatch.action:
            guard let act = HandbookAct(fact.body), act.change.handbook.utf8.elementsEqual(name.text.utf8) else { return }
            seqs.append(fact.seq)
            first = first ?? fact.seq
            pending = act.change.proposal
        case Patches.applied, Patches.restored:
            if let act = fact.body["act"]?.seq, act == seqs.last { pending = nil }
        case Patches.rejected:
            guard let pending, fact.body["proposal"]?.seq == pending else { return }
            seqs.removeLast()
            self.pending = nil
        default: return
        }
    }
}
