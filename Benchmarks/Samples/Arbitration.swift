import Lanes
import Ledger

/// What a verdict costs beside many live leases. None stands against it, so that it looks at all of them.
enum Arbitration {
    private static let count = 200

    /// The seconds of one verdict, in this process.
    static func seconds(leases: Int) throws -> Double {
        let now = Instant(.system)
        var lanes = Lanes()
        lanes.settings.isOpen = true
        for number in 1...leases {
            let lease = Lease(
                id: LeaseID(UInt64(number)), token: UInt64(number), lane: label("lane\(number)"), kind: .cluster,
                tree: Tree([try Glob("src/lane\(number)/**")]), holder: "bench", ttl: 600_000_000, acquiredAt: now.time, beat: now
            )
            lanes.leases[lease.id] = lease
        }
        let request = LaneRequest(
            lane: label("other"), tree: Tree([try Glob("other/**")]), ttl: 600_000_000, holder: "bench", reason: "bench")
        var grantCount = 0
        let clock = ContinuousClock()
        let time = try clock.measure {
            for _ in 0..<count where try lanes.judge(request, at: now).outcome == .acquire { grantCount += 1 }
        }
        precondition(grantCount == count, "nothing stands against it")
        return time / .seconds(1) / Double(count)
    }

    private static func label(_ text: String) -> Label {
        guard let label = Label(text) else { preconditionFailure("a bad name") }
        return label
    }
}
