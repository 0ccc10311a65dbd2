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
        guard seq < statement.first else { return "entry \(seq) was archived\(place(of: seq)) by entry \(self.seq)" }
        return
            "entry \(seq) was archived earlier than seq \(statement.first) to \(statement.last), which entry \(self.seq) archived\(place)"
    }

    private var place: String { directory.map { " to \($0)" } ?? "" }

    /// A repair may have found them in several archives.
    private func place(of seq: UInt64) -> String {
        let places = body["places"]?.array?.compactMap(\.object) ?? []
        let holder = places.first { place in
            guard let first = place["first"]?.integer, let last = place["last"]?.integer else { return false }
            return first <= Int64(seq) && Int64(seq) <= last
        }
        return holder.flatMap { PathText($0, "directory") }.map { " to \($0)" } ?? place
    }
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

    /// The hash of an archived entry, if the first entry that is there names it, or the entry that explains the beginning, as the last
    /// one of a segment. Only the ledger's first entries are looked at.
    func hash(ofArchived seq: UInt64) throws(LedgerError) -> Digest? {
        guard let base = view.base, seq + 1 != base.seq else { return view.base?.previousHash }
        var found: Digest?
        try read(from: view.firstSeq, through: view.firstSeq + Self.explanationDistance) { frame, bytes in
            guard let statement = frame.archived(in: bytes), statement.explains(base) else { return true }
            found = statement.segments.first { $0.last == seq }?.tip
            return false
        }
        return found
    }

    /// Behind the last archive that took all there was, its entry is the first one; where segments stayed, it may stand anywhere.
    private static var explanationDistance: UInt64 { 1000 }

    /// Why an entry before the first segment is not there, and what to do.
    package func absence(of seq: UInt64) throws(LedgerError) -> LedgerError {
        guard let found = try explanation() else {
            return LedgerError(ChainFailure(.segmentMissing, at: Place(segment: 1, offset: 0, seq: seq)))
        }
        let advice = seq < found.statement.first ? "give --archive once for each directory" : "give that directory with --archive"
        return LedgerError(.refused, "\(found.whereabouts(of: seq)); \(advice)", .archived)
    }
}
