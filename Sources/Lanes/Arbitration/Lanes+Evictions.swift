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
        let tree = IndexedTree(claim.tree)
        var against: [Lease] = []
        var rest: [Lease] = []
        for lease in ordered where lease.standing(settings, at: now) == .expired {
            if Arbiter(live: [lease]).judge(claim, tree, &effort).outcome == .refuse {
                against.append(lease)
            } else {
                rest.append(lease)
            }
        }
        var room = Self.decisionByteCountMax
        var evictions = try evictions(
            of: against + rest.prefix(Self.evictionCountMax), by: holder, host, moment, room: &room)
        evictions.isEnough = evictions.leases.count >= against.count
        return evictions
    }

    /// The first of these, as many as there is room for.
    func evictions(
        of leases: [Lease], by holder: String, _ host: String, _ moment: Moment, room: inout Int
    ) throws(LedgerError) -> Evictions {
        var evictions = Evictions()
        for lease in leases {
            let body = evictionBody(of: lease, Self.reason, by: holder, host)
            let count = Self.byteCount(body)
            guard room >= count else {
                evictions.isEnough = false
                break
            }
            room -= count
            evictions.leases.append(lease)
            evictions.drafts.append(try moment.draft(.scavenge, Self.reason, body))
        }
        return evictions
    }

    /// No less than an entry with this body has.
    static func byteCount(_ body: JSONObject) -> Int { JSON.object(body).canonicalText.utf8.count + entryByteCount }

    private static let reason = "its time ran out"
    /// Of those that stand against nothing.
    private static let evictionCountMax = 64
    /// A decision has 8 MiB at most, and the grant itself comes behind.
    static let decisionByteCountMax = 6 << 20
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
