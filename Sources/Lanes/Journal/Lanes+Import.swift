package import CanonicalJSON
package import Kernel
package import Ledger
import LedgerFormat
import PlantedDefects

/// What came of some of a journal's leases.
package struct JournalImport: Sendable {
    /// How many were dealt with: those behind them take another decision.
    package var count = 0
    /// Each with the index of the draft that grants it: that entry's seq is its token.
    package var granted: [(lease: Lease, draft: Int)] = []
    package var evicted: [Lease] = []
    package var leftOut: [Refused] = []
    /// What refuses all, and then nothing of these is granted.
    package var refusal: Refused?

    package struct Refused: Sendable {
        package var identity: LeaseIdentity
        package var reason: String
    }
}

extension Lanes {
    package typealias JournalLeases = [(identity: LeaseIdentity, lease: PythonObject)]

    /// So many are taken over in one decision, so that nobody waits long for the lock.
    private static let importCountMax = 512

    /// Takes live leases of a journal over, each with an id and a token of ours and time from now on: as many as one decision
    /// holds.
    ///
    /// The reference may have granted what meets, so each is judged anew, beside what lives here and those before it. What is
    /// expired here is taken away first.
    ///
    /// - Parameters:
    ///   - source: what is recorded of the journal.
    ///   - ttl: in microseconds, for leases without a time of their own: else a holder that is gone would keep its lane for ever.
    ///   - leavesOut: whether leases that are refused are left out; else one refuses all.
    ///   - host: where that is decided.
    package func importing(
        _ found: JournalLeases.SubSequence, from source: JSONObject, ttl: Int64, leavesOut: Bool, _ host: String, _ moment: Moment
    ) throws(LedgerError) -> Decision<JournalImport> {
        let now = Instant(moment)
        var room = Self.decisionByteCountMax
        let expired = ordered.filter { $0.standing(settings, at: now) == .expired }
        let evictions = try evictions(of: expired, by: moment.actor, host, moment, room: &room)
        var reply = JournalImport()
        reply.evicted = evictions.leases
        guard evictions.isEnough else { return Decision(evictions.drafts, reply: reply) }
        var drafts = evictions.drafts
        var lanes = self
        for lease in evictions.leases { lanes.leases[lease.id] = nil }
        let evicted = Dictionary(evictions.leases.map { ($0.lane, $0) }) { first, _ in first }
        var intake = JournalIntake(lanes, found.prefix(Self.importCountMax), ttl: ttl)
        var effort = Effort()
        for number in 0..<intake.count {
            switch intake.judge(number, &effort) {
            case .refused(let refused):
                // What was too intricate only because of those before it begins the next decision.
                if refused.isIntricate, number > 0 { return Decision(drafts, reply: reply) }
                guard leavesOut else { return Decision([], reply: JournalImport(refusal: refused.refused)) }
                reply.leftOut.append(refused.refused)
            case .granted(let request, let verdict):
                let lease = intake.lease(
                    number, request, verdict,
                    // Far from each other, so that no slip of a digit leads from one to the next.
                    id: lanes.unusedID(from: moment.random &+ UInt64(number) &* 0x9E37_79B9_7F4A_7C15),
                    // Its place among the others until it has its entry.
                    token: moment.seq + UInt64(drafts.count) + 1, at: now)
                var body = lease.granted(after: evicted[lease.lane].map { [$0] } ?? [], request.reason)
                body["journal"] = .object(source)
                room -= Self.byteCount(body)
                guard room >= 0 || number == 0 else { return Decision(drafts, reply: reply) }
                reply.granted.append((lease, drafts.count))
                drafts.append(try moment.draft(.reconcile, request.reason, body))
                lanes.leases[lease.id] = lease
                intake.add(lease, for: number)
            }
            reply.count += 1
        }
        // Nothing is taken away for nothing.
        guard !reply.granted.isEmpty else {
            reply.evicted = []
            return Decision([], reply: reply)
        }
        return Decision(drafts, reply: reply)
    }

    /// The first of a journal's leases that would not be taken over, nothing being left out; nil if all would be.
    ///
    /// Who has no lock knows by this whether to begin, where all do not fit into one decision.
    package func refusal(of found: JournalLeases, ttl: Int64, _ moment: Moment) -> JournalImport.Refused? {
        let now = Instant(moment)
        var lanes = self
        lanes.leases = leases.filter { $0.value.standing(settings, at: now) != .expired }
        var intake = JournalIntake(lanes, found[...], ttl: ttl)
        var effort = Effort()
        for number in 0..<intake.count {
            var outcome = intake.judge(number, &effort)
            if case .refused(let refused) = outcome, refused.isIntricate {
                effort = Effort()
                outcome = intake.judge(number, &effort)
            }
            switch outcome {
            case .refused(let refused): return refused.refused
            case .granted(let request, let verdict):
                let id = lanes.unusedID(from: moment.random &+ UInt64(number))
                let lease = intake.lease(number, request, verdict, id: id, token: moment.seq + UInt64(number) + 1, at: now)
                lanes.leases[id] = lease
                intake.add(lease, for: number)
            }
        }
        return nil
    }
}

/// A journal's leases, judged one after the other.
private struct JournalIntake {
    enum Outcome {
        case granted(LaneRequest, Verdict)
        case refused((refused: JournalImport.Refused, isIntricate: Bool))
    }

    private let found: Lanes.JournalLeases.SubSequence
    private let requests: [Result<(request: LaneRequest, claim: Claim), LedgerError>]
    private var fleet: Fleet
    private let leases: [LeaseID: Lease]
    /// By lane and run: those that the reference would take for one.
    private var known: [[UInt8]: LeaseID] = [:]

    /// - Parameter lanes: without what is expired.
    init(_ lanes: Lanes, _ found: Lanes.JournalLeases.SubSequence, ttl: Int64) {
        self.found = found
        requests = found.map { item in
            Result { () throws(LedgerError) in
                let request = try LaneRequest(item.identity, item.lease, ttl: ttl)
                guard let lane = request.lane else { preconditionFailure("a journal's lease has a lane") }
                return (request, try lanes.claim(lane, request))
            }
        }
        let live = lanes.ordered
        fleet = Fleet(live: live, claims: requests.map { try? $0.get().claim }, budgets: lanes.settings.budgets)
        leases = lanes.leases
        for lease in live { note(lease) }
    }

    var count: Int { requests.count }

    private mutating func note(_ lease: Lease) {
        let key = Self.key(lease.lane, lease.loopTS)
        known[key] = known[key] ?? lease.id
    }

    // No lane has a NUL in its name.
    private static func key(_ lane: Label?, _ run: String?) -> [UInt8] {
        Array((lane?.text ?? "").utf8) + [0] + Array((run ?? "").utf8)
    }

    func judge(_ number: Int, _ effort: inout Effort) -> Outcome {
        let item = found[found.startIndex + number]
        let refused = { (reason: String, isIntricate: Bool) in
            Outcome.refused((JournalImport.Refused(identity: item.identity, reason: reason), isIntricate))
        }
        switch requests[number] {
        case .failure(let error): return refused(error.message, false)
        case .success(let (request, _)):
            if let known = live(request, item.lease) {
                return refused("it is live here already, as the lease \(known): a journal's lease is imported once", false)
            }
            let verdict = fleet.judge(number, &effort)
            guard verdict.outcome == .acquire else { return refused(verdict.reason, verdict.reasonClass == .treeIntricate) }
            return .granted(request, verdict)
        }
    }

    /// The lease that this one is: our own that was exported, or one of the same lane and run.
    private func live(_ request: LaneRequest, _ lease: PythonObject) -> LeaseID? {
        if let id = lease["lease_id"]?.pythonText.string.flatMap({ LeaseID($0) }), leases[id]?.lane == request.lane,
            !planted(.exportedTwice)
        {
            return id
        }
        return known[Self.key(request.lane, request.loopTS)]
    }

    func lease(
        _ number: Int, _ request: LaneRequest, _ verdict: Verdict, id: LeaseID, token: UInt64, at now: Instant
    ) -> Lease {
        guard let lane = request.lane else { preconditionFailure("a journal's lease has a lane") }
        return Lease(
            id: id, token: token, lane: lane, kind: verdict.kind, tree: verdict.tree, laneClass: verdict.laneClass,
            holder: request.holder, loopTS: request.loopTS, host: request.host, process: request.process, ttl: request.ttl,
            acquiredAt: found[found.startIndex + number].lease.time("acquired_at") ?? now.time, beat: now, notes: request.notes)
    }

    mutating func add(_ lease: Lease, for number: Int) {
        fleet.add(lease, for: number)
        note(lease)
    }
}

extension LeaseIdentity: CustomStringConvertible {
    package var description: String {
        "lane \(String(decoding: lane.bytes, as: UTF8.self)), run \(String(decoding: loop.bytes, as: UTF8.self))"
    }
}

extension LaneRequest {
    /// What the reference's lease comes to with us.
    fileprivate init(_ identity: LeaseIdentity, _ lease: PythonObject, ttl: Int64) throws(LedgerError) {
        guard let lane = identity.lane.string.flatMap({ Label($0) }) else {
            throw LedgerError(.refused, "no lane can have this name here: it is empty, long, or holds what is no character")
        }
        let text = { (name: PythonText) in
            lease[name].flatMap { $0.isTruthy ? $0.pythonText : nil }.map { String(decoding: $0.bytes, as: UTF8.self) } ?? ""
        }
        var own: Int64?
        if let said = lease["ttl_minutes"], said.isTruthy {
            own = said.number.flatMap { TimeSpan.microseconds(minutes: $0) }
            guard own != nil else {
                throw LedgerError(.refused, "its ttl_minutes are no time that a lease can last: they must be a number above 0")
            }
        }
        let pid = lease["pid"]?.number.flatMap { Int32(exactly: $0) }
        self.init(
            lane: lane, kind: Self.kind(text("lane_kind"), mode: text("mode")), tree: try Self.tree(lease["tree"]),
            ttl: own ?? ttl, holder: text("holder"),
            loopTS: String(decoding: identity.loop.bytes, as: UTF8.self), host: text("host_id"),
            // When it started is not known here, so that the number proves nothing.
            process: pid.flatMap { $0 > 0 ? HolderProcess(pid: $0, start: nil) : nil },
            notes: JSONObject(Lease.noteNames.compactMap { name in lease[PythonText(name)]?.strict.map { (name, $0) } }),
            reason: "taken over from a lane journal")
        do throws(LedgerError) { try checkSizes() } catch { throw LedgerError(.refused, error.message) }
    }

    private static func kind(_ kind: String, mode: String) -> LaneKind {
        switch (kind, mode) {
        case ("global", _), ("exclusive", _): .exclusive
        case (_, "shared"): .shared
        default: .cluster
        }
    }

    /// What we do not read as the reference does becomes wider: then it excludes too much, and never too little.
    private static func tree(_ value: PythonJSON?) throws(LedgerError) -> Tree {
        guard case .array(let items)? = value, items.count <= Tree.globCountMax else { return .everything }
        var globs: [Glob] = []
        for item in items {
            guard case .text(let text) = item, let pattern = text.string else { return .everything }
            let parts = pattern.unicodeScalars.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
            let wider = parts.map { $0.unicodeScalars.contains("[") ? "*" : $0 }.joined(separator: "/")
            do throws(GlobError) { globs.append(try Glob(wider)) } catch {
                throw LedgerError(.refused, "its pattern \(pattern) is none here: \(error)")
            }
        }
        return Tree(globs)
    }
}

extension PythonObject {
    /// A time as the reference writes it, or one as we do.
    fileprivate func time(_ name: PythonText) -> Timestamp? {
        self[name]?.pythonText.string.flatMap { Timestamp(anyFraction: $0) }
    }
}
