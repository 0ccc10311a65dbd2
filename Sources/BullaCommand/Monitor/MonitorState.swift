import DurableFiles
import Ledger
import LedgerFormat

/// What a monitor knows of a ledger at one moment; what could not be read is nil, and `trouble` says why.
struct MonitorState: Sendable {
    struct Row: Sendable, Equatable {
        var seq: UInt64
        var time: Timestamp
        var actor: String
        var action: String
        var reason: String
        /// HEAD vouches for it.
        var isSettled = true
    }

    /// When every entry was last verified, and up to which.
    struct FullAudit: Sendable, Equatable {
        var time: Timestamp
        var seq: UInt64
    }

    var path: String
    var now: Timestamp
    var ledger: LedgerID?
    /// The last entry.
    var tip: Receipt?
    /// Entries a second, over the last seconds; nil for a single look.
    var rate: Double?
    var byteCount: Int?
    var segmentCount: Int?
    var key: KeyID?
    var keyAbsence: String?
    /// Nil when it is not known.
    var audit: FullAudit?
    var isAlert = false
    var holder: LockHolder?
    /// The newest entries, the newest last.
    var rows: [Row] = []
    /// The first thing that is wrong.
    var trouble: LedgerError?
}
