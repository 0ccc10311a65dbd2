import Foundation

/// A directory that goes with the value; in memory where that is possible, unless real disks are the subject.
final class Workplace: Sendable {
    let path: String

    static let parent: String = {
        let memory = "/dev/shm"
        return access(memory, W_OK | X_OK) == 0 ? memory : NSTemporaryDirectory().trimmingSuffix("/")
    }()

    private static let prefix = "bulla-torture-"
    /// What lives as long as the process is removed at its end, and what killed ones left, by the next one.
    private static let sweeping: Void = {
        sweep()
        atexit { Workplace.sweep() }
    }()

    /// Removes what is ours or nobody's.
    private static func sweep() {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: parent)) ?? []
        for name in names where name.hasPrefix(prefix) {
            let parts = name.dropFirst(prefix.count).split(separator: "-")
            guard parts.count == 2, let owner = pid_t(parts[0]), owner == getpid() || kill(owner, 0) != 0 && errno == ESRCH
            else { continue }
            try? FileManager.default.removeItem(atPath: parent + "/" + name)
        }
    }

    init() throws {
        _ = Self.sweeping
        path = "\(Self.parent)/\(Self.prefix)\(getpid())-\(UInt32.random(in: .min ... .max))"
        guard mkdir(path, 0o700) == 0 else { throw HarnessError("mkdir \(path)", errno) }
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func path(_ name: String) -> String { path + "/" + name }

    func write(_ text: String, to name: String) throws { try Data(text.utf8).write(to: URL(fileURLWithPath: path(name))) }

    /// Makes `name` a copy of a directory, whatever stood there.
    func copy(_ source: String, to name: String) throws {
        try? FileManager.default.removeItem(atPath: path(name))
        try FileManager.default.copyItem(atPath: source, toPath: path(name))
    }

    func remove(_ name: String) { try? FileManager.default.removeItem(atPath: path(name)) }
}

extension String {
    fileprivate func trimmingSuffix(_ suffix: String) -> String { hasSuffix(suffix) ? String(dropLast(suffix.count)) : self }
}
