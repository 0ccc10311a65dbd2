/// What can be said of lanes; each is an entry with the action `lane.NAME`.
package enum LaneOperation: String, Sendable, CaseIterable {
    case declare
    // These change the live set.
    case acquire, forced, release, heartbeat, scavenge, adopt, reconcile, checkpoint
    // These are evidence.
    case refuse, halt, enforce, attempt, spawn

    package static let namespace = "lane"

    package var action: String { "\(Self.namespace).\(rawValue)" }

    package init?(action: String) {
        guard action.hasPrefix("\(Self.namespace).") else { return nil }
        self.init(rawValue: String(action.dropFirst(Self.namespace.utf8.count + 1)))
    }
}
