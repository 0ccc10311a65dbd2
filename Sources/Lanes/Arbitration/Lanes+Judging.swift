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
        if let lane = request.lane { return arbiter.judge(try claim(lane, request), &effort) }
        guard !settings.order.isEmpty else {
            throw LedgerError(.refused, "no lane is named, and no order of lanes is declared: `bulla lane declare --order a,b`")
        }
        var first: Verdict?
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
            let verdict = arbiter.judge(try claim(lane, request), &effort)
            if verdict.outcome == .acquire { return verdict }
            reasons.append("\(lane): \(verdict.reason)")
            if verdict.endsWithBlocking { first = first ?? verdict }
        }
        return Verdict(
            outcome: .refuse, lane: nil, kind: request.kind ?? .cluster, tree: request.tree ?? .everything, laneClass: nil,
            reasonClass: .noneFree, reason: "no lane of the order is free: " + reasons.joined(separator: "; "),
            blocking: first?.blocking, tried: settings.order)
    }

    /// The stricter of what is declared and what is asked for, so that asking for company opens no lane to it.
    package func claim(_ lane: Label, _ request: LaneRequest) throws(LedgerError) -> Claim {
        guard let declaration = declared[lane] else {
            guard settings.isOpen else {
                throw LedgerError(
                    .refused,
                    "the lane \(lane) is not declared; declare it with `bulla lane declare`, or all lanes with `bulla lane declare --open`"
                )
            }
            return Claim(lane: lane, kind: request.kind ?? .cluster, tree: request.tree ?? .everything)
        }
        return Claim(
            lane: lane,
            kind: planted(.requestedKindTaken)
                ? request.kind ?? declaration.kind : max(declaration.kind, request.kind ?? .shared),
            tree: request.tree ?? declaration.tree,
            laneClass: declaration.laneClass)
    }
}
