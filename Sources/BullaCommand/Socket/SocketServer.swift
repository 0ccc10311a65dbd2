import Dispatch
import DurableFiles
import Ledger

/// Serves appends of other processes over a local socket; all connections share one committer, and so its syncs.
///
/// One thread waits for all of them, so that a client which sends nothing, half a line or garbage, or takes no answer, costs a
/// bounded piece of memory and nobody's time.
final class SocketServer: Sendable {
    private let path: String
    private let group: String?
    private let committer: GroupCommitter
    private let loop: StateLock<SocketLoop?> = StateLock(nil)

    /// - Parameter group: who may connect besides the owner, by name or number (mode 0660); nil for nobody (0600).
    init(path: String, group: String? = nil, committer: GroupCommitter) {
        self.path = path
        self.group = group
        self.committer = committer
    }

    /// Returns when clients can connect.
    func start() throws(LedgerError) {
        let loop = try SocketLoop(SocketListener(path: path, group: group), committer)
        self.loop.withLock { $0 = loop }
        // Its own thread: it waits for files of the system, and would starve others on a shared one.
        DispatchQueue(label: "bulla.socket").async { loop.run() }
    }

    /// Takes the name away, accepts and reads nothing more, and returns when requests under way are answered.
    func stop() async {
        let loop = loop.withLock { loop in
            defer { loop = nil }
            return loop
        }
        await loop?.stop()
    }
}
