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
    /// Who is enrolled behind it, and who signs for the house; nil if that is not known.
    let actors: ActorRoster?
    /// The latest time of any entry up to there.
    package let latest: Timestamp
    /// The ledger with the archives in front: what lies in these is verified.
    package let view: LedgerView
    /// Where the last segment lies.
    let directory: PathText
    /// Segments that stood behind what was archived are gone: the ledger goes on behind a hole.
    let precedesHole: Bool
    /// Which entries lie where, if they lie in several archives.
    private let places: [JSON]
    /// A key that is not there: only a link proves what it sealed.
    let absentKey: KeyID?

    /// What floor 4 has to record beside the archive: what must be known without the archived entries.
    package var drafts: [Draft] = []
    package var members: JSONObject = [:]

    /// Nil where the ledger begins with its first entry: then there is nothing that archives could prove.
    ///
    /// - Throws: `refused` where the archives do not hold all up to the ledger's first segment, or do not verify.
    package init?(of ledger: LedgerView, from archives: [Named], _ environment: Environment) throws(LedgerError) {
        // Of a ledger whose segments are all gone HEAD says where the last one began.
        let firstLeft = ledger.segments.first ?? ledger.validHead?.segment ?? 1
        guard firstLeft > 1, !archives.isEmpty else { return nil }
        let overlay = try ArchiveOverlay(ledger.storage, archives.map(\.storage))
        view = try LedgerView(overlay)
        let segments = view.segments.filter { $0 < firstLeft }
        guard let last = segments.last, let holder = try Self.holder(of: last, overlay, archives) else {
            throw Self.refusal("they hold nothing of what lies before seq \(firstLeft)")
        }
        directory = holder
        let chain: ArchivedChain
        do throws(LedgerError) {
            let before = try EntryReader(view, environment).explanation()
            chain = try ArchivedChain(segments, in: view.storage, behind: before, view.base, ledger.keyring)
        } catch {
            guard error.code == .tampered else { throw error }
            if let own = try? EntryReader(ledger, environment).explanation() {
                throw LedgerError(
                    .refused,
                    "an archive that was given is damaged, or none holds all of it: \(error.message); entry \(own.seq) of the ledger says what was "
                        + "archived, so that its repair needs none: repair without --archive, and put the archive's backup in place"
                )
            }
            throw Self.refusal(error.message)
        }
        let next = chain.tip.seq + 1
        precedesHole = next < firstLeft || ledger.segments.isEmpty
        let isWhole: Bool
        if next == firstLeft { isWhole = true } else { isWhole = try next == Self.beginning(of: ledger) }
        guard isWhole else {
            throw Self.refusal(
                "entries \(next) to \(firstLeft - 1) are in none of them, and if no directory took them they are gone, and a repair without --archive "
                    + "counts all that lies before as lost")
        }
        (statement, tip, actors, latest, absentKey) = (chain.statement, chain.tip, chain.actors, chain.latest, chain.absentKey)
        places = try Self.places(of: chain.statement, overlay, archives)
    }

    /// The first seq that was not archived, as far as any sound entry tells of archives, wherever it stands.
    private static func beginning(of ledger: LedgerView) throws(LedgerError) -> UInt64? {
        let finder = FrameFinder(ledger: ledger.ledger, keys: ledger.keyring.keys)
        var last: UInt64?
        try doing("cannot read the ledger") { () throws(StorageError) in
            let reader = try SegmentReader(ledger.storage)
            for segment in reader.segments {
                try reader.find(finder, in: segment) { frame, bytes, _ in
                    if let statement = frame.archived(in: bytes) { last = max(statement.last, last ?? 0) }
                    return true
                }
            }
        }
        return last.map { $0 + 1 }
    }

    private static func places(
        of statement: ArchiveStatement, _ overlay: ArchiveOverlay, _ archives: [Named]
    ) throws(LedgerError) -> [JSON] {
        var runs: [(seqs: ClosedRange<UInt64>, name: PathText)] = []
        for segment in statement.segments {
            guard let name = try holder(of: segment.first, overlay, archives) else { continue }
            if let last = runs.last, last.name == name {
                runs[runs.count - 1].seqs = last.seqs.lowerBound...segment.last
            } else {
                runs.append((segment.first...segment.last, name))
            }
        }
        guard runs.count > 1 else { return [] }
        return runs.map { run in
            var place = run.name.members("directory")
            place["first"] = .number(Double(run.seqs.lowerBound))
            place["last"] = .number(Double(run.seqs.upperBound))
            return .object(place)
        }
    }

    private static func holder(
        of segment: UInt64, _ overlay: ArchiveOverlay, _ archives: [Named]
    ) throws(LedgerError) -> PathText? {
        let holder = try doing("cannot read the archive") { () throws(StorageError) in try overlay.holder(ofSegment: segment) }
        return holder.map { archives[$0].name }
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
        var members = members
        if !places.isEmpty { members["places"] = .array(places) }
        return [try Drafts.archived(statement, latest, to: directory, reason: reason, members)] + drafts
    }
}
