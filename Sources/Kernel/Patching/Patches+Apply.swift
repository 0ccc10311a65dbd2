import CanonicalJSON
import LedgerFormat

// Replay: what each entry makes of the state. What cannot be read, or does not follow, changes nothing.
extension Patches {
    static let applied = "patch.applied"
    static let rejected = "patch.rejected"
    static let restored = "patch.restored"

    package mutating func apply(_ fact: Fact) {
        switch fact.action {
        case PatchProposal.action:
            guard self[fact.seq] == nil, let proposal = PatchProposal(fact.body) else { return }
            patches.append(Patch(proposal, fact))
            forget()
        case SignedRequest.Verb.approvePatch.action:
            sign(fact, from: [.proposed], to: .approved) { $0.change }
        case SignedRequest.Verb.revertPatch.action:
            // Whoever took it back found it applied, also where the entry that said so is lost.
            sign(fact, from: [.approved, .applied], to: .reverting) { $0.reversal }
        case Self.applied:
            guard let act = fact.body["act"]?.seq else { return }
            change(where: { $0.isPending && $0.act == act }) { $0.finish() }
        case Self.restored:
            guard let act = fact.body["act"]?.seq, let found = fact.body["found"]?.string.flatMap({ Digest($0) }) else { return }
            // Nobody puts back what is pending: so what was signed before was carried out.
            change(where: { $0.act == act && $0.stage != .rejected }) { patch in
                patch.finish()
                patch.restoring = found
            }
        case Self.rejected:
            guard let seq = fact.body["proposal"]?.seq else { return }
            change(where: { $0.seq == seq && $0.isOpen }) { patch in
                // What was signed and could not be done stays as it was before.
                if patch.restoring == nil {
                    patch.stage = patch.stage == .reverting ? .applied : .rejected
                    patch.act = patch.approval
                }
                patch.restoring = nil
                patch.rejection = fact.seq
            }
        default: return
        }
    }

    /// What associates signed counts for the patch that they saw, with the texts that they saw.
    ///
    /// Nothing else is signed for a handbook while an act of it is pending. So an earlier one was carried out, and the entry that said so is
    /// lost; whatever became of it, its text is not what was signed last, and must not come over that.
    private mutating func sign(
        _ fact: Fact, from stages: [Patch.Stage], to: Patch.Stage, _ expected: (Patch) -> HandbookChange
    ) {
        guard let act = HandbookAct(fact.body) else { return }
        for index in patches.indices where patches[index].isPending && patches[index].seq != act.change.proposal {
            if patches[index].isOf(act.change.handbook) { patches[index].finish() }
        }
        change(where: { $0.seq == act.change.proposal && stages.contains($0.stage) && expected($0) == act.change }) { patch in
            patch.restoring = nil
            patch.stage = to
            patch.act = fact.seq
            if to == .approved { patch.approval = fact.seq }
        }
    }

    private mutating func change(where isMeant: (Patch) -> Bool, _ change: (inout Patch) -> Void) {
        guard let index = patches.firstIndex(where: isMeant) else { return }
        change(&patches[index])
    }

    /// What is open stays, unless all are.
    private mutating func forget() {
        guard patches.count > Self.countMax else { return }
        let index =
            patches.firstIndex { $0.stage == .rejected || $0.stage == .reverted } ?? patches.firstIndex { !$0.isOpen } ?? 0
        patches.remove(at: index)
        forgottenCount += 1
    }
}

extension Patch {
    /// What is pending was carried out.
    fileprivate mutating func finish() {
        restoring = nil
        if stage == .approved { stage = .applied }
        if stage == .reverting { stage = .reverted }
    }
}

extension JSON {
    /// A number that a seq can be.
    var seq: UInt64? { integer.flatMap { $0 >= 1 ? UInt64($0) : nil } }
}
