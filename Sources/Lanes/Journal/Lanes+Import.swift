package import CanonicalJSON
package import Kernel
package import Ledger
import LedgerFormat

/// What came of a journal's leases.
package struct JournalImport: Sendable {
    /// Each with the index of the draft that grants it: that entry's seq is its token.
    package var granted: [(lease: Lease, draft: Int)] = []
    package var evicted: [Lease] = []
    package var leftOut: [(identity: LeaseIdentity, reason: String)] = []
}

extension Lanes {
    /// Takes the live leases of a journal over, each with an id and a token of ours and time from now on.
    ///
    /// The reference may have granted what meets, so each is judged anew, beside what lives here and those before it.
    ///
    /// - Parameters:
    ///   - source: what is recorded of the journal.
    ///   - ttl: in microseconds, for leases without a time of their own: else a holder that is gone would keep its lane for ever.
    ///   - leavesOut: whether leases that are refused are left out; else one refuses all.
    package func importing(
        _ journal: LaneJournal, from source: JSONObject, ttl: Int64, leavesOut: Bool, _ moment: Moment
    ) throws(LedgerError) -> Decision<JournalImport> {
        let now = Instant(moment)
        var lanes = self
        var drafts: [Draft] = []
        var reply = JournalImport()
        var effort = Effort()
        for (index, (identity, found)) in journal.leases.enumerated() {
            do throws(LedgerError) {
                let request = try LaneRequest(identity, found, ttl: ttl)
                if let known = lanes.live(request.lane, request.loopTS, at: now) {
                    throw LedgerError(
                        .refused, "it is live here already, as the lease \(known.id): a journal's lease is imported once")
                }
                let verdict = try lanes.judge(request, at: now, &effort)
                guard verdict.outcome == .acquire, let lane = verdict.lane else { throw LedgerError(.refused, verdict.reason) }
                let evictions = try lanes.evictions(
                    for: Claim(lane: lane, kind: verdict.kind, tree: verdict.tree), by: request.holder, request.host, at: now,
                    &effort, moment)
                guard evictions.isEnough else { throw LedgerError(.refused, "too many expired leases are in its way") }
                let evicted = evictions.leases
                drafts += evictions.drafts
                for lease in evicted { lanes.leases[lease.id] = nil }
                let lease = Lease(
                    // Far from each other, so that no slip of a digit leads from one to the next.
                    id: lanes.unusedID(from: moment.random &+ UInt64(index) &* 0x9E37_79B9_7F4A_7C15),
                    // Its place among the others until it has its entry.
                    token: moment.seq + UInt64(drafts.count) + 1, lane: lane, kind: verdict.kind, tree: verdict.tree,
                    laneClass: verdict.laneClass, holder: request.holder, loopTS: request.loopTS, host: request.host,
                    process: request.process, ttl: request.ttl, acquiredAt: found.time("acquired_at") ?? moment.now, beat: now,
                    notes: request.notes)
                var body = lease.granted(after: evicted, request.reason)
                body["journal"] = .object(source)
                reply.granted.append((lease, drafts.count))
                reply.evicted += evicted
                drafts.append(try moment.draft(.reconcile, request.reason, body))
                lanes.leases[lease.id] = lease
            } catch {
                guard error.code == .refused else { throw error }
                guard leavesOut else {
                    throw LedgerError(
                        .refused,
                        "the lease of \(identity) is not imported: \(error.message); nothing was written; --leave-out imports the others"
                    )
                }
                reply.leftOut.append((identity, error.message))
            }
        }
        return Decision(drafts, reply: reply)
    }
}

extension Lanes {
    /// The lease that the reference would take for one of this lane and run.
    private func live(_ lane: Label?, _ loopTS: String?, at now: Instant) -> Lease? {
        leases.values.filter { $0.lane == lane && $0.loopTS == loopTS && $0.standing(settings, at: now) != .expired }
            .min { $0.token < $1.token }
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
