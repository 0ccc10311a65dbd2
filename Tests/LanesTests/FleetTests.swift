import CanonicalJSON
import DurableFiles
import Kernel
import Lanes
import Ledger
import LedgerFormat
import TestSupport
import Testing

/// What a second adversary found, of what is decided without I/O.
@Suite("Lanes: many leases") struct FleetTests {
    private static let now = Instant(time: Timestamp(microseconds: 0), boot: BootTime(boot: "b", microseconds: 0))

    private static func lease(
        _ token: UInt64, _ lane: String, _ kind: LaneKind = .cluster, _ tree: Tree, class name: Label? = nil,
        loopTS: String? = nil
    ) -> Lease {
        Lease(
            id: LeaseID(token), token: token, lane: Label(lane)!, kind: kind, tree: tree, laneClass: name, holder: "ada",
            loopTS: loopTS, ttl: 1_000_000_000, acquiredAt: now.time, beat: now)
    }

    private static func tree(_ texts: [String]) throws -> Tree { Tree(try texts.map { try Glob($0) }) }

    /// Patterns that are often near each other: below, above, beside, with wildcards in any place.
    private static func glob(_ random: inout SeededGenerator) throws -> Glob {
        let words = ["a", "b", "ab", "a-b", "é", "*", "a*", "?", "**"]
        return try Glob(
            (0...random.below(4)).map { _ in words[random.below(random.coin() ? 5 : words.count)] }.joined(separator: "/"))
    }

    @Test("trees meet exactly where a pattern of one meets one of the other", arguments: 1...20 as ClosedRange<UInt64>)
    func trees(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<200 {
            let (one, other) = (
                Tree(try (0...random.below(4)).map { _ in try Self.glob(&random) }),
                Tree(try (0...random.below(4)).map { _ in try Self.glob(&random) })
            )
            let expected = one.globs.contains { own in other.globs.contains { own.meets($0) } }
            let meeting = one.meeting(other)
            #expect((meeting != nil) == expected, "seed \(seed): \(one) and \(other)")
            if let meeting {
                #expect(
                    one.globs.contains(meeting.own) && other.globs.contains(meeting.other) && meeting.own.meets(meeting.other),
                    "seed \(seed): \(meeting)")
            }
        }
    }

    @Test(
        "claims one after the other are judged as the arbiter judges each beside all that live",
        arguments: 1...20 as ClosedRange<UInt64>)
    func fleets(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let classes = [Label("k")!, nil, nil]
        func claim() throws -> Claim {
            let kind = random.below(30) == 0 ? LaneKind.exclusive : random.coin() ? .shared : .cluster
            return Claim(
                lane: Label("lane\(random.below(40))")!, kind: kind,
                tree: Tree(try (0..<random.below(4)).map { _ in try Self.glob(&random) }), laneClass: classes[random.below(3)])
        }
        let budgets = [Label("k")!: 3]
        var live: [Lease] = []
        for token in 1...UInt64(1 + random.below(6)) {
            let claim = try claim()
            live.append(Self.lease(token, claim.lane.text, claim.kind, claim.tree, class: claim.laneClass))
        }
        live = random.below(3) == 0 ? [] : live
        let claims = try (0..<40).map { _ in random.below(10) == 0 ? nil : try claim() }
        var fleet = Fleet(live: live, claims: claims, budgets: budgets)
        for (number, claim) in claims.enumerated() {
            guard let claim else { continue }
            var effort = Effort()
            let verdict = fleet.judge(number, &effort)
            let expected = Arbiter(live: live, budgets: budgets).judge(claim)
            #expect(
                verdict.reasonClass == expected.reasonClass && verdict.blocking == expected.blocking,
                "seed \(seed), claim \(number): \(verdict.reason); \(expected.reason)")
            guard verdict.outcome == .acquire else { continue }
            let lease = Self.lease(UInt64(100 + number), claim.lane.text, claim.kind, claim.tree, class: claim.laneClass)
            live.append(lease)
            fleet.add(lease, for: number)
        }
    }

    @Test("plain patterns take no effort, however long they are and whatever they begin with")
    func plain() throws {
        let common = String(repeating: "a/", count: 500)
        let trees = try (0..<40).map { number in try Self.tree((0..<64).map { "\(common)x\(number)y\($0)" }) }
        var effort = Effort(steps: 1)
        let live = trees.enumerated().map { Self.lease(UInt64($0.offset + 1), "lane\($0.offset)", .cluster, $0.element) }
        let last = try Self.tree((0..<64).map { "\(common)z\($0)" })
        #expect(
            Arbiter(live: live).judge(Claim(lane: Label("new")!, kind: .cluster, tree: last), &effort).reasonClass == .free
                && !effort.isSpent)
        let above = try Self.tree([String(repeating: "a/", count: 300)])
        #expect(
            Arbiter(live: live).judge(Claim(lane: Label("new")!, kind: .cluster, tree: above), &effort).reasonClass
                == .treeOverlap)
    }

    /// A journal of leases that are in nobody's way.
    private func journal(_ count: Int, _ more: (Int) -> String) throws -> LaneJournal {
        let lines = (0..<count).map { #"{"op":"ACQUIRE","lane":"l\#($0)","loop_ts":"t\#($0)",\#(more($0))}"# + "\n" }
        return try LaneJournal(Array(lines.joined().utf8))
    }

    private func imported(_ world: LaneMachine, _ journal: LaneJournal, leavesOut: Bool = false) throws -> [JournalImport] {
        let leases = journal.leases
        var (next, imports) = (0, [] as [JournalImport])
        repeat {
            let rest = leases[next...]
            let decided = try world.decide { lanes, moment throws(LedgerError) in
                try lanes.importing(rest, from: [:], ttl: 60_000_000, leavesOut: leavesOut, "host", moment)
            }
            imports.append(decided.reply)
            next += decided.reply.count
        } while next < leases.count && imports.last?.refusal == nil
        return imports
    }

    @Test("a long journal of plain patterns is taken over, in decisions that each hold some of it")
    func longJournal() throws {
        let world = try LaneMachine()
        try world.declare(nil, nil, ["open": true])
        let journal = try journal(1500) { "\"tree\":[\"l\($0)/f0\",\"l\($0)/f1\",\"l\($0)/f2\",\"l\($0)/f3\"]" }
        let imports = try imported(world, journal)
        #expect(imports.count > 1 && imports.allSatisfy { $0.granted.count < 1000 && $0.refusal == nil })
        #expect(try world.lanes().leases.count == 1500)
        let again = try imported(world, journal, leavesOut: true)
        #expect(again.flatMap(\.leftOut).count == 1500 && again.allSatisfy { $0.granted.isEmpty })
    }

    @Test("what expired is taken away before a journal is taken over, and nothing is if all is refused")
    func expired() throws {
        let world = try LaneMachine()
        try world.declare(nil, nil, ["open": true])
        let old = try #require(try world.acquire(.of("l1", ttl: 1_000_000)).lease)
        world.clock.pass(100_000_000)
        let refused = try imported(world, try journal(1) { _ in #""ttl_minutes":-1"# }, leavesOut: true)
        #expect(refused[0].evicted.isEmpty && refused[0].leftOut.count == 1)
        #expect(try world.lanes().leases[old.id] != nil)
        let imports = try imported(world, try journal(2) { #""tree":["d\#($0)"]"# })
        #expect(imports[0].evicted.map(\.id) == [old.id] && imports[0].granted.count == 2)
        let bodies = try world.machine.entries().filter { $0.action == "lane.reconcile" }.map { try JSON(parsing: $0.body) }
        #expect(bodies.map { $0["prev_holder"]?.string } == ["", "ada"])
    }

    @Test("no lease is lost by an export, whatever its run is called")
    func exportedNames() throws {
        let trees = try (0..<5).map { try Self.tree(["d\($0)"]) }
        let second = LeaseID(2).description
        for order in [[1, 2, 3, 4], [4, 3, 2, 1], [3, 1, 4, 2]] as [[UInt64]] {
            // Two with one name; one is called as the second of them would be anew, and another as that would be then.
            let names: [UInt64: String] = [1: "run7", 2: "run7", 3: second, 4: second + "-1"]
            let leases = order.map { Self.lease($0, "s", .shared, trees[Int($0)], loopTS: names[$0]) }
            let journal = try LaneJournal(LaneJournal.exporting(leases, upTo: 9))
            #expect(journal.leases.count == 4, "\(order)")
            for (token, name) in names where token > 2 {
                #expect(
                    journal.leases.contains {
                        $0.identity.loop.string == name && $0.lease["lease_id"]?.pythonText.string == LeaseID(token).description
                    }, "\(order): \(name)")
            }
        }
    }

    @Test("what rests is not forgotten for what was shipped since")
    func rests() throws {
        let world = try LaneMachine()
        func attempt(_ unit: String, _ outcome: AttemptOutcome, _ lane: String? = nil) throws {
            try world.decide { lanes, moment throws(LedgerError) in
                try lanes.attempt(
                    Label(unit)!, outcome, lane: lane.flatMap { Label($0) }, nil, LaneEvidence(host: "h", reason: "test"), moment)
            }
        }
        try world.declare("api")
        try attempt("issue-17", .blocked, "api")
        let now = world.now
        for start in [0, 2100] {
            let drafts = try (start..<start + 2100).map { number in
                try Draft(
                    action: "lane.attempt", actor: "process:test", justification: Justification(.sovereignty, "test"),
                    body: Attempt(unit: Label("u\(number)")!, lane: nil, outcome: .shipped, at: now).json)
            }
            try world.machine.write { session in try session.decide(drafts) }
        }
        #expect(try world.lanes().attempts.map(\.unit.text) == ["issue-17"])
        try attempt("issue-17", .shipped, "api")
        #expect(try world.lanes().attempts.isEmpty)
    }

    @Test("a refusal of a long order of long names fits into an entry")
    func longOrder() throws {
        let world = try LaneMachine()
        let pattern = String(repeating: "x", count: 1010)
        let names = (0..<256).map { String(repeating: "n", count: 200) + "\($0)" }
        for name in names { try world.declare(name, LaneDeclaration(tree: try Self.tree([pattern]))) }
        try world.declare(nil, nil, ["order": .array(names.map { .string($0) })])
        _ = try #require(try world.acquire(.of(names[0])).lease)
        let verdict = try world.acquire(.of(nil)).verdict
        #expect(verdict.reasonClass == .noneFree && verdict.reason.hasSuffix(" more") && verdict.reason.utf8.count < 20_000)
        let body = try JSON(parsing: try #require(try world.machine.entries().last).body)
        #expect(body["tried"]?.array?.count == 256)
    }
}
