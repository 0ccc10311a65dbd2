/// Whether a lane's lease may live beside others.
package enum LaneKind: String, Sendable, Codable, Equatable, CaseIterable {
    /// Beside no other lease at all, of any lane.
    case exclusive
    /// Alone on its lane, and beside leases of other lanes whose trees do not meet its own.
    case keyword
    /// Beside other shared leases, also of its lane and of trees that meet its own.
    case shared
}
