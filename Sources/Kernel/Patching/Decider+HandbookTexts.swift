import CanonicalJSON
import DurableFiles
package import Ledger
package import LedgerFormat
import PlantedDefects

// The texts that handbooks are to have: proposals and acts hold them, and an archive may have taken those along.
extension Decider {
    /// What associates are to sign. What could not be carried out, nobody is asked to sign.
    package func wanted(
        _ verb: SignedRequest.Verb, of seq: UInt64, in patches: Patches, _ shelf: Shelf
    ) throws(LedgerError) -> HandbookChange {
        let patch = try patches.known(seq)
        if verb == .approvePatch, [.proposed, .unknown].contains(patches.standing(of: patch)),
            patch.change.result != patch.change.base,
            try shelf.find(HandbookName.refusing(patch.change.handbook))?.digest == patch.change.result
        {
            throw LedgerError(
                .refused,
                "no approval of patch \(seq) is known to hold, and the handbook is what the patch makes of it: a repair has lost the approval or what "
                    + "came of it (`bulla log --action ledger.repaired`), or somebody has written the text there; put back the text before the patch "
                    + "and approve it, or propose what it is to be; nothing was recorded")
        }
        let change = try patches.wanted(verb, of: seq)
        return try LedgerView.asking(session.storage) { view throws(LedgerError) in
            _ = try texts(of: patch, verb, shelf, in: view)
            return change
        }
    }

    /// The handbook as it must be, and as it will be.
    func texts(
        of patch: Patch, _ verb: SignedRequest.Verb, _ shelf: Shelf, in view: LedgerView
    ) throws(LedgerError) -> (before: Handbook, after: Handbook) {
        let wanted = verb == .approvePatch ? patch.change : patch.reversal
        let before = try checkBase(of: wanted, shelf)
        let seq = verb == .approvePatch ? patch.seq : patch.approval ?? patch.seq
        let body = try body(of: seq, in: view)
        let proposal = PatchProposal(body)
        if verb == .approvePatch, proposal == nil {
            throw LedgerError(.refused, "entry \(seq) proposes no patch; nothing was recorded")
        }
        let after: Handbook
        do throws(HandbookFault) {
            if verb == .approvePatch, let proposal {
                let diff = try proposal.parsed()
                try diff.checkVisible()
                after = try before.applying(diff)
            } else {
                after = try Handbook(before.name, Array((HandbookAct(body)?.before ?? "").utf8))
            }
        } catch { throw LedgerError(error) }
        guard after.digest == wanted.result || planted(.handbookBaseUnchecked) else {
            throw LedgerError(
                .refused, "entry \(seq) does not hold the text that patch \(patch.seq) tells of; nothing was recorded")
        }
        return (before, after)
    }

    /// The handbook, if it is what associates are to sign, or have signed.
    @discardableResult
    package func checkBase(of change: HandbookChange, _ shelf: Shelf) throws(LedgerError) -> Handbook {
        let handbook = try shelf.read(try HandbookName.refusing(change.handbook))
        guard handbook.digest == change.base || planted(.handbookBaseUnchecked) else {
            throw LedgerError(
                .refused,
                "the handbook \(handbook.name) has changed: it is not the text that patch \(change.proposal) was made for, or has left; what came "
                    + "since would be lost: propose it anew; nothing was recorded")
        }
        return handbook
    }

    /// What a pending act makes of its handbook.
    ///
    /// - Throws: what is in its way.
    func pendingText(of text: SignedText, _ shelf: Shelf, in view: LedgerView) throws(LedgerError) -> Handbook {
        try shelf.checkFolders(view.actors())
        guard let told = HandbookAct(try body(of: text.act.seq, in: view)) else {
            throw LedgerError(.tampered, "entry \(text.act.seq) does not hold the text that was signed")
        }
        let name = try HandbookName.refusing(text.handbook)
        let found = try shelf.look(at: name)?.digest ?? .zero
        guard found == text.restoring ?? told.change.base || found == told.change.result else {
            throw LedgerError(
                .refused,
                "the handbook \(name) is neither what the patch was made for nor what it makes of it: somebody changed it meanwhile; put back "
                    + "what it was")
        }
        return try Handbook.refusing(name, Array(told.after.utf8))
    }

    /// What is in the way of a pending act, as far as can be seen without changing anything; nil for nothing.
    package func obstacle(of text: SignedText, _ shelf: Shelf) -> String? {
        do throws(LedgerError) {
            return try LedgerView.asking(session.storage) { view throws(LedgerError) in
                _ = try pendingText(of: text, shelf, in: view)
                return nil
            }
        } catch { return error.obstacle }
    }

    func body(of seq: UInt64, in view: LedgerView) throws(LedgerError) -> JSON {
        let view = seq < view.firstSeq ? try view.withArchives(archives) : view
        let entry = try EntryReader(view, environment).entry(seq)
        return (try? JSON(parsing: entry.body)) ?? .null
    }
}

extension LedgerView {
    /// The ledger with what lies in archives.
    func withArchives(_ archives: [any Storage]) throws(LedgerError) -> LedgerView {
        guard !archives.isEmpty else { return self }
        let overlay = try ArchiveOverlay(storage, archives)
        if let stray = overlay.stray { throw stray }
        return try LedgerView(overlay)
    }
}

extension LedgerError {
    /// The same of an act that is recorded, whose handbook stays as it is.
    var obstacle: String {
        let end = "; nothing was recorded"
        return message.hasSuffix(end) ? String(message.dropLast(end.count)) : message
    }
}
