import DurableFiles
import LedgerFormat

/// Verifies a ledger in pieces, several at a time.
///
/// A piece's first entry is taken unlinked; when all are done, each piece must continue the one before. The first piece that
/// fails, or does not fit, ends what counts as verified: from there the ordinary scan goes on and names what is wrong.
struct ParallelScan: Sendable {
    let threadCount: Int

    private static let pieceByteCount = 16 << 20

    private struct Piece: Sendable {
        var start: Place
        var end: Place
    }

    /// A verifier that stands where all before it is verified.
    func run(
        _ first: ChainVerifier, _ view: LedgerView, progress: @escaping @Sendable (Int) -> Void
    ) async throws(StorageError) -> ChainVerifier {
        guard let genesis = view.genesis else { return first }
        let pieces = try cut(from: first.position, view)
        guard pieces.count > 1 else { return first }
        let results = await withTaskGroup(of: (Int, ChainVerifier?).self) { group in
            var results = [ChainVerifier?](repeating: nil, count: pieces.count)
            var next = 0
            var done = 0
            while next < min(threadCount, pieces.count) {
                let index = next
                group.addTask { (index, verify(pieces[index], index == 0 ? first : nil, genesis, view)) }
                next += 1
            }
            while let (index, verifier) = await group.next() {
                results[index] = verifier
                done += 1
                progress(done * Self.pieceByteCount)
                guard verifier != nil, next < pieces.count else { continue }
                let following = next
                group.addTask { (following, verify(pieces[following], nil, genesis, view)) }
                next += 1
            }
            return results
        }
        return join(results) ?? first
    }

    private func verify(
        _ piece: Piece, _ first: ChainVerifier?, _ genesis: FrameView, _ view: LedgerView
    ) -> ChainVerifier? {
        var verifier =
            first
            ?? ChainVerifier(
                at: piece.start, of: genesis.ledger, key: genesis.key, keys: view.keyring.keys, head: view.validHead)
        guard var reader = try? SegmentReader(view.storage), let end = try? reader.scan(&verifier, upTo: piece.end),
            end == .complete, verifier.position.offset == piece.end.offset
        else { return nil }
        return verifier
    }

    /// Joins the pieces that verified, as far as each continues the one before.
    private func join(_ results: [ChainVerifier?]) -> ChainVerifier? {
        guard var joined = results.first ?? nil else { return nil }
        for case let piece in results.dropFirst() {
            guard let piece, let longer = joined.joined(with: piece) else { return joined }
            joined = longer
        }
        return joined
    }

    /// Places where frames start, about a piece apart. The last piece's end is left to the ordinary scan.
    private func cut(from start: Place, _ view: LedgerView) throws(StorageError) -> [Piece] {
        let reader = try SegmentReader(view.storage)
        var pieces: [Piece] = []
        for segment in reader.segments where segment >= start.segment {
            let file = try reader.open(segment: segment)
            let size = try file.status().size
            var from = segment == start.segment ? start : Place(segment: segment, offset: 0, seq: segment)
            while size - from.offset > Self.pieceByteCount,
                let next = try reader.frame(behind: from.offset + Self.pieceByteCount, before: size, in: file)
            {
                let place = Place(segment: segment, offset: next.offset, seq: next.seq)
                pieces.append(Piece(start: from, end: place))
                from = place
            }
            if segment != reader.segments.last {
                pieces.append(Piece(start: from, end: Place(segment: segment, offset: size, seq: 0)))
            }
        }
        return pieces
    }
}
