import Ledger

// Whether a lease holds: by its time and its last beat, and by nothing else.
extension Lease {
    package enum Standing: Sendable, Equatable {
        /// Its holder may act.
        case current
        /// Its time is over, and nobody may take it yet; a beat makes it current again.
        case grace
        /// Others may take it, and no beat brings it back.
        case expired
    }

    /// Across boots the wall's clock tells, and what it tells is believed only as far as it can be: the grace begins anew with this
    /// boot, and a beat of the future that is further off than the lease is long counts as one at the boot.
    package func standing(_ settings: LaneSettings, at now: Instant) -> Standing {
        let end = ttl + settings.grace
        var age = beat.age(at: now)
        if beat.isInBoot(of: now) { return age < ttl ? .current : age < end ? .grace : .expired }
        if age < -end { age = now.boot.microseconds }
        if age < ttl { return .current }
        return age < end || now.boot.microseconds < settings.grace ? .grace : .expired
    }

    /// How long its holder may still act, in microseconds; 0 if he may not.
    package func rest(_ settings: LaneSettings, at now: Instant) -> Int64 {
        standing(settings, at: now) == .current ? min(ttl, ttl - beat.age(at: now)) : 0
    }

    package enum Liveness: String, Sendable {
        /// Something was done of late.
        case advancing = "ADVANCING"
        /// It beats, and does nothing.
        case spinning = "SPINNING"
        /// Neither.
        case stalled = "STALLED"
    }

    package func liveness(_ settings: LaneSettings, at now: Instant) -> Liveness {
        if event.age(at: now) < settings.window { return .advancing }
        return beat.age(at: now) < settings.window ? .spinning : .stalled
    }
}
