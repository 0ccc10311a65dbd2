package import DurableFiles
package import LedgerFormat
import PlantedDefects

/// Copies a ledger while others write, as far as its HEAD vouches for it, and verifies the copy before it is visible.
package struct Backup: Sendable {
    package var includesKeys = true
    package var threadCount = 1
    /// Called now and then with the bytes done and the bytes there are; they are copied, and then verified.
    package var progress: (@Sendable (Int, Int) -> Void)?

    private let environment: Environment

    package init(_ environment: Environment) { self.environment = environment }

    package struct Report: Sendable {
        /// What the copy's HEAD, the source's own, vouches for.
        package var head: Head
        package var audit: AuditReport
        package var segmentCount: Int
        /// Of the segments.
        package var byteCount: Int
        /// What in `quarantine/` is no file and no directory, or went while it was copied.
        package var skipped: [String]
    }

    /// Fills a storage under construction and publishes it.
    ///
    /// A crash leaves nothing under the target's path but an orphan `.bulla-init-…` beside it, or the whole copy.
    ///
    /// - Throws: with the cause `overtaken` if segments were archived or a key was destroyed meanwhile; another target can be filled
    ///   then.
    package func run(from source: POSIXStorage, to target: POSIXStorage) async throws(LedgerError) -> Report {
        let view = try LedgerView(source)
        do throws(LedgerError) {
            return try await run(view, from: source, to: target)
        } catch {
            guard error.code != .refused, view.isOvertaken else { throw error }
            throw LedgerError(
                .inputOutput,
                "entries of \(source.basePath) were archived while they were copied; nothing was backed up: try again",
                .overtaken)
        }
    }

    private func run(
        _ view: LedgerView, from source: POSIXStorage, to target: POSIXStorage
    ) async throws(LedgerError) -> Report {
        guard let head = view.validHead else { throw damaged(source, "it has no valid HEAD") }
        let origin = try directoryIdentity(source)
        var copy = Copy(backup: self, source: source, target: target, total: try byteCount(view, head))
        try doing("cannot back up the ledger") { () throws(StorageError) in try copy.run(view, head) }
        let keyring = planted(.backupKeysUncompared) ? view.keyring : try keyring(of: target, source, head)
        let report = try await verify(target, keyring, copied: copy.done)
        guard try directoryIdentity(source) == origin else {
            throw LedgerError(
                .inputOutput,
                "the ledger at \(source.basePath) was repaired or replaced meanwhile; nothing was backed up: run the backup again"
            )
        }
        if report.verdict == .unverifiable { try expectKeys(view, keyring, source) }
        guard report.verdict == .intact || report.verdict == .unverifiable || planted(.backupUnverified) else {
            throw damaged(source, report.verdictLine)
        }
        do throws(StorageError) {
            try target.publish()
        } catch {
            if error.isExisting { throw LedgerError(.refused, "\(target.basePath) exists already; a backup overwrites nothing") }
            throw LedgerError(error, doing: "cannot make a backup")
        }
        return Report(
            head: head, audit: report, segmentCount: copy.segmentCount, byteCount: copy.done, skipped: copy.skipped)
    }

    private func damaged(_ source: POSIXStorage, _ what: String) -> LedgerError {
        LedgerError(
            .tampered,
            "the ledger at \(source.basePath) is damaged: \(what); nothing was backed up: see `bulla verify`, and keep earlier backups"
        )
    }

    /// Of `ledger/`: a repair puts another directory in its place.
    private func directoryIdentity(_ source: POSIXStorage) throws(LedgerError) -> FileIdentity? {
        try doing("cannot read the ledger") { () throws(StorageError) in try source.status(of: Layout.ledger)?.identity }
    }

    private func byteCount(_ view: LedgerView, _ head: Head) throws(LedgerError) -> Int {
        try doing("cannot read the ledger") { () throws(StorageError) in
            var total = head.end
            for segment in view.segments where segment < head.segment {
                total += try view.storage.status(of: SegmentReader.path(ofSegment: segment))?.size ?? 0
            }
            return total
        }
    }

    /// The keys that the copy is judged by: its own, and where none were wanted those that the source has now.
    private func keyring(of target: POSIXStorage, _ source: POSIXStorage, _ head: Head) throws(LedgerError) -> Keyring {
        try Keyring(allIn: includesKeys ? target : source, needed: [head.key])
    }

    /// Begins again where a key went that was there before the copying: an entry behind the copy's HEAD retires it, and up to there
    /// nothing can be verified any more.
    private func expectKeys(_ view: LedgerView, _ keyring: Keyring, _ source: POSIXStorage) throws(LedgerError) {
        let isGone = view.keyring.keys.keys.contains { keyring.keys[$0] == nil }
        let isReplaced = try LedgerView(source).validHead?.key != view.validHead?.key
        guard isGone || isReplaced else { return }
        throw LedgerError(
            .inputOutput,
            "a key of \(source.basePath) was replaced and destroyed while it was copied; nothing was backed up: try again",
            .overtaken)
    }

    private func verify(
        _ target: POSIXStorage, _ keyring: Keyring, copied: Int
    ) async throws(LedgerError) -> AuditReport {
        var audit = Audit(environment)
        audit.threadCount = threadCount
        if let progress { audit.progress = { done, total in progress(copied + done, copied + total) } }
        return try await audit.run(target, keyring: keyring)
    }
}

/// Copying file by file, with memory that does not depend on their sizes.
private struct Copy {
    let backup: Backup
    let source: POSIXStorage
    let target: POSIXStorage
    /// Bytes that the segments will have.
    let total: Int
    private(set) var done = 0
    private(set) var segmentCount = 0
    private(set) var skipped: [String] = []

    private static let bufferByteCount = 4 << 20
    private static let constitution = StoragePath("constitution.toml")

    init(backup: Backup, source: POSIXStorage, target: POSIXStorage, total: Int) {
        self.backup = backup
        self.source = source
        self.target = target
        self.total = total
    }

    mutating func run(_ view: LedgerView, _ head: Head) throws(StorageError) {
        for directory in [Layout.ledger, Layout.keys, Layout.quarantine, Layout.snapshots] {
            try target.makeDirectory(directory)
        }
        if backup.includesKeys {
            for name in try source.names(in: Layout.keys) where name.hasSuffix(".key") {
                try copy(StoragePath(Layout.keys.name, name), from: source, to: target)
            }
        }
        if !planted(.backupKeysUnsynced) { try target.synchronize(directory: Layout.keys) }
        let reader = try SegmentReader(source)
        for segment in view.segments where segment <= head.segment {
            try copy(try reader.open(segment: segment), upTo: segment == head.segment ? head.end : .max)
        }
        if !planted(.backupNamesUnsynced) { try target.synchronize(directory: Layout.ledger) }
        if try source.status(of: Layout.quarantine)?.kind == .directory {
            try copyEvidence(try source.inner(Layout.quarantine), to: try target.inner(Layout.quarantine))
        }
        try target.synchronize(directory: Layout.snapshots)
        if try source.status(of: Self.constitution) != nil { try copy(Self.constitution, from: source, to: target) }
        try target.create(Layout.head, view.headBytes.span)
    }

    /// A segment; a shorter one than HEAD says is found out by the audit.
    private mutating func copy(_ file: any StorageFile, upTo end: Int) throws(StorageError) {
        let copy = try target.open(file.path, .create)
        var offset = 0
        while offset < end {
            let count = try copyPiece(file, to: copy, at: offset, atMost: end - offset)
            if count == 0 { break }
            offset += count
            done += count
            // Verifying follows, and takes its own part of the way.
            backup.progress?(done, 2 * total)
        }
        if !planted(.backupUnsynced) { try copy.synchronize() }
        segmentCount += 1
    }

    private func copy(_ path: StoragePath, from source: POSIXStorage, to target: POSIXStorage) throws(StorageError) {
        let file = try source.open(path, .read)
        let copy = try target.open(path, .create)
        var offset = 0
        while true {
            let count = try copyPiece(file, to: copy, at: offset, atMost: Self.bufferByteCount)
            if count == 0 { break }
            offset += count
        }
        if !planted(.backupFileUnsynced) { try copy.synchronize() }
    }

    private func copyPiece(
        _ file: any StorageFile, to copy: any StorageFile, at offset: Int, atMost limit: Int
    ) throws(StorageError) -> Int {
        let left = try file.status().size - offset
        var buffer = [UInt8](repeating: 0, count: max(0, min(Self.bufferByteCount, limit, left)))
        let count = try file.read(into: &buffer, from: 0, at: offset)
        if count > 0 { try copy.write(buffer.span.extracting(0..<count), at: offset) }
        return count
    }

    /// Everything below a directory of evidence, byte for byte. A writer may rename a piece meanwhile: it is found under its new name.
    private mutating func copyEvidence(_ source: POSIXStorage, to target: POSIXStorage) throws(StorageError) {
        var copied: Set<String> = []
        var missing: Set<String> = []
        while true {
            let names = try source.names().filter { !copied.contains($0) && !missing.contains($0) }
            if names.isEmpty { break }
            for name in names {
                let path = StoragePath(name)
                switch try source.status(of: path)?.kind {
                case .directory:
                    try target.makeDirectory(path)
                    try copyEvidence(try source.inner(path), to: try target.inner(path))
                    copied.insert(name)
                case .regular:
                    do throws(StorageError) {
                        try copy(path, from: source, to: target)
                        copied.insert(name)
                    } catch {
                        guard error.isNotFound else { throw error }
                        missing.insert(name)
                    }
                default: missing.insert(name)
                }
            }
        }
        // What a writer renamed is there under its other name.
        let left = Set(try source.names())
        skipped += missing.filter(left.contains).sorted().map { "\(source.basePath)/\($0)" }
        if !planted(.backupEvidenceUnsynced) { try target.synchronize(directory: nil) }
    }
}
