import CanonicalJSON
import Kernel
import Lanes
import Ledger
import LedgerFormat
import TestSupport
import Testing

/// What associates may let pass, and what they may not.
@Suite("Lanes by force")
struct ForceTests {
    /// A machine where `api` is held, and a lease of everything may be had beside it.
    private static func world() throws -> LaneMachine {
        let world = try LaneMachine()
        try world.declare("api", LaneDeclaration(tree: Tree([try Glob("src/api/**")])))
        try world.declare("all", LaneDeclaration(tree: Tree([try Glob("src/**")])))
        try world.declare("release", LaneDeclaration(kind: .exclusive))
        return world
    }

    /// What they would have to sign; nil where nothing stands against it that they could let pass.
    private static func force(_ request: LaneRequest, _ world: LaneMachine) throws -> LaneForce? {
        var force: LaneForce?
        try world.decide { lanes, moment throws(LedgerError) in
            force = try lanes.force(for: request, moment)
            return Decision<Void>([])
        }
        return force
    }

    @Test("a lane and a tree that are held, and a spent budget, may be let pass")
    func passable() throws {
        let world = try Self.world()
        #expect(try Self.force(.of("api"), world) == nil, "it is free")
        try #require(try world.acquire(.of("api")).lease != nil)
        for lane in ["api", "all"] {
            let force = try #require(try Self.force(.of(lane, holder: "bob"), world), "\(lane)")
            let arguments = force.arguments(reason: "why")
            #expect(arguments["lane"]?.string == lane && arguments["holder"]?.string == "bob" && arguments.count == 6)
        }
        try world.declare("one", LaneDeclaration(tree: Tree([try Glob("one/**")]), laneClass: Label("c")))
        try world.declare("two", LaneDeclaration(tree: Tree([try Glob("two/**")]), laneClass: Label("c")), ["budgets": ["c": 1]])
        try #require(try world.acquire(.of("one")).lease != nil)
        #expect(try world.acquire(.of("two")).verdict.reasonClass == .classBudget)
        #expect(try Self.force(.of("two"), world) != nil)
    }

    @Test("an exclusive lease is let pass by nobody, nor does one pass what is live")
    func exclusive() throws {
        let world = try Self.world()
        let lease = try #require(try world.acquire(.of("api")).lease)
        #expect(try Self.force(.of("release"), world) == nil, "an exclusive request beside what is live")
        try world.release(lease)
        try #require(try world.acquire(.of("release")).lease != nil)
        for lane in ["api", "all", "release"] { #expect(try Self.force(.of(lane), world) == nil, "\(lane)") }
    }

    @Test("a request is for one lease: another lane, kind, tree, holder or time is not what was signed")
    func signedForOne() throws {
        let world = try Self.world()
        try #require(try world.acquire(.of("api")).lease != nil)
        let signed = try #require(try Self.force(.of("api", ttl: 600_000_000, holder: "bob"), world))
        let others: [LaneRequest] = [
            try .of("all", holder: "bob"), try .of("api", .shared, holder: "bob"), try .of("api", holder: "eve"),
            try .of("api", tree: ["src/api/v2/**"], holder: "bob"), try .of("api", ttl: 700_000_000, holder: "bob"),
        ]
        // What is more sociable than the declared kind is not given, and so it is the same lease.
        let isOther = try others.map { try Self.force($0, world) != signed }
        #expect(isOther == [true, false, true, true, true])
    }
}
