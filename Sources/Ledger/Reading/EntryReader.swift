import DurableFiles
package import LedgerFormat

/// Reads verified entries in their order: each one's seal is checked, and its link to the one read before.
package struct EntryReader: Sendable {
    private let view: LedgerView

    package init(_ view: LedgerView) { self.view = view }

    /// Calls `visit` for the entries from `first` to `last`; false stops.
    ///
    /// - Returns: behind the last entry that was read. Damage ends the reading by throwing, after everything before it was visited.
    @discardableResult
    package func read(
        from first: UInt64, through last: UInt64 = .max, visit: (FrameView, Span<UInt8>) -> Bool
    ) throws(LedgerError) -> UInt64 {
        guard let genesis = view.genesis else {
            throw LedgerError(ChainFailure(.genesisExpected, at: Place(segment: 1, offset: 0, seq: 1)))
        }
        var next = first
        let (end, verifier, reader) = try doing("cannot read the ledger") { () throws(StorageError) in
            var reader = try SegmentReader(view.storage)
            guard let start = try reader.locate(first) else {
                let place = Place(segment: 1, offset: 0, seq: first)
                return (SegmentReader.End.failed(ChainFailure(.segmentMissing, at: place)), ChainVerifier(keys: [:]), reader)
            }
            var verifier = ChainVerifier(at: start, of: genesis.ledger, key: genesis.key, keys: view.keyring.keys)
            let end = try reader.scan(&verifier, visit: { frame, bytes in
                if frame.seq < first { return true }
                if frame.seq > last { return false }
                next = frame.seq + 1
                return visit(frame, bytes) && frame.seq < last
            })
            return (end, verifier, reader)
        }
        guard case .failed(let failure) = end else { return next }
        let judgement = try doing("cannot read the ledger") { () throws(StorageError) in
            try Judgement(failure, verifier, head: view.validHead, reader)
        }
        // A torn tail was never acknowledged: for a reader the ledger ends before it.
        if case .torn = judgement { return next }
        // Behind HEAD a write may be under way.
        if let head = view.validHead, failure.place.seq > head.seq { return next }
        throw LedgerError(failure)
    }

    /// One entry.
    package func entry(_ seq: UInt64) throws(LedgerError) -> Entry {
        var found: Entry?
        try read(from: seq, through: seq) { frame, bytes in
            found = Entry(frame, of: bytes)
            return false
        }
        if let found { return found }
        throw LedgerError(.usage, "there is no entry \(seq); the last one is \(try lastSeq())")
    }

    /// The seq of the last whole frame.
    package func lastSeq() throws(LedgerError) -> UInt64 {
        guard let head = view.validHead else { return try read(from: 1) { _, _ in true } - 1 }
        return try read(from: head.seq) { _, _ in true } - 1
    }
}
