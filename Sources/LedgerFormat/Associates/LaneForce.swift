package import CanonicalJSON
import PlantedDefects

/// What associates sign of a lane: who gets a lease beside those that stand against it, by members of the lease's own.
package struct LaneForce: Sendable, Equatable {
    private let members: JSONObject

    /// - Parameter lease: what is to be granted.
    package init(of lease: JSONObject) {
        members = JSONObject(Self.names.compactMap { name in lease[name].map { (name, $0) } })
    }

    private static let names = ["holder", "lane", "lane_kind", "tree", "ttl_minutes"]
    private static let globCountMax = 64

    /// A request's arguments.
    package func arguments(reason: String) -> JSONObject {
        var arguments = members
        arguments["reason"] = .string(reason)
        return arguments
    }

    /// Reads arguments, beside a reason; nil if they have not the form.
    init?(_ arguments: JSONObject) {
        guard arguments.count == 6, arguments["holder"]?.string != nil, arguments["lane"]?.string != nil,
            arguments["lane_kind"]?.string != nil, arguments["ttl_minutes"]?.number != nil,
            let tree = arguments["tree"]?.array, tree.count <= Self.globCountMax, tree.allSatisfy({ $0.string != nil })
        else { return nil }
        self.init(of: arguments)
    }

    /// Whether the lease in an entry's body is the one that was signed.
    func allows(_ body: JSONObject) -> Bool {
        body["lease"]?.object.map { LaneForce(of: $0) == self } ?? false || planted(.forcedLeaseUncompared)
    }
}

extension SignedRequest {
    /// What it asks for of a lane; nil if it is about something else.
    package var laneForce: LaneForce? {
        if case .lane(let force) = try? change() { force } else { nil }
    }
}
