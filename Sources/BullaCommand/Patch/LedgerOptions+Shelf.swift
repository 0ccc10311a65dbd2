import DurableFiles
import Kernel
import Ledger
import LedgerFormat

extension LedgerOptions {
    /// The handbooks that the constitution speaks of.
    func shelf(_ articles: Articles) -> Shelf { Shelf(articles, beside: path) }
}

extension Shelf {
    /// The constitution's folders, which are absolute, or lie where the ledger's directory does.
    init(_ articles: Articles, beside ledger: String) {
        let last = ledger.pathParts().last
        let root = last == "." || last == ".." ? ledger + "/.." : LedgerOptions.parent(of: ledger)
        let place = { @Sendable (folder: String) in
            folder.isAbsolutePath ? folder : root.utf8.last == UInt8(ascii: "/") ? root + folder : root + "/" + folder
        }
        self.init(articles.handbookFolders, fault: Self.fault(articles.handbookFolders, ledger, place)) {
            folder throws(StorageError) in
            try POSIXStorage(path: place(folder), allowedNetworkFileSystem: LedgerOptions.allowedNetworkFileSystem)
        }
    }

    /// Each handbook has one name, and none lies among the ledger's own files. Of a folder that is not there nothing is told.
    private static func fault(_ folders: [String], _ ledger: String, _ place: (String) -> String) -> HandbookFault? {
        let slash = [UInt8(ascii: "/")]
        let base = UserPlaces.resolved(ledger).map { $0 + slash }
        var earlier: [(name: String, place: [UInt8])] = []
        for folder in folders {
            guard let resolved = UserPlaces.resolved(place(folder)).map({ $0 + slash }) else { continue }
            if let base, resolved.starts(with: base) { return .insideLedger(folder) }
            if let other = earlier.first(where: { $0.place.starts(with: resolved) || resolved.starts(with: $0.place) }) {
                return .overlapping(other.name, folder)
            }
            earlier.append((folder, resolved))
        }
        return nil
    }
}

extension Decider {
    /// Finishes what a crash has left of patches, and tells it.
    mutating func finishAndTell(_ shelf: Shelf) throws(LedgerError) {
        for end in try finishPatches(shelf) { Output.error("bulla: \(Printable.text(end.told))") }
    }
}

extension Decider.PatchEnd {
    /// For whoever comes behind a crash.
    var told: String {
        let name = "patch \(act.proposal) of \(handbook)"
        guard let obstacle else { return "\(name) was signed and not applied when the process ended; that is done now" }
        return
            "\(name) is signed in entry \(act.seq) and CANNOT be applied: \(obstacle); mend that, and `bulla patch review` does the rest, or "
            + "give the patch up with `bulla patch reject \(act.proposal)`"
    }
}
