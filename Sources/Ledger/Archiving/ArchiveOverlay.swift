package import DurableFiles
import LedgerFormat

/// A ledger with the segments that were archived in front, as if they had never left it: for reading.
///
/// Only what lies before the ledger's own first segment is taken from an archive; everything but segments is the ledger's alone.
package final class ArchiveOverlay: Storage {
    private let ledger: any Storage
    private let archives: [any Storage]
    private let selection: ArchiveSelection

    private let firstSeq: UInt64

    /// - Parameter firstSeq: archived segments before it are left out.
    package init(
        _ ledger: any Storage, _ archives: [any Storage], from firstSeq: UInt64 = 1
    ) throws(LedgerError) {
        self.ledger = ledger
        self.archives = archives
        self.firstSeq = firstSeq
        selection = try doing("cannot read the archive") { () throws(StorageError) in try ArchiveSelection(ledger, archives) }
    }

    /// Why a reader would be shown another history, if he would: a segment that no archive has as it left the ledger.
    package var stray: LedgerError? {
        guard let segment = selection.strays.last, let holder = selection.holders[segment] else { return nil }
        let path = SegmentReader.path(ofSegment: segment)
        return LedgerError(
            .tampered,
            "\(archives[holder].basePath)/\(path) is not the file that left this ledger: what follows it there names another entry before it; "
                + "give the directory that holds the right one too, if there is one",
            at: Place(segment: segment, offset: 0, seq: segment))
    }

    /// The place in the list of archives of the one that a segment is read from; nil for the ledger's own.
    func holder(ofSegment segment: UInt64) throws(StorageError) -> Int? {
        let path = SegmentReader.path(ofSegment: segment)
        guard try ledger.status(of: path) == nil, segment < (try ownFirstSeq()), !selection.leavesOut(segment) else { return nil }
        if let holder = selection.holders[segment] { return holder }
        // It was the ledger's own until somebody archived it just now.
        for (index, archive) in archives.enumerated() where try archive.status(of: path) != nil { return index }
        return nil
    }

    private func ownFirstSeq() throws(StorageError) -> UInt64 { try SegmentReader.segments(in: ledger).first ?? .max }

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
        let limit = names.compactMap { SegmentName.firstSeq(file: $0) }.min() ?? .max
        for archive in archives {
            // One without the directory holds nothing; it says nothing of the ledger.
            for segment in try SegmentReader.segments(in: archive) where segment >= firstSeq && segment < limit {
                if !selection.leavesOut(segment) { names.insert(SegmentName.file(firstSeq: segment)) }
            }
        }
        return Array(names)
    }

    /// Where a path leads to.
    private func holder(of path: StoragePath) throws(StorageError) -> any Storage {
        guard path.parent == Layout.ledger, let segment = SegmentName.firstSeq(file: path.name),
            let holder = try holder(ofSegment: segment)
        else { return ledger }
        return archives[holder]
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
