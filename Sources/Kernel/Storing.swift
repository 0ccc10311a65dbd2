import DurableFiles
import Ledger

/// Runs storage operations and says what they were for when they fail.
func storing<Result>(_ what: String, _ body: () throws(StorageError) -> Result) throws(LedgerError) -> Result {
    do throws(StorageError) { return try body() } catch { throw LedgerError(error, doing: what) }
}

extension StorageFile {
    /// The whole file, or its first bytes, one more than `limit`; only what is there is given room.
    func bounded(by limit: Int) throws(StorageError) -> [UInt8] { try contents(upTo: min(limit, status().size)) }
}
