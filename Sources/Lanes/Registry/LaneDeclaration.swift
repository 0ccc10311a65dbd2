package import CanonicalJSON

/// What a user says of a lane beforehand; who acquires it may ask for more solitude and for another tree.
package struct LaneDeclaration: Sendable, Equatable {
    package var kind: LaneKind
    /// For leases that name none.
    package var tree: Tree
    /// Leases of one class share a budget.
    package var laneClass: Label?

    package init(kind: LaneKind = .cluster, tree: Tree = .everything, laneClass: Label? = nil) {
        self.kind = kind
        self.tree = tree
        self.laneClass = laneClass
    }
}

extension LaneDeclaration {
    package var json: JSONObject {
        var object: JSONObject = ["lane_kind": .string(kind.rawValue), "tree": tree.json]
        object["class"] = laneClass.map { .string($0.text) }
        return object
    }

    package init?(_ json: JSON) {
        guard let kind = json["lane_kind"]?.string.flatMap({ LaneKind(rawValue: $0) }), let tree = Tree(json["tree"]) else {
            return nil
        }
        self.init(kind: kind, tree: tree, laneClass: json["class"]?.string.flatMap { Label($0) })
    }
}
