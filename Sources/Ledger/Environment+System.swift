import LedgerFormat
import PlantedDefects

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

extension Environment {
    /// The machine's clocks and its random number generator, which is a cryptographic one.
    package static let system = Environment(
        now: { Timestamp(microseconds: read(CLOCK_REALTIME)) },
        uptime: { read(CLOCK_MONOTONIC) },
        bootTime: { BootTime(boot: boot, microseconds: read(CLOCK_BOOTTIME) - offset) },
        random: {
            var generator = SystemRandomNumberGenerator()
            return generator.next()
        },
        pause: { microseconds in
            var time = timespec(tv_sec: Int(microseconds / 1_000_000), tv_nsec: Int(microseconds % 1_000_000 * 1000))
            // Interrupted or not: a pause promises no length.
            unsafe _ = nanosleep(&time, nil)
        })

    /// What the system's clock since the boot shows at a moment of ours; never, where that of a child is not known.
    package static func systemClock(at bootMicroseconds: Int64) -> Int64 {
        Namespaces.bootClockOffset == nil ? .max : bootMicroseconds + offset
    }

    private static let offset = planted(.clockOffsetBelieved) ? 0 : Namespaces.bootClockOffset ?? 0

    /// A random name that Linux gives to each boot; containers of one machine share it, and its clock once their offset is taken off.
    private static let boot =
        Namespaces.bootClockOffset == nil
        ? "" : String((Namespaces.contents(of: "/proc/sys/kernel/random/boot_id") ?? "").prefix(36))

    private static func read(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        let result = unsafe clock_gettime(clock, &time)
        precondition(result == 0, "the machine has no such clock")
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
    }
}
