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
        let last = ledger.split(separator: "/").last
        let root = last == "." || last == ".." ? ledger + "/.." : LedgerOptions.parent(of: ledger)
        self.init(articles.handbookFolders) {
            folder throws(StorageError) in
            let place = folder.hasPrefix("/") ? folder : root.hasSuffix("/") ? root + folder : root + "/" + folder
            return try POSIXStorage(path: place, allowedNetworkFileSystem: LedgerOptions.allowedNetworkFileSystem)
        }
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
        let name = "patch \(patch.seq) of \(patch.change.handbook)"
        guard let obstacle else { return "\(name) was signed and not applied when the process ended; that is done now" }
        return
            "\(name) is signed in entry \(patch.act ?? patch.seq) and CANNOT be applied: \(obstacle); mend that, and `bulla patch review` does the rest, or "
            + "give the patch up with `bulla patch reject \(patch.seq)`"
    }
}
