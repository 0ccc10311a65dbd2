/// What one check of the doctor found, and what to do about it.
package struct Finding: Sendable, Equatable {
    package enum State: String, Sendable {
        case ok
        /// It works, and could be better.
        case advice
        /// It cannot be told.
        case unknown
        /// A promise of the ledger does not hold as things are.
        case problem
    }

    package var name: String
    package var state: State
    package var found: String
    /// What to do; nil when nothing is.
    package var remedy: String?

    package static func ok(_ name: String, _ found: String) -> Finding { Finding(name: name, state: .ok, found: found) }

    package static func unknown(_ name: String, _ found: String) -> Finding { Finding(name: name, state: .unknown, found: found) }

    package static func advice(_ name: String, _ found: String, do remedy: String) -> Finding {
        Finding(name: name, state: .advice, found: found, remedy: remedy)
    }

    package static func problem(_ name: String, _ found: String, do remedy: String) -> Finding {
        Finding(name: name, state: .problem, found: found, remedy: remedy)
    }
}
