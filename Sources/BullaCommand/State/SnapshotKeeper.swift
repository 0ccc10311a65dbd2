import DurableFiles
import Kernel
import Lanes
import Ledger

/// Looks after snapshots beside a process that lives long: whoever asks for state then folds few entries, whatever others record.
struct SnapshotKeeper: Sendable {
    private var decider: Decider
    private var notices: [String] = []

    /// - Parameter interval: entries from one snapshot to the next.
    init(_ storage: any Storage, _ settings: WriterSettings, _ anchor: (any AnchorStore)?, _ interval: UInt64) {
        decider = Decider(storage, .system, settings, anchor: anchor)
        decider.snapshotInterval = interval
    }

    /// Writes what is due. A snapshot is a cache: what goes wrong is told, and tried again the next time.
    mutating func keep() {
        do throws(LedgerError) {
            _ = try decider.snapshotIfDue(of: Documents.self)
            _ = try decider.snapshotIfDue(of: Lanes.self)
            _ = try decider.snapshotIfDue(of: Learning.self)
            _ = try decider.snapshotIfDue(of: Patches.self)
        } catch {
            if error.code != .busy { notices.append("no snapshot: \(error)") }
        }
        notices += decider.takeNotices()
    }

    mutating func takeNotices() -> [String] {
        defer { notices = [] }
        return notices
    }
}
