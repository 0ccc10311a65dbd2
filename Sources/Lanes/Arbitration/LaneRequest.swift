package import CanonicalJSON

/// What somebody asks for.
package struct LaneRequest: Sendable {
    /// Nil for the first of the declared order that is free.
    package var lane: Label?
    /// Nil for the declared one; what is more sociable than that is not given.
    package var kind: LaneKind?
    /// Nil for the declared one.
    package var tree: Tree?
    /// In microseconds.
    package var ttl: Int64
    /// Who he says he is: recorded, and no right to anything.
    package var holder: String
    package var loopTS: String?
    package var host: String
    package var process: HolderProcess?
    package var notes: JSONObject
    package var reason: String

    package init(
        lane: Label?, kind: LaneKind? = nil, tree: Tree? = nil, ttl: Int64, holder: String, loopTS: String? = nil,
        host: String = "", process: HolderProcess? = nil, notes: JSONObject = [:], reason: String
    ) {
        self.lane = lane
        self.kind = kind
        self.tree = tree
        self.ttl = ttl
        self.holder = holder
        self.loopTS = loopTS
        self.host = host
        self.process = process
        self.notes = notes
        self.reason = reason
    }
}
