import PlantedDefects

/// Decides whether a claim may live beside what lives: the first rule that matches says it.
///
/// Pure, and told only of leases that are not expired. Of several leases that a rule finds the oldest is named, whatever their order.
package struct Arbiter: Sendable {
    /// The oldest first.
    private let live: [Lease]
    private let budgets: [Label: Int]
    private let classCounts: [Label: Int]?

    /// - Parameter classCounts: how many leases of each class are live, where not all of them are told.
    package init(live: [Lease], budgets: [Label: Int] = [:], classCounts: [Label: Int]? = nil) {
        self.live = live.count < 2 ? live : Self.sorted(live)
        self.budgets = budgets
        self.classCounts = classCounts
    }

    /// A claim by itself.
    package func judge(_ claim: Claim) -> Verdict {
        var effort = Effort()
        return judge(claim, &effort)
    }

    /// - Parameter effort: what is left of it in this decision.
    package func judge(_ claim: Claim, _ effort: inout Effort) -> Verdict {
        judge(claim, IndexedTree(claim.tree), &effort)
    }

    /// - Parameter tree: the claim's.
    func judge(_ claim: Claim, _ tree: IndexedTree, _ effort: inout Effort) -> Verdict {
        if let lease = oldest(where: { live[$0].kind == .exclusive }) {
            return refusal(claim, .exclusiveLive, "\(lease.named) is exclusive", lease)
        }
        if claim.kind == .exclusive, let lease = live.first {
            return refusal(claim, .exclusiveRequest, "the lane \(claim.lane) is exclusive, and \(lease.named) is live", lease)
        }
        // Two shared leases are in each other's way nowhere.
        let isStranger = { (index: Int) in claim.kind != .shared || live[index].kind != .shared }
        if let lease = oldest(where: { isStranger($0) && live[$0].lane == claim.lane }) {
            return refusal(claim, .laneHeld, "the lane is held by \(lease.named)", lease)
        }
        if !planted(.treesUncompared), let (lease, meeting) = firstMeeting(tree, isStranger, &effort) {
            guard meeting.isExact else {
                return refusal(
                    claim, .treeIntricate,
                    "its tree is too intricate to be compared with that of \(lease.named): fewer patterns, or some with fewer wildcards, are not",
                    lease)
            }
            return refusal(
                claim, .treeOverlap, "its tree \(meeting.own) meets \(meeting.other) of \(lease.named)", lease)
        }
        if let laneClass = claim.laneClass, let budget = budgets[laneClass] {
            let count = classCounts.map { $0[laneClass] ?? 0 } ?? live.count { $0.laneClass == laneClass }
            if count >= budget {
                return refusal(
                    claim, .classBudget, "of the class \(laneClass) \(count) leases are live, and \(budget) are allowed",
                    oldest { live[$0].laneClass == laneClass })
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

    /// Leases are large: what is asked of one is looked at where it stands, and only the one that is found is copied.
    private func oldest(where holds: (Int) -> Bool) -> Lease? { live.indices.first(where: holds).map { live[$0] } }

    private func firstMeeting(
        _ tree: IndexedTree, _ isStranger: (Int) -> Bool, _ effort: inout Effort
    ) -> (Lease, IndexedTree.Meeting)? {
        for index in live.indices where isStranger(index) {
            if let meeting = tree.meeting(live[index].tree, &effort) { return (live[index], meeting) }
        }
        return nil
    }

    /// The same verdict, and whether the end of the lease that it names opens the way.
    ///
    /// It does not where another one stands against the claim too; the end of one lease among those that spent a budget need not.
    func completed(_ verdict: Verdict, of claim: Claim, _ effort: inout Effort) -> Verdict {
        guard let blocking = verdict.blocking, verdict.reasonClass != .classBudget else { return verdict }
        let others = live.filter { $0.id != blocking.id }
        var verdict = verdict
        verdict.endsWithBlocking =
            planted(.takeoverPromised) || Arbiter(live: others, budgets: budgets).judge(claim, &effort).outcome == .acquire
        return verdict
    }

    /// By their tokens. Leases are large, and so their places are sorted.
    private static func sorted(_ leases: [Lease]) -> [Lease] {
        leases.indices.map { (token: leases[$0].token, index: $0) }.sorted { $0.token < $1.token }.map { leases[$0.index] }
    }
}

extension Lease {
    /// As reasons name it.
    package var named: String { "\(LaneText.brief(holder)) (lease \(id) of \(lane), token \(token))" }
}
