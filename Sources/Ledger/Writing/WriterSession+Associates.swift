package import CanonicalJSON
package import LedgerFormat
import PlantedDefects

// What associates have signed, and a calm house carries out.
extension WriterSession {
    /// Adds or removes an associate, or records what else they decided. Requires the lock; the alert is released otherwise (`AlertRelease`).
    ///
    /// - Parameter members: what the entry says besides.
    /// - Throws: `refused` for what was not signed so, is too old, or was carried out before.
    package mutating func carryOut(
        _ request: SignedRequest, as verb: SignedRequest.Verb, _ pillar: Justification.Pillar = .sovereignty,
        _ members: JSONObject = [:]
    ) throws(LedgerError) -> Receipt {
        guard let state else { preconditionFailure("only the holder of the writer's lock carries out what associates sign") }
        precondition(verb != .release, "a house in alert is not open to its writers")
        let time = try check(request, as: verb)
        return try change(RosterStatement(state.actors, .act(request)), pillar, request.reason, members, at: time)
    }

    /// Whether a request can be carried out now. Requires the lock.
    ///
    /// - Returns: the time at which.
    @discardableResult
    package func check(_ request: SignedRequest, as verb: SignedRequest.Verb) throws(LedgerError) -> Timestamp {
        guard let state else { preconditionFailure("only the holder of the writer's lock judges what associates sign") }
        let time = max(environment.now(), state.tip.time)
        let objection =
            request.objection(as: verb, state.actors.associates, behind: state.tip, at: time)
            ?? request.objectionToAdoption(state.actors)
        if let objection {
            throw LedgerError(.refused, "\(objection); nothing was recorded")
        }
        return time
    }
}

extension SignedRequest {
    /// What is wrong with it in a ledger that ends with an entry.
    func objection(as verb: Verb, _ associates: Associates?, behind tip: ChainTip, at time: Timestamp) -> AssociateObjection? {
        guard let associates else { return .nobody }
        return objection(as: verb) ?? associates.objection(to: self, in: tip.ledger, at: time, behind: tip.hash)
            ?? associates.objectionToLife(of: self, at: time)
    }

    /// What is wrong with the constitution that is to be adopted, besides what any verifier looks at.
    package func objectionToAdoption(_ actors: ActorRoster) -> AssociateObjection? {
        guard verb == .adopt else { return nil }
        return objectionToText ?? (planted(.classesUncompared) ? nil : objectionToClasses(actors))
    }

    /// Who would be locked out by the constitution that is to be adopted.
    func objectionToClasses(_ actors: ActorRoster) -> AssociateObjection? {
        articles.flatMap { actors.objection(to: $0) }
    }
}

extension Associates {
    /// The articles say how long requests live; the standard ones until others are adopted.
    fileprivate func objectionToLife(of request: SignedRequest, at time: Timestamp) -> AssociateObjection? {
        let hours = articles.requestHours
        guard !planted(.requestLifeUnchecked) else { return nil }
        return request.expires.microseconds - time.microseconds > Int64(hours) * 3_600_000_000 ? .life(hours) : nil
    }
}
