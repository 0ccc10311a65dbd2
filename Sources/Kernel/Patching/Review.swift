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

    /// Signatures that may want a patch: with so many traumas without an answer that nobody may call it chance, and without a patch that is
    /// open.
    ///
    /// - Parameter isStale: whether a patch that is proposed does not fit its handbook any more.
    static func candidates(
        _ learning: Learning, _ patches: Patches, recurrences: Int, isStale: (Patch) -> Bool
    ) -> [Recurrence] {
        learning.ordered.reversed().filter { recurrence in
            guard recurrence.openCount >= UInt64(recurrences) else { return false }
            let open = patches.patches.last { $0.signature == recurrence.signature && patches.isOpen($0) }
            guard let open, !planted(.reviewRepeats) else { return true }
            return open.stage == .proposed && isStale(open)
        }
    }

    /// Whether such traumas of one specialist led to a patch of his handbook already, and none came since.
    static func isDone(_ traumas: Unanswered, _ signature: Signature, _ handbook: HandbookName, _ patches: Patches) -> Bool {
        let newest = patches.patches.last { $0.signature == signature && $0.isOf(handbook.text) }
        guard let newest, !planted(.reviewRepeats) else { return false }
        return !patches.isOpen(newest) && newest.seq > traumas.last.position
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
        let candidates = Review.candidates(learning, patches, recurrences: recurrences, isStale: isStale)
        let whole = candidates.isEmpty ? view : try view.withArchives(archives)
        let unanswered = try Unanswered.of(candidates, in: whole, environment)
        for recurrence in candidates {
            for traumas in unanswered[recurrence.signature] ?? [] where traumas.count >= UInt64(recurrences) {
                do throws(LedgerError) {
                    guard let handbook = try shelf.handbook(of: traumas.learner) else {
                        review.notices.append(
                            "\(traumas.learner) has no handbook in \(shelf.folders.joined(separator: ", ")), and had \(recurrence.signature) \(traumas.count) times"
                        )
                        continue
                    }
                    if Review.isDone(traumas, recurrence.signature, handbook.name, patches) { continue }
                    guard let drafted = try draft(traumas, of: recurrence, handbook, as: actor, in: whole, &review.notices) else {
                        continue
                    }
                    review.drafted.append(drafted)
                    // Of each signature one is open.
                    break
                } catch {
                    // What is wrong with one handbook concerns no other.
                    guard error.code == .refused else { throw error }
                    review.notices.append("no patch for \(recurrence.signature): \(error.message)")
                }
            }
        }
        return review
    }

    /// Nil where the handbook has the lesson already, or somebody was faster.
    private mutating func draft(
        _ traumas: Unanswered, of recurrence: Recurrence, _ handbook: Handbook, as actor: String, in view: LedgerView,
        _ notices: inout [String]
    ) throws(LedgerError) -> Review.Drafted? {
        let (lesson, evidence) = try lesson(traumas, of: recurrence, in: view)
        let changed = try Handbook.refusing(handbook.name, Array(lesson.added(to: handbook.text).utf8))
        let diff = UnifiedDiff(from: handbook.bytes, to: changed.bytes)
        guard !diff.hunks.isEmpty else { return nil }
        let proposal = PatchProposal(
            handbook, to: changed, diff, evidence: evidence.map(\.seq), signature: recurrence.signature)
        let reason =
            "\(traumas.count) traumas of one signature, and no answer\(recurrence.answer == nil ? "" : " since the last one")"
        let decided = try decide(on: Patches.self, as: actor, reading: { $0.ranks }) {
            patches, ranks, moment throws(LedgerError) in
            try patches.propose(proposal, evidence: evidence, Justification(.evolution, reason), moment, ranks)
        }
        guard let receipt = decided.receipts.last else { return nil }
        if let patch = decided.reply { notices.append(patch.toldToYield) }
        return Review.Drafted(receipt: receipt, handbook: handbook.name.text, signature: recurrence.signature)
    }

    /// A projection's state, as it is without the lock.
    private func state<State: Projection>(_: State.Type, in view: LedgerView) throws(LedgerError) -> State {
        var fold = try FoundFold<State>(in: view, environment).fold
        try fold.advance(in: view, environment)
        return fold.state
    }

    /// What is known of the last trauma; and where that knows nothing, what the last answer said.
    private func lesson(
        _ traumas: Unanswered, of recurrence: Recurrence, in view: LedgerView
    ) throws(LedgerError) -> (lesson: LessonText, evidence: [Citation]) {
        let evidence = try Citation.all(Set([traumas.first.seq, traumas.last.seq]).sorted(), in: view, environment)
        var lesson = LessonText(
            recurrence.signature, count: traumas.count, trauma: recurrence.trauma, evidence: evidence.map(\.seq))
        var bodies = [try body(of: traumas.last.seq, in: view)]
        if let answer = recurrence.answer {
            do throws(LedgerError) { bodies.append(try body(of: answer.seq, in: view)) } catch {
                guard error.cause == .archived else { throw error }
            }
        }
        let known = { (name: String) -> String? in
            bodies.lazy.compactMap { $0[name]?.string }.first { $0 != Findings.notKnownYet && $0 != Findings.noneYet }
        }
        lesson.trauma = known("trauma") ?? lesson.trauma
        lesson.rootCause = known("root_cause")
        lesson.correction = known("correction")
        lesson.lesson = known("lesson") ?? recurrence.lesson
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
