import CanonicalJSON
import DurableFiles
import LedgerFormat

/// The ledger's entries about itself.
enum Drafts {
    static let actor = "service:bulla"
    static let headRebuilt = "ledger.head_rebuilt"
    static let software = "bulla 0.1.0"

    static func genesis(_ associates: Associates? = nil) -> Draft {
        var body: JSONObject = ["format": 1, "software": .string(software)]
        if let associates { body["associates"] = associates.founding }
        return draft("ledger.genesis", .sovereignty, "a ledger begins", body)
    }

    static func headRebuilt(seq: UInt64) -> Draft {
        draft(
            headRebuilt, .integrity, "HEAD was missing or empty, which no crash leaves", ["verified": .number(Double(seq))],
            .headRebuilt)
    }

    static func clockSteppedBack(from earlier: Timestamp, to now: Timestamp) -> Draft {
        draft(
            "ledger.clock_stepped_back", .integrity, "the clock stepped back; seq orders the entries",
            [
                "from": .string(earlier.description), "to": .string(now.description),
                "microseconds": .number(Double(earlier.microseconds - now.microseconds)),
            ], .clockSteppedBack)
    }

    static func keyRotated(to key: SealingKey, from old: KeyID, in ledger: LedgerID, reason: String) -> Draft {
        draft(
            ChainTurn.rotated, .integrity, reason,
            ["key": .string(key.id.description), "proof": .string(key.proof(in: ledger, after: old).description)])
    }

    /// - Parameter members: what more is known of it.
    static func keyRetired(_ key: KeyID, reason: String, _ members: JSONObject = [:]) -> Draft {
        var body = members
        body["key"] = .string(key.description)
        return draft(ChainTurn.retired, .integrity, reason, body)
    }

    static func repaired(_ body: JSON, reason: String) -> Draft {
        draft(ChainTurn.repaired, .resilience, reason, body.object ?? [:])
    }

    /// What an entry said that is among the damaged ones.
    static func archivedBefore(_ body: JSONObject) -> Draft {
        draft(ArchiveStatement.action, .resilience, "the entry that recorded this archive stands behind the damage", body)
    }

    static func tailCut(_ evidence: Evidence, byteCount: Int, digest: Digest) -> Draft {
        draft(
            "ledger.tail_cut", .resilience, "a crash left a torn tail, for which no HEAD vouched",
            [
                "segment": .string(SegmentName.file(firstSeq: evidence.segment)), "offset": .number(Double(evidence.offset)),
                "bytes": .number(Double(byteCount)), "sha256": .string(digest.description),
                "evidence": .string(Layout.quarantine.name + "/" + evidence.keptName),
            ], .tailCut, id: evidence.keptName)
    }

    static let conflict = "ledger.conflict"

    /// Beside drafts that name places: what they and others lost there.
    static func conflict(_ resolution: ConflictManager.Resolution) -> Draft {
        draft(
            conflict, .integrity,
            "two entries say different things of one place, and neither had seen the other: the higher class counts",
            ConflictRecord.ofEvents(resolution))
    }

    static func losses(ofConflict body: [UInt8]) -> [Collision] {
        ((try? JSON(parsing: body))?["lost"]?.array ?? []).compactMap { Collision($0) }
    }

    static func draft(
        _ action: String, _ pillar: Justification.Pillar, _ reason: String, _ body: JSONObject, _ lesson: Lesson? = nil,
        id: String? = nil
    ) -> Draft {
        var body = body
        lesson?.add(to: &body)
        do throws(DraftError) {
            let context: JSONObject = id.map { ["id": .string($0)] } ?? [:]
            return try Draft(
                action: action, actor: actor, justification: Justification(pillar, reason), body: .object(body), context: context)
        } catch {
            preconditionFailure("the ledger's own draft is refused: \(error)")
        }
    }
}
