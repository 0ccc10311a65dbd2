package import Ledger
package import LedgerFormat

extension Shelf {
    /// - Throws: `refused` where no folder holds handbooks: no constitution was adopted, or the one that was names none.
    package func checkFolders(_ actors: ActorRoster) throws(LedgerError) {
        guard folders.isEmpty else { return }
        guard actors.associates?.constitution != nil else { throw LedgerError(HandbookFault.noFolders) }
        throw LedgerError(
            .refused,
            "the constitution names no folder in which handbooks lie: adopt one whose handbooks.folders names it, with "
                + "`bulla constitution adopt`; nothing was recorded")
    }
}
