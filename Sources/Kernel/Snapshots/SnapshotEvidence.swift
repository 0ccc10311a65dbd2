import CanonicalJSON
import DurableFiles
import Ledger
import LedgerFormat
import PlantedDefects

/// Bytes of a file under `snapshots/` that are no snapshot of this ledger: they are kept, as everything that somebody may have forged.
struct SnapshotEvidence {
    let path: StoragePath
    let kept: StoragePath
    private let digest: Digest
    private let byteCount: Int

    /// Copies the file to `quarantine/`, durably, under a name that its bytes give: once, however often it is tried.
    ///
    /// - Parameter limit: whoever looks for snapshots reads no larger file.
    init(_ path: StoragePath, upTo limit: Int, in storage: any Storage) throws(LedgerError) {
        let bytes = try doing("cannot read a snapshot") { () throws(StorageError) in
            let file = try storage.open(path, .read)
            return try file.contents(upTo: min(file.status().size, limit))
        }
        self.path = path
        byteCount = bytes.count
        digest = Digest(sha256: bytes.span)
        let kept = StoragePath(Layout.quarantine.name, "snapshot-\(digest.description.prefix(16)).bin")
        self.kept = kept
        try doing("cannot keep a snapshot as evidence") { () throws(StorageError) in
            try storage.ensureDirectory(Layout.quarantine)
            try storage.replace(kept, bytes.span)
        }
    }

    func draft(_ fault: SnapshotFault) -> Draft {
        Self.draft(
            [
                "bytes": .number(Double(byteCount)), "evidence": .string(kept.description), "file": .string(path.description),
                "reason": .string(fault.description), "sha256": .string(digest.description),
            ], .ignored(fault))
    }

    /// Of what cannot be read as a file: it has an id, by which it is recorded once.
    static func draft(ofUnreadable path: StoragePath, _ fault: SnapshotFault) -> Draft {
        let body: JSONObject = ["file": .string(path.description), "reason": .string(fault.description)]
        let digest = Digest(sha256: JSON.object(body).canonicalBytes().span)
        return draft(body, .ignored(fault), context: ["id": .string("snapshot-ignored-\(digest.description.prefix(16))")])
    }

    private static func draft(_ body: JSONObject, _ lesson: Lesson, context: JSONObject = [:]) -> Draft {
        var body = body
        lesson.add(to: &body)
        do throws(DraftError) {
            return try Draft(
                action: "snapshot.ignored", actor: "service:bulla",
                justification: Justification(.integrity, "a snapshot never overrides the ledger"), body: .object(body),
                context: context)
        } catch {
            preconditionFailure("the kernel's own draft is refused: \(error)")
        }
    }

    func removeOriginal(in storage: any Storage) throws(LedgerError) {
        try doing("cannot put a snapshot away") { () throws(StorageError) in
            try storage.remove(path)
            if !planted(.snapshotRemovalUnsynced) { try storage.synchronize(directory: Layout.snapshots) }
        }
    }
}

extension Lesson {
    /// Of a snapshot that a writer put away, or left where it stands because it cannot be read.
    fileprivate static func ignored(_ fault: SnapshotFault) -> Lesson {
        let isLeft = if case .unreadable = fault { true } else { false }
        return Lesson(
            trauma: "A snapshot of state was there that this ledger does not bear out.",
            rootCause: isLeft || fault.isHonest
                ? "By what was found: \(fault)." : "Something other than bulla wrote or changed it: \(fault).",
            correction: isLeft
                ? "It was passed over where it stands, and the state was folded without it."
                : "It was kept as evidence and put away, and the state was folded without it.",
            lesson: isLeft || fault.isHonest
                ? "Snapshots are caches, and may be removed at any time."
                : "Find out who or what writes to snapshots/, and let bulla alone do it.")
    }
}
