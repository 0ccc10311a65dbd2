package import DurableFiles
package import LedgerFormat

/// What a directory holds that somebody calls an archive, as far as names and first entries tell; nothing of it is verified.
package struct ArchiveContents: Sendable {
    /// The first seqs of its segments, rising.
    package let segments: [UInt64]
    /// The ledgers that their first entries name.
    package let ledgers: Set<LedgerID>

    package init(of archive: any Storage) throws(LedgerError) {
        (segments, ledgers) = try doing("cannot read the archive") { () throws(StorageError) in
            let segments = try SegmentReader.segments(in: archive)
            var ledgers: Set<LedgerID> = []
            for segment in segments {
                if let first = try SegmentReader(archive, [segment]).firstFrame() { ledgers.insert(first.tip.ledger) }
            }
            return (segments, ledgers)
        }
    }

    /// A ledger that it names, and that is not this one.
    package func stranger(to ledger: LedgerID?) -> LedgerID? {
        guard let ledger else { return nil }
        return ledgers.filter { $0 != ledger }.min { $0.description < $1.description }
    }

    /// Why nothing of a ledger is archived there: a place holds one ledger's archive.
    package func refusal(of ledger: LedgerID?, at path: String) -> LedgerError? {
        stranger(to: ledger).map {
            LedgerError(.refused, "\(path) holds the archive of another ledger, \($0); name another directory")
        }
    }
}
