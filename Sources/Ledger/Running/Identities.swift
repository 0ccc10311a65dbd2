import DurableFiles
import LedgerFormat

/// The base, the key and the active segment as they were when a long-lived process came up; the open files keep their identities
/// from being used again.
struct Identities: Sendable {
    private let storage: any Storage
    private let key: Sworn
    private var segment: Sworn
    private var firstSeq: UInt64

    private struct Sworn: Sendable {
        let file: any StorageFile
        let oath: Oath

        init(_ path: StoragePath, _ storage: any Storage) throws(StorageError) {
            file = try storage.open(path, .read)
            oath = try Oath(file)
        }
    }

    /// - Parameter storage: one that nobody else uses.
    init(_ storage: any Storage, key: KeyID, segment: UInt64) throws(StorageError) {
        self.storage = storage
        self.key = try Sworn(StoragePath(Layout.keys.name, SealingKey.fileName(key)), storage)
        self.segment = try Sworn(SegmentReader.path(ofSegment: segment), storage)
        firstSeq = segment
    }

    /// Throws what changed; goes on to the segment that is active now.
    mutating func check(activeSegment: UInt64) throws(StorageError) {
        try storage.checkBase()
        try key.oath.check(in: storage)
        try segment.oath.check(in: storage)
        guard activeSegment != firstSeq else { return }
        segment = try Sworn(SegmentReader.path(ofSegment: activeSegment), storage)
        firstSeq = activeSegment
    }
}

extension WriterSession {
    /// Requires the lock; a path that no longer leads to what it led to locks the house.
    mutating func check(_ identities: inout Identities) throws(LedgerError) {
        guard let state else { preconditionFailure("the lock is held") }
        do throws(StorageError) {
            try identities.check(activeSegment: state.segment)
        } catch {
            switch error.kind {
            case .drift, .refused:
                raiseAlert(state.head, state.key)
                throw latch(
                    LedgerError(
                        .tampered, "\(error); the ledger is in quarantine: nothing more is written, and the alert is raised"))
            case .system, .crashed:
                throw LedgerError(error, doing: "cannot tell whether the ledger is still the one that was opened")
            }
        }
    }
}
