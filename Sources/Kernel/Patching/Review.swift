import CanonicalJSON
package import Ledger
package import LedgerFormat
import PlantedDefects

/// Looks through traumas that nobody has answered, and drafts patches of the handbooks of those who had them.
package struct Review: Sendable {
    /// A patch that it drafted.
    package struct Drafted: Sendable {
        package let receipt: Receipt
        package let handbook: String
        package let signature: Signature
    }

    package internal(set) var drafted: [Drafted] = []
    /// Why there is none where one is wanted.
    package internal(set) var notices: [String] = []

    /// What wants a patch: traumas of one signature, so many that nobody may call it chance, without an answer, and without a patch since.
    ///
    /// - Parameter isStale: whether a patch that is proposed does not fit its handbook any more.
    static func candidates(
        _ learning: Learning, _ patches: Patches, recurrences: Int, isStale: (Patch) -> Bool
    ) -> [Recurrence] {
        learning.ordered.reversed().filter { recurrence in
            guard recurrence.openCount > 0, recurrence.count >= UInt64(recurrences), recurrence.learner.hasPrefix("specialist:")
            else { return false }
            let newest = patches.patches.last { $0.signature == recurrence.signature }
            guard let newest, !planted(.reviewRepeats) else { return true }
            return newest.stage == .proposed ? isStale(newest) : !newest.isOpen && newest.seq < recurrence.last.position
        }
    }
}

extension Decider {
    /// Drafts what is wanted, each as a patch that associates may approve.
    ///
    /// - Parameter recurrences: from how many traumas of one signature on.
    package mutating func review(_ shelf: Shelf, recurrences: Int, as actor: String) throws(LedgerError) -> Review {
        var review = Review()
        guard !shelf.folders.isEmpty else { return review }
        let view = try LedgerView(session.storage)
        let (learning, patches) = (try state(Learning.self, in: view), try state(Patches.self, in: view))
        let isStale = { (patch: Patch) in
            let handbook = (try? HandbookName(patch.change.handbook)).flatMap { try? shelf.find($0) }
            return handbook?.digest != patch.change.base
        }
        for recurrence in Review.candidates(learning, patches, recurrences: recurrences, isStale: isStale) {
            do throws(LedgerError) {
                guard let handbook = try shelf.handbook(of: recurrence.learner) else {
                    review.notices.append(
                        "\(recurrence.learner) has no handbook in \(shelf.folders.joined(separator: ", ")), and had \(recurrence.signature) \(recurrence.count) times"
                    )
                    continue
                }
                let (lesson, evidence) = try lesson(of: recurrence, in: view)
                let changed = try Handbook.refusing(handbook.name, Array(lesson.added(to: handbook.text).utf8))
                let diff = UnifiedDiff(from: handbook.bytes, to: changed.bytes)
                guard !diff.hunks.isEmpty else { continue }
                let proposal = PatchProposal(
                    handbook, to: changed, diff, evidence: evidence.map(\.seq), signature: recurrence.signature)
                let reason = "\(recurrence.count) traumas of one signature, and no answer"
                let decided = try decide(on: Patches.self, as: actor, reading: { $0.ranks }) {
                    patches, ranks, moment throws(LedgerError) in
                    try patches.propose(proposal, evidence: evidence, Justification(.evolution, reason), moment, ranks)
                }
                guard let receipt = decided.receipts.last else { continue }
                if let patch = decided.reply { review.notices.append(patch.toldToYield) }
                review.drafted.append(.init(receipt: receipt, handbook: handbook.name.text, signature: recurrence.signature))
            } catch {
                // What is wrong with one handbook concerns no other.
                guard error.code == .refused else { throw error }
                review.notices.append("no patch for \(recurrence.signature): \(error.message)")
            }
        }
        return review
    }

    /// A projection's state, as it is without the lock.
    private func state<State: Projection>(_: State.Type, in view: LedgerView) throws(LedgerError) -> State {
        var fold = try FoundFold<State>(in: view, environment).fold
        try fold.advance(in: view, environment)
        return fold.state
    }

    /// What is known of the last trauma; where its entry was archived, the beginning of it.
    private func lesson(
        of recurrence: Recurrence, in view: LedgerView
    ) throws(LedgerError) -> (lesson: LessonText, evidence: [Citation]) {
        let seqs = Set([recurrence.first.seq, recurrence.last.seq]).sorted()
        var evidence: [Citation] = []
        for seq in seqs {
            do throws(LedgerError) { evidence.append(try Citation(seq, in: view, environment)) } catch {
                guard error.cause == .archived else { throw error }
            }
        }
        var lesson = LessonText(
            recurrence.signature, count: recurrence.count, trauma: recurrence.trauma, evidence: seqs)
        lesson.lesson = recurrence.lesson
        guard evidence.last?.seq == recurrence.last.seq,
            let body = try? JSON(parsing: EntryReader(view, environment).entry(recurrence.last.seq).body)
        else { return (lesson, evidence) }
        let known = { (name: String) -> String? in
            body[name]?.string.flatMap { $0 == Findings.notKnownYet || $0 == Findings.noneYet ? nil : $0 }
        }
        lesson.trauma = known("trauma") ?? lesson.trauma
        lesson.rootCause = known("root_cause")
        lesson.correction = known("correction")
        lesson.lesson = known("lesson") ?? lesson.lesson
        return (lesson, evidence)
    }
}

extension Shelf {
    /// The handbook of `specialist:NAME` is `NAME/AGENT.md` in the first folder that has it; nil if none has.
    func handbook(of specialist: String) throws(LedgerError) -> Handbook? {
        let name = String(specialist.dropFirst("specialist:".count))
        for folder in folders {
            guard let handbook = HandbookName(of: name, in: folder) else { continue }
            if let found = try find(handbook) { return found }
        }
        return nil
    }
}
