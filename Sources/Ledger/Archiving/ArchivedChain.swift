import DurableFiles
import LedgerFormat

/// What a ledger's first segments hold, read where they lie now and verified: all that an entry says of an archive.
struct ArchivedChain {
    let statement: ArchiveStatement
    /// The last entry.
    let tip: ChainTip
    /// Who is enrolled behind it, and who signs for the house; nil if that is not known.
    let actors: ActorRoster?
    /// The latest time of any entry up to there, also in earlier archives.
    let latest: Timestamp
    /// Keys that are not there, and are needed to check what they have sealed.
    let absentKeys: [KeyID]

    /// One of them.
    var absentKey: KeyID? { absentKeys.first }

    /// - Parameters:
    ///   - segments: none left out between them; at least one.
    ///   - before: why they begin at `base`; nil where they begin with the first entry of all.
    ///   - progress: called with the bytes done.
    /// - Throws: `tampered` at the first damage.
    init(
        _ segments: [UInt64], in storage: any Storage, behind before: ArchiveExplanation?, _ base: ChainBase?, _ keyring: Keyring,
        _ progress: (Int) -> Void = { _ in }
    ) throws(LedgerError) {
        var verifier = ChainVerifier(keys: keyring.keys)
        // Those that entries before the first one here have introduced.
        var keys = before?.statement.keys.filter { $0.introduced < base?.seq ?? 0 } ?? []
        var latest = before?.latest
        var parts: [ArchiveStatement.Segment] = []
        var done = 0
        let failure = try doing("cannot read the archive back") { () throws(StorageError) -> ChainFailure? in
            var reader = try SegmentReader(storage, segments)
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
        guard let tip = verifier.tip, let latest, verifier.base == base else {
            throw LedgerError(ChainFailure(.segmentMissing, at: verifier.position))
        }
        statement = ArchiveStatement(segments: parts.suffix(ArchiveStatement.segmentCountMax), keys: keys)
        (self.tip, self.latest, actors) = (tip, latest, verifier.actors)
        absentKeys = verifier.absentKeys.sorted { $0.description < $1.description }
    }
}
