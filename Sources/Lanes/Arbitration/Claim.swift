/// What a request comes to once the lane's declaration is taken into account.
package struct Claim: Sendable, Equatable {
    package var lane: Label
    package var kind: LaneKind
    package var tree: Tree
    package var laneClass: Label?

    package init(lane: Label, kind: LaneKind, tree: Tree, laneClass: Label? = nil) {
        self.lane = lane
        self.kind = kind
        self.tree = tree
        self.laneClass = laneClass
    }
}
