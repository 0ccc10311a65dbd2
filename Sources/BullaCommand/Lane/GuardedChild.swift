import CSystemCalls
import Ledger

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A command that works only as long as this process says so: it has our streams, is killed with us, and is stopped with all that it
/// started, since what it left running became ours.
struct GuardedChild: ~Copyable {
    private let process: pid_t
    /// Readable at the end of the command; nil where the system has none, and then we look from time to time.
    private let descriptor: ChildDescriptor?
    /// How it ended, once it is buried.
    private var status: ChildProcess.Status?

    /// From the first signal, which asks, to the second, which does not.
    static let politenessMicroseconds: Int64 = 400_000
    private static let lookMilliseconds: Int32 = 20
    /// What does not end by KILL in this time is another user's, or hangs in the kernel.
    private static let patienceMicroseconds: Int64 = 5_000_000

    /// Signals that others send to us go to it from now on.
    init(_ arguments: [[UInt8]]) throws(ChildError) {
        ChildSystem.beginForwarding()
        do throws(SystemFailure) { process = try ChildSystem.startBound(arguments) } catch {
            ChildSystem.endForwarding()
            throw .cannotStart(error.number)
        }
        ChildSystem.startForwarding(to: process)
        descriptor = ChildSystem.openProcess(process)
    }

    /// Waits so long, or to the command's end if that comes first; true at its end.
    func ended(within milliseconds: Int32) throws(ChildError) -> Bool {
        do throws(SystemFailure) {
            csystem_reap_others(process)
            let number: Int32 =
                switch descriptor {
                case .some(let descriptor): descriptor.raw
                case .none: -1
                }
            var waits = [pollfd(fd: number, events: Int16(POLLIN), revents: 0)]
            try ChildSystem.wait(&waits, milliseconds: number < 0 ? min(milliseconds, Self.lookMilliseconds) : milliseconds)
            return try ChildSystem.hasEnded(process)
        } catch {
            throw .lost(error.number)
        }
    }

    /// Ends the command and everything that it started: by TERM, and what is left after a while by KILL.
    ///
    /// - Returns: whether nothing is left.
    mutating func stop(_ environment: Environment) -> Bool {
        ChildSystem.stopForwarding()
        let started = environment.uptime()
        var told: Set<pid_t> = []
        while true {
            bury()
            var left = Set(Descendants.running())
            // Known without looking, and so ended also where /proc cannot be read.
            if status == nil { left.insert(process) }
            // What loses its parent becomes our child: this sees also who forks faster than one can look.
            if left.isEmpty, csystem_has_children() == 0 { return true }
            let passed = environment.uptime() - started
            if passed < Self.politenessMicroseconds {
                // Who has heard TERM is not told twice; who came since is.
                for process in left where told.insert(process).inserted { _ = kill(process, SIGTERM) }
            } else if passed < Self.patienceMicroseconds {
                // Stopped first, so that none starts another between being seen and being killed.
                for process in left { _ = kill(process, SIGSTOP) }
                for process in left { _ = kill(process, SIGKILL) }
            } else {
                return false
            }
            environment.pause(passed < Self.politenessMicroseconds ? Int64(Self.lookMilliseconds) * 1000 : 1000)
        }
    }

    private mutating func bury() {
        if status == nil, (try? ChildSystem.hasEnded(process)) == true { status = try? ChildSystem.reap(process) }
        csystem_reap_others(status == nil ? process : 0)
    }

    /// The code to pass on, once it has ended.
    consuming func finish() throws(ChildError) -> Int32 {
        ChildSystem.stopForwarding()
        defer {
            csystem_reap_others(0)
            ChildSystem.endForwarding()
        }
        do throws(SystemFailure) {
            let end: ChildProcess.Status
            if let status { end = status } else { end = try ChildSystem.reap(process) }
            switch end {
            case .exited(let code): return code
            case .signaled(let signal): return 128 + signal
            }
        } catch {
            throw .lost(error.number)
        }
    }
}

/// The processes below this one.
enum Descendants {
    /// Those that run or are stopped; dead ones that nobody has buried are none.
    static func running() -> [pid_t] {
        var children: [pid_t: [(process: pid_t, isDead: Bool)]] = [:]
        for process in processes() {
            guard let (parent, isDead) = parent(of: process) else { continue }
            children[parent, default: []].append((process, isDead))
        }
        var found: [pid_t] = []
        var open = [getpid()]
        while let next = open.popLast() {
            for child in children[next] ?? [] {
                if !child.isDead { found.append(child.process) }
                open.append(child.process)
            }
        }
        return found
    }

    private static func processes() -> [pid_t] {
        guard let directory = unsafe opendir("/proc") else { return [] }
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
