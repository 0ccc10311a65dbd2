package import DurableFiles
package import LedgerFormat
import PlantedDefects

/// Copies finished segments out of a ledger and reads the copies back: only what was verified there may be said of them in an entry.
///
/// Takes no lock: nobody writes to a finished segment. A crash leaves copies, which are used by who tries again.
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
        if let foreign {
            throw LedgerError(
                .refused, "\(target.basePath)/\(foreign) is there already and is no copy of this ledger's; name another directory"
            )
        }
        return try verify(segments, of: view, in: target, directory, before) { progress?(total + $0, 2 * total) }
    }

    /// - Returns: whether it is there; what stands under its name and is no copy of it is somebody's, and left alone.
    private func copy(_ file: any StorageFile, byteCount: Int, to target: any Storage) throws(StorageError) -> Bool {
        if let status = try target.status(of: file.path), status.kind == .regular, status.size == byteCount {
            let earlier = try target.open(file.path, .read)
            if try earlier.digest() == file.digest() {
                // Whoever made it may have been killed before it was durable.
                try earlier.synchronize()
                try target.synchronize(directory: file.path.parent)
                return true
            }
        }
        if try target.status(of: file.path) != nil { return false }
        try target.install(file.path, byteCount: byteCount, from: file)
        return true
    }
}

// Reading back
extension Archiver {
    private func verify(
        _ segments: [UInt64], of view: LedgerView, in target: any Storage, _ directory: FileIdentity?,
        _ before: ArchiveExplanation?, _ progress: (Int) -> Void
    ) throws(LedgerError) -> Copied {
        var verifier = ChainVerifier(keys: view.keyring.keys)
        var keys = before?.keysBefore(view.base) ?? []
        var latest = before?.latest
        var parts: [ArchiveStatement.Segment] = []
        var done = 0
        let failure = try doing("cannot read the archive back") { () throws(StorageError) -> ChainFailure? in
            var reader = try SegmentReader(planted(.archiveUnverified) ? view.storage : target, segments)
            for segment in segments {
                let file = try reader.open(segment: segment)
                let size = try file.status().size
                let end = try reader.scan(
                    &verifier, upTo: Place(segment: segment, offset: size, seq: 0),
                    visit: { frame, bytes in
                        latest = max(latest ?? frame.time, frame.time)
                        if keys.isEmpty { keys.append(.init(key: frame.key(in: bytes), introduced: frame.seq)) }
                        if let key = frame.introducedKey(in: bytes) { keys.append(.init(key: key, introduced: frame.seq)) }
                        if let key = frame.retiredKey(in: bytes), let index = keys.firstIndex(where: { $0.key == key }) {
                            keys[index].retired = frame.seq
                        }
                        return true
                    })
                if case .failed(let failure) = end { return failure }
                guard let tip = verifier.tip, verifier.position.segment == segment, verifier.position.offset == size,
                    verifier.openDecision == nil
                else { return verifier.failure(.endsInsideFrame) }
                parts.append(
                    .init(
                        first: segment, last: tip.seq, byteCount: size, digest: try file.digest(), tip: tip.hash, key: tip.key))
                done += size
                progress(done)
            }
            return nil
        }
        if let failure { throw LedgerError(failure) }
        if let key = verifier.absentKeys.min(by: { $0.description < $1.description }) {
            throw LedgerError(.unverifiable, "what is to be archived cannot be verified: \(view.keyring.absence(of: key))")
        }
        guard let tip = verifier.tip, let latest, verifier.base == view.base else {
            throw LedgerError(ChainFailure(.segmentMissing, at: verifier.position))
        }
        return Copied(
            statement: ArchiveStatement(segments: parts, keys: keys), tip: tip, latest: latest, directory: directory)
    }
}

extension ArchiveExplanation {
    /// The keys that entries before the ledger's first one have introduced.
    fileprivate func keysBefore(_ base: ChainBase?) -> [ArchiveStatement.Key] {
        statement.keys.filter { $0.introduced < base?.seq ?? 0 }
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
}
