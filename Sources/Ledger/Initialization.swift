package import DurableFiles
package import LedgerFormat

/// Makes a ledger in a storage that is under construction: directories, a fresh sealing key, genesis, HEAD.
///
/// Everything is built aside and becomes visible at once (`Storage.publish`), so no crash leaves half a ledger.
package enum Initialization {
    @discardableResult
    package static func run(_ storage: any Storage, _ environment: Environment) throws(LedgerError) -> Receipt {
        let key = environment.makeSealingKey()
        let ledger = LedgerID(environment.random(), environment.random())
        var writer = FrameWriter(after: ChainTip(emptyLedger: ledger, key: key.id), synced: 0, key: key)
        let receipt: Receipt
        do throws(DraftError) {
            receipt = try writer.append(Drafts.genesis(), at: environment.now())
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
}
