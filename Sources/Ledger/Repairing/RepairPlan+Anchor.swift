package import CanonicalJSON
package import LedgerFormat
import PlantedDefects

extension RepairPlan {
    /// What the anchor has seen of the ledger, and what stands in its place now.
    package struct Sightings: Sendable {
        let finding: AnchorFinding
        /// What was seen at the ledger's own path.
        let here: Anchor.Sighting?
        private let path: PathText
        private let seqs: Set<UInt64>
        /// Of the sound entries that stay or come back.
        private var hashes: [UInt64: Digest] = [:]

        package init(_ finding: AnchorFinding = .absent, at path: PathText = PathText([])) {
            self.finding = finding
            self.path = path
            if case .found(let anchor) = finding {
                here = anchor.sighting(at: path)
                seqs = Set(anchor.sightings.map(\.seq))
            } else {
                here = nil
                seqs = []
            }
        }

        /// What was found is found again, by another walk.
        mutating func forget() { hashes = [:] }

        mutating func note(_ frame: FrameView, _ bytes: Span<UInt8>) {
            guard !seqs.isEmpty else { return }
            if seqs.contains(frame.seq) { hashes[frame.seq] = frame.hash(in: bytes) }
            // As it counts in a whole ledger: what others saw is looked for under its own seq only.
            if let here, let earlier = Readmission(frame, of: bytes), earlier.view.seq == here.seq {
                hashes[here.seq] = earlier.entry.hash
            }
        }

        /// - Parameter archived: the hash of an entry before the first one, as far as what is left tells it.
        func objections(firstSeq: UInt64, lastSeq: UInt64, archived: (UInt64) -> Digest?) -> [AnchorVerdict.Objection] {
            let verdict = AnchorVerdict(finding, at: path, firstSeq: firstSeq, lastSeq: lastSeq) { seq in
                seq < firstSeq ? archived(seq) : hashes[seq]
            }
            guard case .alarm(let objections) = verdict, !planted(.objectionsUntold) else { return [] }
            return objections
        }
    }

    /// Compares what is left with what was seen: damage hides no step back, and a repair makes no history the right one.
    mutating func compareSightings(_ view: LedgerView, _ environment: Environment) {
        // Damage where it is looked up is told by the plan itself.
        anchorObjections = sightings.objections(firstSeq: view.firstSeq, lastSeq: knownSeq) { seq in
            (try? EntryReader(view, environment).hash(ofArchived: seq)) ?? nil
        }
    }

    /// What the anchor says against the ledger, and what to do; nil for nothing.
    package var anchorMessage: String? { anchorObjections.first?.message(ledger: basePath) }

    /// What it says, sighting by sighting, and whether a repair ends it: a loss that was recorded is a step back no more.
    package var anchorWarnings: [String] {
        anchorObjections.map { objection in
            let what = objection.what(ledger: basePath)
            switch objection.kind {
            case .steppedBack:
                return
                    "\(what): what was recorded in between is not here, and the repair names it as lost; "
                    + "if a newer copy exists, repair that"
            case .otherHistory:
                return "\(what); the repair leaves that as it is, and nobody writes here before `bulla anchor accept`"
            }
        }
    }

    /// The objections, as entries and plans name them.
    package var anchorSightings: [JSON] { anchorObjections.map { $0.json(ledger: basePath) } }
}

extension AnchorVerdict.Objection {
    /// What was seen, when and where, and what it says of the ledger.
    fileprivate func json(ledger path: String) -> JSON {
        var members = sighting.path.members()
        members["seq"] = .number(Double(sighting.seq))
        members["hash"] = .string(sighting.hash.description)
        members["time"] = .string(sighting.time.description)
        members["objection"] = .string(what(ledger: path))
        return .object(members)
    }
}

extension AnchorFinding {
    /// The entry that was seen last at a path; nil if none was.
    func seqSeen(at path: PathText) -> UInt64? {
        guard case .found(let anchor) = self else { return nil }
        return anchor.sighting(at: path)?.seq
    }
}
