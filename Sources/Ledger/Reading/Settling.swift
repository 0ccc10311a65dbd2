import DurableFiles
import LedgerFormat
import PlantedDefects

/// Tells a write that is under way from damage, for readers, who have no lock (design §3).
///
/// What fails behind HEAD is judged only after HEAD and the place were looked at again; what changed meanwhile is unsettled.
struct Settling {
    private let environment: Environment
    private var looksLeft = 100
    private var unchangedLooks = 0
    private var lastFailure: ChainFailure?
    /// A writer held the lock at the last look.
    private(set) var isBusy = false

    private static let pauseMicroseconds: Int64 = 10_000
    private static let unchangedLooksMax = 2

    init(_ environment: Environment) { self.environment = environment }

    /// Whether to look again, at a view that this brings up to date.
    mutating func mayBeUnderWay(_ failure: ChainFailure, _ view: inout LedgerView) throws(StorageError) -> Bool {
        guard let head = view.validHead, failure.place.seq > head.seq, looksLeft > 0, !planted(.settlingSkipped) else {
            return false
        }
        looksLeft -= 1
        if try view.refresh() {
            unchangedLooks = 0
            return true
        }
        isBusy = view.storage.holder(of: .writer) != nil
        unchangedLooks = failure == lastFailure && !isBusy ? unchangedLooks + 1 : 0
        lastFailure = failure
        if unchangedLooks >= Self.unchangedLooksMax { return false }
        environment.pause(Self.pauseMicroseconds)
        return true
    }
}
