package import Foundation

/// A directory of its own for one test, removed with the value.
package final class TemporaryDirectory: Sendable {
    package let url: URL

    /// Absolute, without any symbolic link on the way.
    package var path: String { url.path }

    package init() {
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
    package func path(_ name: String) -> String { url.appendingPathComponent(name).path }

    package func write(_ bytes: [UInt8], to name: String) throws { try Data(bytes).write(to: url.appendingPathComponent(name)) }

    package func read(_ name: String) throws -> [UInt8] { Array(try Data(contentsOf: url.appendingPathComponent(name))) }

    /// Copies a file or directory, the way an attacker or a restore would.
    package func copy(_ name: String, to target: String) throws {
        try FileManager.default.copyItem(at: url.appendingPathComponent(name), to: url.appendingPathComponent(target))
    }

    package func remove(_ name: String) throws { try FileManager.default.removeItem(at: url.appendingPathComponent(name)) }
}
