package import LedgerFormat

// What associates have signed, and a calm house carries out.
extension WriterSession {
    /// Adds or removes an associate. Requires the lock; the alert is released otherwise (`AlertRelease`).
    ///
    /// - Throws: `refused` for what was not signed so, is too old, or was carried out before.
    package mutating func carryOut(_ request: SignedRequest, as verb: SignedRequest.Verb) throws(LedgerError) -> Receipt {
        guard let state else { preconditionFailure("only the holder of the writer's lock carries out what associates sign") }
        precondition(verb != .release, "a house in alert is not open to its writers")
        let time = max(environment.now(), state.tip.time)
        if let objection = request.objection(as: verb, state.actors.associates, behind: state.tip, at: time) {
            throw LedgerError(.refused, "\(objection); nothing was recorded")
        }
        return try change(RosterStatement(state.actors, .act(request)), .sovereignty, request.reason, at: time)
    }
}

extension SignedRequest {
    /// What is wrong with it in a ledger that ends with an entry.
    func objection(as verb: Verb, _ associates: Associates?, behind tip: ChainTip, at time: Timestamp) -> AssociateObjection? {
        guard let associates else { return .nobody }
        return objection(as: verb) ?? associates.objection(to: self, in: tip.ledger, at: time, behind: tip.hash)
    }
}
