package import DurableFiles
package import LedgerFormat

/// Makes a ledger in a storage that is under construction: directories, a fresh sealing key, genesis, HEAD.
///
/// Everything is built aside and becomes visible at once (`Storage.publish`), so no crash leaves half a ledger.
package enum Initialization {
    @discardableResult
    /// - Parameter founders: whose signatures the house will ask for, and how many; nil for a ledger without associates.
    package static func run(
        _ storage: any Storage, _ environment: Environment, founders: (keys: [ActorKey], threshold: Int)? = nil
    ) throws(LedgerError) -> Receipt {
        let genesis = try Self.genesis(founders)
        let key = environment.makeSealingKey()
        let ledger = LedgerID(environment.random(), environment.random())
        var writer = FrameWriter(after: ChainTip(emptyLedger: ledger, key: key.id), synced: 0, key: key)
        let receipt: Receipt
        do throws(DraftError) {
            receipt = try writer.append(genesis, at: environment.now())
        } catch {
            preconditionFailure("the ledger's own draft is refused: \(error)")
        }
        let head = Head(alert: false, end: writer.block.count, segment: 1, tip: writer.tip).sealed(with: key)
        let keyFile = key.fileContents
        try doing("cannot make a ledger") { () throws(StorageError) in
            for directory in [Layout.ledger, Layout.keys, Layout.quarantine, Layout.snapshots] {
                try storage.makeDirectory(directory)
            }
            try storage.create(StoragePath(Layout.keys.name, SealingKey.fileName(key.id)), keyFile.span)
            try storage.create(SegmentReader.path(ofSegment: 1), writer.block.span)
            try storage.create(Layout.head, head.span)
        }
        do throws(StorageError) {
            try storage.publish()
        } catch {
            // Somebody else was quicker.
            if error.isExisting { throw LedgerError(.refused, "\(storage.basePath) exists already; init overwrites nothing") }
            throw LedgerError(error, doing: "cannot make a ledger")
        }
        return receipt
    }

    private static func genesis(_ founders: (keys: [ActorKey], threshold: Int)?) throws(LedgerError) -> Draft {
        guard let founders else { return Drafts.genesis() }
        do throws(AssociateObjection) {
            let act = Associates.Act(seq: 1, hash: .zero)
            return Drafts.genesis(try Associates(founders.keys, threshold: founders.threshold, act: act))
        } catch {
            throw LedgerError(.refused, "\(error); nothing was made")
        }
    }
}
