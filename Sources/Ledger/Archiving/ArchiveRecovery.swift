package import CanonicalJSON
package import DurableFiles
package import LedgerFormat

/// What archives prove of the entries before a ledger's first segment: a repair records it anew, where the entry that said it is damaged.
package struct ArchiveRecovery: Sendable {
    /// An archive, and what an entry calls it.
    package typealias Named = (storage: any Storage, name: PathText)

    package let statement: ArchiveStatement
    /// The last archived entry.
    package let tip: ChainTip
    /// The latest time of any entry up to there.
    package let latest: Timestamp
    /// The ledger with the archives in front: what lies in these is verified.
    package let view: LedgerView
    /// Where the last segment lies.
    let directory: PathText
    /// A key that is not there: only a link proves what it sealed.
    let absentKey: KeyID?

    /// What floor 4 has to record beside the archive: what must be known without the archived entries.
    package var drafts: [Draft] = []
    package var members: JSONObject = [:]

    /// Nil where the ledger begins with its first entry: then there is nothing that archives could prove.
    ///
    /// - Throws: `refused` where the archives do not hold all up to the ledger's first segment, or do not verify.
    package init?(of ledger: LedgerView, from archives: [Named], _ environment: Environment) throws(LedgerError) {
        guard ledger.firstSeq > 1, !archives.isEmpty else { return nil }
        view = try LedgerView(ArchiveOverlay(ledger.storage, archives.map(\.storage)))
        let segments = view.segments.filter { [first = ledger.firstSeq] in $0 < first }
        guard let last = segments.last, let holder = try Self.holder(of: last, archives) else {
            throw Self.refusal("they hold nothing of what lies before seq \(ledger.firstSeq)")
        }
        directory = holder
        let chain: ArchivedChain
        do throws(LedgerError) {
            let before = try EntryReader(view, environment).explanation()
            chain = try ArchivedChain(segments, in: view.storage, behind: before, view.base, ledger.keyring)
        } catch {
            guard error.code == .tampered else { throw error }
            throw Self.refusal(error.message)
        }
        guard chain.tip.seq + 1 == ledger.firstSeq else {
            throw Self.refusal("entries \(chain.tip.seq + 1) to \(ledger.firstSeq - 1) are in none of them")
        }
        (statement, tip, latest, absentKey) = (chain.statement, chain.tip, chain.latest, chain.absentKey)
    }

    private static func holder(of segment: UInt64, _ archives: [Named]) throws(LedgerError) -> PathText? {
        try doing("cannot read the archive") { () throws(StorageError) in
            for archive in archives where try archive.storage.status(of: SegmentReader.path(ofSegment: segment)) != nil {
                return archive.name
            }
            return nil
        }
    }

    static func refusal(_ why: String) -> LedgerError {
        LedgerError(
            .refused,
            "the archives given do not explain where the ledger begins: \(why); give --archive once for each directory that took some"
        )
    }

    /// The entry that records the archive, and those beside it: one decision.
    func decision() throws(LedgerError) -> [Draft] {
        let reason = "the entry that recorded this archive was damaged; the archive was verified"
        return [try Drafts.archived(statement, latest, to: directory, reason: reason, members)] + drafts
    }
}
