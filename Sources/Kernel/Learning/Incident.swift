package import CanonicalJSON

/// A trauma as an entry tells it: one that somebody recorded, or one of the house's own entries that say how it healed itself.
package struct Incident: Sendable {
    package let signature: Signature
    /// Whose lesson it is: the owner that it names, or else the actor.
    package let learner: String
    /// It wants an answer: no correction or no lesson is known.
    package let isOpen: Bool
    package let trauma: String
    /// Nil if none is known yet.
    package let lesson: String?

    /// Nil for an entry that tells of none.
    package init?(action: String, actor: String, body: @autoclosure () -> JSON) {
        guard action == Trauma.recorded || Self.actions.contains(action) else { return nil }
        let body = body()
        guard let trauma = body["trauma"]?.string else { return nil }
        self.trauma = trauma
        // What somebody wrote past this program may hold anything.
        signature = body["signature"]?.string.flatMap { Signature($0) } ?? Signature(action: action)
        learner = body["owner"]?.string ?? actor
        isOpen = body["open"]?.bool ?? false
        let lesson = body["lesson"]?.string
        self.lesson = lesson == Findings.noneYet ? nil : lesson
    }

    /// What the house records of itself with the four sentences. Each action is a signature too.
    private static let actions: Set = [
        "ledger.tail_cut", "ledger.head_rebuilt", "ledger.clock_stepped_back", "ledger.repaired", "snapshot.ignored",
        "anchor.accepted",
    ]
}
