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
        for part in [directory, name].compactMap({ $0 }) {
            precondition(!part.isEmpty && part != "." && part != "..")
            precondition(!part.utf8.contains(UInt8(ascii: "/")) && !part.utf8.contains(0))
        }
        self.directory = directory
        self.name = name
    }

    /// The directory that holds it; nil for the base.
    package var parent: StoragePath? { directory.map { StoragePath($0) } }

    package var description: String { directory.map { "\($0)/\(name)" } ?? name }

    package static func < (a: StoragePath, b: StoragePath) -> Bool { a.description < b.description }
}
