import CanonicalJSON
package import Ledger
package import LedgerFormat
import PlantedDefects

// What associates signed of handbooks. The entry comes first, with both texts; then the handbook is replaced in one step; then an entry says
// that this was done. A crash between them leaves an act that is pending, which whoever comes next finishes, all under the writer's lock.
extension Decider {
    /// What became of a pending act.
    package struct PatchEnd: Sendable {
        /// What was signed, and for which handbook.
        package let act: SignedText.Act
        package let handbook: String
        /// Of the entry that says it was done; nil if it was not.
        package let receipt: Receipt?
        /// Why the handbook was left as it is.
        package let obstacle: String?
    }

    /// Carries out what was signed of a patch.
    ///
    /// - Returns: the receipts of the act and of its end.
    /// - Throws: `refused` for what was not signed so, or does not fit; then nothing was recorded.
    package mutating func carryOut(
        _ request: SignedRequest, as verb: SignedRequest.Verb, _ shelf: Shelf
    ) throws(LedgerError) -> (act: Receipt, end: PatchEnd) {
        try session.acquire()
        return try releasing { decider throws(LedgerError) in
            _ = try decider.finishUnderLock(shelf)
            let view = try LedgerView(decider.session.storage)
            let fold = try decider.caughtUp(Patches.self, in: view)
            try decider.session.check(request, as: verb)
            let change = try fold.state.check(request)
            let patch = try fold.state.known(change.proposal)
            let (before, after) = try decider.texts(of: patch, verb, shelf, in: view)
            if planted(.handbookBeforeEntry) { try shelf.write(after) }
            let act = try decider.session.carryOut(
                request, as: verb, .evolution, ["after": .string(after.text), "before": .string(before.text)])
            let end = try decider.conclude(.init(seq: act.seq, proposal: patch.seq), with: after, shelf)
            decider.goOn(from: fold, in: view)
            return (act, end)
        }
    }

    /// Finishes what a crash has left pending, of what was signed.
    package mutating func finishPatches(_ shelf: Shelf) throws(LedgerError) -> [PatchEnd] {
        // Nobody waits for the lock where there is nothing to do.
        var fold = try FoundFold<Patches>(in: try LedgerView(session.storage), environment).fold
        try fold.advance(in: try LedgerView(session.storage), environment)
        guard !fold.state.pending.isEmpty else { return [] }
        try session.acquire()
        return try releasing { decider throws(LedgerError) in try decider.finishUnderLock(shelf) }
    }

    private mutating func finishUnderLock(_ shelf: Shelf) throws(LedgerError) -> [PatchEnd] {
        let view = try LedgerView(session.storage)
        let fold = try caughtUp(Patches.self, in: view)
        var ends: [PatchEnd] = []
        guard !planted(.approvedPatchForgotten) else { return [] }
        for text in fold.state.pending { ends.append(try finish(text, shelf, in: view)) }
        if !ends.isEmpty { goOn(from: fold, in: view) }
        return ends
    }

    private mutating func finish(_ text: SignedText, _ shelf: Shelf, in view: LedgerView) throws(LedgerError) -> PatchEnd {
        let after: Handbook
        do throws(LedgerError) { after = try pendingText(of: text, shelf, in: view) } catch {
            // Damage of the ledger is everybody's; whatever else is in the way concerns no other patch.
            guard error.place == nil else { throw error }
            return PatchEnd(act: text.act, handbook: text.handbook, receipt: nil, obstacle: error.obstacle)
        }
        // What is there already may not be on the disk yet: so it is written again.
        return try conclude(text.act, with: after, shelf)
    }

    /// Behind the act, which is durable.
    private mutating func conclude(
        _ act: SignedText.Act, with after: Handbook, _ shelf: Shelf
    ) throws(LedgerError) -> PatchEnd {
        do throws(LedgerError) { try shelf.write(after) } catch {
            return PatchEnd(act: act, handbook: after.name.text, receipt: nil, obstacle: error.obstacle)
        }
        let body: JSONObject = [
            "act": .number(Double(act.seq)), "handbook": .string(after.name.text), "sha256": .string(after.digest.description),
        ]
        let draft: Draft
        do throws(DraftError) {
            draft = try Draft(
                action: Patches.applied, actor: ActorRoster.house,
                justification: Justification(.evolution, "the handbook is what associates signed"), body: .object(body),
                context: ["causes": [.number(Double(act.seq))]])
        } catch { preconditionFailure("the house's own draft is refused: \(error)") }
        let receipt = try session.commit([[draft]])[0].get().receipts[0]
        return PatchEnd(act: act, handbook: after.name.text, receipt: receipt, obstacle: nil)
    }
}

extension HandbookName {
    package static func refusing(_ text: String) throws(LedgerError) -> HandbookName {
        do throws(HandbookFault) { return try HandbookName(text) } catch { throw LedgerError(error) }
    }
}

extension Handbook {
    package static func refusing(_ name: HandbookName, _ bytes: [UInt8]) throws(LedgerError) -> Handbook {
        do throws(HandbookFault) { return try Handbook(name, bytes) } catch { throw LedgerError(error) }
    }
}
