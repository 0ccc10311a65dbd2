import DurableFiles
package import LedgerFormat
import PlantedDefects

/// Reads verified entries in their order: each one's seal is checked, and its link to the one read before.
package struct EntryReader: Sendable {
    let view: LedgerView
    private let environment: Environment
    /// Whether it goes on behind entries of a later version: a hash can be compared all the same.
    var passesLaterVersions = false

    package init(_ view: LedgerView, _ environment: Environment) {
        self.view = view
        self.environment = environment
    }

    /// Calls `visit` for the entries from `first` to `last`; false stops.
    ///
    /// Damage ends the reading by throwing, after everything before it was visited; a torn tail, which was never acknowledged, and a
    /// write that is under way end it like the end of data.
    @discardableResult
    package func read(
        from first: UInt64, through last: UInt64 = .max, visit: (FrameView, Span<UInt8>) -> Bool = { _, _ in true }
    ) throws(LedgerError) -> Reading {
        precondition(first >= 1, "seqs begin at 1")
        guard let genesis = view.genesis else {
            throw LedgerError(ChainFailure(.genesisExpected, at: Place(segment: 1, offset: 0, seq: 1)))
        }
        if first < view.firstSeq { throw try absence(of: first) }
        var view = view
        var settling = Settling(environment)
        var next = first
        var absentKeys: Set<KeyID> = []
        var isArchived = false
        let failure: ChainFailure? = try doing("cannot read the ledger") { () throws(StorageError) in
            while true {
                var reader = try SegmentReader(view.storage)
                if let first = reader.segments.first, first > view.firstSeq, next < first {
                    isArchived = true
                    return nil
                }
                do throws(StorageError) {
                    guard let start = try reader.locate(next) else {
                        return ChainFailure(.segmentMissing, at: Place(segment: 1, offset: 0, seq: next))
                    }
                    // Who begins behind an archive is told at the end whether an entry explains that.
                    let isBase = next > 1 && next == reader.segments.first
                    var verifier =
                        isBase
                        ? ChainVerifier(keys: view.keyring.keys)
                        : ChainVerifier(at: start, of: genesis.ledger, key: nil, keys: view.keyring.keys)
                    verifier.passesLaterVersions = passesLaterVersions
                    let end = try reader.scan(
                        &verifier,
                        visit: { frame, bytes in
                            if frame.seq < next { return true }
                            if frame.seq > last { return false }
                            next = frame.seq + 1
                            return visit(frame, bytes) && frame.seq < last
                        })
                    absentKeys.formUnion(verifier.absentKeys)
                    guard case .failed(let failure) = end else { return nil }
                    if try settling.mayBeUnderWay(failure, &view) { continue }
                    if settling.isBusy { return nil }
                    if case .torn = try Judgement(failure, verifier, head: view.validHead, reader) { return nil }
                    return failure
                } catch {
                    // What was archived meanwhile may lie behind what was read, and then the reading goes on.
                    guard error.isNotFound, try reader.isOvertaken() else { throw error }
                }
            }
        }
        if isArchived {
            throw LedgerError(
                .inputOutput, "entries of \(view.storage.basePath) were archived while they were to be read: try again",
                .overtaken)
        }
        if let failure { throw LedgerError(failure) }
        let keyAbsence = absentKeys.min { $0.description < $1.description }.map(view.keyring.absence(of:))
        return Reading(next: next, keyAbsence: keyAbsence)
    }

    /// How a reading ended that found no damage.
    package struct Reading: Sendable {
        /// The seq behind the last entry that was read.
        package var next: UInt64
        /// A key that is needed and not there, so that the seals of some entries were not checked.
        package var keyAbsence: String?
    }

    /// One entry, also one that a repair has re-admitted; a lost one is tampering.
    package func entry(_ seq: UInt64) throws(LedgerError) -> Entry {
        switch try fate(of: seq) {
        case .inPlace(let entry): return entry
        case .readmitted(let readmission, _): return readmission.entry
        case .lost(let repair): throw LedgerError(lost: seq, in: repair)
        case nil: throw LedgerError(.usage, "there is no entry \(seq); the last one is \(try lastSeq())")
        }
    }

    /// What became of an entry.
    package enum Fate: Sendable {
        case inPlace(Entry)
        /// It stands in another entry, with this seq.
        case readmitted(Readmission, at: UInt64)
        /// No repair found it; the last that looked has this seq.
        case lost(repair: UInt64)
    }

    /// Nil for a seq that no entry ever had.
    ///
    /// Behind a repair come the entries that it re-admitted, with their own seqs rising; behind them may come the next repair.
    package func fate(of seq: UInt64) throws(LedgerError) -> Fate? {
        guard seq >= 1 else { return nil }
        var fate: Fate?
        try read(from: seq) { frame, bytes in
            if frame.seq == seq {
                fate = .inPlace(Entry(frame, of: bytes))
                return false
            }
            if let gap = frame.gap(in: bytes) {
                // The first entry behind the seq names the gap that it lies in, or the seq never was.
                if fate == nil, !gap.contains(seq) { return false }
                fate = .lost(repair: frame.seq)
                return true
            }
            guard fate != nil else { return false }
            guard let readmission = Readmission(frame, of: bytes) else {
                // Either may stand between a repair and what it took over.
                return [ChainTurn.rotated, RosterStatement.stated].contains(bytes.text(frame.action))
            }
            if readmission.entry.seq == seq { fate = .readmitted(readmission, at: frame.seq) }
            return readmission.entry.seq < seq
        }
        return fate
    }

    /// Of the entry that counts under a seq, in place or as a repair took it over; nil where it was lost, or never was.
    func hash(of seq: UInt64) throws(LedgerError) -> Digest? {
        var reader = self
        reader.passesLaterVersions = true
        switch try reader.fate(of: seq) {
        case .inPlace(let entry): return entry.hash
        case .readmitted(let readmission, _): return readmission.entry.hash
        case .lost, nil: return nil
        }
    }

    /// Compares the entry at HEAD's seq with HEAD: another one there is another history, whatever its seal.
    package func checkHead() throws(LedgerError) {
        guard let head = view.validHead, head.seq >= view.firstSeq, !planted(.headTipUncompared) else { return }
        var isOther = false
        try read(from: head.seq, through: head.seq) { frame, bytes in
            isOther = frame.seq == head.seq && frame.hash(in: bytes) != head.tip
            return false
        }
        // Where the ledger was replaced meanwhile, so was HEAD.
        guard isOther, (try? HeadFinding.bytes(in: view.storage)) == view.headBytes else { return }
        throw LedgerError(
            ChainFailure(.headMismatch, at: Place(segment: head.segment, offset: head.end, seq: head.seq)))
    }

    /// The seq of the last whole frame.
    package func lastSeq() throws(LedgerError) -> UInt64 {
        try read(from: max(view.validHead?.seq ?? 1, view.firstSeq)).next - 1
    }
}
