// Chains that were verified in pieces, or are looked at again.
import PlantedDefects

extension ChainVerifier {
    /// What of a piece's first entry the piece before it must lead to.
    package struct Beginning: Sendable {
        package let seq: UInt64
        let previousHash: Digest
        let synced: UInt64
        let part: Part?
        package let key: KeyID
        let segment: UInt64
        /// Where the gap begins that it names.
        let gapStart: UInt64?

        init(_ frame: FrameView, of bytes: Span<UInt8>, segment: UInt64) {
            self.segment = segment
            seq = frame.seq
            previousHash = frame.previousHash(in: bytes)
            synced = frame.synced
            part = frame.part
            key = frame.key(in: bytes)
            if frame.isTurn, case .repair(let gap?) = ChainTurn(frame, bytes) {
                gapStart = gap.lowerBound
            } else {
                gapStart = nil
            }
        }
    }

    /// This piece and the one behind it as one, if that one continues it.
    package func joined(with next: ChainVerifier) -> ChainVerifier? {
        guard let tip, openDecision == nil, let beginning = next.beginning, beginning.part == nil || beginning.part?.index == 1,
            (beginning.gapStart ?? beginning.seq) == position.seq || planted(.piecesUnjoined),
            beginning.previousHash == tip.hash || planted(.piecesUnjoined), beginning.synced >= tip.synced,
            // Behind a gap no seq says how the segment must be named.
            beginning.segment == position.segment || beginning.segment == position.seq, beginning.key == tip.key,
            let roster = roster.joined(with: next.roster), let signedIDs = signedIDs.joined(with: next.signedIDs),
            base == next.base,
            actors == nil || next.actorsAtBeginning == nil || actors == next.actorsAtBeginning,
            head.map({ !(position.seq..<beginning.seq).contains($0.seq) }) ?? true
        else { return nil }
        var joined = next
        joined.roster = roster
        joined.signedIDs = signedIDs
        joined.base = base
        joined.explanation = explanation ?? (base == next.base ? next.explanation : nil)
        joined.beginning = self.beginning
        joined.actorsAtBeginning = actorsAtBeginning
        joined.addEntries(entryCount)
        return joined
    }
}
