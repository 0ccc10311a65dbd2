import ArgumentParser
import CanonicalJSON
import DurableFiles
import Kernel
import Ledger
import LedgerFormat

/// Where entries lie that left the ledger: what every verb takes that can read them.
struct ArchiveOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "Read archived entries from here too; one for each directory that they were moved to.", valueName: "dir"))
    var archive: [String] = []

    func validate() throws {
        if archive.contains("") { throw ValidationError("--archive names no directory") }
    }

    /// The archives, opened; a directory that holds none, or another ledger's, says nothing of the ledger.
    ///
    /// - Parameter ledger: nil where whoever asks looks at that himself.
    func storages(of ledger: LedgerID?) throws(LedgerError) -> [POSIXStorage] {
        var storages: [POSIXStorage] = []
        for path in archive {
            let storage = try doing("cannot open the archive") { () throws(StorageError) in
                try POSIXStorage(path: path, allowedNetworkFileSystem: LedgerOptions.allowedNetworkFileSystem)
            }
            let contents = try ArchiveContents(of: storage)
            guard !contents.segments.isEmpty else {
                throw LedgerError(
                    .refused,
                    "\(path) holds no archive: no segment lies in its directory ledger/; give the directory that `bulla archive` was told"
                )
            }
            if let stranger = contents.stranger(to: ledger) {
                throw LedgerError(
                    .refused, "\(path) holds the archive of another ledger, \(stranger); give the directory of this one's archive"
                )
            }
            storages.append(storage)
        }
        return storages
    }

    /// What they prove of a damaged ledger's beginning, with the state behind them; nil if none is given, or none is needed.
    ///
    /// - Parameter notice: called with what of the state cannot be told.
    func recovery(of view: LedgerView, _ notice: (String) -> Void) throws(LedgerError) -> ArchiveRecovery? {
        var named: [ArchiveRecovery.Named] = []
        for (path, storage) in zip(archive, try storages(of: nil)) {
            named.append((storage, UserPlaces.resolved(path).map { PathText($0) } ?? PathText(Array(path.utf8))))
        }
        guard var recovery = try ArchiveRecovery(of: view, from: named, .system) else { return nil }
        // Whoever repairs refuses them.
        guard recovery.tip.ledger == view.ledger else { return recovery }
        recovery.keepStates(of: House.projections, .system).forEach(notice)
        let follows = try FollowPlaces(in: recovery.view, through: recovery.tip.seq)
        for member in follows.members.members { recovery.members[member.key] = member.value }
        return recovery
    }

    /// Says what a history leaves out that was archived.
    ///
    /// - Parameter isFolded: it begins with the state that was kept, behind all that the archive took or is still to take.
    func sayAbsence(_ view: LedgerView, isFolded: Bool = false) throws(LedgerError) {
        guard view.base != nil, let found = try EntryReader(view, .system).explanation() else { return }
        let place = found.directory.map { " to \($0)" } ?? ""
        let first = isFolded ? max(view.firstSeq, found.statement.last + 1) : view.firstSeq
        Output.error(
            "bulla: what lies before seq \(first) is left out: it was archived\(Printable.text(place)); give each directory with --archive"
        )
    }

    /// Reads the ledger with its archives in front; entries that are in none of those that are given are no damage.
    ///
    /// - Parameter body: may have shown something when it fails.
    func reading<Answer>(
        _ ledger: LedgerOptions, _ body: (any Storage) throws(LedgerError) -> Answer
    ) async throws(LedgerError) -> Answer {
        let storage = try storage(of: ledger)
        do throws(LedgerError) { return try body(storage) } catch {
            guard error.code == .tampered, !archive.isEmpty, let hole = try await hole(in: ledger) else { throw error }
            throw hole.refusal
        }
    }

    /// What of the archived entries is in none of the archives given; only looked for where something was found to be wrong.
    private func hole(in ledger: LedgerOptions) async throws(LedgerError) -> ArchiveHole? {
        let own = try ledger.storage()
        let others = try storages(of: LedgerView(own).ledger)
        let report = try await Audit(.system).run(ArchiveOverlay(own, others), keyring: nil)
        return try await ArchiveHole.find(behind: report, own, others, nil, .system)
    }

    /// The ledger with its archives in front; refused where these would show another history.
    func storage(of ledger: LedgerOptions) throws(LedgerError) -> any Storage {
        guard let overlay = try overlay(of: ledger) else { return try ledger.storage() }
        if let stray = overlay.stray { throw stray }
        return overlay
    }

    /// The same for whoever verifies all of it; nil without archives.
    func overlay(of ledger: LedgerOptions) throws(LedgerError) -> ArchiveOverlay? {
        if archive.isEmpty { return nil }
        let storage = try ledger.storage()
        return try ArchiveOverlay(storage, try storages(of: LedgerView(storage).ledger))
    }
}
