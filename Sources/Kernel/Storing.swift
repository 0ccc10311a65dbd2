import DurableFiles
import Ledger

/// Runs storage operations and says what they were for when they fail.
func storing<Result>(_ what: String, _ body: () throws(StorageError) -> Result) throws(LedgerError) -> Result {
    do throws(StorageError) { return try body() } catch { throw LedgerError(error, doing: what) }
}
