import DurableFiles
import LedgerFormat

/// The base, the key and the active segment as they were when a long-lived process came up; the open files keep their identities
/// from being used again.
struct Identities: Sendable {
    private let storage: any Storage
    private var key: Sworn
    private var keyID: KeyID
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
        self.key = try Sworn(Self.path(of: key), storage)
        keyID = key
        self.segment = try Sworn(SegmentReader.path(ofSegment: segment), storage)
        firstSeq = segment
    }

    private static func path(of key: KeyID) -> StoragePath { StoragePath(Layout.keys.name, SealingKey.fileName(key)) }

    /// Throws what changed; goes on to the segment and the key that are in use now: others may roll and rotate.
    mutating func check(activeSegment: UInt64, activeKey: KeyID) throws(StorageError) {
        try storage.checkBase()
        if activeKey == keyID {
            try key.oath.check(in: storage)
        } else {
            key = try Sworn(Self.path(of: activeKey), storage)
            keyID = activeKey
        }
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
            try identities.check(activeSegment: state.segment, activeKey: state.key.id)
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
