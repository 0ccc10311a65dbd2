package import CanonicalJSON
package import LedgerFormat

/// The entry that explains why a ledger begins behind an archive.
package struct ArchiveExplanation: Sendable {
    package var seq: UInt64
    package var statement: ArchiveStatement
    /// All that the entry says.
    package var body: JSONObject

    /// Where the segments were copied to.
    package var directory: PathText? { PathText(body, "directory") }
    /// The latest time of any entry up to the last archived one.
    package var latest: Timestamp? { body["time"]?.string.flatMap { Timestamp($0) } }

    /// Where an entry from before the first segment went, as far as this one says: of what earlier archives took, they say it.
    package func whereabouts(of seq: UInt64) -> String {
        guard seq < statement.first else { return "entry \(seq) was archived\(place) by entry \(self.seq)" }
        return
            "entry \(seq) was archived earlier than seq \(statement.first) to \(statement.last), which entry \(self.seq) archived\(place)"
    }

    private var place: String { directory.map { " to \($0)" } ?? "" }
}

extension EntryReader {
    /// Nil if the ledger begins with its first entry.
    ///
    /// Reads from the first entry that is there on; the end of the ledger without an explanation is tampering.
    package func explanation() throws(LedgerError) -> ArchiveExplanation? {
        guard let base = view.base else { return nil }
        var found: ArchiveExplanation?
        try read(from: view.firstSeq) { frame, bytes in
            guard let statement = frame.archived(in: bytes), statement.explains(base) else { return true }
            let body = (try? JSON(parsing: bytes.extracting(frame.body)))?.object ?? [:]
            found = ArchiveExplanation(seq: frame.seq, statement: statement, body: body)
            return false
        }
        return found
    }

    /// Why an entry before the first segment is not there, and what to do.
    package func absence(of seq: UInt64) throws(LedgerError) -> LedgerError {
        guard let found = try explanation() else {
            return LedgerError(ChainFailure(.segmentMissing, at: Place(segment: 1, offset: 0, seq: seq)))
        }
        let advice = seq < found.statement.first ? "give --archive once for each directory" : "give that directory with --archive"
        return LedgerError(.refused, "\(found.whereabouts(of: seq)); \(advice)", .archived)
    }
}
