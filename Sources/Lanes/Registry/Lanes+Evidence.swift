package import CanonicalJSON
package import Kernel
package import Ledger

// What is recorded and changes no lease: declarations, intents, attempts.
extension Lanes {
    /// Declares a lane, or takes its declaration away.
    ///
    /// - Parameters:
    ///   - declaration: nil to take it away.
    ///   - settings: what to change of them, as `LaneSettings` has them.
    package func declare(
        _ lane: Label?, _ declaration: LaneDeclaration?, _ settings: JSONObject, _ reason: String, _ moment: Moment
    ) throws(LedgerError) -> Decision<Void> {
        var body = settings
        if let lane {
            body["lane"] = .string(lane.text)
            if let declaration {
                for member in declaration.json.members { body[member.key] = member.value }
            } else {
                guard declared[lane] != nil else { throw LedgerError(.refused, "the lane \(lane) is not declared") }
                body["removed"] = true
            }
        }
        let isOpen = settings["open"]?.bool ?? self.settings.isOpen
        for name in (settings["order"]?.array ?? []).compactMap({ $0.string.flatMap { Label($0) } }) where !isOpen {
            guard declared[name] != nil || name == lane && declaration != nil else { throw Self.undeclared(name) }
        }
        guard !body.isEmpty else { throw LedgerError(.usage, "there is nothing to declare: name a lane, or a setting") }
        return Decision([try moment.draft(.declare, reason, body)])
    }

    /// Says that somebody is about to take a lane.
    package func spawn(
        _ lane: Label, by holder: String, _ evidence: LaneEvidence, _ moment: Moment
    ) throws(LedgerError) -> Decision<Void> {
        try checkKnown(lane)
        try LaneText.check(holder, "holder")
        var body = evidence.body
        body["at"] = Instant(moment).json
        body["holder"] = .string(holder)
        body["lane"] = .string(lane.text)
        return Decision([try moment.draft(.spawn, evidence.reason, body)])
    }

    /// Says that a run is to stop; nobody is stopped by it.
    package func halt(
        _ handle: String, command: String?, lane: Label?, _ evidence: LaneEvidence, _ moment: Moment
    ) throws(LedgerError) -> Decision<Void> {
        try checkKnown(lane)
        var body = evidence.body
        body["command"] = command.map { .string($0) }
        body["handle"] = .string(handle)
        body["lane"] = .string(lane?.text ?? "")
        return Decision([try moment.draft(.halt, evidence.reason, body)])
    }

    /// Says how an attempt at a unit of work ended; a right to a lease makes it that lease's progress.
    package func attempt(
        _ unit: Label, _ outcome: AttemptOutcome, lane: Label?, _ right: LeaseRight?, _ evidence: LaneEvidence, _ moment: Moment
    ) throws(LedgerError) -> Decision<Void> {
        try checkKnown(lane)
        var body = evidence.body
        let attempt = Attempt(unit: unit, lane: lane, outcome: outcome, at: Instant(moment))
        for member in attempt.json.object?.members ?? [] { body[member.key] = member.value }
        body["schema"] = ["family": "lane-journal", "version": 1]
        try add(right, to: &body, moment)
        return Decision([try moment.draft(.attempt, evidence.reason, body)])
    }

    /// Says what a handler proposed.
    package func enforce(
        _ proposal: JSONObject, _ intervention: Intervention, lane: Label?, _ right: LeaseRight?, _ evidence: LaneEvidence,
        _ moment: Moment
    ) throws(LedgerError) -> Decision<Void> {
        try checkKnown(lane)
        var body = evidence.body
        for member in proposal.members { body[member.key] = member.value }
        body["at"] = Instant(moment).json
        body["intervention"] = .string(intervention.rawValue)
        body["lane"] = .string(lane?.text ?? "")
        try add(right, to: &body, moment)
        return Decision([try moment.draft(.enforce, evidence.reason, body)])
    }

    private func add(_ right: LeaseRight?, to body: inout JSONObject, _ moment: Moment) throws(LedgerError) {
        guard let right else { return }
        let lease = try lease(right, moment)
        for member in lease.body(body["host_id"]?.string ?? "").members where body[member.key]?.string ?? "" == "" {
            body[member.key] = member.value
        }
    }
}

/// What a handler proposes to do about something.
package enum Intervention: String, Sendable, CaseIterable { case observe, warn, block, `defer` }

/// Who says something, of which run, and why.
package struct LaneEvidence: Sendable {
    package var host: String
    package var loopTS: String
    package var runID: String?
    package var reason: String

    package init(host: String, loopTS: String = "", runID: String? = nil, reason: String) {
        self.host = host
        self.loopTS = loopTS
        self.runID = runID
        self.reason = reason
    }

    var body: JSONObject {
        var body: JSONObject = ["host_id": .string(host), "loop_ts": .string(loopTS), "reason": .string(reason)]
        body["run_id"] = runID.map { .string($0) }
        return body
    }
}
