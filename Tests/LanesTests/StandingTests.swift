import Lanes
import Ledger
import LedgerFormat
import Testing

@Suite("Lanes: expiry and liveness") struct StandingTests {
    private static let minute: Int64 = 60_000_000
    private static let wall: Int64 = 1_769_860_800_000_000
    private static let settings = LaneSettings()

    private static func at(_ minutes: Int64, boot: String = "one", sinceBoot: Int64? = nil) -> Instant {
        Instant(
            time: Timestamp(microseconds: wall + minutes * minute),
            boot: BootTime(boot: boot, microseconds: sinceBoot ?? (100 + minutes) * minute))
    }

    /// Ten minutes from minute 0.
    private static let lease = Lease(
        id: LeaseID(1), token: 2, lane: Label("api")!, kind: .cluster, tree: .everything, holder: "ada", ttl: 10 * minute,
        acquiredAt: at(0).time, beat: at(0))

    private func standing(_ now: Instant) -> Lease.Standing { Self.lease.standing(Self.settings, at: now) }

    @Test("within a boot its clock alone tells: time, then the grace, then the end") func boot() {
        #expect(standing(Self.at(0)) == .current && standing(Self.at(9)) == .current)
        #expect(standing(Self.at(10)) == .grace)
        #expect(standing(Self.at(0).later(by: 10 * Self.minute + 29_999_999)) == .grace)
        #expect(standing(Self.at(0).later(by: 10 * Self.minute + 30_000_000)) == .expired)
        // The wall's clock may say what it wants.
        for step in [-1_000_000, -20, 20, 1_000_000] {
            var now = Self.at(9)
            now.time = Self.at(Int64(step)).time
            #expect(standing(now) == .current)
            now = Self.at(11)
            now.time = Self.at(Int64(step)).time
            #expect(standing(now) == .expired)
        }
    }

    @Test("across boots the wall's clock tells, and the grace begins anew with the boot") func reboot() {
        #expect(standing(Self.at(9, boot: "two", sinceBoot: Self.minute)) == .current)
        #expect(standing(Self.at(10, boot: "two", sinceBoot: Self.minute)) == .grace)
        #expect(standing(Self.at(11, boot: "two", sinceBoot: Self.minute)) == .expired)
        // Hours were missed, but whoever comes up again has the grace to say that he lives.
        #expect(standing(Self.at(600, boot: "two", sinceBoot: 29_999_999)) == .grace)
        #expect(standing(Self.at(600, boot: "two", sinceBoot: 30_000_000)) == .expired)
    }

    @Test("a beat of the future keeps no lane for ever") func future() {
        // By less than the lease is long: it passes.
        #expect(standing(Self.at(-9, boot: "two", sinceBoot: 100 * Self.minute)) == .current)
        // By years: it counts as one at the boot.
        #expect(standing(Self.at(-500_000, boot: "two", sinceBoot: 5 * Self.minute)) == .current)
        #expect(standing(Self.at(-500_000, boot: "two", sinceBoot: 11 * Self.minute)) == .expired)
    }

    @Test("where the system names no boot, none is like another") func noBoot() {
        var lease = Self.lease
        lease.beat.boot.boot = ""
        var now = Self.at(11)
        now.boot = BootTime(boot: "", microseconds: lease.beat.boot.microseconds)
        #expect(lease.standing(Self.settings, at: now) == .expired)
    }

    @Test("ADVANCING with an event of late, SPINNING with beats alone, STALLED with neither") func liveness() {
        var lease = Self.lease
        func liveness() -> Lease.Liveness { lease.liveness(Self.settings, at: Self.at(8)) }
        #expect(liveness() == .stalled)
        lease.beat = Self.at(4)
        #expect(liveness() == .spinning)
        lease.event = Self.at(4)
        #expect(liveness() == .advancing)
        lease.beat = Self.at(0)
        #expect(liveness() == .advancing)
    }

    @Test("lengths of time are read with their unit; 0, negative ones and nonsense are refused") func spans() {
        let read = ["90s", "20m", "2h", "1.5", "500ms", "1d"].map { TimeSpan.microseconds($0) }
        #expect(read == [90_000_000, 1_200_000_000, 7_200_000_000, 90_000_000, 500_000, 86_400_000_000])
        for text in ["", "0", "-5", "5x", "m", "1e9", "99999999d", "nan", "1.2.3"] {
            #expect(TimeSpan.microseconds(text) == nil, "\(text)")
        }
    }
}

extension Instant {
    fileprivate func later(by microseconds: Int64) -> Instant { earlier(by: -microseconds) }
}
