import ArgumentParser
import DurableFiles
import Ledger

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

    /// The archives, opened.
    func storages() throws(LedgerError) -> [POSIXStorage] {
        var storages: [POSIXStorage] = []
        for path in archive {
            storages.append(
                try doing("cannot open the archive") { () throws(StorageError) in
                    try POSIXStorage(path: path, allowedNetworkFileSystem: LedgerOptions.allowedNetworkFileSystem)
                })
        }
        return storages
    }

    /// The ledger with its archives in front.
    func storage(of ledger: LedgerOptions) throws(LedgerError) -> any Storage {
        let storage = try ledger.storage()
        return archive.isEmpty ? storage : ArchiveOverlay(storage, try storages())
    }
}
