package import CanonicalJSON
package import Ledger
package import LedgerFormat

/// What a rule makes of what associates have signed.
package struct SignedDecision<Reply> {
    /// Recorded by themselves, before: they stand whether the rest is recorded or not.
    package var drafts: [Draft]
    /// What the entry that carries the request out says besides; nil if it is not carried out.
    package var members: JSONObject?
    package var reply: Reply

    package init(_ drafts: [Draft], members: JSONObject? = nil, reply: Reply) {
        self.drafts = drafts
        self.members = members
        self.reply = reply
    }
}

extension Decider {
    /// Carries out what associates have signed, if a rule that sees the state finds that it can be.
    ///
    /// A crash leaves nothing, the rule's drafts, or all of it.
    ///
    /// - Parameters:
    ///   - actor: who asks; that it is he, his key shows, where he is enrolled.
    ///   - rule: pure.
    /// - Returns: the rule's reply, and the receipts of its drafts and of the entry that carries the request out.
    /// - Throws: what the rule threw, or `refused` for what was not signed so; then nothing was recorded.
    package mutating func carryOut<State: Projection, Reply>(
        _ request: SignedRequest, as verb: SignedRequest.Verb, on _: State.Type, by actor: String,
        _ rule: (State, Moment) throws(LedgerError) -> SignedDecision<Reply>
    ) throws(LedgerError) -> (reply: Reply, receipts: [Receipt]) {
        try session.acquire()
        return try releasing { decider throws(LedgerError) in
            let view = try LedgerView(decider.session.storage)
            let fold = try decider.caughtUp(State.self, in: view)
            let moment = decider.moment(as: actor, fold.mark)
            let decision = try rule(fold.state, moment)
            if decision.members != nil {
                try decider.session.check(request, as: verb)
                // The entry is the house's; in whose name it is asked for is judged as if it were his.
                try decider.session.check(moment.draft(verb.action, Justification(.sovereignty, request.reason), [:]))
            }
            var receipts: [Receipt] = []
            if !decision.drafts.isEmpty { receipts = try decider.session.commit([decision.drafts])[0].get().receipts }
            if var members = decision.members {
                members["asked_by"] = .string(actor)
                receipts.append(try decider.session.carryOut(request, as: verb, .sovereignty, members))
            }
            decider.goOn(from: fold, in: view)
            return (decision.reply, receipts)
        }
    }
}
