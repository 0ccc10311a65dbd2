import Foundation

/// A directory that goes with the value; in memory where that is possible, unless real disks are the subject.
final class Workplace: Sendable {
    let path: String

    static let parent: String = {
        let memory = "/dev/shm"
        return access(memory, W_OK | X_OK) == 0 ? memory : NSTemporaryDirectory().trimmingSuffix("/")
    }()

    init() throws {
        path = Self.parent + "/bulla-torture-\(getpid())-\(UInt32.random(in: .min ... .max))"
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
