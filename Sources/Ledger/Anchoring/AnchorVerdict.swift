package import LedgerFormat
import PlantedDefects

/// What an anchor says of a ledger.
package enum AnchorVerdict: Sendable, Equatable {
    case fine
    /// Worth telling: this ledger is a copy, or older than one.
    case notice(String)
    /// There is nothing to compare with.
    case warning(String)
    /// What was seen here last was archived since, and nothing that is left says whether it is the same history.
    case archived(Anchor.Sighting)
    /// The ledger stepped back, or there are two histories: the sightings that say so.
    case alarm([Objection])

    /// A sighting that the ledger contradicts.
    package struct Objection: Sendable, Equatable {
        package enum Kind: Sendable, Equatable {
            /// The ledger at this path ends before the entry that was seen there.
            case steppedBack(to: UInt64)
            /// Another entry stands where the seen one should.
            case otherHistory
        }

        package var kind: Kind
        package var sighting: Anchor.Sighting
        package var isHere: Bool

        package init(kind: Kind, sighting: Anchor.Sighting, isHere: Bool) {
            self.kind = kind
            self.sighting = sighting
            self.isHere = isHere
        }
    }

    /// - Parameters:
    ///   - here: the path of the ledger that is judged.
    ///   - firstSeq: its first one: what lies before was archived.
    ///   - lastSeq: its last entry.
    ///   - hash: the hash of an entry up to there; nil when the ledger accounts for its absence.
    package init<Failure: Error>(
        _ finding: AnchorFinding, at here: PathText, firstSeq: UInt64 = 1, lastSeq: UInt64,
        hash: (UInt64) throws(Failure) -> Digest?
    ) throws(Failure) {
        switch finding {
        case .absent:
            self = .warning("nothing is known here of this ledger from before: a step back would not be noticed")
        case .unusable(let reason):
            self = .warning("the anchor cannot be used: \(reason); a step back would not be noticed")
        case .found(let anchor):
            var objections: [Objection] = []
            var further: Anchor.Sighting?
            // An archive that is made by who keeps the anchor is followed by a later sighting; another's may hide a step back.
            var archived: Anchor.Sighting?
            for sighting in anchor.sightings {
                let isHere = sighting.path == here
                if sighting.seq <= lastSeq {
                    if let found = try hash(sighting.seq) {
                        guard found != sighting.hash else { continue }
                        objections.append(Objection(kind: .otherHistory, sighting: sighting, isHere: isHere))
                    } else if isHere, sighting.seq < firstSeq, !planted(.archivedSightingAgrees) {
                        archived = sighting
                    }
                } else if isHere {
                    objections.append(Objection(kind: .steppedBack(to: lastSeq), sighting: sighting, isHere: true))
                } else if sighting.seq > further?.seq ?? 0 {
                    further = sighting
                }
            }
            if !objections.isEmpty {
                self = .alarm(objections.filter(\.isHere) + objections.filter { !$0.isHere })
            } else if let archived {
                self = .archived(archived)
            } else if let further {
                self = .notice(
                    "this ledger was seen at \(further.path) up to seq \(further.seq), on \(further.time); here it ends at seq \(lastSeq): this is a copy, or the older one"
                )
            } else {
                self = .fine
            }
        }
    }

    /// What to tell, in one sentence; nil if there is nothing.
    package func message(ledger path: String) -> String? {
        switch self {
        case .fine: nil
        case .notice(let text), .warning(let text): text
        case .archived(let sighting):
            "the entry with seq \(sighting.seq), seen here on \(sighting.time), was archived since, so that a step back cannot be told: "
                + "compare with `bulla verify`, and --archive for each directory that took some"
        case .alarm(let objections): objections.first?.message(ledger: path)
        }
    }
}

extension AnchorVerdict.Objection {
    func message(ledger path: String) -> String { "\(what(ledger: path)); \(Self.remedy)" }

    static let remedy = "if that is your doing, as by restoring a backup: `bulla anchor accept --reason …`"

    /// What the ledger contradicts.
    func what(ledger path: String) -> String {
        switch kind {
        case .steppedBack(let seq):
            "the ledger at \(path) stepped back from seq \(sighting.seq), seen on \(sighting.time), to seq \(seq)"
        case .otherHistory where isHere:
            "the entry with seq \(sighting.seq) at \(path) is not the one that was seen there on \(sighting.time): this is another history"
        case .otherHistory:
            "the entry with seq \(sighting.seq) at \(path) is not the one that was seen at \(sighting.path) on \(sighting.time): both copies were written, and these are two histories"
        }
    }
}
