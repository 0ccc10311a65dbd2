package import CanonicalJSON

/// How an attempt at a unit of work ended.
package enum AttemptOutcome: String, Sendable, CaseIterable {
    case shipped, error, drained, blocked, unknown

    /// What is shipped need not rest.
    package static let resting = allCases.filter { $0 != .shipped }

    static let cooldowns: [AttemptOutcome: Int64] = [
        .error: 1_800_000_000, .drained: 21_600_000_000, .blocked: 21_600_000_000, .unknown: 21_600_000_000,
    ]
}

/// The latest attempt at a unit of work.
package struct Attempt: Sendable, Equatable {
    package var unit: Label
    package var lane: Label?
    package var outcome: AttemptOutcome
    package var at: Instant

    package init(unit: Label, lane: Label?, outcome: AttemptOutcome, at: Instant) {
        self.unit = unit
        self.lane = lane
        self.outcome = outcome
        self.at = at
    }

    /// How much longer it keeps others from trying again, in microseconds; nil if it does not.
    package func rest(_ settings: LaneSettings, at now: Instant) -> Int64? {
        guard let span = settings.cooldowns[outcome] else { return nil }
        // A stamp of the future counts as of now.
        let rest = span - max(0, at.age(at: now))
        return rest > 0 ? rest : nil
    }
}

extension Attempt {
    package var json: JSON {
        var object: JSONObject = [
            "at": at.json, "outcome": .string(outcome.rawValue), "unit_id": .string(unit.text),
        ]
        object["lane"] = lane.map { .string($0.text) }
        return .object(object)
    }

    init?(_ json: JSON) {
        guard let unit = json["unit_id"]?.string.flatMap({ Label($0) }), let at = Instant(json["at"]),
            let outcome = json["outcome"]?.string.flatMap({ AttemptOutcome(rawValue: $0) })
        else { return nil }
        self.init(unit: unit, lane: json["lane"]?.string.flatMap { Label($0) }, outcome: outcome, at: at)
    }
}
