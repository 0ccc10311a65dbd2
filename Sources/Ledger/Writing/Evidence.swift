import DurableFiles
import LedgerFormat
import PlantedDefects

/// A cut tail in `quarantine/`: pending until an entry names it.
struct Evidence: Sendable, Equatable {
    let segment: UInt64
    let offset: Int
    /// The first 16 digits of the bytes' SHA-256.
    let digest: KeyID

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
            if try storage.status(of: Layout.quarantine) == nil {
                try storage.makeDirectory(Layout.quarantine)
                if !planted(.quarantineNameUnsynced) { try storage.synchronize(directory: nil) }
            }
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
        for evidence in names.compactMap(Evidence.init(pendingName:)) {
            let bytes = try doing("cannot read the evidence") { () throws(StorageError) in
                let file = try storage.open(evidence.pendingPath, .read)
                return try file.contents(upTo: try file.status().size)
            }
            try commitOwn(Drafts.tailCut(evidence, byteCount: bytes.count, digest: Digest(sha256: bytes.span)))
            try doing("cannot keep the evidence") { () throws(StorageError) in
                try storage.move(evidence.pendingPath, to: evidence.keptPath)
            }
            notices.append(
                "a crash had left a torn tail of \(bytes.count) bytes at offset \(evidence.offset) of segment \(evidence.segment); "
                    + "no HEAD vouched for it; it is kept in quarantine/\(evidence.keptName), and was cut")
        }
    }
}
