package import CanonicalJSON

/// Somebody is about to take a lane.
package struct Spawn: Sendable, Equatable {
    package var lane: Label
    package var holder: String
    package var at: Instant

    /// So long it is shown, in microseconds; who has not come then will not come.
    package static let span: Int64 = 120_000_000

    package init(lane: Label, holder: String, at: Instant) {
        self.lane = lane
        self.holder = holder
        self.at = at
    }

    package func isPending(at now: Instant) -> Bool { (0..<Self.span).contains(at.age(at: now)) }
}

extension Spawn {
    package var json: JSON { ["at": at.json, "holder": .string(holder), "lane": .string(lane.text)] }

    init?(_ json: JSON) {
        guard let lane = json["lane"]?.string.flatMap({ Label($0) }), let holder = json["holder"]?.string,
            let at = Instant(json["at"])
        else { return nil }
        self.init(lane: lane, holder: holder, at: at)
    }
}
