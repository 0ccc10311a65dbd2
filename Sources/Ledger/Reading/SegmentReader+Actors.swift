import DurableFiles
import LedgerFormat

// Who is enrolled, without folding what lies before: while anybody is, each segment begins with an entry that says so.
extension SegmentReader {
    /// Who is enrolled in a segment, by its first entry, whose own seal is checked.
    ///
    /// The seal and the seq say that it is the entry which stood there; that it tells the truth, a walk from the first entry on checks.
    func actors(
        in segment: UInt64, of ledger: LedgerID, keys: [KeyID: SealingKey]
    ) throws(StorageError) -> Result<ActorRoster, ChainFailure> {
        let start = Place(segment: segment, offset: 0, seq: segment)
        let bytes = try firstFrameBytes(in: segment)
        var verifier = ChainVerifier(at: start, of: ledger, key: nil, keys: keys)
        verifier.passesLaterVersions = true
        do throws(ChainFailure) {
            try verifier.beginSegment(firstSeq: segment, isLast: true)
        } catch {
            return .failure(error)
        }
        switch verifier.feed(bytes.span, isEnd: true, visit: { _, _ in false }) {
        case .failed(let failure): return .failure(failure)
        case .stopped, .wantsMore:
            guard let actors = verifier.actors else { return .failure(ChainFailure(.endsInsideFrame, at: start)) }
            return .success(actors)
        }
    }

    /// Who is enrolled at a place inside a segment; nil at its start, where the next entry says it, and where no sound entry does.
    func actors(at place: Place, of ledger: LedgerID, keys: [KeyID: SealingKey]) throws(StorageError) -> ActorRoster? {
        guard place.offset > 0, segments.contains(place.segment) else { return nil }
        return try? actors(in: place.segment, of: ledger, keys: keys).get()
    }

    /// The first frame's bytes; of what is none, some bytes.
    private func firstFrameBytes(in segment: UInt64) throws(StorageError) -> [UInt8] {
        let file = try open(segment: segment)
        let size = try file.status().size
        var bytes = try file.bytes(in: 0..<min(size, 1 << 12))
        // Nearly every first frame is short; only one that says it is longer is read with room for the longest.
        if case .incomplete = FrameView.find(in: bytes.span, at: 0), bytes.count < size {
            bytes = try file.bytes(in: 0..<min(size, Limits.frame))
        }
        if case .frame(let frame) = FrameView.find(in: bytes.span, at: 0) {
            bytes.removeLast(bytes.count - frame.frame.upperBound)
        }
        return bytes
    }
}
