package import CanonicalJSON
import LedgerFormat

/// The user's own state: one JSON tree, changed by RFC 6902 patches.
package struct Documents: Projection, Equatable {
    package static let name = "documents"
    package static let version = 1
    package static let namespaces = ["state"]

    /// `{}` before the first change.
    package private(set) var root: JSON = [:]
    /// Changes that did not apply, because a repair lost what they build on: how many, and the last one's seq.
    package private(set) var skippedCount: UInt64 = 0
    package private(set) var lastSkipped: UInt64?

    package init() {}

    package mutating func apply(_ fact: Fact) {
        guard fact.action == Self.patched || fact.action == Self.restored else { return }
        do throws(JSONPatchError) {
            let patch = try fact.withBody { (body) throws(JSONPatchError) in try JSONPatch(member: "patch", ofCanonical: body) }
            try patch?.apply(to: &root)
        } catch {
            // All of it or nothing, and the same everywhere.
            skippedCount += 1
            lastSkipped = fact.seq
        }
    }

    static let patched = "state.patched"
    static let restored = "state.restored"

    /// The tree as canonical JSON has at most so many bytes, so that any state fits into one entry.
    package static let byteCountMax = 768 << 10
    /// Operations of one patch at most: whoever folds pays for each, and so does every writer who waits meanwhile.
    package static let operationCountMax = 1000
    /// Nested containers at most: an entry and a patch enclose the tree.
    package static let depthMax = 40
}
