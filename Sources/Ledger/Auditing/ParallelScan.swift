import DurableFiles
import LedgerFormat

/// Verifies a ledger in pieces, several at a time.
///
/// A piece's first entry is taken unlinked; when all are done, each piece must continue the one before. The first piece that
/// fails, or does not fit, ends what counts as verified: from there the ordinary scan goes on and names what is wrong.
struct ParallelScan: Sendable {
    let threadCount: Int

    private static let pieceByteCount = 8 << 20

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
        return await withTaskGroup(of: (Int, ChainVerifier?).self) { group in
            var chain = GrowingChain()
            var started = 0
            var done = 0
            while started < min(threadCount, pieces.count) {
                let index = started
                group.addTask {
                    (index, verify(pieces[index], index == 0 ? first : nil, genesis, view, first.allowsExtraMembers))
                }
                started += 1
            }
            while let (index, verifier) = await group.next() {
                chain.add(verifier, at: index)
                done += 1
                progress(done * Self.pieceByteCount)
                guard !chain.isBroken, started < pieces.count else { continue }
                let index = started
                group.addTask { (index, verify(pieces[index], nil, genesis, view, first.allowsExtraMembers)) }
                started += 1
            }
            return chain.joined ?? first
        }
    }

    /// The pieces from the first on, as far as each continues the one before; they may come in any order.
    private struct GrowingChain {
        private(set) var joined: ChainVerifier?
        /// A piece did not verify, or does not fit: nothing behind it counts.
        private(set) var isBroken = false
        private var next = 0
        private var waiting: [Int: ChainVerifier] = [:]

        mutating func add(_ piece: ChainVerifier?, at index: Int) {
            guard let piece else {
                isBroken = true
                return
            }
            waiting[index] = piece
            while let piece = waiting.removeValue(forKey: next) {
                guard let longer = next == 0 ? piece : joined?.joined(with: piece) else {
                    isBroken = true
                    return
                }
                joined = longer
                next += 1
            }
        }
    }

    private func verify(
        _ piece: Piece, _ first: ChainVerifier?, _ genesis: ChainTip, _ view: LedgerView, _ allowsExtraMembers: Bool
    ) -> ChainVerifier? {
        var verifier =
            first
            ?? ChainVerifier(
                at: piece.start, of: genesis.ledger, key: nil, keys: view.keyring.keys, head: view.validHead)
        if first == nil { verifier.base = view.base }
        verifier.allowsExtraMembers = allowsExtraMembers
        guard var reader = try? SegmentReader(view.storage) else { return nil }
        if first == nil {
            verifier.actors = try? reader.actors(at: piece.start, of: genesis.ledger, keys: view.keyring.keys)
        }
        guard let end = try? reader.scan(&verifier, upTo: piece.end),
            end == .complete, verifier.position.offset == piece.end.offset
        else { return nil }
        return verifier
    }

    /// Places where frames start, about a piece apart; the last one is HEAD's end. What lies behind is left to the ordinary scan.
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
            } else if let head = view.validHead, head.segment == segment, from.offset < head.end {
                pieces.append(Piece(start: from, end: Place(segment: segment, offset: head.end, seq: 0)))
            }
        }
        return pieces
    }
}
