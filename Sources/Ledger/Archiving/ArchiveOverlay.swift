package import DurableFiles
import LedgerFormat
import PlantedDefects

/// A ledger with the segments that were archived in front, as if they had never left it: for reading.
///
/// A segment that stands in the ledger is taken from there; everything but segments is the ledger's alone.
package final class ArchiveOverlay: Storage {
    private let ledger: any Storage
    private let archives: [any Storage]

    package init(_ ledger: any Storage, _ archives: [any Storage]) {
        self.ledger = ledger
        self.archives = archives
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
            names.formUnion(try archive.names(in: directory).filter { SegmentName.firstSeq(file: $0) != nil })
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

/// Compares what lies in archives, file by file, with what the entries say that recorded it.
package struct ArchiveCheck: Sendable {
    private let environment: Environment

    package init(_ environment: Environment) { self.environment = environment }

    package struct Report: Sendable, Equatable {
        /// Segments that entries name, and those of them that lie in the archives.
        package var namedCount = 0
        package var checkedCount = 0
        /// The first one that is not what the entry says, or that is in none of the archives (`refused`).
        package var failure: LedgerError?
    }

    /// - Parameters:
    ///   - view: of the ledger with its archives in front, whose chain was verified.
    ///   - comparesDigests: whether the files' bytes are read; else only that they are there is looked at.
    package func run(_ view: LedgerView, _ archives: [any Storage], comparesDigests: Bool = true) throws(LedgerError) -> Report {
        var statements: [(seq: UInt64, statement: ArchiveStatement)] = []
        try EntryReader(view, environment).read(from: view.firstSeq) { frame, bytes in
            if let statement = frame.archived(in: bytes) { statements.append((frame.seq, statement)) }
            return true
        }
        var report = Report()
        var (named, found): (Set<UInt64>, Set<UInt64>) = ([], [])
        for (seq, statement) in statements {
            for segment in statement.segments {
                named.insert(segment.first)
                let path = SegmentReader.path(ofSegment: segment.first)
                for archive in archives {
                    let isRight = try doing("cannot read the archive") { () throws(StorageError) -> Bool? in
                        guard try archive.status(of: path) != nil else { return nil }
                        let file = try archive.open(path, .read)
                        let size = try file.status().size
                        guard comparesDigests else { return true }
                        return try size == segment.byteCount ? file.digest() == segment.digest : false
                    }
                    guard let isRight else { continue }
                    found.insert(segment.first)
                    if !isRight, report.failure == nil, !planted(.archiveDigestUncompared) {
                        report.failure = LedgerError(
                            .tampered,
                            "\(archive.basePath)/\(path) is not the file that entry \(seq) says was archived",
                            at: Place(segment: segment.first, offset: 0, seq: segment.first))
                    }
                }
                if !found.contains(segment.first), !view.segments.contains(segment.first), report.failure == nil {
                    report.failure = LedgerError(
                        .refused,
                        "entries \(segment.first) to \(segment.last), which entry \(seq) says were archived, are in none of the archives given; "
                            + "give --archive once for each directory that took some")
                }
            }
        }
        (report.namedCount, report.checkedCount) = (named.count, found.count)
        return report
    }
}
