import Ledger

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The ending of processes, look by look: by TERM, and what is left after a while by KILL.
struct Ending {
    private let environment: Environment
    private let start: Int64
    /// From the first signal, which asks, to the second, which does not; in microseconds.
    private let politeness: Int64
    private var told: Set<pid_t> = []

    /// What does not end by KILL in this time is another user's, or hangs in the kernel.
    private static let patience: Int64 = 5_000_000

    init(politeness: Int64, _ environment: Environment) {
        (self.environment, self.politeness, start) = (environment, politeness, environment.uptime())
    }

    /// Presses those that were seen below `root`, and waits a little; false when that helps no more.
    ///
    /// - Parameter spared: one of its children that is left alone.
    mutating func press(_ left: Set<pid_t>, below root: pid_t, sparing spared: pid_t) -> Bool {
        let passed = environment.uptime() - start
        let isPolite = passed < politeness
        if isPolite {
            // Who has heard TERM is not told twice; who came since is.
            for process in left where told.insert(process).inserted { _ = kill(process, SIGTERM) }
        } else if passed < Self.patience {
            // Stopped first, so that none starts another between being seen and being killed.
            for process in left { _ = kill(process, SIGSTOP) }
            for process in left { _ = kill(process, SIGKILL) }
            Descendants.chase(below: root, sparing: spared)
        } else {
            return false
        }
        environment.pause(isPolite && !left.isEmpty ? 20_000 : 1000)
        return true
    }
}
