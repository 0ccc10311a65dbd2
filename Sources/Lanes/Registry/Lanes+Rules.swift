import CanonicalJSON
package import Kernel
package import Ledger
package import LedgerFormat
import PlantedDefects

/// What gives the right to a lease: both, and no name.
package struct LeaseRight: Sendable, Equatable {
    package var id: LeaseID
    package var token: UInt64

    package init(id: LeaseID, token: UInt64) {
        self.id = id
        self.token = token
    }
}

/// What came of a request.
package struct Acquisition: Sendable {
    package var verdict: Verdict
    /// What was granted; its token is the seq of the decision's last entry.
    package var lease: Lease?
    /// Whose time was over.
    package var evicted: [Lease] = []
}

/// What a request comes to, but for the entry that grants it.
struct Grant {
    /// What is taken away first, and a refusal.
    var drafts: [Draft]
    var acquisition: Acquisition

    init(_ drafts: [Draft], _ acquisition: Acquisition) {
        self.drafts = drafts
        self.acquisition = acquisition
    }

    /// The body of the entry that grants it; nil if nothing is granted.
    func body(_ reason: String) -> JSONObject? { acquisition.lease?.granted(after: acquisition.evicted, reason) }

    /// All that is recorded.
    func recorded(_ moment: Moment, _ reason: String) throws(LedgerError) -> [Draft] {
        guard let body = body(reason) else { return drafts }
        return drafts + [try moment.draft(.acquire, reason, body)]
    }
}

// What may be done, and which entries say so. Each rule sees all that was recorded before, under the writer's lock.
extension Lanes {
    /// Grants a lane or refuses it; both are recorded.
    ///
    /// What is expired is taken away first, in the same decision: whatever stands against the claim, and some of the rest.
    ///
    /// - Throws: `refused` for what is no question for the arbiter, `usage` for a name that is too long, and then nothing is recorded.
    package func acquire(_ request: LaneRequest, _ moment: Moment) throws(LedgerError) -> Decision<Acquisition> {
        let grant = try grant(request, moment)
        return Decision(try grant.recorded(moment, request.reason), reply: grant.acquisition)
    }

    /// What a request comes to.
    ///
    /// - Parameter passes: whether a refusal of the arbiter's is let pass.
    func grant(
        _ request: LaneRequest, _ moment: Moment, passes: (Verdict) -> Bool = { _ in false }
    ) throws(LedgerError) -> Grant {
        try request.checkSizes()
        let now = Instant(moment)
        var effort = Effort()
        var verdict = try judge(request, at: now, &effort)
        if verdict.outcome == .refuse, passes(verdict) { verdict = verdict.passed() }
        guard verdict.outcome == .acquire, let lane = verdict.lane else {
            return Grant([try refusal(of: request, verdict, moment)], Acquisition(verdict: verdict))
        }
        let claim = Claim(lane: lane, kind: verdict.kind, tree: verdict.tree)
        let evictions =
            planted(.evictionForgotten)
            ? Evictions() : try evictions(for: claim, by: request.holder, request.host, at: now, &effort, moment)
        let evicted = evictions.leases
        guard evictions.isEnough else {
            verdict = verdict.waiting(evictedCount: evicted.count)
            return Grant(
                evictions.drafts + [try refusal(of: request, verdict, moment)], Acquisition(verdict: verdict, evicted: evicted))
        }
        let lease = Lease(
            id: unusedID(from: moment.random), token: 0, lane: lane, kind: verdict.kind, tree: verdict.tree,
            laneClass: verdict.laneClass,
            holder: request.holder, loopTS: request.loopTS, host: request.host, process: request.process, ttl: request.ttl,
            acquiredAt: moment.now, beat: now, notes: request.notes)
        return Grant(evictions.drafts, Acquisition(verdict: verdict, lease: lease, evicted: evicted))
    }

    /// A number that is taken would give one holder the other's lease.
    func unusedID(from random: UInt64) -> LeaseID {
        var next = random
        while leases[LeaseID(next)] != nil { next &+= 1 }
        return LeaseID(next)
    }

    package func release(_ right: LeaseRight, _ reason: String, _ host: String, _ moment: Moment) throws(LedgerError) -> Decision<
        Lease
    > {
        let lease = try lease(right, moment)
        var body = lease.body(host)
        body["reason"] = .string(reason)
        return Decision([try moment.draft(.release, reason, body)], reply: lease)
    }

    /// Keeps a lease alive.
    ///
    /// - Parameters:
    ///   - time: when the holder lived, if not now; the future counts as now, and that is recorded.
    ///   - event: what was done; without it the holder only lives.
    package func heartbeat(
        _ right: LeaseRight, at time: Timestamp? = nil, event: String?, _ host: String, _ moment: Moment
    ) throws(LedgerError) -> Decision<Lease> {
        var lease = try lease(right, moment)
        let now = Instant(moment)
        guard lease.standing(settings, at: now) != .expired else { throw Self.expired(lease, at: now) }
        let age = time.map { moment.now.microseconds - $0.microseconds } ?? 0
        let beat = now.earlier(by: planted(.futureBeatBelieved) ? age : max(0, age))
        var body = lease.body(host)
        body["beat"] = beat.json
        body["heartbeat_at"] = .string(beat.time.description)
        body["event"] = event.map { .string($0) }
        if age < 0, !planted(.futureBeatBelieved) { body["clamped_from"] = time.map { .string($0.description) } }
        if beat.isNoEarlier(than: lease.beat) { lease.beat = beat }
        return Decision([try moment.draft(.heartbeat, event ?? "the holder lives", body)], reply: lease)
    }

    /// Takes an orphan away: a lease that is expired, or whose process is seen to be gone.
    package func scavenge(
        _ id: LeaseID, _ sighting: ProcessSighting?, _ reason: String, by holder: String, _ host: String, _ moment: Moment
    ) throws(LedgerError) -> Decision<Lease> {
        let lease = try lease(id)
        let now = Instant(moment)
        guard lease.standing(settings, at: now) == .expired || sighting?.isAlive(lease.process) == false else {
            let end = lease.ttl + settings.grace - lease.beat.age(at: now)
            throw LedgerError(
                .refused,
                "\(lease.named) is no orphan: it may be taken in \(TimeSpan.text(max(0, end))), and nothing proves that its holder is gone"
            )
        }
        return Decision([try moment.draft(.scavenge, reason, evictionBody(of: lease, reason, by: holder, host))], reply: lease)
    }

    /// Hands a live lease to another holder. Identity, tree and time stay, and so does the token, with which its children work on.
    ///
    /// - Parameters:
    ///   - token: who has it may hand over what is his; without it the holder's process must be seen to be gone.
    ///   - renewsToken: the entry's seq is the lease's token from then on, and whoever works with the old one is shut out: the children, and
    ///     a holder who is not gone after all.
    package func adopt(
        _ id: LeaseID, token: UInt64?, _ sighting: ProcessSighting?, by holder: String, _ process: HolderProcess?,
        renewsToken: Bool, _ reason: String, _ host: String, _ moment: Moment
    ) throws(LedgerError) -> Decision<Lease> {
        try LaneText.check(holder, "holder")
        var lease = if let token { try lease(LeaseRight(id: id, token: token), moment) } else { try lease(id) }
        let now = Instant(moment)
        guard lease.standing(settings, at: now) != .expired else { throw Self.expired(lease, at: now) }
        guard token != nil || sighting?.isAlive(lease.process) == false else {
            throw LedgerError(
                .refused, "\(lease.named) is not adopted: it takes its token, or a recorded process that is gone on this machine")
        }
        var body = lease.body(host)
        body["beat"] = now.json
        body["heartbeat_at"] = .string(now.time.description)
        body["holder"] = .string(holder)
        body["prev_holder"] = .string(lease.holder)
        body["reason"] = .string(reason)
        if renewsToken { body["renews_token"] = true }
        if let process {
            body["pid"] = .number(Double(process.pid))
            body["proc_starttime"] = process.start.map { .number(Double($0.ticks)) }
            body["proc_space"] = process.start.map { .string($0.space) }
        }
        lease.holder = holder
        lease.process = process
        lease.beat = now
        return Decision([try moment.draft(.adopt, reason, body)], reply: lease)
    }
}

extension Lanes {
    /// The lease that somebody has the right to.
    ///
    /// - Throws: `refused`, with what is wrong about the right.
    package func lease(_ right: LeaseRight, _ moment: Moment) throws(LedgerError) -> Lease {
        try lease(right, upTo: moment.seq)
    }

    /// The same for who only reads.
    ///
    /// - Parameter seq: the last entry that was folded; no token is higher.
    package func lease(_ right: LeaseRight, upTo seq: UInt64) throws(LedgerError) -> Lease {
        guard right.token <= seq else {
            throw LedgerError(
                .refused, "the token \(right.token) is of the future: the ledger ends at seq \(seq); no lease has it")
        }
        let lease = try lease(right.id)
        guard lease.token == right.token || planted(.leaseTokenUnchecked) else {
            throw LedgerError(.refused, "the lease \(right.id) has another token than \(right.token)")
        }
        return lease
    }

    package func lease(_ id: LeaseID) throws(LedgerError) -> Lease {
        guard let lease = leases[id] else {
            throw LedgerError(
                .refused,
                "the lease \(id) is not current: it was released, taken over or never granted; `bulla lane history` tells")
        }
        return lease
    }

    static func expired(_ lease: Lease, at now: Instant) -> LedgerError {
        LedgerError(
            .refused, "\(lease.named) is expired since \(lease.beat.end(after: lease.ttl, seenAt: now)); acquire the lane again")
    }

    private func refusal(of request: LaneRequest, _ verdict: Verdict, _ moment: Moment) throws(LedgerError) -> Draft {
        var body: JSONObject = [
            "holder": .string(request.holder), "host_id": .string(request.host), "lane": .string(verdict.lane?.text ?? ""),
            "lane_kind": .string(verdict.kind.rawValue), "loop_ts": .string(request.loopTS ?? ""),
            "reason": .string(verdict.reason), "reason_class": .string(verdict.reasonClass.rawValue), "tree": verdict.tree.json,
        ]
        body["run_id"] = request.notes["run_id"]
        if !verdict.tried.isEmpty { body["tried"] = .array(verdict.tried.map { .string($0.text) }) }
        body["blocking"] = verdict.blocking.map {
            [
                "holder": .string(LaneText.brief($0.holder)), "lane": .string($0.lane.text),
                "lease_id": .string($0.id.description),
                "token": .number(Double($0.token)),
            ]
        }
        return try moment.draft(.refuse, verdict.reason, body)
    }
}

extension Lease {
    /// The body of the entry that grants it.
    ///
    /// - Parameter evicted: whose leases were taken away for it.
    func granted(after evicted: [Lease], _ reason: String) -> JSONObject {
        var body: JSONObject = [
            "host_id": .string(host), "lane": .string(lane.text), "lane_kind": .string(kind.rawValue), "lease": .object(json),
            "loop_ts": .string(loopTS), "prev_holder": .string(evicted.first { $0.lane == lane }?.holder ?? ""),
            "reason": .string(reason), "tree": tree.json, "ttl_minutes": .number(TimeSpan.minutes(ttl)),
        ]
        body["pid"] = process.map { .number(Double($0.pid)) }
        body["env_digest"] = notes["env_digest"]
        return body
    }

    /// What an entry about it begins with.
    func body(_ host: String) -> JSONObject {
        [
            "host_id": .string(host), "lane": .string(lane.text), "lease_id": .string(id.description), "loop_ts": .string(loopTS),
            "token": .number(Double(token)),
        ]
    }
}

extension Moment {
    /// A draft of an operation on lanes.
    func draft(_ operation: LaneOperation, _ reason: String, _ body: JSONObject) throws(LedgerError) -> Draft {
        try draft(operation.action, Justification(.sovereignty, reason), body)
    }
}
