import CanonicalJSON
package import LedgerFormat
import PlantedDefects

// In whose name something is recorded. Every decision passes here before it is sealed, whichever way it came.
extension WriterSession {
    /// Drafts that may be sealed behind `tip`: those in an enrolled actor's name carry its signature, or get it from the settings' key.
    ///
    /// - Throws: `refused` for what somebody else says in an enrolled actor's name.
    func authenticated(_ drafts: [Draft], behind tip: ChainTip) throws(LedgerError) -> [Draft] {
        guard let state else { preconditionFailure("the lock is held") }
        var answer: [Draft] = []
        for draft in drafts { answer.append(try signed(draft, behind: tip, state.actors)) }
        try refuseUnauthenticated(answer, behind: tip)
        return answer
    }

    /// Whether a draft may be recorded in its actor's name. Requires the lock.
    package func check(_ draft: Draft) throws(LedgerError) {
        guard let state else { preconditionFailure("only the holder of the writer's lock knows who is enrolled") }
        try refuseBorrowedHouseName([draft])
        _ = try authenticated([draft], behind: state.tip)
    }

    /// Nobody but the house speaks in its name, whether anybody is enrolled or not.
    func refuseBorrowedHouseName(_ drafts: [Draft]) throws(LedgerError) {
        for draft in drafts where draft.borrowsHouseName && !planted(.houseNameLent) {
            throw LedgerError(.refused, "\(DraftError.houseName); nothing was recorded")
        }
    }

    func refuseUnauthenticated(_ drafts: [Draft], behind tip: ChainTip) throws(LedgerError) {
        guard let state, !planted(.actorsUnchecked) else { return }
        for draft in drafts {
            if let objection = state.actors.objection(to: draft, behind: tip) {
                var advice = ""
                if case .unsigned = objection { advice = "; sign with --actor-key, or `bulla actor sign`" }
                throw LedgerError(.refused, "\(objection)\(advice); nothing was recorded")
            }
            try refuseForgotten(draft, state)
        }
    }

    /// What a constitution lets one pillar alone justify, is justified by it. What the house itself records, no constitution touches.
    func refuseUnjustified(_ drafts: [Draft]) throws(LedgerError) {
        guard let articles = state?.actors.associates?.constitution?.articles, !articles.pillars.isEmpty,
            !planted(.pillarsUnchecked)
        else { return }
        for draft in drafts {
            let action = draft.action
            guard !ReservedNames.contains(action: action), let (pillar, rule) = articles.pillar(of: action),
                pillar != draft.pillar
            else { continue }
            throw LedgerError(
                .refused,
                "\(action) is justified by \(pillar.rawValue) alone, and not by \(draft.pillar.rawValue): the constitution says so of "
                    + "\(rule); nothing was recorded")
        }
    }

    private func signed(_ draft: Draft, behind tip: ChainTip, _ actors: ActorRoster) throws(LedgerError) -> Draft {
        guard let signer = settings.signer, !draft.isSigned, draft.actor != ActorRoster.house else { return draft }
        switch actors.standing(of: draft.actor, at: tip.seq + 1) {
        case .enrolled(let enrolment) where enrolment.key == signer.key:
            return draft.signed(by: signer, in: tip.ledger, base: tip.seq, id: environment.randomText())
        case .enrolled:
            throw LedgerError(
                .refused, "the key given is \(signer.key), and that is not the one of \(draft.actor); nothing was recorded")
        case .revoked(let enrolment):
            throw LedgerError(
                .refused, "\(ActorObjection.revoked(draft.actor, by: enrolment.revoked)); nothing was recorded")
        case .free:
            throw LedgerError(
                .refused,
                "nobody is enrolled as \(draft.actor) in this ledger, so a key signs nothing for it; nothing was recorded")
        }
    }

    /// A signed draft that is older than what is left of the ledger may have been recorded in what was archived, where no id is looked for.
    private func refuseForgotten(_ draft: Draft, _ state: State) throws(LedgerError) {
        guard draft.isSigned, let base = draft.base, base + 1 < state.firstSeq, !planted(.archivedReplayAccepted) else { return }
        throw LedgerError(
            .refused,
            "the signed draft of \(draft.actor) has the base \(base), and what follows it was archived: it may have been recorded there; "
                + "nothing was recorded")
    }
}

extension WriterSession {
    /// The last entry's receipt, for who signs behind it; requires the lock.
    package func tipReceipt() throws(LedgerError) -> Receipt {
        guard let state else { preconditionFailure("only the holder of the writer's lock knows its tip") }
        return Receipt(state.tip)
    }
}

// Who is enrolled
extension WriterSession {
    /// Requires the lock.
    package var actors: ActorRoster {
        guard let state else { preconditionFailure("only the holder of the writer's lock knows who is enrolled") }
        return state.actors
    }

    /// Binds a name to a key: from the next entry on only who has the key speaks in it. Requires the lock.
    package mutating func enroll(
        _ actor: String, as actorClass: String, _ key: ActorKey, reason: String
    ) throws(LedgerError) -> Receipt {
        guard let state else { preconditionFailure("only the holder of the writer's lock enrolls actors") }
        let actors = state.actors
        guard actor != ActorRoster.house else {
            throw LedgerError(
                .refused, "\(actor) is the house itself, whose entries its seal proves; nobody is enrolled under that name")
        }
        if case .enrolled = actors.standing(of: actor, at: state.tip.seq + 1) {
            throw LedgerError(
                .refused, "\(actor) is enrolled already; revoke its key first, with `bulla actor revoke \(actor) --reason TEXT`")
        }
        if let other = actors.enrolments.first(where: { $0.key == key }), !planted(.keyUnderTwoNames) {
            let what = other.revoked > 0 ? "was that of \(other.actor) until entry \(other.revoked)" : "is that of \(other.actor)"
            throw LedgerError(.refused, "the key \(key) \(what); an actor needs a key of its own: nothing was recorded")
        }
        guard actors.articles.allows(class: actorClass) || planted(.unnamedClassEnrolled) else {
            throw LedgerError(
                .refused,
                "the constitution names no class \(actorClass), only \(actors.articles.classes.joined(separator: ", ")); nothing was recorded"
            )
        }
        guard actors.enrolments.count < ActorRoster.countMax else {
            throw LedgerError(
                .refused,
                "the ledger has had \(ActorRoster.countMax) actors' keys, and no entry would hold more; nothing was recorded")
        }
        return try change(
            RosterStatement(actors, .enrolment(actor: actor, actorClass: actorClass, key: key)), .sovereignty, reason)
    }

    /// Takes an actor's key back: what it signed before stays valid, and nobody speaks in the name until it is enrolled anew.
    ///
    /// Requires the lock.
    package mutating func revoke(_ actor: String, reason: String) throws(LedgerError) -> Receipt {
        guard let state else { preconditionFailure("only the holder of the writer's lock revokes keys") }
        switch state.actors.standing(of: actor, at: state.tip.seq + 1) {
        case .free: throw LedgerError(.refused, "nobody is enrolled as \(actor); `bulla actor list` shows who is")
        case .revoked(let enrolment):
            throw LedgerError(.refused, "the key of \(actor) was revoked before, by entry \(enrolment.revoked)")
        case .enrolled: return try change(RosterStatement(state.actors, .revocation(actor: actor)), .integrity, reason)
        }
    }

    /// The entry is the first of a segment: whoever writes later looks there.
    ///
    /// A crash before the entry leaves an empty segment, which is legal, and the next writer states the old roster in it.
    mutating func change(
        _ statement: RosterStatement, _ pillar: Justification.Pillar, _ reason: String, _ members: JSONObject = [:],
        at time: Timestamp? = nil
    ) throws(LedgerError) -> Receipt {
        if let latched { throw latched }
        precondition(inFlight == nil, "what was submitted is settled before the roster changes")
        var body = members
        for member in statement.members.members { body[member.key] = member.value }
        let draft = try Drafts.refusable(statement.action, pillar, reason, .object(body))
        guard let state else { preconditionFailure("the lock is held") }
        // An entry that is too long must not leave an empty segment behind.
        guard draft.byteCount <= Limits.draftPayload - 4096 else {
            throw LedgerError(.usage, "the entry would have more than \(Limits.draftPayload) bytes; give a shorter reason")
        }
        if state.end > 0 { try roll() }
        let receipt = try beginSegment(with: statement, draft, at: time)
        try writeHead()
        return receipt
    }

    /// Begins the next segment, if it is time, and says in its first entry who is enrolled.
    mutating func stateActorsIfDue() throws(LedgerError) {
        guard let state, !state.actors.isEmpty, !planted(.rosterForgotten) else { return }
        let end = state.end + (inFlight?.byteCount ?? 0)
        guard end == 0 || end >= settings.segmentByteCount && !state.isHeadMissing else { return }
        if let failure = landed() { throw failure }
        if end > 0 { try roll() }
        let statement = RosterStatement(state.actors)
        _ = try beginSegment(with: statement, Drafts.stated(statement))
    }

    /// Records an entry that says who is enrolled, at the start of the segment.
    ///
    /// - Parameter time: the one at which it was allowed; nil for now.
    mutating func beginSegment(
        with statement: RosterStatement, _ draft: Draft, at time: Timestamp? = nil
    ) throws(LedgerError) -> Receipt {
        guard let state else { preconditionFailure("the lock is held") }
        precondition(state.end == 0 && inFlight == nil, "who is enrolled stands at the start of a segment")
        var writer = FrameWriter(after: state.tip, synced: state.tip.seq, key: state.key)
        let receipt: Receipt
        do throws(DraftError) {
            // A clock that stepped back is recorded before the next entry: nothing may stand before this one.
            receipt = try writer.append(draft, at: time ?? max(environment.now(), state.tip.time))
        } catch {
            throw LedgerError(.usage, error.description)
        }
        try append(writer.block.span, tip: writer.tip)
        self.state?.actors = statement.after(receipt.seq, receipt.hash) ?? statement.roster
        return receipt
    }
}

extension Drafts {
    /// At the start of a segment.
    static func stated(_ statement: RosterStatement) -> Draft {
        draft(statement.action, .integrity, "a segment begins with who is enrolled", statement.members)
    }
}

extension Environment {
    /// 64 unpredictable bits as text.
    package func randomText() -> String { KeyID(random()).description }
}
