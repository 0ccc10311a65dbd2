import Ledger
import SystemPackage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The processes below another one.
enum Descendants {
    struct Seen {
        /// Those that run or are stopped.
        var running: Set<pid_t> = []
        /// Those that nobody has buried.
        var dead: Set<pid_t> = []
    }

    /// Nil if nobody can look: numbers of another namespace would be other processes here.
    static func seen(below root: pid_t) -> Seen? {
        guard Namespaces.processList == .own, let processes = processes() else { return nil }
        var children: [pid_t: [(process: pid_t, isDead: Bool)]] = [:]
        for process in processes {
            guard let (parent, isDead) = parent(of: process) else { continue }
            children[parent, default: []].append((process, isDead))
        }
        var seen = Seen()
        var open = [root]
        while let next = open.popLast() {
            for child in children[next] ?? [] {
                if child.isDead { seen.dead.insert(child.process) } else { seen.running.insert(child.process) }
                open.append(child.process)
            }
        }
        return seen
    }

    /// Kills what a process's own list of children shows, at once and many times over.
    ///
    /// A process that starts another and ends lives for less than a look at all processes takes. Since its parent is gone, it is a child of
    /// `root`, whose list is short to read. Where the system has no such list, nothing is done.
    static func chase(below root: pid_t, sparing spared: pid_t) {
        guard Namespaces.processList == .own else { return }
        var known: Set<pid_t> = [spared, getpid()]
        for _ in 0..<chaseCount {
            guard let children = children(of: root), !children.isEmpty else { return }
            // The newest last: it alone may be alive.
            for child in children.reversed() where known.insert(child).inserted { _ = kill(child, SIGKILL) }
        }
    }

    private static let chaseCount = 64

    private static func children(of process: pid_t) -> [pid_t]? {
        guard let bytes = contents(of: "/proc/\(process)/task/\(process)/children") else { return nil }
        return bytes.split(separator: UInt8(ascii: " ")).compactMap { pid_t(String(decoding: $0, as: UTF8.self)) }
    }

    private static func contents(of path: String) -> [UInt8]? {
        guard let file = try? FileDescriptor.open(FilePath(path), .readOnly, options: .closeOnExec) else { return nil }
        defer { try? file.close() }
        var bytes: [UInt8] = []
        while true {
            let more = try? unsafe [UInt8](unsafeUninitializedCapacity: 65_536) { buffer, count in
                unsafe count = try file.read(into: UnsafeMutableRawBufferPointer(buffer), retryOnInterrupt: true)
            }
            guard let more else { return nil }
            if more.isEmpty { return bytes }
            bytes += more
        }
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
        return (parent, HostFacts.isDead(fields))
    }
}
