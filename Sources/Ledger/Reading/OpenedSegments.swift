import DurableFiles
import Synchronization

/// Which file each segment was when a reader opened it first.
///
/// The latest ones stay open, so that their identities are not used again: a writer goes back to no others.
final class OpenedSegments: Sendable {
    private struct Known: Sendable {
        var identities: [UInt64: FileIdentity] = [:]
        var latest: [UInt64: any StorageFile] = [:]
    }

    private static let latestCount = 2
    private let known = Mutex(Known())

    /// Whether it is the first file of this segment, or that one again.
    func isSame(_ file: any StorageFile, as segment: UInt64) throws(StorageError) -> Bool {
        let identity = try file.status().identity
        return known.withLock { known in
            if let earlier = known.identities[segment] { return earlier == identity }
            known.identities[segment] = identity
            known.latest[segment] = file
            if known.latest.count > Self.latestCount, let oldest = known.latest.keys.min() { known.latest[oldest] = nil }
            return true
        }
    }
}
