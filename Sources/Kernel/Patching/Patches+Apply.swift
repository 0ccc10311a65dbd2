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
            sign(fact, from: .proposed, to: .approved) { $0.change }
        case SignedRequest.Verb.revertPatch.action:
            sign(fact, from: .applied, to: .reverting) { $0.reversal }
        case Self.applied:
            guard let act = fact.body["act"]?.seq else { return }
            change(where: { $0.isPending && $0.act == act }) { patch in
                patch.restoring = nil
                if patch.stage == .approved { patch.stage = .applied }
                if patch.stage == .reverting { patch.stage = .reverted }
            }
        case Self.restored:
            guard let act = fact.body["act"]?.seq, let found = fact.body["found"]?.string.flatMap({ Digest($0) }) else { return }
            change(where: { $0.act == act && !$0.isPending }) { $0.restoring = found }
        case Self.rejected:
            guard let seq = fact.body["proposal"]?.seq else { return }
            change(where: { $0.seq == seq && $0.isOpen }) { patch in
                // What was signed and could not be done stays as it was before.
                if patch.restoring == nil { patch.stage = patch.stage == .reverting ? .applied : .rejected }
                patch.restoring = nil
                patch.rejection = fact.seq
            }
        default: return
        }
    }

    /// What associates signed counts for the patch that they saw, with the texts that they saw.
    private mutating func sign(_ fact: Fact, from: Patch.Stage, to: Patch.Stage, _ expected: (Patch) -> HandbookChange) {
        guard let act = HandbookAct(fact.body) else { return }
        change(where: { $0.seq == act.change.proposal && $0.stage == from && expected($0) == act.change }) { patch in
            patch.stage = to
            patch.act = fact.seq
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

extension JSON {
    /// A number that a seq can be.
    var seq: UInt64? { integer.flatMap { $0 >= 1 ? UInt64($0) : nil } }
}
