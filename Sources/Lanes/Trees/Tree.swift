package import CanonicalJSON

/// The paths that a lane or a lease is about: what any of its patterns means, and everything if it has none.
package struct Tree: Sendable, Equatable {
    package let globs: [Glob]

    package static let globCountMax = 64

    package static let everything = Tree([])

    package init(_ globs: [Glob]) { self.globs = globs }

    /// A pattern of each, which mean a path in common; nil if there is none.
    package func meeting(_ other: Tree) -> (own: Glob, other: Glob)? {
        var effort = Effort()
        return IndexedTree(self).meeting(other, &effort).map { ($0.own, $0.other) }
    }

    /// Its patterns, and the one that means everything if it has none.
    var effective: [Glob] { globs.isEmpty ? [.everything] : globs }
}

extension Tree {
    package var json: JSON { .array(globs.map { .string($0.text) }) }

    /// Reads an array of patterns; nil if one is none.
    package init?(_ json: JSON?) {
        guard let texts = json?.array, texts.count <= Self.globCountMax else { return nil }
        var globs: [Glob] = []
        for text in texts {
            guard let text = text.string, let glob = try? Glob(text) else { return nil }
            globs.append(glob)
        }
        self.init(globs)
    }
}

extension Tree: CustomStringConvertible {
    package var description: String { globs.isEmpty ? "everything" : globs.map(\.text).joined(separator: " ") }
}
