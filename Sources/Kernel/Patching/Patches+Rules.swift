import CanonicalJSON
package import Ledger
package import LedgerFormat
import PlantedDefects

// What may be recorded, and which entry says so.
extension Patches {
    /// Proposes a patch. Of a review's at most one is open for a handbook and a signature: the same one is not proposed again, and one
    /// that does not fit the handbook any more gives way.
    ///
    /// - Parameter evidence: one for each seq that the proposal names.
    package func propose(
        _ proposal: PatchProposal, evidence: [Citation], _ justification: Justification, _ moment: Moment
    ) throws(LedgerError) -> Decision<Void> {
        let earlier = drafted(for: proposal)
        if let earlier, earlier.change.base == proposal.base || earlier.isPending { return Decision([]) }
        guard proposal.diff.utf8.count <= PatchProposal.diffByteCountMax else {
            throw LedgerError(.usage, "the diff has more than \(PatchProposal.diffByteCountMax) bytes; propose it in parts")
        }
        guard openCount < Self.openCountMax || earlier != nil else {
            throw LedgerError(
                .refused,
                "\(openCount) patches are open: approve or reject some first, with `bulla patch list`; nothing was recorded")
        }
        var context = JSONObject()
        if !evidence.isEmpty { context["causes"] = .array(evidence.map { .number(Double($0.seq)) }) }
        var drafts: [Draft] = []
        if let earlier {
            drafts.append(try rejection(of: earlier, Justification(.evolution, "the handbook has changed since"), moment))
        }
        drafts.append(try moment.draft(PatchProposal.action, justification, proposal.body, context))
        return Decision(drafts)
    }

    /// The patch that a review has drafted for the same, if it is open.
    private func drafted(for proposal: PatchProposal) -> Patch? {
        guard let signature = proposal.signature, !planted(.reviewRepeats) else { return nil }
        return patches.last {
            $0.isOpen && $0.signature == signature && $0.change.handbook.utf8.elementsEqual(proposal.handbook.utf8)
        }
    }

    /// Says no to a patch: to one that is proposed, or that was signed and does not fit its handbook any more.
    package func reject(_ seq: UInt64, _ justification: Justification, _ moment: Moment) throws(LedgerError) -> Decision<Patch> {
        let patch = try known(seq)
        guard patch.isOpen else { throw LedgerError(.refused, "patch \(seq) \(patch.told); nothing was recorded") }
        return Decision([try rejection(of: patch, justification, moment)], reply: patch)
    }

    private func rejection(of patch: Patch, _ justification: Justification, _ moment: Moment) throws(LedgerError) -> Draft {
        let seq = JSON.number(Double(patch.seq))
        return try moment.draft(
            Self.rejected, justification, ["handbook": .string(patch.change.handbook), "proposal": seq], ["causes": [seq]])
    }

    /// What associates are to sign.
    package func wanted(_ verb: SignedRequest.Verb, of seq: UInt64) throws(LedgerError) -> HandbookChange {
        let patch = try known(seq)
        guard patch.stage == (verb == .approvePatch ? .proposed : .applied) else {
            throw LedgerError(.refused, "patch \(seq) \(patch.told); nothing was recorded")
        }
        return verb == .approvePatch ? patch.change : patch.reversal
    }

    /// Whether a request is about a patch as it is; requires that its signatures are looked at too.
    func check(_ request: SignedRequest) throws(LedgerError) -> HandbookChange {
        guard let change = request.handbookChange else {
            throw LedgerError(.refused, "\(AssociateObjection.form); nothing was recorded")
        }
        let wanted = try wanted(request.verb, of: change.proposal)
        guard change == wanted || planted(.otherPatchApproved) else {
            throw LedgerError(
                .refused,
                "the request was signed for another patch than \(change.proposal): its handbook, its diff or its texts differ; "
                    + "nothing was recorded")
        }
        return wanted
    }

    package func known(_ seq: UInt64) throws(LedgerError) -> Patch {
        guard let patch = self[seq] else {
            throw LedgerError(
                .refused,
                "there is no patch \(seq)\(forgottenCount > 0 ? ", or it is forgotten" : ""); `bulla patch list` names those that there are"
            )
        }
        return patch
    }
}

extension Patch {
    /// Behind "patch 12".
    package var told: String {
        if restoring != nil { return "is applied, and its handbook is still to be put back" }
        switch stage {
        case .proposed: return "is proposed, and nobody has signed it yet"
        case .approved: return "is approved, and its handbook is not changed yet"
        case .applied: return "is applied already"
        case .reverting: return "is to be taken back, and its handbook is not changed yet"
        case .reverted: return "was taken back"
        case .rejected: return "was rejected"
        }
    }
}
