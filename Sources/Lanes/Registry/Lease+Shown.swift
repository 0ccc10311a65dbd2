package import CanonicalJSON
import LedgerFormat

extension Lease {
    /// A lease as it is shown: what is recorded, and what follows from it at this moment.
    package func shown(_ settings: LaneSettings, at now: Instant) -> JSONObject {
        var object = json
        object["token"] = .number(Double(token))
        object["expires_at"] = .string(beat.end(after: ttl, seenAt: now).description)
        object["rest_seconds"] = .number(Double(rest(settings, at: now)) / 1_000_000)
        object["standing"] = .string("\(standing(settings, at: now))")
        object["liveness"] = .string(liveness(settings, at: now).rawValue)
        return object
    }
}
