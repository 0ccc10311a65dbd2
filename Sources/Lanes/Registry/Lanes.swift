import Kernel

/// What is declared, who holds what, who is about to come, and what rests: folded from the entries of the namespace `lane`.
package struct Lanes: Projection, Equatable {
    package static let name = "lanes"
    package static let version = 3
    package static let namespaces = [LaneOperation.namespace]

    package var settings = LaneSettings()
    package var declared: [Label: LaneDeclaration] = [:]
    /// Those that nobody released or took away; some may be beyond their time.
    package var leases: [LeaseID: Lease] = [:]
    var spawns = Newest<Spawn>(countMax: 256)
    /// By unit of work: those that rest, or may.
    var units = Newest<Attempt>(countMax: 4096)
    /// By lane: the latest attempt at any of its units.
    var picks = Newest<Attempt>(countMax: 4096)

    package init() {}

    /// The oldest first.
    package var ordered: [Lease] { leases.values.sorted { $0.token < $1.token } }
    package var attempts: [Attempt] { units.items.map(\.value) }
    package var spawning: [Spawn] { spawns.items.map(\.value) }
}
