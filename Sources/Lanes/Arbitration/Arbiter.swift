import PlantedDefects

/// Decides whether a claim may live beside what lives: the first rule that matches says it.
///
/// Pure, and told only of leases that are not expired. Of several leases that a rule finds the oldest is named, whatever their order.
package struct Arbiter: Sendable {
    private let live: [Lease]
    private let budgets: [Label: Int]

    package init(live: [Lease], budgets: [Label: Int] = [:]) {
        self.live = live
        self.budgets = budgets
    }

    package func judge(_ claim: Claim) -> Verdict {
        if let lease = oldest(where: { $0.kind == .exclusive }) {
            return refusal(claim, .exclusiveLive, "\(lease.named) is exclusive", lease)
        }
        if claim.kind == .exclusive, let lease = oldest(where: { _ in true }) {
            return refusal(claim, .exclusiveRequest, "the lane \(claim.lane) is exclusive, and \(lease.named) is live", lease)
        }
        // Two shared leases are in each other's way nowhere.
        let strangers = live.filter { claim.kind != .shared || $0.kind != .shared }
        if let lease = strangers.oldest(where: { $0.lane == claim.lane }) {
            return refusal(claim, .laneHeld, "the lane is held by \(lease.named)", lease)
        }
        if !planted(.treesUncompared), let (lease, meeting) = firstMeeting(claim.tree, strangers) {
            return refusal(
                claim, .treeOverlap, "its tree \(meeting.own) meets \(meeting.other) of \(lease.named)", lease)
        }
        if let laneClass = claim.laneClass, let budget = budgets[laneClass] {
            let members = live.filter { $0.laneClass == laneClass }
            if members.count >= budget {
                return refusal(
                    claim, .classBudget, "of the class \(laneClass) \(members.count) leases are live, and \(budget) are allowed",
                    members.oldest(where: { _ in true }))
            }
        }
        return Verdict(
            outcome: .acquire, lane: claim.lane, kind: claim.kind, tree: claim.tree, laneClass: claim.laneClass,
            reasonClass: .free, reason: "nothing stands against it", blocking: nil)
    }

    private func refusal(_ claim: Claim, _ reasonClass: Verdict.ReasonClass, _ reason: String, _ blocking: Lease?) -> Verdict {
        Verdict(
            outcome: .refuse, lane: claim.lane, kind: claim.kind, tree: claim.tree, laneClass: claim.laneClass,
            reasonClass: reasonClass, reason: reason, blocking: blocking)
    }

    private func oldest(where holds: (Lease) -> Bool) -> Lease? { live.oldest(where: holds) }

    private func firstMeeting(_ tree: Tree, _ leases: [Lease]) -> (Lease, (own: Glob, other: Glob))? {
        var found: (lease: Lease, meeting: (own: Glob, other: Glob))?
        for lease in leases where lease.token < found?.lease.token ?? .max {
            if let meeting = tree.meeting(lease.tree) { found = (lease, meeting) }
        }
        return found
    }
}

extension [Lease] {
    fileprivate func oldest(where holds: (Lease) -> Bool) -> Lease? {
        var found: Int?
        for index in indices where holds(self[index]) && self[index].token < found.map({ self[$0].token }) ?? .max {
            found = index
        }
        return found.map { self[$0] }
    }
}

extension Lease {
    /// As reasons name it.
    package var named: String { "\(holder) (lease \(id) of \(lane), token \(token))" }
}
