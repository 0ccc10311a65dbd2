package import CanonicalJSON
import PlantedDefects

/// What the arbiter says to a request.
package struct Verdict: Sendable, Equatable {
    package enum Outcome: String, Sendable { case acquire, refuse }

    /// Which rule decided, for programs.
    package enum ReasonClass: String, Sendable {
        case free
        case exclusiveLive = "exclusive_live"
        case exclusiveRequest = "exclusive_request"
        case laneHeld = "lane_held"
        case treeOverlap = "tree_overlap"
        case treeIntricate = "tree_intricate"
        case classBudget = "class_budget"
        case noneFree = "none_free"
        case expiredLeft = "expired_left"
        case forced
    }

    package var outcome: Outcome
    /// Nil if none was named and none is free.
    package var lane: Label?
    package var kind: LaneKind
    package var tree: Tree
    package var laneClass: Label?
    package var reasonClass: ReasonClass
    /// One sentence without its end.
    package var reason: String
    /// Which live lease stands against it: of several the oldest. Without a lane, what stands against the first of the order that
    /// its end would open; if there is none, against the first.
    package var blocking: Lease?
    /// The lanes of the order that were looked at, if none was named and none is free.
    package var tried: [Label] = []
    /// Whether the end of `blocking` opens the way, as far as that is known.
    package var endsWithBlocking = false
}

extension Verdict {
    /// Whether associates may let pass what stands against it: the lane or a tree that is held, or a budget; never an exclusive lease.
    package var isPassable: Bool {
        switch reasonClass {
        case .laneHeld, .treeOverlap, .treeIntricate, .classBudget: true
        case .exclusiveLive, .exclusiveRequest: planted(.exclusivePassed)
        case .free, .noneFree, .expiredLeft, .forced: false
        }
    }

    /// What associates have let pass.
    func passed() -> Verdict {
        var verdict = self
        verdict.outcome = .acquire
        verdict.reasonClass = .forced
        verdict.reason = "associates have let pass that \(reason)"
        return verdict
    }

    /// Nothing that is live stands against it, but more that is expired than one decision can take away.
    func waiting(evictedCount: Int) -> Verdict {
        var verdict = self
        verdict.outcome = .refuse
        verdict.reasonClass = .expiredLeft
        verdict.reason =
            "of the expired leases in its way only \(evictedCount) could be taken away at once; ask again for the others"
        return verdict
    }

    /// - Parameter now: for the end of the blocking lease.
    package func json(_ settings: LaneSettings, at now: Instant) -> JSONObject {
        [
            "blocking": blocking.map { .object($0.shown(settings, at: now)) } ?? .null,
            "lane": lane.map { .string($0.text) } ?? .null, "lane_kind": .string(kind.rawValue),
            "outcome": .string(outcome.rawValue), "reason": .string(reason), "reason_class": .string(reasonClass.rawValue),
            "tree": tree.json,
        ]
    }
}
