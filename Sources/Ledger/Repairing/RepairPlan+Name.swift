import DurableFiles
import LedgerFormat

extension RepairPlan {
    /// Which ledger it is. What no seal proves is believed last: a flipped digit would have a repair find nothing.
    ///
    /// A HEAD that a key of ours has sealed says it; or else the first entry whose seal holds, with which all others must agree.
    static func name(of view: LedgerView) throws(LedgerError) -> LedgerID {
        let keys = view.keyring.keys
        if let head = HeadFinding(view.headBytes, keys: keys).head, keys[head.key] != nil { return head.ledger }
        let names = keys.isEmpty ? [] : try names(in: view)
        if names.count > 1 {
            let list = names.map(\.description).sorted().prefix(4).joined(separator: ", ")
            throw LedgerError(
                .tampered,
                "HEAD does not say which ledger \(view.storage.basePath) is, and it holds sound entries of several, \(list): "
                    + "move the key files that are not its own out of keys/, or restore a backup")
        }
        guard let name = names.first ?? view.ledger else {
            throw LedgerError(
                .tampered,
                "neither HEAD nor any entry says which ledger \(view.storage.basePath) is, as far as the keys in keys/ can tell: "
                    + "put missing key files in place, or restore a backup")
        }
        return name
    }

    /// The ledgers that sound entries name; only the first entry's, where that is sound.
    private static func names(in view: LedgerView) throws(LedgerError) -> Set<LedgerID> {
        try doing("cannot read the ledger") { () throws(StorageError) in
            let reader = try SegmentReader(view.storage)
            let finder = FrameFinder(ledger: nil, keys: view.keyring.keys)
            var names: Set<LedgerID> = []
            for segment in reader.segments {
                var isFirst = false
                try reader.find(finder, in: segment) { frame, bytes, start in
                    names.insert(frame.ledger(in: bytes))
                    isFirst = segment == reader.segments.first && start + frame.frame.lowerBound == 0
                    return !isFirst && names.count < 4
                }
                if isFirst { break }
            }
            return names
        }
    }
}
