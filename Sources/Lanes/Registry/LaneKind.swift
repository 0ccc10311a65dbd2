/// How much company a lease endures, from the most to the least.
package enum LaneKind: String, Sendable, CaseIterable, Comparable {
    /// Beside other shared leases, also of its lane and of trees that meet its own.
    case shared
    /// Alone on its lane, and beside leases of other lanes whose trees do not meet its own.
    case cluster
    /// Beside no other lease at all.
    case exclusive

    package static func < (one: LaneKind, other: LaneKind) -> Bool { one.rank < other.rank }

    private var rank: Int {
        switch self {
        case .shared: 0
        case .cluster: 1
        case .exclusive: 2
        }
    }
}
