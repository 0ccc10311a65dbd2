import DurableFiles
import Kernel
import Ledger
import LedgerFormat

/// Looks through traumas beside a process that lives long, and finishes what a crash has left of patches.
struct PatchReviewer: Sendable {
    private let storage: any Storage
    private let ledger: String
    /// In microseconds; 0 to draft nothing.
    private let interval: Int64
    private var decider: Decider
    private var next: Int64?
    private var notices: [String] = []

    /// - Parameters:
    ///   - ledger: its directory, beside which handbooks may lie.
    ///   - seconds: from one review to the next; 0 for none.
    init(
        _ storage: any Storage, _ settings: WriterSettings, _ anchor: (any AnchorStore)?, ledger: String, every seconds: Double
    ) {
        self.storage = storage
        self.ledger = ledger
        interval = Int64(seconds * 1_000_000)
        decider = Decider(storage, .system, settings, anchor: anchor)
    }

    /// At once when the process comes up, and then from time to time.
    func isDue(at uptime: Int64) -> Bool { next.map { interval > 0 && uptime >= $0 } ?? true }

    /// What goes wrong is told, and tried again the next time.
    mutating func review() {
        next = Environment.system.uptime() + interval
        do throws(LedgerError) {
            let articles = try LedgerView(storage).actors().articles
            let shelf = Shelf(articles, beside: ledger)
            notices += try decider.finishPatches(shelf).map(\.told)
            if interval > 0 {
                let review = try decider.review(shelf, recurrences: articles.recurrences, as: ActorRoster.house)
                notices += review.notices + review.drafted.map(\.told)
            }
        } catch {
            if error.code != .busy { notices.append("no review of traumas: \(error)") }
        }
        notices += decider.takeNotices()
    }

    mutating func takeNotices() -> [String] {
        defer { notices = [] }
        return notices
    }
}
