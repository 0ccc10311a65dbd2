package import CanonicalJSON
package import LedgerFormat
import PlantedDefects

/// What is left of a ledger, and what a repair makes of it. Nothing is changed by making a plan.
package struct RepairPlan: Sendable {
    /// The entries from the first on that verify, up to the end of a decision: they stay as they are.
    package struct Prefix: Sendable {
        package var end = Place(segment: 1, offset: 0, seq: 1)
        /// Nil when not even the first entry is sound.
        package var tip: ChainTip?
        package var seq: UInt64 { tip?.seq ?? 0 }
        /// Seqs that nothing behind it may be re-admitted with.
        var taken: [ClosedRange<UInt64>] = []
        /// Keys that it has replaced by others.
        var replacedKeys: Set<KeyID> = []
        /// The key that sealed the last entry.
        var sealing: KeyID?
        /// The last entry whose seal was checked: links vouch for those before it; 0 if there is none.
        var lastSealedSeq: UInt64 = 0
        /// The last entry behind which the key is there that the chain calls for; 0 if there is none.
        var lastSealableSeq: UInt64 = 0
        /// Who is enrolled behind it.
        var actors = ActorRoster()
        /// What its signed entries have spent.
        var signedIDs = SignedIDs()
        /// Whether that is known: the first entry is there, or the first of a segment says it.
        package internal(set) var knowsActors = false
        /// Archives that were given say it of what they hold.
        var archiveTellsActors = false
        /// Why the ledger begins behind an archive, if an entry of the prefix says it.
        var archived: ArchiveStatement?
    }

    /// How the entry fits whose seq and hash HEAD names.
    enum HeadMatch: Sendable {
        case entirely, underAnotherKey
    }

    /// A range of bytes of which no frame is sound.
    package struct Damage: Sendable {
        package var range: Survey.Damage
        /// Of its bytes; nil where only entries are missing.
        package var digest: Digest?
    }

    /// What becomes of the sound frames behind the prefix.
    package struct Survivors: Sendable, Equatable {
        /// Links lead from them to HEAD's tip.
        package var provenCount: UInt64 = 0
        package var unprovenCount: UInt64 = 0
        /// They stand in the evidence only: doubled or out of order, or nested too deeply.
        package var leftOutCount: UInt64 = 0
        /// They too, by key: the chain cannot have called for it there, so whoever has an old key may have forged them.
        package var foreignCounts: [KeyID: UInt64] = [:]
        /// They too, by key: it is not there to check their seals with.
        package var keylessCounts: [KeyID: UInt64] = [:]
        /// How many seqs of the gap they fill.
        package var inGapCount: UInt64 = 0
        /// The highest seq, and the key that is called for behind it.
        package var lastSeq: UInt64 = 0
        package var lastKey: KeyID?
        /// A sound entry introduces it.
        package var isLastKeyIntroduced = false
        package var readmittedCount: UInt64 { provenCount + unprovenCount }
    }

    package var ledger: LedgerID
    /// Keys whose files will never turn up, as a user says.
    var goneKeys: Set<KeyID>
    package var prefix: Prefix
    /// HEAD as it was found.
    package var head: Result<Head, HeadFault>
    /// What HEAD's bytes were, if they were no valid HEAD.
    package var faultyHead: [UInt8] = []
    package var damages: [Damage] = []
    /// What HEAD proves by links.
    var path = ProvenPath()
    package var survivors = Survivors()
    /// Who is enrolled from there on: as the prefix says, and sound entries behind the damage, which only add to that.
    package internal(set) var actors = ActorRoster()
    /// Who speaks with a signature behind the damage, where no sound entry says that somebody was enrolled under that name.
    package internal(set) var strangers: [String] = []
    /// What associates had signed, as they kept it.
    var requests: [SignedRequest] = []
    /// What whoever repairs says of associates, where nothing sound does.
    package internal(set) var naming: Naming?
    /// Whoever repairs agrees that associates who were removed sign again.
    package internal(set) var acceptsRemoved = false
    /// Nothing sound says whether the ledger had associates.
    package internal(set) var losesAssociates = false
    /// What is left of associates' acts, and proves itself.
    package internal(set) var mending = Associates.Mending()
    /// Associates whose removal is lost, and who are back because too few would be left to sign.
    package internal(set) var returningAssociates: [ActorKey] = []
    /// A constitution that sound entries behind the damage state, and whose adoption is lost: it counts no more.
    package internal(set) var lostConstitution: Constitution?
    /// Lost entries that said who is enrolled, or may have changed it, where no sound one behind them says it again.
    package internal(set) var lostStatements: [UInt64] = []
    /// Why the chain does not go on behind the prefix.
    package var failure: ChainFailure?
    /// What a crash has left behind the prefix, which is no damage.
    package var tear: Tear?
    /// What the anchor has seen.
    var sightings: Sightings
    /// The highest seq that was ever seen here, as the anchor says; 0 if nothing does.
    package var anchoredSeq: UInt64 { sightings.here?.seq ?? 0 }
    /// HEAD vouches for something else than the chain holds.
    package var contradictsHead = false
    var matchesHead: HeadMatch?
    /// The first segment may build on an archive; false once it is clear that no entry which can be believed explains that.
    package internal(set) var trustsBase = true
    /// What the lost entry said that explains it, known from one behind the damage: it is recorded again.
    package var restated: JSONObject?
    /// What the archives at hand prove of the beginning; used where no whole decision of the prefix explains it.
    let recovery: ArchiveRecovery?
    package internal(set) var usesArchives = false
    /// The seq that the first segment is named after: what lies before was archived, if it is above 1.
    package internal(set) var firstSeq: UInt64 = 1
    /// HEAD's segment lies behind an archive, and no segment is left that could say so.
    var isBeginningGone = false
    /// Keys that are not there, which only the lost end retires: without them the ledger stays unverifiable.
    package var absentKeys: Set<KeyID> = []
    /// Such keys whose retirement is known from an entry behind the damage: it is recorded again.
    package var retiredKeys: Set<KeyID> = []
    /// What the anchor says against the ledger, whether there is anything to mend or not: it stepped back, or is another history.
    package internal(set) var anchorObjections: [AnchorVerdict.Objection] = []
    /// Where the ledger is, for messages.
    let basePath: String

    /// Why the house was locked, if whoever did it could keep that.
    package var alertCause: AlertCause?

    package var validHead: Head? { try? head.get() }
    /// What was before the first segment counts as lost: nothing that can be believed says that it was archived.
    package var losesArchive: Bool { !usesArchives && restated == nil && (!trustsBase || isBeginningGone) }
    /// Segments behind what was archived are gone.
    package var isBehindHole: Bool { failure?.reason == .segmentMissing && (prefix.archived != nil || restated != nil) }
    /// Above everything that was ever there, as far as is known.
    package var seq: UInt64 { max(knownSeq, isNeeded ? anchoredSeq : 0) + 1 }
    var knownSeq: UInt64 { max(prefix.seq, survivors.lastSeq, validHead?.seq ?? 0) }
    /// Whether there is anything to mend or to release; a step back alone is not: the user accepts that by name.
    package var isNeeded: Bool { isFaulty || !isGoverned && validHead?.alert ?? true }
    private var isFaulty: Bool { failure != nil || contradictsHead || knownSeq > prefix.seq || validHead == nil }
    /// The ledger has associates, who alone release its alert.
    package var isGoverned: Bool { actors.associates != nil && !planted(.repairReleases) }
    /// Nothing has to be mended, and the alert waits for its release.
    package var awaitsRelease: Bool { isGoverned && !isFaulty && validHead?.alert == true }
    /// The seqs that no entry of the chain has any more.
    package var gap: ClosedRange<UInt64>? { seq > prefix.seq + 1 ? prefix.seq + 1...seq - 1 : nil }
    /// Entries that are gone for good.
    package var lostCount: UInt64 { gap.map { UInt64($0.count) - min(UInt64($0.count), survivors.inGapCount) } ?? 0 }
    /// The key that was called for in the end, as far as is known.
    package var lastKey: KeyID? { survivors.lastKey ?? prefix.tip?.key }
    /// A key that the repair introduces, because the entry that did is gone.
    package var introducedKey: KeyID? {
        guard replacesLedger, let tip = prefix.tip, let lastKey, lastKey != tip.key else { return nil }
        return lastKey
    }
    /// Damaged bytes stand in `ledger/`: it is replaced by a sound one, and kept. So it is where the ledger has associates: the entry that
    /// suspends them begins a segment.
    package var replacesLedger: Bool { failure != nil || isGoverned && isFaulty }
}

extension RepairPlan {
    /// The body of `ledger.repaired`.
    ///
    /// - Parameter evidence: where the damaged ledger is kept, if it is replaced.
    func body(evidence: String?, headEvidence: String?, rootCause: String?, lesson: String?) -> JSON {
        var body: JSONObject = [
            "trauma": .string(trauma), "root_cause": .string(rootCause ?? alertCause?.text ?? "not known yet"),
            "correction": .string(correction),
            "lesson": .string(lesson ?? "keep receipts outside, back up, and find out who or what wrote here"),
            "damages": .array(damages.prefix(Self.namedDamageCountMax).map(\.json)), "lost": .number(Double(lostCount)),
            "proven": .number(Double(survivors.provenCount)), "unproven": .number(Double(survivors.unprovenCount)),
            "prefix": ["seq": .number(Double(prefix.seq)), "hash": .string((prefix.tip?.hash ?? .zero).description)],
        ]
        // Beside what a human says of it: the file that tells it belongs to this alert alone, and is gone with it.
        if let alertCause, !planted(.repairForgetsCause) {
            body["cause"] = .string(alertCause.text)
            body["raised"] = .string(alertCause.time.description)
        }
        if !actors.isEmpty { body["roster"] = actors.json }
        if let associates = actors.associates { body["associates"] = associates.json }
        for member in mending.members.members { body[member.key] = member.value }
        if losesAssociates { body["associates_lost"] = true }
        if let gap { body["gap"] = ["first": .number(Double(gap.lowerBound)), "last": .number(Double(gap.upperBound))] }
        if damages.count > Self.namedDamageCountMax {
            body["more_damages"] = .number(Double(damages.count - Self.namedDamageCountMax))
        }
        for member in keyMembers { body[member.key] = member.value }
        let seen = anchorSightings
        if let first = seen.first { body["anchor"] = first }
        if seen.count > 1 { body["more_anchors"] = .array(Array(seen.dropFirst())) }
        if !lostStatements.isEmpty { body["actors_lost"] = .array(lostStatements.map { .number(Double($0)) }) }
        if let evidence { body["evidence"] = .string(evidence) }
        switch head {
        case .success(let head): body["head"] = ["seq": .number(Double(head.seq)), "tip": .string(head.tip.description)]
        case .failure(let fault):
            var found: JSONObject = ["fault": .string(fault.description)]
            if let headEvidence { found["evidence"] = .string(headEvidence) }
            body["head"] = .object(found)
        }
        return .object(body)
    }

    /// What is said of keys, where there is something to say: how many entries are kept as evidence only, and which keys are wanted.
    package var keyMembers: [(key: String, value: JSON)] {
        var members: [(key: String, value: JSON)] = []
        func add(_ name: String, _ counts: [KeyID: UInt64]) {
            guard !counts.isEmpty else { return }
            let object = counts.sorted { $0.key.description < $1.key.description }.prefix(Self.namedKeyCountMax)
            members.append((name, .object(JSONObject(object.map { ($0.key.description, .number(Double($0.value))) }))))
        }
        add("foreign", survivors.foreignCounts)
        add("keyless", survivors.keylessCounts)
        if !absentKeys.isEmpty {
            members.append(
                ("absent_keys", .array(absentKeys.map(\.description).sorted().prefix(Self.namedKeyCountMax).map { .string($0) })))
        }
        return members
    }

    private static let namedKeyCountMax = 1000

    /// So many fit into one entry; the evidence holds all.
    private static let namedDamageCountMax = 1000

    var trauma: String {
        guard let objection = anchorObjections.first else { return finding }
        return "\(finding); and \(objection.what(ledger: basePath))"
    }

    private var finding: String {
        if let failure { return "\(failure.place): \(failure.reason)" }
        if contradictsHead { return "HEAD vouches for another entry than the chain holds" }
        if case .failure(let fault) = head { return fault.description }
        return "the house was in alert, and the ledger is whole"
    }

    private var correction: String {
        var steps: [String] = []
        if replacesLedger { steps.append("the verified entries were kept in place, the damaged ledger became evidence") }
        if survivors.readmittedCount > 0 {
            steps.append("\(survivors.readmittedCount) sound entries behind the damage were re-admitted")
        }
        steps.append(isGoverned ? "HEAD was written anew, in alert" : "HEAD was written anew, and the alert was released")
        return steps.joined(separator: "; ")
    }
}

extension RepairPlan.Damage {
    package var json: JSON {
        var object: JSONObject = [
            "segment": .string(range.start.segmentName), "offset": .number(Double(range.start.offset)),
            "seq": .number(Double(range.start.seq)), "bytes": .number(Double(range.byteCount)), "reason": .string(range.reason),
        ]
        if let digest { object["sha256"] = .string(digest.description) }
        if let next = range.next { object["next"] = .number(Double(next.seq)) }
        return .object(object)
    }
}
