import CanonicalJSON
package import Kernel
package import Ledger
package import LedgerFormat

// Where associates let somebody in beside those who stand against him.
extension Lanes {
    /// What they have to sign for a request; nil where nothing stands against it that they could let pass.
    package func force(for request: LaneRequest, _ moment: Moment) throws(LedgerError) -> LaneForce? {
        guard let lease = try grant(request, moment, passes: \.isPassable).forced else { return nil }
        return LaneForce(of: lease.json)
    }

    /// Grants what they have signed: the entry that carries it out is the grant. Where nothing stands against it any more, it is granted
    /// without them; where something does that they cannot let pass, it is refused.
    ///
    /// - Throws: `refused` if they have signed for another lease, and then nothing is recorded.
    package func force(
        _ request: LaneRequest, _ signed: SignedRequest, _ moment: Moment
    ) throws(LedgerError) -> SignedDecision<Acquisition> {
        let grant = try grant(request, moment, passes: \.isPassable)
        guard let lease = grant.forced else {
            return SignedDecision(try grant.recorded(moment, request.reason), reply: grant.acquisition)
        }
        guard signed.laneForce == LaneForce(of: lease.json) else {
            throw LedgerError(
                .refused,
                "the request was signed for another lease: lane, kind, tree, holder and --ttl must be those that were signed; nothing was recorded"
            )
        }
        return SignedDecision(grant.drafts, members: grant.body(request.reason), reply: grant.acquisition)
    }
}

extension Grant {
    /// The lease that is granted only because associates let it pass.
    fileprivate var forced: Lease? { acquisition.verdict.reasonClass == .forced ? acquisition.lease : nil }
}
