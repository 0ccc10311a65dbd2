/// Who prevails over whom in a ledger.
package struct ActorRanks: Sendable {
    private let order: ClassOrder
    private let actors: ActorRoster

    package init(_ order: ClassOrder, of actors: ActorRoster) {
        self.order = order
        self.actors = actors
    }

    /// Only who is enrolled has his class: whatever is recorded in his name was signed with his key.
    package func rank(of actor: String, at seq: UInt64) -> ClassOrder.Rank {
        guard case .enrolled(let enrolment) = actors.standing(of: actor, at: seq) else { return .unauthenticated }
        return order.rank(ofClass: enrolment.actorClass)
    }
}
