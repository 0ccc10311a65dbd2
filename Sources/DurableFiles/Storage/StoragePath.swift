/// A name under the base directory: one file or directory, or one inside a directory, or inside that.
package struct StoragePath: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// Nil for what lies in the base itself.
    package let directory: String?
    package let name: String

    package init(_ name: String) {
        self.init(directory: nil, name: name)
    }

    package init(_ directory: String, _ name: String) {
        Self.check(directory)
        self.init(directory: directory, name: name)
    }

    package init(_ directory: StoragePath, _ name: String) {
        self.init(directory: directory.description, name: name)
    }

    private init(directory: String?, name: String) {
        for part in directory?.pathParts(keepingEmpty: true) ?? [] { Self.check(part) }
        Self.check(name)
        self.directory = directory
        self.name = name
    }

    private static func check(_ part: String) {
        precondition(!part.isEmpty && part != "." && part != "..")
        for byte in part.utf8 { precondition(byte != UInt8(ascii: "/") && byte != 0) }
    }

    /// The directory that holds it; nil for the base.
    package var parent: StoragePath? {
        guard let directory else { return nil }
        let parts = directory.pathParts(keepingEmpty: true)
        guard let name = parts.last, parts.count > 1 else { return StoragePath(directory) }
        return StoragePath(directory: parts.dropLast().joined(separator: "/"), name: name)
    }

    package var description: String { directory.map { "\($0)/\(name)" } ?? name }

    package static func < (a: StoragePath, b: StoragePath) -> Bool { a.description < b.description }
}
