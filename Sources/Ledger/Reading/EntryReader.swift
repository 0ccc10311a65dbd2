import DurableFiles
package import LedgerFormat

/// Reads verified entries in their order: each one's seal is checked, and its link to the one read before.
package struct EntryReader: Sendable {
    private let view: LedgerView
    private let environment: Environment

    package init(_ view: LedgerView, _ environment: Environment) {
        self.view = view
        self.environment = environment
    }

    /// Calls `visit` for the entries from `first` to `last`; false stops.
    ///
    /// - Returns: the seq behind the last entry that was read. Damage ends the reading by throwing, after everything before it
    ///   was visited; a torn tail, which was never acknowledged, and a write that is under way end it like the end of data.
    @discardableResult
    package func read(
        from first: UInt64, through last: UInt64 = .max, visit: (FrameView, Span<UInt8>) -> Bool
    ) throws(LedgerError) -> UInt64 {
        precondition(first >= 1, "seqs begin at 1")
        guard let genesis = view.genesis else {
            throw LedgerError(ChainFailure(.genesisExpected, at: Place(segment: 1, offset: 0, seq: 1)))
        }
        var view = view
        var settling = Settling(environment)
        var next = first
        let failure: ChainFailure? = try doing("cannot read the ledger") { () throws(StorageError) in
            while true {
                var reader = try SegmentReader(view.storage)
                guard let start = try reader.locate(next) else {
                    return ChainFailure(.segmentMissing, at: Place(segment: 1, offset: 0, seq: next))
                }
                var verifier = ChainVerifier(at: start, of: genesis.ledger, key: nil, keys: view.keyring.keys)
                let end = try reader.scan(
                    &verifier,
                    visit: { frame, bytes in
                        if frame.seq < next { return true }
                        if frame.seq > last { return false }
                        next = frame.seq + 1
                        return visit(frame, bytes) && frame.seq < last
                    })
                guard case .failed(let failure) = end else { return nil }
                if try settling.mayBeUnderWay(failure, &view) { continue }
                if settling.isBusy { return nil }
                if case .torn = try Judgement(failure, verifier, head: view.validHead, reader) { return nil }
                return failure
            }
        }
        if let failure { throw LedgerError(failure) }
        return next
    }

    /// One entry.
    package func entry(_ seq: UInt64) throws(LedgerError) -> Entry {
        var found: Entry?
        if seq >= 1 {
            try read(from: seq, through: seq) { frame, bytes in
                found = Entry(frame, of: bytes)
                return false
            }
        }
        if let found { return found }
        throw LedgerError(.usage, "there is no entry \(seq); the last one is \(try lastSeq())")
    }

    /// The seq of the last whole frame.
    package func lastSeq() throws(LedgerError) -> UInt64 {
        try read(from: view.validHead?.seq ?? 1) { _, _ in true } - 1
    }
}
