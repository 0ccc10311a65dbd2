import Lanes
import Ledger
import LedgerFormat
import Testing

@Suite("Lanes: the arbiter") struct ArbiterTests {
    private static let now = Instant(
        time: Timestamp(microseconds: 1_769_860_800_000_000), boot: BootTime(boot: "b", microseconds: 1_000_000))

    private static func lease(
        _ token: UInt64, _ lane: String, _ kind: LaneKind = .cluster, _ tree: String, class name: String? = nil
    ) throws -> Lease {
        Lease(
            id: LeaseID(token), token: token, lane: Label(lane)!, kind: kind, tree: Tree([try Glob(tree)]),
            laneClass: name.flatMap { Label($0) }, holder: "h\(token)", ttl: 1_000_000, acquiredAt: now.time, beat: now)
    }

    private static func claim(_ lane: String, _ kind: LaneKind = .cluster, _ tree: String, class name: String? = nil) throws
        -> Claim
    {
        Claim(lane: Label(lane)!, kind: kind, tree: Tree([try Glob(tree)]), laneClass: name.flatMap { Label($0) })
    }

    @Test("the first rule that matches says it, and names the oldest lease that stands against it")
    func order() throws {
        let live = [
            try Self.lease(9, "web", .cluster, "web"), try Self.lease(4, "api", .cluster, "src/api"),
            try Self.lease(7, "api", .shared, "docs"),
        ]
        let exclusive = live + [try Self.lease(12, "all", .exclusive, "x")]
        func judge(_ claim: Claim, _ live: [Lease] = live, budgets: [Label: Int] = [:]) -> (Verdict.ReasonClass, UInt64?) {
            let verdict = Arbiter(live: live, budgets: budgets).judge(claim)
            #expect((verdict.outcome == .acquire) == (verdict.reasonClass == .free))
            return (verdict.reasonClass, verdict.blocking?.token)
        }
        // 1 before 2 and 3: the exclusive lease is the newest, and is named.
        #expect(try judge(Self.claim("api", .exclusive, "y"), exclusive) == (.exclusiveLive, 12))
        #expect(try judge(Self.claim("new", .shared, "y"), exclusive) == (.exclusiveLive, 12))
        // 2 before 3.
        #expect(try judge(Self.claim("api", .exclusive, "y")) == (.exclusiveRequest, 4))
        #expect(try judge(Self.claim("api", .exclusive, "y"), []) == (.free, nil))
        // 3 before 4.
        #expect(try judge(Self.claim("api", .cluster, "web")) == (.laneHeld, 4))
        #expect(try judge(Self.claim("api", .shared, "web")) == (.laneHeld, 4))
        // 4, and not where both are shared.
        #expect(try judge(Self.claim("new", .cluster, "**/api")) == (.treeOverlap, 4))
        #expect(try judge(Self.claim("new", .cluster, "docs/x")) == (.treeOverlap, 7))
        #expect(try judge(Self.claim("new", .shared, "docs/x")) == (.free, nil))
        #expect(try judge(Self.claim("new", .shared, "web/x")) == (.treeOverlap, 9))
        // 5
        let back = [try Self.lease(1, "a", .cluster, "a", class: "back"), try Self.lease(2, "b", .cluster, "b", class: "front")]
        let name = Label("back")!
        #expect(try judge(Self.claim("c", .cluster, "c", class: "back"), back, budgets: [name: 1]) == (.classBudget, 1))
        #expect(try judge(Self.claim("c", .cluster, "c", class: "back"), back, budgets: [name: 2]) == (.free, nil))
        #expect(try judge(Self.claim("c", .cluster, "c"), back, budgets: [name: 0]) == (.free, nil))
        // 6
        #expect(try judge(Self.claim("new", .cluster, "src/apiary")) == (.free, nil))
    }

    @Test("a refusal of trees names both patterns")
    func patterns() throws {
        let verdict = Arbiter(live: [try Self.lease(4, "api", .cluster, "src/api")]).judge(try Self.claim("x", .cluster, "src/*"))
        #expect(verdict.reason == "its tree src/* meets src/api of h4 (lease 0000000000000004 of api, token 4)")
    }

    @Test("the order of the live leases changes nothing") func anyOrder() throws {
        let live = try (1...20).map { try Self.lease($0, "lane\($0 % 5)", .cluster, "d\($0 % 7)") }
        for lane in 0..<6 {
            let claim = try Self.claim("lane\(lane)", .cluster, "d\(lane)/x")
            let verdict = Arbiter(live: live).judge(claim)
            #expect(Arbiter(live: live.reversed()).judge(claim) == verdict)
            #expect(verdict.reasonClass == (lane == 5 ? .treeOverlap : .laneHeld))
        }
    }
}
