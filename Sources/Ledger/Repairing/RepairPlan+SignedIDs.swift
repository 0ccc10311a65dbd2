import DurableFiles
import LedgerFormat
import PlantedDefects

extension RepairPlan {
    /// What the signed entries of a prefix have spent.
    ///
    /// - Parameter verifier: it has walked over the prefix, and perhaps into a decision behind it whose end does not verify. That is
    ///   given up here, and may count all the same where it is found sound; so its ids are not spent.
    static func signedIDs(
        through last: UInt64, _ verifier: ChainVerifier, _ view: LedgerView
    ) throws(LedgerError) -> SignedIDs {
        guard verifier.openDecision != nil, verifier.signedIDs.count > 0, !planted(.openDecisionSpent) else {
            return verifier.signedIDs
        }
        guard last >= view.firstSeq else { return SignedIDs() }
        var verifier = ChainVerifier(keys: view.keyring.keys)
        _ = try doing("cannot read the ledger") { () throws(StorageError) in
            var reader = try SegmentReader(view.storage)
            return try reader.scan(&verifier, visit: { frame, _ in frame.seq < last })
        }
        return verifier.signedIDs
    }
}
