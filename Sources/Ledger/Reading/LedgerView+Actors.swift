import DurableFiles
package import LedgerFormat

extension LedgerView {
    /// Whether the house is locked: HEAD is in alert, or a repair waits for its release, whatever HEAD says. What cannot be read locks nothing.
    package var isLocked: Bool {
        validHead?.alert == true || (try? actors())?.associates?.isSuspended == true
    }

    /// Who is enrolled at the end of the ledger: its last segment that is not empty says so.
    ///
    /// - Throws: `tampered` if that is damaged.
    package func actors() throws(LedgerError) -> ActorRoster {
        guard let ledger else { throw LedgerError(ChainFailure(.genesisExpected, at: Place(segment: 1, offset: 0, seq: 1))) }
        let found = try doing("cannot read the ledger") { () throws(StorageError) -> Result<ActorRoster, ChainFailure> in
            let reader = try SegmentReader(storage)
            for segment in reader.segments.reversed() {
                let file = try reader.open(segment: segment)
                // One that was just begun is empty, or full of NULs.
                guard let first = try file.bytes(in: 0..<min(1, file.status().size)).first, first != 0 else { continue }
                return try reader.actors(in: segment, of: ledger, keys: keyring.keys)
            }
            return .success(ActorRoster())
        }
        switch found {
        case .success(let actors): return actors
        case .failure(let failure): throw LedgerError(failure)
        }
    }
}
