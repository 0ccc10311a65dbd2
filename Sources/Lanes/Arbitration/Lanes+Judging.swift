package import Ledger
import PlantedDefects

// Which lane a request comes to, and what the arbiter says of it.
extension Lanes {
    /// A request by itself.
    package func judge(_ request: LaneRequest, at now: Instant) throws(LedgerError) -> Verdict {
        var effort = Effort()
        return try judge(request, at: now, &effort)
    }

    /// - Parameter effort: what is left of it in this decision.
    /// - Throws: `refused` for a lane that nobody declared, and for none where no order is declared.
    package func judge(_ request: LaneRequest, at now: Instant, _ effort: inout Effort) throws(LedgerError) -> Verdict {
        let arbiter = Arbiter(
            live: leases.values.filter { $0.standing(settings, at: now) != .expired }, budgets: settings.budgets)
        if let lane = request.lane {
            let claim = try claim(lane, request)
            return arbiter.completed(arbiter.judge(claim, &effort), of: claim, &effort)
        }
        guard !settings.order.isEmpty else {
            throw LedgerError(.refused, "no lane is named, and no order of lanes is declared: `bulla lane declare --order a,b`")
        }
        var refusals: [(claim: Claim, verdict: Verdict)] = []
        var reasons: [String] = []
        for lane in settings.order {
            if let attempt = picks[lane], let rest = attempt.rest(settings, at: now) {
                reasons.append("\(lane) rests for \(TimeSpan.text(rest)) after \(attempt.unit) (\(attempt.outcome.rawValue))")
                continue
            }
            // One that is not declared any more stands in nobody's way.
            guard declared[lane] != nil || settings.isOpen else {
                reasons.append("\(lane) is not declared")
                continue
            }
            let claim = try claim(lane, request)
            let verdict = arbiter.judge(claim, &effort)
            if verdict.outcome == .acquire { return verdict }
            reasons.append("\(lane): \(verdict.reason)")
            refusals.append((claim, verdict))
        }
        var first = refusals.first?.verdict
        for (claim, verdict) in refusals {
            let completed = arbiter.completed(verdict, of: claim, &effort)
            guard completed.endsWithBlocking else { continue }
            first = completed
            break
        }
        return Verdict(
            outcome: .refuse, lane: nil, kind: request.kind ?? .cluster, tree: request.tree ?? .everything, laneClass: nil,
            reasonClass: .noneFree, reason: "no lane of the order is free: " + Self.joined(reasons),
            blocking: first?.blocking, tried: settings.order, endsWithBlocking: first?.endsWithBlocking ?? false)
    }

    /// A refusal is recorded with its reason, twice, and must fit into an entry however long names and patterns are.
    private static let reasonByteCountMax = 16_384

    /// The first ones, and how many more there are.
    private static func joined(_ reasons: [String]) -> String {
        var text = ""
        for (index, reason) in reasons.enumerated() {
            guard index == 0 || text.utf8.count + reason.utf8.count <= reasonByteCountMax else {
                return text + "; and so are \(reasons.count - index) more"
            }
            text += (index == 0 ? "" : "; ") + reason
        }
        return text
    }

    /// The stricter of what is declared and what is asked for, so that asking for company opens no lane to it.
    package func claim(_ lane: Label, _ request: LaneRequest) throws(LedgerError) -> Claim {
        guard let declaration = declared[lane] else {
            guard settings.isOpen else { throw Self.undeclared(lane) }
            return Claim(lane: lane, kind: request.kind ?? .cluster, tree: request.tree ?? .everything)
        }
        return Claim(
            lane: lane,
            kind: planted(.requestedKindTaken)
                ? request.kind ?? declaration.kind : max(declaration.kind, request.kind ?? .shared),
            tree: request.tree ?? declaration.tree,
            laneClass: declaration.laneClass)
    }

    /// A name that nobody declared, and no lease has, is a slip of the pen, unless lanes are declared open.
    func checkKnown(_ lane: Label?) throws(LedgerError) {
        guard let lane, declared[lane] == nil, !settings.isOpen, !leases.values.contains(where: { $0.lane == lane }) else {
            return
        }
        throw Self.undeclared(lane)
    }

    static func undeclared(_ lane: Label) -> LedgerError {
        LedgerError(
            .refused,
            "the lane \(lane) is not declared; declare it with `bulla lane declare`, or all lanes with `bulla lane declare --open`"
        )
    }
}
