package import CanonicalJSON
package import Kernel
package import Ledger
package import LedgerFormat
import PlantedDefects

/// A moment on both clocks: the wall's, which steps, and the boot's, which does not and is worth nothing behind a reboot.
package struct Instant: Sendable, Equatable {
    package var time: Timestamp
    package var boot: BootTime

    package init(time: Timestamp, boot: BootTime) {
        self.time = time
        self.boot = boot
    }

    package init(_ moment: Moment) { self.init(time: moment.now, boot: moment.boot) }

    package init(_ environment: Environment) { self.init(time: environment.now(), boot: environment.bootTime()) }

    package func isInBoot(of other: Instant) -> Bool { !boot.boot.isEmpty && boot.boot == other.boot.boot }

    /// Across boots nobody can tell, and the later word counts.
    func isNoEarlier(than other: Instant) -> Bool { !other.isInBoot(of: self) || other.boot.microseconds <= boot.microseconds }

    /// How long ago it was, in microseconds: by the boot's clock, and only across boots by the wall's, which can give less than 0.
    package func age(at now: Instant) -> Int64 {
        if isInBoot(of: now), !planted(.expiryByWallClock) { return max(0, now.boot.microseconds - boot.microseconds) }
        return now.time.microseconds - time.microseconds
    }

    /// The same moment as it was so long before.
    package func earlier(by microseconds: Int64) -> Instant {
        Instant(
            time: Timestamp(microseconds: time.microseconds - microseconds),
            boot: BootTime(boot: boot.boot, microseconds: boot.microseconds - microseconds))
    }

    /// When, on the wall's clock as it goes now, so much time has passed since.
    package func end(after microseconds: Int64, seenAt now: Instant) -> Timestamp {
        let steady = time.microseconds + microseconds
        let seen = now.time.microseconds + microseconds - age(at: now)
        // Two clocks are never read at quite the same time; only a step shows.
        return Timestamp(microseconds: abs(seen - steady) < 1_000_000 ? steady : seen)
    }
}

extension Instant {
    /// `{"boot":…,"boot_microseconds":…,"time":…}`.
    package var json: JSON {
        [
            "boot": .string(boot.boot), "boot_microseconds": .number(Double(boot.microseconds)),
            "time": .string(time.description),
        ]
    }

    package init?(_ json: JSON?) {
        guard let boot = json?["boot"]?.string, let microseconds = json?["boot_microseconds"]?.integer,
            let time = json?["time"]?.string.flatMap({ Timestamp($0) })
        else { return nil }
        self.init(time: time, boot: BootTime(boot: boot, microseconds: microseconds))
    }
}
