// Chains that were verified in pieces, or are looked at again.
import PlantedDefects

extension ChainVerifier {
    /// What of a piece's first entry the piece before it must lead to.
    package struct Beginning: Sendable {
        package let seq: UInt64
        let previousHash: Digest
        let synced: UInt64
        let part: Part?

        init(_ frame: FrameView, of bytes: Span<UInt8>) {
            seq = frame.seq
            previousHash = frame.previousHash(in: bytes)
            synced = frame.synced
            part = frame.part
        }
    }

    /// This piece and the one behind it as one, if that one continues it.
    package func joined(with next: ChainVerifier) -> ChainVerifier? {
        guard let tip, openDecision == nil, let beginning = next.beginning, beginning.part == nil || beginning.part?.index == 1,
            beginning.seq == position.seq || planted(.piecesUnjoined),
            beginning.previousHash == tip.hash || planted(.piecesUnjoined), beginning.synced >= tip.synced
        else { return nil }
        var joined = next
        joined.beginning = self.beginning
        joined.addEntries(entryCount)
        return joined
    }
}
