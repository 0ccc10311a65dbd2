package import DurableFiles
package import Ledger
package import LedgerFormat

/// What a monitor knows of a ledger at one moment; what could not be read is nil, and `trouble` says why.
package struct MonitorState: Sendable {
    package struct Row: Sendable, Equatable {
        package var seq: UInt64
        package var time: Timestamp
        package var actor: String
        package var action: String
        package var reason: String
        /// HEAD vouches for it.
        package var isSettled = true

        package init(seq: UInt64, time: Timestamp, actor: String, action: String, reason: String, isSettled: Bool = true) {
            self.seq = seq
            self.time = time
            self.actor = actor
            self.action = action
            self.reason = reason
            self.isSettled = isSettled
        }
    }

    /// When every entry was last verified, and up to which.
    package struct FullAudit: Sendable, Equatable {
        package var time: Timestamp
        package var seq: UInt64
    }

    package var path: String
    package var now: Timestamp
    package var ledger: LedgerID?
    /// The last entry.
    package var tip: Receipt?
    /// Entries a second, over the last seconds that were watched; nil before the second look.
    package var rate: Double?
    package var byteCount: Int?
    package var segmentCount: Int?
    package var key: KeyID?
    package var keyAbsence: String?
    /// Nil when it is not known.
    package var audit: FullAudit?
    /// False if nobody can tell whether there was one.
    package var isAuditKnown = false
    package var isAlert = false
    /// False if HEAD does not tell whether the alert is raised.
    package var isAlertKnown = false
    /// Nil when nobody has the writer's lock, or it is not known.
    package var holder: LockHolder?
    /// The ledger could be looked at.
    package var isOpen = false
    /// Tip and rows are those of an earlier look.
    package var isOld = false
    /// The newest entries, the newest last.
    package var rows: [Row] = []
    /// The first thing that is wrong.
    package var trouble: LedgerError?

    package init(path: String, now: Timestamp) {
        self.path = path
        self.now = now
    }
}

extension MonitorState {
    /// Entries a second since the oldest one listed, for who looks once; nil where there are not two, or their times are not in order.
    package var rateListed: Double? {
        guard let first = rows.first, rows.count > 1, !isOld, now > first.time else { return nil }
        return Double(rows.count - 1) * 1_000_000 / Double(now.microseconds - first.time.microseconds)
    }
}
