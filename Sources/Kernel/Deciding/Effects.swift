package import CanonicalJSON
import LedgerFormat

/// The effects that were asked for and have no result yet: they run now, or a crash came between.
package struct Effects: Projection {
    package static let name = "effects"
    package static let version = 1
    package static let namespaces = ["effect"]

    package struct Pending: Codable, Sendable, Equatable {
        /// Of the request.
        package var seq: UInt64
        package var actor: String
        package var name: String
        package var arguments: JSON
    }

    /// In the order of their requests.
    package private(set) var pending: [Pending] = []

    package init() {}

    package mutating func apply(_ fact: Fact) {
        switch fact.action {
        case Effect.requested:
            guard let name = fact.body["effect"]?.string, let arguments = fact.body["arguments"] else { return }
            pending.append(Pending(seq: fact.seq, actor: fact.actor, name: name, arguments: arguments))
        case Effect.finished:
            guard let request = fact.body["request"]?.integer else { return }
            pending.removeAll { $0.seq == UInt64(exactly: request) }
        default: return
        }
    }
}
