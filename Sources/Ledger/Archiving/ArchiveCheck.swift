package import DurableFiles
import LedgerFormat
import PlantedDefects

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

    /// - Parameter view: of the ledger, with its archives in front if that chain was verified.
    package func run(_ view: LedgerView, _ archives: [any Storage]) throws(LedgerError) -> Report {
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
                var (isHere, wrong): (Bool, (any Storage)?) = (false, nil)
                for archive in archives where !isHere {
                    let isRight = try doing("cannot read the archive") { () throws(StorageError) -> Bool? in
                        guard try archive.status(of: path) != nil else { return nil }
                        let file = try archive.open(path, .read)
                        let size = try file.status().size
                        return try size == segment.byteCount ? file.digest() == segment.digest : false
                    }
                    guard let isRight else { continue }
                    found.insert(segment.first)
                    if isRight { isHere = true } else { wrong = wrong ?? archive }
                }
                // Beside the right one another directory may hold what followed another history.
                if !isHere, let wrong, report.failure == nil, !planted(.archiveDigestUncompared) {
                    report.failure = LedgerError(
                        .tampered, "\(wrong.basePath)/\(path) is not the file that entry \(seq) says was archived",
                        at: Place(segment: segment.first, offset: 0, seq: segment.first))
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
