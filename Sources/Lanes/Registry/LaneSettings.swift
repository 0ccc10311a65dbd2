package import CanonicalJSON

/// What holds for all lanes.
package struct LaneSettings: Sendable, Equatable {
    /// Lanes may be acquired that nobody declared.
    package var isOpen = false
    /// Who names no lane gets the first of these that is free.
    package var order: [Label] = []
    /// How many leases of a class may be live at once.
    package var budgets: [Label: Int] = [:]
    /// From the end of a lease's time until others may take it over, in microseconds.
    package var grace: Int64 = 30_000_000
    /// How far back an event or a beat counts as a sign of life, in microseconds.
    package var window: Int64 = 300_000_000
    /// How long a unit of work rests after an attempt that ended so, in microseconds.
    package var cooldowns: [AttemptOutcome: Int64] = AttemptOutcome.cooldowns

    package init() {}

    package static let orderCountMax = 256
}

extension LaneSettings {
    package var json: JSONObject {
        [
            "budgets": .object(JSONObject(budgets.map { ($0.key.text, .number(Double($0.value))) })),
            "cooldown_minutes": .object(
                JSONObject(AttemptOutcome.resting.map { ($0.rawValue, .number(TimeSpan.minutes(cooldowns[$0] ?? 0))) })),
            "grace_minutes": .number(TimeSpan.minutes(grace)), "liveness_minutes": .number(TimeSpan.minutes(window)),
            "open": .bool(isOpen), "order": .array(order.map { .string($0.text) }),
        ]
    }

    /// Takes over what an object says; what it does not mention stays. A budget of null is none, and so is a rest of 0.
    package mutating func change(by json: JSON) {
        if let isOpen = json["open"]?.bool { self.isOpen = isOpen }
        if let order = json["order"]?.array { self.order = order.compactMap { $0.string.flatMap { Label($0) } } }
        for budget in json["budgets"]?.object?.members ?? [] {
            guard let name = Label(budget.key) else { continue }
            budgets[name] = budget.value.integer.flatMap { Int(exactly: $0) }
        }
        if let grace = Self.span(json["grace_minutes"]) { self.grace = grace }
        if let window = Self.span(json["liveness_minutes"]) { self.window = window }
        for cooldown in json["cooldown_minutes"]?.object?.members ?? [] {
            guard let outcome = AttemptOutcome(rawValue: cooldown.key), outcome != .shipped else { continue }
            cooldowns[outcome] = Self.span(cooldown.value)
        }
    }

    private static func span(_ json: JSON?) -> Int64? { json?.number.flatMap { TimeSpan.microseconds(minutes: $0) } }
}
