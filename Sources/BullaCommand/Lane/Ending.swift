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

    /// Presses those that were seen, and waits a little; false when that helps no more.
    mutating func press(_ left: Set<pid_t>) -> Bool {
        let passed = environment.uptime() - start
        let isPolite = passed < politeness
        if isPolite {
            // Who has heard TERM is not told twice; who came since is.
            for process in left where told.insert(process).inserted { _ = kill(process, SIGTERM) }
        } else if passed < Self.patience {
            // Stopped first, so that none starts another between being seen and being killed.
            for process in left { _ = kill(process, SIGSTOP) }
            for process in left { _ = kill(process, SIGKILL) }
        } else {
            return false
        }
        environment.pause(isPolite && !left.isEmpty ? 20_000 : 1000)
        return true
    }
}

/// The processes below another one.
enum Descendants {
    /// Those that run or are stopped; dead ones that nobody has buried are none. Nil if nobody can look.
    static func running(below root: pid_t) -> [pid_t]? {
        guard let processes = processes() else { return nil }
        var children: [pid_t: [(process: pid_t, isDead: Bool)]] = [:]
        for process in processes {
            guard let (parent, isDead) = parent(of: process) else { continue }
            children[parent, default: []].append((process, isDead))
        }
        var found: [pid_t] = []
        var open = [root]
        while let next = open.popLast() {
            for child in children[next] ?? [] {
                if !child.isDead { found.append(child.process) }
                open.append(child.process)
            }
        }
        return found
    }

    private static func processes() -> [pid_t]? {
        guard let directory = unsafe opendir("/proc") else { return nil }
        defer { unsafe _ = closedir(directory) }
        var found: [pid_t] = []
        while let entry = unsafe readdir(directory) {
            let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if let process = pid_t(name) { found.append(process) }
        }
        return found
    }

    private static func parent(of process: pid_t) -> (parent: pid_t, isDead: Bool)? {
        guard let fields = HostFacts.statFields(of: process), fields.count > 1, let parent = pid_t(fields[1]) else { return nil }
        return (parent, fields[0] == "Z" || fields[0] == "X")
    }
}
