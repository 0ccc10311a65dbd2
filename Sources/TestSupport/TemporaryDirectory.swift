public import Foundation

/// A directory of its own for one test, removed with the value.
public final class TemporaryDirectory: Sendable {
    public let url: URL

    /// Absolute, without any symbolic link on the way.
    public var path: String { url.path }

    public init() {
        let base = FileManager.default.temporaryDirectory.resolvingSymlinksInPath()
        url = base.appendingPathComponent("bulla-test-\(UUID().uuidString)", isDirectory: true)
        do {
            try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        } catch {
            preconditionFailure("no temporary directory: \(error)")
        }
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    /// The path of a name in it.
    public func path(_ name: String) -> String { url.appendingPathComponent(name).path }

    public func write(_ bytes: [UInt8], to name: String) throws { try Data(bytes).write(to: url.appendingPathComponent(name)) }

    public func read(_ name: String) throws -> [UInt8] { Array(try Data(contentsOf: url.appendingPathComponent(name))) }

    /// Copies a file or directory, the way an attacker or a restore would.
    public func copy(_ name: String, to target: String) throws {
        try FileManager.default.copyItem(at: url.appendingPathComponent(name), to: url.appendingPathComponent(target))
    }

    public func remove(_ name: String) throws { try FileManager.default.removeItem(at: url.appendingPathComponent(name)) }
}
