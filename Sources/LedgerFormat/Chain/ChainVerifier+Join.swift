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

    /// The same chain from where it stands, compared with another HEAD; nil before the first entry.
    package func continued(head: Head?) -> ChainVerifier? {
        guard let tip, openDecision == nil else { return nil }
        return ChainVerifier(after: tip, position: position, keys: knownKeys, head: head)
    }
}
