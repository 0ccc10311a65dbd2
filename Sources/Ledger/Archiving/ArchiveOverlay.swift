package import DurableFiles
import LedgerFormat

/// A ledger with the segments that were archived in front, as if they had never left it: for reading.
///
/// A segment that stands in the ledger is taken from there; everything but segments is the ledger's alone.
package final class ArchiveOverlay: Storage {
    private let ledger: any Storage
    private let archives: [any Storage]

    private let firstSeq: UInt64

    /// - Parameter firstSeq: archived segments before it are left out.
    package init(_ ledger: any Storage, _ archives: [any Storage], from firstSeq: UInt64 = 1) {
        self.ledger = ledger
        self.archives = archives
        self.firstSeq = firstSeq
    }

    package var basePath: String { ledger.basePath }
    package var owner: UInt32 { ledger.owner }
    package var user: UInt32 { ledger.user }

    package func open(_ path: StoragePath, _ access: FileAccess) throws(StorageError) -> any StorageFile {
        precondition(access == .read, "an archive is for reading")
        return try holder(of: path).open(path, .read)
    }

    package func status(of path: StoragePath) throws(StorageError) -> FileStatus? { try holder(of: path).status(of: path) }

    package func names(in directory: StoragePath) throws(StorageError) -> [String] {
        var names = Set(try ledger.names(in: directory))
        guard directory == Layout.ledger else { return Array(names) }
        for archive in archives {
            // One without the directory holds nothing; it says nothing of the ledger.
            for segment in try SegmentReader.segments(in: archive) where segment >= firstSeq {
                names.insert(SegmentName.file(firstSeq: segment))
            }
        }
        return Array(names)
    }

    /// Where a path leads to.
    private func holder(of path: StoragePath) throws(StorageError) -> any Storage {
        guard path.parent == Layout.ledger, try ledger.status(of: path) == nil else { return ledger }
        for archive in archives where try archive.status(of: path) != nil { return archive }
        return ledger
    }

    package func checkBase() throws(StorageError) { try ledger.checkBase() }
    package func holder(of lock: StorageLock) -> LockHolder? { ledger.holder(of: lock) }

    // Nobody writes to a ledger through its archives.
    package func makeDirectory(_ path: StoragePath) { preconditionFailure("\(path) is made nowhere") }
    package func rename(_ path: StoragePath, to target: StoragePath) { preconditionFailure("\(path) is not renamed") }
    package func exchange(_ one: StoragePath, with other: StoragePath) { preconditionFailure("\(one) is not exchanged") }
    package func remove(_ path: StoragePath) { preconditionFailure("\(path) is not removed") }
    package func synchronize(directory: StoragePath?) { preconditionFailure("there is nothing to make durable") }
    package func publish() { preconditionFailure("there is nothing to publish") }
    package func reopened() throws(StorageError) -> any Storage { preconditionFailure("only writers follow a path") }
    package func tryLock(_ lock: StorageLock) -> Bool { preconditionFailure("only writers take locks") }
    package func unlock(_ lock: StorageLock) { preconditionFailure("only writers have locks") }
    package func gateIsTaken() -> Bool { preconditionFailure("only writers have locks") }
}
