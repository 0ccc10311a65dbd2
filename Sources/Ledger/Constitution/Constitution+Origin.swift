import CanonicalJSON
package import LedgerFormat

extension Constitution {
    /// What a ledger tells of how its constitution came to hold.
    package enum Origin: Sendable, Equatable {
        case adopted(by: UInt64)
        /// A repair took it over, and a sound entry from behind the damage adopts it or states it.
        case told(by: UInt64, repair: UInt64)
        /// A repair took it over, and M signatures are all that speaks for it: it may never have been adopted.
        case signed(repair: UInt64)
        /// Its adoption is lost, or was archived.
        case gone(UInt64)
    }

    /// What whoever signs a release should know of it.
    package func origin(in view: LedgerView, _ environment: Environment) throws(LedgerError) -> Origin {
        // What lies in an archive is not read here.
        guard act.seq >= view.firstSeq else { return .gone(act.seq) }
        let reader = EntryReader(view, environment)
        guard let entry = try reader.fate(of: act.seq)?.entry, entry.hash == act.hash else { return .gone(act.seq) }
        guard entry.action == ChainTurn.repaired else { return .adopted(by: entry.seq) }
        let acts = (try? JSON(parsing: entry.body))?["acts"]?.array ?? []
        let adoption = acts.last { $0["request"].flatMap(SignedRequest.init(_:))?.verb == .adopt }
        let hash = adoption?["hash"]?.string.flatMap { Digest($0) }
        var witness: UInt64?
        try reader.read(from: act.seq) { frame, bytes in
            if frame.seq == act.seq { return true }
            guard let readmission = Readmission(frame, of: bytes) else {
                // They may stand between a repair and what it took over.
                return [ChainTurn.rotated, RosterStatement.stated].contains(bytes.text(frame.action))
            }
            let stated = RosterStatement(readmission.view, readmission.frame.span)?.roster.associates?.constitution
            if readmission.entry.hash == hash || stated?.articles == articles { witness = readmission.entry.seq }
            return witness == nil
        }
        return witness.map { .told(by: $0, repair: act.seq) } ?? .signed(repair: act.seq)
    }
}

extension Constitution.Origin: CustomStringConvertible {
    package var description: String {
        switch self {
        case .adopted(let seq): "adopted by entry \(seq)"
        case .told(let seq, let repair): "taken over by the repair in entry \(repair), as entry \(seq) tells, which is sound"
        case .signed(let repair):
            "taken over by the repair in entry \(repair) by its signatures: nothing sound tells that it was adopted"
        case .gone(let seq): "stated by entry \(seq), which is lost or was archived"
        }
    }
}

extension EntryReader.Fate {
    /// As it was sealed; nil where it is lost.
    var entry: Entry? {
        switch self {
        case .inPlace(let entry): entry
        case .readmitted(let readmission, _): readmission.entry
        case .lost: nil
        }
    }
}
