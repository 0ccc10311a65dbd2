import CanonicalJSON
import Kernel
import Ledger
import LedgerFormat

/// What a grant takes away.
struct Evictions {
    var leases: [Lease] = []
    var drafts: [Draft] = []
    /// Whether what is expired and stands against it is all among them.
    var isEnough = true
}

extension Lanes {
    /// All that is expired and stands against a grant, and so much of the rest that no decision grows large.
    ///
    /// What stands against it may be more than one decision holds; then the grant has to wait for the next.
    func evictions(
        for claim: Claim, by holder: String, _ host: String, at now: Instant, _ effort: inout Effort, _ moment: Moment
    ) throws(LedgerError) -> Evictions {
        var against: [Lease] = []
        var rest: [Lease] = []
        for lease in ordered where lease.standing(settings, at: now) == .expired {
            if Arbiter(live: [lease]).judge(claim, &effort).outcome == .refuse {
                against.append(lease)
            } else {
                rest.append(lease)
            }
        }
        var evictions = Evictions()
        var room = Self.evictionByteCountMax
        for (index, lease) in (against + rest.prefix(Self.evictionCountMax)).enumerated() {
            let body = evictionBody(of: lease, Self.reason, by: holder, host)
            room -= JSON.object(body).canonicalText.utf8.count + Self.entryByteCount
            guard room >= 0 else {
                evictions.isEnough = index >= against.count
                break
            }
            evictions.leases.append(lease)
            evictions.drafts.append(try moment.draft(.scavenge, Self.reason, body))
        }
        return evictions
    }

    private static let reason = "its time ran out"
    /// Of those that stand against nothing.
    private static let evictionCountMax = 64
    /// A decision has 8 MiB at most, and the grant itself comes behind.
    private static let evictionByteCountMax = 6 << 20
    /// More than an entry has beside its body.
    private static let entryByteCount = 2048

    func evictionBody(of lease: Lease, _ reason: String, by holder: String, _ host: String) -> JSONObject {
        var body = lease.body(host)
        // A lease of an earlier version may have a name of any length; the id says which it is.
        body["loop_ts"] = .string(LaneText.brief(lease.loopTS, upTo: LaneText.byteCountMax))
        body["pid"] = lease.process.map { .number(Double($0.pid)) }
        body["prev_holder"] = .string(LaneText.brief(lease.holder, upTo: LaneText.byteCountMax))
        body["reason"] = .string(reason)
        body["by"] = .string(holder)
        return body
    }
}
