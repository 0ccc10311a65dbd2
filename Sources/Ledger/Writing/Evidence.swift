import DurableFiles
import LedgerFormat
import PlantedDefects

/// A cut tail in `quarantine/`: pending until an entry names it.
struct Evidence: Sendable, Equatable {
    let segment: UInt64
    let offset: Int
    /// The first 16 digits of the bytes' SHA-256.
    let digest: KeyID

    /// More is never cut, and so never kept.
    static let byteCountMax = Limits.tornTail + Limits.headLag
    private static let pendingSuffix = ".pending"
    private static let keptSuffix = ".bin"

    private var stem: String { "tail-\(segment)-\(offset)-\(digest)" }
    var keptName: String { stem + Self.keptSuffix }
    var pendingPath: StoragePath { StoragePath(Layout.quarantine.name, stem + Self.pendingSuffix) }
    var keptPath: StoragePath { StoragePath(Layout.quarantine.name, keptName) }

    init(segment: UInt64, offset: Int, bytes: Span<UInt8>) {
        self.segment = segment
        self.offset = offset
        guard let digest = KeyID(String(Digest(sha256: bytes).description.prefix(16))) else { preconditionFailure() }
        self.digest = digest
    }

    /// Reads a pending evidence's file name; nil for any other.
    init?(pendingName name: String) {
        guard name.hasPrefix("tail-"), name.hasSuffix(Self.pendingSuffix) else { return nil }
        let parts = name.dropLast(Self.pendingSuffix.count).split(separator: "-")
        guard parts.count == 4, let segment = UInt64(parts[1]), let offset = Int(parts[2]), let digest = KeyID(String(parts[3]))
        else {
            return nil
        }
        self.segment = segment
        self.offset = offset
        self.digest = digest
        // The one way to write it: another would lead to another file.
        guard pendingPath.name == name else { return nil }
    }
}

extension WriterSession {
    /// Copies the torn tail, without the NULs at its end, to `quarantine/`, durably, before anything is cut.
    func keepEvidence(of tear: Tear, _ reader: SegmentReader) throws(LedgerError) {
        try doing("cannot keep the torn tail as evidence") { () throws(StorageError) in
            let file = try reader.open(segment: tear.place.segment)
            var bytes = [UInt8](repeating: 0, count: tear.byteCount)
            var count = 0
            while count < bytes.count {
                let read = try file.read(into: &bytes, from: count, at: tear.place.offset + count)
                if read == 0 { break }
                count += read
            }
            bytes.removeLast(bytes.count - count)
            while bytes.last == 0 { bytes.removeLast() }
            let evidence = Evidence(segment: tear.place.segment, offset: tear.place.offset, bytes: bytes.span)
            try storage.ensureDirectory(Layout.quarantine)
            try storage.keep(evidence.pendingPath, bytes.span)
        }
    }

    /// Names in an entry what was cut, in this opening or in one that crashed before it could.
    ///
    /// A crash between entry and renaming records it again, and the entry's id makes that the same entry.
    mutating func recordKeptEvidence() throws(LedgerError) {
        let names = try doing("cannot look for evidence") { () throws(StorageError) in
            // An empty directory is easily lost in a copy; it is made again when it is wanted.
            try storage.status(of: Layout.quarantine) == nil ? [] : storage.names(in: Layout.quarantine)
        }
        for name in names {
            guard let evidence = Evidence(pendingName: name) else { continue }
            guard let (byteCount, digest) = try ownDigest(of: evidence), try isUnused(evidence, digest) else {
                notices.append(
                    "quarantine/\(name) is no evidence of ours: its name and its contents do not agree, or another bears its name; it was left alone"
                )
                continue
            }
            try commitOwn(Drafts.tailCut(evidence, byteCount: byteCount, digest: digest))
            try doing("cannot keep the evidence") { () throws(StorageError) in
                try storage.move(evidence.pendingPath, to: evidence.keptPath)
            }
            notices.append(
                "a crash had left a torn tail of \(byteCount) bytes at offset \(evidence.offset) of segment \(evidence.segment); "
                    + "no HEAD vouched for it; it is kept in quarantine/\(evidence.keptName), and was cut")
        }
    }
}

// Anybody who can write the directory can leave a file there; only what its name says is recorded.
extension WriterSession {
    /// The size and digest of a pending piece; nil when they are not what keeping it would have left.
    private func ownDigest(of evidence: Evidence) throws(LedgerError) -> (byteCount: Int, digest: Digest)? {
        try doing("cannot read the evidence") { () throws(StorageError) in
            let file = try storage.open(evidence.pendingPath, .read)
            guard try file.status().size <= Evidence.byteCountMax else { return nil }
            let bytes = try file.contents(upTo: try file.status().size)
            let found = Evidence(segment: evidence.segment, offset: evidence.offset, bytes: bytes.span)
            guard evidence == found || planted(.evidenceUnchecked) else { return nil }
            return (bytes.count, Digest(sha256: bytes.span))
        }
    }

    /// Whether the name under which it is kept is free, or bears the same bytes: evidence is never replaced by other.
    private func isUnused(_ evidence: Evidence, _ digest: Digest) throws(LedgerError) -> Bool {
        try doing("cannot read the evidence") { () throws(StorageError) in
            guard let status = try storage.status(of: evidence.keptPath) else { return true }
            guard status.kind == .regular, status.size <= Evidence.byteCountMax else { return false }
            let kept = try storage.open(evidence.keptPath, .read).contents(upTo: status.size)
            return Digest(sha256: kept.span) == digest
        }
    }
}
