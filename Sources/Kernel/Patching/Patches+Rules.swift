import CanonicalJSON
package import Ledger
package import LedgerFormat
import PlantedDefects

// What may be recorded, and which entry says so.
extension Patches {
    /// Proposes a patch. Of a review's at most one is open for a signature: the same one is not proposed again, and one that does not fit its
    /// handbook any more gives way.
    ///
    /// - Parameter evidence: one for each seq that the proposal names.
    /// - Returns: as reply, the patch that gave way because there was no room.
    package func propose(
        _ proposal: PatchProposal, evidence: [Citation], _ justification: Justification, _ moment: Moment, _ ranks: ActorRanks
    ) throws(LedgerError) -> Decision<Patch?> {
        if proposal.signature == nil { try refuseHouseName(moment) }
        let earlier = drafted(for: proposal)
        if let earlier, earlier.isFor(proposal) || pending.contains(where: { $0.act.proposal == earlier.seq }) {
            return Decision([], reply: nil)
        }
        guard proposal.diff.utf8.count <= PatchProposal.diffByteCountMax else {
            throw LedgerError(.usage, "the diff has more than \(PatchProposal.diffByteCountMax) bytes; propose it in parts")
        }
        let yielding = earlier == nil ? try yielding(moment, ranks) : nil
        var context = JSONObject()
        if !evidence.isEmpty { context["causes"] = .array(evidence.map { .number(Double($0.seq)) }) }
        var drafts: [Draft] = []
        if let earlier {
            drafts.append(
                try rejection(
                    of: earlier.seq, of: earlier.change.handbook, Justification(.evolution, "the handbook has changed since"),
                    moment))
        }
        if let yielding {
            let reason = "nobody has signed it, and it gives way to a higher class: \(openCount) patches are open"
            drafts.append(
                try rejection(of: yielding.seq, of: yielding.change.handbook, Justification(.resilience, reason), moment))
        }
        drafts.append(try moment.draft(PatchProposal.action, justification, proposal.body, context))
        return Decision(drafts, reply: yielding)
    }

    /// What gives way where there is no room for a proposal: of those that nobody has signed, the oldest of the lowest class, if that is
    /// below the author's. The house, which reviews, is above all classes. So whoever floods it keeps out those only who are no better.
    ///
    /// - Throws: `refused` if there is no room, or if the author has his share of it.
    private func yielding(_ moment: Moment, _ ranks: ActorRanks) throws(LedgerError) -> Patch? {
        let unsigned = patches.filter { $0.stage == .proposed }
        let author = Patch.author(moment.actor)
        let ownCount = unsigned.count { $0.author.utf8.elementsEqual(author.utf8) }
        guard ownCount < Self.unsignedCountMax else {
            throw LedgerError(
                .refused,
                "\(ownCount) patches that \(moment.actor) proposed are not signed yet: let some be approved, or reject them, with "
                    + "`bulla patch list`; nothing was recorded")
        }
        guard openCount >= Self.openCountMax else { return nil }
        let others = unsigned.filter { $0.author != ActorRoster.house }.map { ($0, ranks.rank(of: $0.author, at: $0.seq)) }
        let isHouse = moment.actor == ActorRoster.house
        let rank = ranks.rank(of: moment.actor, at: moment.seq + 1)
        guard let lowest = others.min(by: { $0.1 < $1.1 }), isHouse || lowest.1 < rank, !planted(.proposalsKept) else {
            throw LedgerError(
                .refused,
                "\(openCount) patches are open, and none of them is of a lower class: approve or reject some first, with "
                    + "`bulla patch list`; nothing was recorded")
        }
        return lowest.0
    }

    /// A review alone speaks in the house's name.
    private func refuseHouseName(_ moment: Moment) throws(LedgerError) {
        guard moment.actor != ActorRoster.house || planted(.houseNameLent) else {
            throw LedgerError(.refused, "\(DraftError.houseName); nothing was recorded")
        }
    }

    /// The patch that a review has drafted for the same, if it is open.
    private func drafted(for proposal: PatchProposal) -> Patch? {
        guard let signature = proposal.signature, !planted(.reviewRepeats) else { return nil }
        return patches.last { $0.signature == signature && isOpen($0) }
    }

    /// Says no to a patch: to one that is proposed, or that was signed and does not fit its handbook any more.
    ///
    /// - Returns: as reply, its handbook.
    package func reject(_ seq: UInt64, _ justification: Justification, _ moment: Moment) throws(LedgerError) -> Decision<String> {
        try refuseHouseName(moment)
        // The text of a patch that is forgotten may be stuck too.
        let handbook: String
        if let text = pending.first(where: { $0.act.proposal == seq }) {
            handbook = text.handbook
        } else {
            let patch = try known(seq)
            guard isOpen(patch) else {
                throw LedgerError(.refused, "patch \(seq) \(standing(of: patch).told); nothing was recorded")
            }
            handbook = patch.change.handbook
        }
        return Decision([try rejection(of: seq, of: handbook, justification, moment)], reply: handbook)
    }

    private func rejection(
        of seq: UInt64, of handbook: String, _ justification: Justification, _ moment: Moment
    ) throws(LedgerError) -> Draft {
        let seq = JSON.number(Double(seq))
        return try moment.draft(
            Self.rejected, justification, ["handbook": .string(handbook), "proposal": seq], ["causes": [seq]])
    }

    /// What associates are to sign.
    package func wanted(_ verb: SignedRequest.Verb, of seq: UInt64) throws(LedgerError) -> HandbookChange {
        let patch = try known(seq)
        let standing = standing(of: patch)
        // What became of one that is unknown, its handbook shows.
        guard [verb == .approvePatch ? .proposed : .applied, .restoring, .unknown].contains(standing) else {
            throw LedgerError(.refused, "patch \(seq) \(standing.told); nothing was recorded")
        }
        try checkNothingPending(beside: patch)
        return verb == .approvePatch ? patch.change : patch.reversal
    }

    /// What is pending would come over what is signed now.
    private func checkNothingPending(beside patch: Patch) throws(LedgerError) {
        guard let other = pending.first(where: { $0.isOf(patch.change.handbook) }) else { return }
        throw LedgerError(
            .refused,
            "patch \(other.act.proposal) \(other.told), and nothing else is signed for \(patch.change.handbook) before: finish it with `bulla patch review`, "
                + "which says what is in its way, or give it up with `bulla patch reject \(other.act.proposal)`; nothing was recorded"
        )
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
    /// It makes the same of the same text.
    fileprivate func isFor(_ proposal: PatchProposal) -> Bool { change.base == proposal.base && isOf(proposal.handbook) }

    /// To whom it makes room.
    package var toldToYield: String {
        "there was no room for one more: patch \(seq) of \(change.handbook), which \(author) proposed, gives way unsigned, and is rejected"
    }
}
