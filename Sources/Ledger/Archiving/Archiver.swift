package import DurableFiles
package import LedgerFormat
import PlantedDefects

/// Copies finished segments out of a ledger and reads the copies back: only what was verified there may be said of them in an entry.
///
/// Takes no lock of the ledger: nobody writes to a finished segment. A crash leaves copies, which are used by who tries again. Two at one
/// target would take each other's files for their own, and so the target is locked meanwhile.
package struct Archiver: Sendable {
    private let environment: Environment
    /// Called now and then with the bytes done and the bytes there are: they are copied, and then read back.
    package var progress: (@Sendable (Int, Int) -> Void)?

    package init(_ environment: Environment) { self.environment = environment }

    /// Segments that lie in an archive, verified.
    package struct Copied: Sendable {
        package var statement: ArchiveStatement
        /// The last entry.
        package var tip: ChainTip
        /// The latest time of any entry up to there, also in earlier archives.
        package var latest: Timestamp
        /// Of `ledger/` when they were copied from it: a repair puts another one in its place.
        var directory: FileIdentity?
    }

    /// - Parameters:
    ///   - segments: the ledger's first ones, none left out, and not the one that is written to.
    ///   - target: a base of the archive's own, with a directory `ledger/`.
    package func copy(_ segments: [UInt64], of view: LedgerView, to target: any Storage) throws(LedgerError) -> Copied {
        // What lies before was archived too, or the ledger is tampered with.
        let before = try EntryReader(view, environment).explanation()
        let (directory, total, foreign) = try doing("cannot archive") { () throws(StorageError) in
            let directory = try view.storage.status(of: Layout.ledger)?.identity
            let source = try SegmentReader(view.storage)
            var sizes: [Int] = []
            for segment in segments { sizes.append(try source.open(segment: segment).status().size) }
            let total = sizes.reduce(0, +)
            var done = 0
            for (segment, size) in zip(segments, sizes) {
                let file = try source.open(segment: segment)
                guard try copy(file, byteCount: size, to: target) else { return (directory, total, file.path as StoragePath?) }
                done += size
                progress?(done, 2 * total)
            }
            return (directory, total, nil)
        }
        if let foreign { throw Self.refusal(foreign, target) }
        return try verify(segments, of: view, in: target, directory, before) { progress?(total + $0, 2 * total) }
    }

    /// Has the target to itself while `body` runs: nobody else copies there, or counts on what is being copied.
    ///
    /// - Throws: `busy` if somebody else has it for longer than `timeout`.
    package func locking<Answer>(
        _ target: any Storage, timeoutMicroseconds: Int64, _ body: () throws(LedgerError) -> Answer
    ) throws(LedgerError) -> Answer {
        if planted(.targetUnlocked) { return try body() }
        let deadline = environment.uptime() + timeoutMicroseconds
        while try !doing("cannot lock the archive's directory", { () throws(StorageError) in try target.tryLock(.writer) }) {
            guard environment.uptime() < deadline else {
                let holder = target.holder(of: .writer).map { ": process \($0.process) (\($0.command))" } ?? ""
                throw LedgerError(
                    .busy, "somebody else is archiving to \(target.basePath)\(holder); nothing was changed: try again behind it")
            }
            environment.pause(Self.pauseMicroseconds)
        }
        defer { target.unlock(.writer) }
        return try body()
    }

    private static let pauseMicroseconds: Int64 = 10_000

    /// Copies what a plan takes as far as it is there while the active segment is still written to; that one under a name of its own.
    ///
    /// Whatever is wrong with the target is met here, before the ledger is touched.
    package func copyAhead(_ plan: ArchivePlan, of view: LedgerView, to target: any Storage) throws(LedgerError) {
        let foreign = try doing("cannot archive") { () throws(StorageError) -> StoragePath? in
            let source = try SegmentReader(view.storage)
            for segment in plan.segments {
                let file = try source.open(segment: segment.first)
                if segment.first != view.segments.last {
                    guard try copy(file, byteCount: segment.byteCount, to: target) else { return file.path }
                } else {
                    guard try target.status(of: file.path) == nil else { return file.path }
                    try install(Self.ahead(of: file.path), byteCount: segment.byteCount, from: file, to: target)
                }
            }
            return nil
        }
        if let foreign { throw Self.refusal(foreign, target) }
    }

    private static func ahead(of path: StoragePath) -> StoragePath { StoragePath(Layout.ledger.name, path.name + ".ahead") }

    private static func refusal(_ foreign: StoragePath, _ target: any Storage) -> LedgerError {
        LedgerError(
            .refused, "\(target.basePath)/\(foreign) is there already and is no copy of this ledger's; name another directory")
    }

    /// - Returns: whether it is there; what stands under its name and is no copy of it is somebody's, and left alone.
    private func copy(_ file: any StorageFile, byteCount: Int, to target: any Storage) throws(StorageError) -> Bool {
        if let earlier = try copied(file, byteCount: byteCount, at: file.path, in: target) {
            // Whoever made it may have been killed before it was durable.
            if !planted(.foundCopyUnsynced) { try earlier.synchronize() }
            if !planted(.foundCopyNameUnsynced) { try target.synchronize(directory: file.path.parent) }
            return true
        }
        if try target.status(of: file.path) != nil { return false }
        let ahead = Self.ahead(of: file.path)
        if let earlier = try copied(file, byteCount: byteCount, at: ahead, in: target) {
            // It was durable before it had that name, if we gave it.
            if !planted(.foundCopyUnsynced) { try earlier.synchronize() }
            try target.move(ahead, to: file.path)
            return true
        }
        // Of a segment that went on meanwhile.
        if try target.status(of: ahead) != nil { try target.remove(ahead) }
        try install(file.path, byteCount: byteCount, from: file, to: target)
        return true
    }

    /// What stands at a path, if it is a copy.
    private func copied(
        _ file: any StorageFile, byteCount: Int, at path: StoragePath, in target: any Storage
    ) throws(StorageError) -> (any StorageFile)? {
        guard let status = try target.status(of: path), status.kind == .regular, status.size == byteCount else { return nil }
        let found = try target.open(path, .read)
        return try found.digest() == file.digest() ? found : nil
    }

    /// A target that is full has its room back.
    private func install(
        _ path: StoragePath, byteCount: Int, from file: any StorageFile, to target: any Storage
    ) throws(StorageError) {
        do throws(StorageError) {
            try target.install(path, byteCount: byteCount, from: file)
        } catch {
            try? target.remove(path.aside)
            throw error
        }
    }
}

// Reading back
extension Archiver {
    private func verify(
        _ segments: [UInt64], of view: LedgerView, in target: any Storage, _ directory: FileIdentity?,
        _ before: ArchiveExplanation?, _ progress: (Int) -> Void
    ) throws(LedgerError) -> Copied {
        let chain = try ArchivedChain(
            segments, in: planted(.archiveUnverified) ? view.storage : target, behind: before, view.base, view.keyring, progress)
        for key in chain.absentKeys where try !isRetired(key, behind: chain.tip.seq, in: view) {
            throw LedgerError(.unverifiable, "what is to be archived cannot be verified: \(view.keyring.absence(of: key))")
        }
        return Copied(statement: chain.statement, tip: chain.tip, latest: chain.latest, directory: directory)
    }

    /// Whether an entry that stays retires a key: the links to that entry prove what the key has sealed.
    private func isRetired(_ key: KeyID, behind seq: UInt64, in view: LedgerView) throws(LedgerError) -> Bool {
        var isRetired = false
        try EntryReader(view, environment).read(from: seq + 1) { frame, bytes in
            isRetired = frame.retiredKey(in: bytes) == key
            return !isRetired
        }
        return isRetired
    }
}

extension StorageFile {
    /// SHA-256 of all its bytes.
    func digest() throws(StorageError) -> Digest {
        var digest = StreamingDigest()
        var buffer = [UInt8](repeating: 0, count: SegmentReader.readByteCount)
        var offset = 0
        while true {
            let count = try read(into: &buffer, from: 0, at: offset)
            if count == 0 { return digest.finish() }
            digest.update(buffer.span.extracting(0..<count))
            offset += count
        }
    }

    /// The same of a part of them, or of as much of it as there is.
    func digest(of range: Range<Int>) throws(StorageError) -> Digest {
        var digest = StreamingDigest()
        let end = min(range.upperBound, try status().size)
        for start in stride(from: range.lowerBound, to: end, by: SegmentReader.readByteCount) {
            let bytes = try bytes(in: start..<min(end, start + SegmentReader.readByteCount))
            digest.update(bytes.span)
        }
        return digest.finish()
    }
}
