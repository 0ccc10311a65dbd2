import PlantedDefects

/// Whether anything is left below a process that is stopped, told by looks at what is there.
///
/// Whoever lived during the last look and is none of the living now is among the dead: who is stopped buries nobody. So two looks
/// tell for certain that nothing is left, also of a chain whose members start the next one and end.
package struct Stillness {
    private var known: Set<Int32>?

    package init() {}

    package enum Finding: Equatable {
        /// Nothing was seen to run, by a first look.
        case unknown
        /// Something runs, or did since the last look.
        case busy
        case still
    }

    /// Of each set, process ids.
    package mutating func look(running: Set<Int32>, dead: Set<Int32>) -> Finding {
        defer { known = dead }
        guard running.isEmpty else { return .busy }
        guard let known else { return .unknown }
        return dead.isSubset(of: known) || planted(.chainOverlooked) ? .still : .busy
    }
}
