package import DurableFiles
import LedgerFormat

/// Archived entries that are in none of the archives given, with others before them: they may be elsewhere, and so that is no damage.
package struct ArchiveHole: Sendable {
    /// The missing entries, in their order, each range with the entry that says that they were archived; nil where that entry lies
    /// behind the next hole, or in it.
    private(set) var ranges: [(seqs: ClosedRange<UInt64>, archivedBy: UInt64?)] = []

    /// Nil if there is none, or if something else is wrong: all that stands behind each hole must verify, and explain it.
    ///
    /// - Parameter report: of the ledger with the archives in front, which found damage.
    package static func find(
        behind report: AuditReport, _ ledger: any Storage, _ archives: [any Storage], _ keyring: Keyring?,
        _ environment: Environment
    ) async throws(LedgerError) -> ArchiveHole? {
        var hole = ArchiveHole()
        var report = report
        let whole = try ArchiveOverlay(ledger, archives)
        let segments = try doing("cannot read the ledger") { () throws(StorageError) in
            try SegmentReader.segments(in: whole)
        }
        let own = try LedgerView(ledger, keyring: keyring).firstSeq
        // Each step goes on behind a hole, so that it ends.
        while report.verdict == .tampered {
            let (place, missing) = (report.place, report.place.seq)
            guard let next = segments.first(where: { $0 >= missing }), missing < next, next <= own else { return nil }
            let size = try doing("cannot read the archive") { () throws(StorageError) in
                try whole.status(of: SegmentReader.path(ofSegment: place.segment))?.size
            }
            // Damage inside a file is no hole.
            guard place.offset == size else { return nil }
            let rest = try ArchiveOverlay(ledger, archives, from: next)
            report = try await Audit(environment).run(rest, keyring: keyring)
            guard report.firstSeq == next else { return nil }
            if report.archivedBy == nil, report.verdict == .tampered, report.place.seq <= own {
                hole.ranges.append((missing...next - 1, nil))
                continue
            }
            guard report.archivedBy != nil,
                let entry = try EntryReader(LedgerView(rest, keyring: keyring), environment).explanation(),
                // Nor is a file that was cut short.
                missing < entry.statement.first || entry.statement.segments.contains(where: { $0.first == missing })
            else { return nil }
            hole.ranges.append((missing...next - 1, entry.seq))
        }
        guard report.verdict == .intact || report.verdict == .torn, !hole.ranges.isEmpty else { return nil }
        return hole
    }

    package var refusal: LedgerError {
        let words = ranges.map { range in
            let seqs = "entries \(range.seqs.lowerBound) to \(range.seqs.upperBound)"
            return range.archivedBy.map { "\(seqs), which entry \($0) says were archived" } ?? seqs
        }
        return LedgerError(
            .refused,
            words.joined(separator: ", and ")
                + ", are in none of the archives given; give --archive once for each directory that took some")
    }
}
