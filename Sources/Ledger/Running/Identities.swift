import DurableFiles
import LedgerFormat
import PlantedDefects

/// The base, the key and the active segment as they were when a long-lived process came up; the open files keep their identities
/// from being used again.
struct Identities: Sendable {
    private let storage: any Storage
    private var key: Sworn
    private var keyID: KeyID
    private var segment: Sworn
    private var firstSeq: UInt64
    /// The last entry when they were checked last.
    private var tipSeq: UInt64

    private struct Sworn: Sendable {
        let file: any StorageFile
        let oath: Oath

        init(_ path: StoragePath, _ storage: any Storage) throws(StorageError) {
            file = try storage.open(path, .read)
            oath = try Oath(file)
        }
    }

    /// - Parameter storage: one that nobody else uses.
    init(_ storage: any Storage, key: KeyID, segment: UInt64, tip: UInt64) throws(StorageError) {
        self.storage = storage
        self.key = try Sworn(Self.path(of: key), storage)
        keyID = key
        self.segment = try Sworn(SegmentReader.path(ofSegment: segment), storage)
        firstSeq = segment
        tipSeq = tip
    }

    private static func path(of key: KeyID) -> StoragePath { StoragePath(Layout.keys.name, SealingKey.fileName(key)) }

    /// Throws what changed; goes on to the segment and the key that are in use now: others may roll, rotate and repair.
    ///
    /// - Parameter isGone: whether an entry behind another tells why a segment is not there any more.
    mutating func check(
        activeSegment: UInt64, activeKey: KeyID, tip: UInt64, isGone: (_ segment: UInt64, _ behind: UInt64) -> Bool
    ) throws(StorageError) {
        try storage.checkBase()
        if activeKey == keyID {
            try key.oath.check(in: storage)
        } else {
            key = try Sworn(Self.path(of: activeKey), storage)
            keyID = activeKey
        }
        var isReplaced = false
        do throws(StorageError) {
            try segment.oath.check(in: storage)
        } catch {
            guard error.kind == .drift, isGone(firstSeq, tipSeq) else { throw error }
            isReplaced = true
        }
        tipSeq = tip
        guard isReplaced || activeSegment != firstSeq else { return }
        segment = try Sworn(SegmentReader.path(ofSegment: activeSegment), storage)
        firstSeq = activeSegment
    }
}

extension WriterSession {
    /// Whether the chain tells of a repair behind an entry: by nothing else may `ledger/` become another directory.
    ///
    /// Requires the lock; false where it cannot be told. A repair takes a seq above all that was there before it.
    func isRepaired(behind seq: UInt64) -> Bool {
        tells(behind: seq) { frame, bytes in bytes.text(frame.action) == ChainTurn.repaired }
    }

    /// The same, or of an archive that took a segment.
    private func isGone(_ segment: UInt64, behind seq: UInt64) -> Bool {
        let isTold = tells(behind: seq) { frame, bytes in
            bytes.text(frame.action) == ChainTurn.repaired
                || frame.archived(in: bytes)?.segments.contains { $0.first == segment } ?? false
        }
        return isTold || isLeftBehind(segment, seq)
    }

    /// Whether the entry that says so was archived itself: then all that was there when the segment was seen last lies before the
    /// ledger's first entry, and a sound entry explains why the ledger begins there.
    private func isLeftBehind(_ segment: UInt64, _ seq: UInt64) -> Bool {
        guard let view = try? LedgerView(storage), segment < view.firstSeq, seq + 1 < view.firstSeq else { return false }
        if planted(.leavingUnexplained) { return true }
        return (try? EntryReader(view, environment).explanation()) != nil
    }

    private func tells(behind seq: UInt64, _ what: (FrameView, Span<UInt8>) -> Bool) -> Bool {
        guard let view = try? LedgerView(storage) else { return false }
        var isFound = false
        // What came since may be archived itself.
        _ = try? EntryReader(view, environment).read(from: max(seq + 1, view.firstSeq)) { frame, bytes in
            isFound = what(frame, bytes)
            return !isFound
        }
        return isFound
    }

    /// Requires the lock; a path that no longer leads to what it led to locks the house.
    mutating func check(_ identities: inout Identities) throws(LedgerError) {
        guard let state else { preconditionFailure("the lock is held") }
        do throws(StorageError) {
            try identities.check(
                activeSegment: state.segment, activeKey: state.key.id, tip: state.tip.seq, isGone: isGone)
        } catch {
            switch error.kind {
            case .drift, .refused:
                raiseAlert(state.head, state.key, because: "\(error)")
                throw latch(
                    LedgerError(
                        .tampered, "\(error); the ledger is in quarantine: nothing more is written, and the alert is raised",
                        .drift))
            case .system, .crashed:
                throw LedgerError(error, doing: "cannot tell whether the ledger is still the one that was opened")
            }
        }
    }
}
