package import CanonicalJSON

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
        case classBudget = "class_budget"
        case noneFree = "none_free"
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
    /// Which live lease stands against it: of several the oldest.
    package var blocking: Lease?
    /// The lanes of the order that were looked at, if none was named and none is free.
    package var tried: [Label] = []
}

extension Verdict {
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
