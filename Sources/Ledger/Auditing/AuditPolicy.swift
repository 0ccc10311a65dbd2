/// How thorough an audit is, how long it may take, and what it may get in the way of.
package struct AuditPolicy: Sendable, Equatable {
    package enum Lock: Sendable {
        /// Never takes the writer's lock to look, so it never makes a writer wait.
        case none
        /// Takes it for what lies behind HEAD, which nobody can change meanwhile.
        case tail
    }

    package var name: String
    /// A torn tail is a failure, not a crash's work: it is looked at again behind an opening, which mends what a crash left.
    package var strictStream: Bool
    package var lock: Lock
    /// Microseconds.
    package var budget: Int64
    /// Members of an entry that format 1 does not know are no failure.
    package var allowsExtra = false

    package static let boot = AuditPolicy(name: "boot", strictStream: true, lock: .tail, budget: 30_000_000)
    package static let fast = AuditPolicy(name: "fast", strictStream: false, lock: .none, budget: 300_000)
    package static let deep = AuditPolicy(name: "deep", strictStream: false, lock: .none, budget: 2_000_000)

    package static let all = [boot, fast, deep]

    package func budgeted(_ microseconds: Int64?) -> AuditPolicy {
        var policy = self
        if let microseconds { policy.budget = microseconds }
        return policy
    }

    package init(name: String, strictStream: Bool, lock: Lock, budget: Int64) {
        self.name = name
        self.strictStream = strictStream
        self.lock = lock
        self.budget = budget
    }
}
