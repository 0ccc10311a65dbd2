package import CanonicalJSON
package import LedgerFormat

extension ForgedChain {
    /// A chain whose first entry names associates.
    package init(founders: [ActorSigner], threshold: Int, in roster: inout ActorRoster) {
        self.init(begins: false)
        let keys = founders.map { "\"\($0.key)\"" }.joined(separator: ",")
        append {
            $0.action = "ledger.genesis"
            $0.actor = ActorRoster.house
            $0.body = #"{"associates":{"keys":[\#(keys)],"threshold":\#(threshold)}}"#
        }
        roster.associates = try? Associates(founders.map(\.key), threshold: threshold, act: .init(seq: 1, hash: tip.hash))
    }

    /// A request behind the last act, signed.
    package func request(
        _ verb: SignedRequest.Verb, _ arguments: JSONObject, by signers: [ActorSigner], _ roster: ActorRoster,
        for ledger: LedgerID? = nil, base: Digest? = nil, expires: Timestamp? = Timestamp("2026-03-01T00:00:00.000000Z")
    ) -> SignedRequest {
        var request = SignedRequest(
            verb, arguments, in: ledger ?? tip.ledger, base: base ?? roster.associates?.act.hash ?? .zero,
            nonce: String(repeating: "0f", count: 16), expires: expires ?? Timestamp(microseconds: 0))
        for signer in signers { request.sign(with: signer) }
        return request
    }

    package func addition(
        of signer: ActorSigner, threshold: Int = 2, by signers: [ActorSigner], _ roster: ActorRoster
    ) -> SignedRequest {
        request(.add, SignedRequest.addition(of: signer.key, threshold: threshold, reason: "test"), by: signers, roster)
    }

    package func removal(
        of signer: ActorSigner, threshold: Int = 2, by signers: [ActorSigner], _ roster: ActorRoster
    ) -> SignedRequest {
        request(.remove, SignedRequest.removal(of: signer.key, threshold: threshold, reason: "test"), by: signers, roster)
    }

    /// - Parameter change: what is made of the arguments before anybody signs.
    package func release(
        by signers: [ActorSigner], _ roster: ActorRoster, tip: Digest? = nil, _ change: (inout JSONObject) -> Void = { _ in }
    ) -> SignedRequest {
        guard let associates = roster.associates else { preconditionFailure("the chain has associates") }
        var arguments = SignedRequest.release(of: associates, behind: tip ?? self.tip.hash, reason: "test")
        change(&arguments)
        return request(.release, arguments, by: signers, roster)
    }

    /// - Parameter change: what is made of the arguments before anybody signs.
    package func adoption(
        of articles: Articles = .standard, text: String = "", threshold: Int = 2, by signers: [ActorSigner],
        _ roster: ActorRoster,
        _ change: (inout JSONObject) -> Void = { _ in }
    ) -> SignedRequest {
        var arguments = SignedRequest.adoption(of: articles, text: text, threshold: threshold, reason: "test")
        change(&arguments)
        return request(.adopt, arguments, by: signers, roster)
    }

    /// Begins a segment with an entry that carries a request out.
    ///
    /// - Parameter change: what is made of the body behind the signatures.
    package mutating func act(
        _ request: SignedRequest, in roster: inout ActorRoster, action: String? = nil, _ change: (String) -> String = { $0 }
    ) {
        roll()
        let statement = RosterStatement(roster, .act(request))
        append {
            $0.action = action ?? statement.action
            $0.actor = ActorRoster.house
            $0.body = change(JSON.object(statement.members).canonicalText)
        }
        roster = statement.after(tip.seq, tip.hash) ?? roster
    }

    /// Begins a segment with a repair, which has lost the two entries before its own, and states the roster.
    ///
    /// - Parameter members: what it says of associates besides.
    package mutating func mend(_ roster: inout ActorRoster, _ members: JSONObject = [:]) {
        roll()
        let (first, last) = (tip.seq + 1, tip.seq + 2)
        var body = RosterStatement(roster).members
        for member in members.members { body[member.key] = member.value }
        body["gap"] = ["first": .number(Double(first)), "last": .number(Double(last))]
        append {
            $0.action = ChainTurn.repaired
            $0.actor = ActorRoster.house
            $0.body = JSON.object(body).canonicalText
            $0.seq = String(last + 1)
        }
        roster = RosterStatement(action: ChainTurn.repaired, body: body)?.after(tip.seq, tip.hash) ?? roster
    }
}
