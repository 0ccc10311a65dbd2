import CanonicalJSON
import LedgerFormat
import PlantedDefects

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
            forgetPatch()
        case SignedRequest.Verb.approvePatch.action:
            sign(fact, from: [.proposed, .approved, .reverting], to: .approved) { $0.change }
        case SignedRequest.Verb.revertPatch.action:
            // Whoever took it back found it applied, also where the entry that said so is lost.
            sign(fact, from: [.approved, .applied, .reverting], to: .reverting) { $0.reversal }
        case Self.applied:
            guard let act = fact.body["act"]?.seq else { return }
            if let index = texts.firstIndex(where: { $0.act.seq == act }) { texts[index].finish() }
            change(where: { $0.act == act }) { $0.finish() }
        case Self.restored:
            guard let act = fact.body["act"]?.seq, let found = fact.body["found"]?.string.flatMap({ Digest($0) }),
                let index = texts.firstIndex(where: { $0.act.seq == act })
            else { return }
            (texts[index].isPending, texts[index].restoring) = (true, found)
            // Nobody puts back what is pending: so it was carried out.
            change(where: { $0.act == act }) { $0.finish() }
        case Self.rejected:
            guard let seq = fact.body["proposal"]?.seq else { return }
            reject(seq, in: fact.seq)
        default:
            if fact.tellsOfLoss { lossSeq = max(lossSeq, fact.seq) }
        }
    }

    /// What associates signed counts for the handbook that it names, whatever became of the proposal; and for the patch that they saw, with
    /// the texts that they saw.
    private mutating func sign(
        _ fact: Fact, from stages: [Patch.Stage], to: Patch.Stage, _ expected: (Patch) -> HandbookChange
    ) {
        guard let signed = HandbookAct(fact.body)?.change else { return }
        let act = SignedText.Act(seq: fact.seq, proposal: signed.proposal)
        let earlier = texts.firstIndex { $0.isOf(signed.handbook) }.map { texts.remove(at: $0).act }
        // No handbook has a name of another kind, which could be longer than there is room for.
        if (try? HandbookName(signed.handbook)) != nil { texts.append(SignedText(signed.handbook, act, after: earlier)) }
        if texts.count > Self.textCountMax { texts.removeFirst() }
        change(where: { $0.seq == signed.proposal && stages.contains($0.stage) && expected($0) == signed }) { patch in
            patch.stage = to
            patch.act = fact.seq
            if to == .approved { patch.approval = fact.seq }
        }
    }

    /// What was signed and could not be done stays as it was before.
    private mutating func reject(_ seq: UInt64, in entry: UInt64) {
        let standing = self[seq].map { self.standing(of: $0) }
        if let index = texts.firstIndex(where: { $0.isPending && $0.act.proposal == seq }) {
            texts.replaceSubrange(index...index, with: [texts[index].givenUp].compactMap { $0 })
        }
        change(where: { $0.seq == seq }) { patch in
            switch standing {
            case .proposed, .approved, .unknown: patch.stage = .rejected
            case .reverting: (patch.stage, patch.act) = (.applied, patch.approval)
            case .restoring: break
            case .applied, .reverted, .rejected, nil: return
            }
            patch.rejection = entry
        }
    }

    private mutating func change(where isMeant: (Patch) -> Bool, _ change: (inout Patch) -> Void) {
        guard let index = patches.firstIndex(where: isMeant) else { return }
        change(&patches[index])
    }

    /// What is open stays, unless all are.
    private mutating func forgetPatch() {
        guard patches.count > Self.countMax else { return }
        let index =
            patches.firstIndex { !isOpen($0) && $0.stage != .applied } ?? patches.firstIndex { !isOpen($0) } ?? 0
        let patch = patches.remove(at: index)
        if planted(.signedTextForgotten) { texts = texts.compactMap { $0.act.proposal == patch.seq ? $0.givenUp : $0 } }
        forgottenCount += 1
    }
}

extension Patch {
    /// What was signed was carried out.
    fileprivate mutating func finish() {
        if stage == .approved { stage = .applied }
        if stage == .reverting { stage = .reverted }
    }
}

extension Fact {
    /// Behind it nobody knows what else was recorded before: a repair that lost entries, or left some unproven; a HEAD that vouched for
    /// nothing; or an older state of the ledger that somebody took for this one.
    fileprivate var tellsOfLoss: Bool {
        switch action {
        case "ledger.head_rebuilt", "anchor.accepted": return true
        case ChainTurn.repaired:
            let body = body
            return body["lost"]?.integer != 0 || body["unproven"]?.integer != 0 || body["head"]?["fault"] != nil
        default: return false
        }
    }
}

extension JSON {
    /// A number that a seq can be.
    var seq: UInt64? { integer.flatMap { $0 >= 1 ? UInt64($0) : nil } }
}
