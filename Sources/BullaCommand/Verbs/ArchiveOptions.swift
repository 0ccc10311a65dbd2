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

    /// The archives, opened; a directory that holds none says nothing of the ledger.
    func storages() throws(LedgerError) -> [POSIXStorage] {
        var storages: [POSIXStorage] = []
        for path in archive {
            let storage = try doing("cannot open the archive") { () throws(StorageError) in
                try POSIXStorage(path: path, allowedNetworkFileSystem: LedgerOptions.allowedNetworkFileSystem)
            }
            guard try !ArchiveContents(of: storage).segments.isEmpty else {
                throw LedgerError(
                    .refused,
                    "\(path) holds no archive: no segment lies in its directory ledger/; give the directory that `bulla archive` was told"
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
        for (path, storage) in zip(archive, try storages()) {
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
    func sayAbsence(_ view: LedgerView) throws(LedgerError) {
        guard view.base != nil, let found = try EntryReader(view, .system).explanation() else { return }
        let place = found.directory.map { " to \($0)" } ?? ""
        Output.error(
            "bulla: what lies before seq \(view.firstSeq) is left out: it was archived\(Printable.text(place)); give each directory with --archive"
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
        let (own, others) = (try ledger.storage(), try storages())
        let report = try await Audit(.system).run(ArchiveOverlay(own, others), keyring: nil)
        return try await ArchiveHole.find(behind: report, own, others, nil, .system)
    }

    /// The ledger with its archives in front.
    func storage(of ledger: LedgerOptions) throws(LedgerError) -> any Storage {
        let storage = try ledger.storage()
        return archive.isEmpty ? storage : ArchiveOverlay(storage, try storages())
    }
}
