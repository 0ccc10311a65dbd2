// Chains that were verified in pieces, or are looked at again.
extension ChainVerifier {
    /// This piece and the one behind it as one, if that one continues it.
    package func joined(with next: ChainVerifier) -> ChainVerifier? {
        guard let tip, openDecision == nil, let first = next.first, first.part == nil || first.part?.index == 1,
            first.seq == position.seq, first.previousHash == tip.hash, first.synced >= tip.synced
        else { return nil }
        var joined = next
        joined.first = self.first
        joined.addEntries(entryCount)
        return joined
    }
}
