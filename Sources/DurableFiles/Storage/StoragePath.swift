/// A name under the base directory: one file or directory, or one inside a directory.
package struct StoragePath: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// Nil for what lies in the base itself.
    package let directory: String?
    package let name: String

    package init(_ name: String) {
        self.init(directory: nil, name: name)
    }

    package init(_ directory: String, _ name: String) {
        self.init(directory: directory, name: name)
    }

    private init(directory: String?, name: String) {
        if let directory { Self.check(directory) }
        Self.check(name)
        self.directory = directory
        self.name = name
    }

    private static func check(_ part: String) {
        precondition(!part.isEmpty && part != "." && part != "..")
        for byte in part.utf8 { precondition(byte != UInt8(ascii: "/") && byte != 0) }
    }

    /// The directory that holds it; nil for the base.
    package var parent: StoragePath? { directory.map { StoragePath($0) } }

    package var description: String { directory.map { "\($0)/\(name)" } ?? name }

    package static func < (a: StoragePath, b: StoragePath) -> Bool { a.description < b.description }
}
