/// A defect that can be planted in the engine, to show that the tests would notice it: each names one sync, one check or one order.
@usableFromInline
package enum PlantedDefect: String, CaseIterable, Sendable {
    /// `StorageFile.append` acknowledges before its sync.
    case appendSyncSkipped = "append-sync-skipped"
}
