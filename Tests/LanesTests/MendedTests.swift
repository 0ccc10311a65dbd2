import CanonicalJSON
import DurableFiles
import Kernel
import Lanes
import Ledger
import LedgerFormat
import TestSupport
import Testing

@Suite("Lanes: what an adversary found") struct MendedTests {
    private static let second: Int64 = 1_000_000

    @Test("a late event takes no newer one back, as a late beat takes no beat back")
    func late() throws {
        let world = try LaneMachine()
        try world.declare("api")
        let lease = try #require(try world.acquire(.of("api")).lease)
        world.clock.pass(100 * Self.second)
        try world.heartbeat(lease, event: "tests pass")
        let event = try #require(try world.lanes().leases[lease.id]?.event)
        world.clock.pass(10 * Self.second)
        let earlier = Timestamp(microseconds: world.now.time.microseconds - 90 * Self.second)
        try world.heartbeat(lease, at: earlier, event: "an old one")
        #expect(try world.lanes().leases[lease.id]?.event == event)
        try world.heartbeat(lease, event: "a new one")
        #expect(try world.lanes().leases[lease.id]?.event == world.now)
    }

    @Test("who adopts a lease and names no process has none: that the old one is gone proves nothing against the new holder")
    func adopted() throws {
        let world = try LaneMachine()
        try world.declare("api")
        var request = try LaneRequest.of("api")
        request.process = HolderProcess(pid: 7, start: HolderProcess.Start(ticks: 1, space: "here"))
        let lease = try #require(try world.acquire(request).lease)
        let gone = ProcessSighting(pid: 7, space: "here", ticks: nil)
        try world.decide { lanes, moment throws(LedgerError) in
            try lanes.adopt(lease.id, token: nil, gone, by: "bob", nil, renewsToken: false, "test", "host", moment)
        }
        #expect(try world.lanes().leases[lease.id]?.process == nil)
        #expect(throws: LedgerError.self) {
            try world.decide { lanes, moment throws(LedgerError) in
                try lanes.scavenge(lease.id, gone, "test", by: "eve", "host", moment)
            }
        }
        #expect(throws: LedgerError.self) {
            try world.decide { lanes, moment throws(LedgerError) in
                try lanes.adopt(lease.id, token: nil, gone, by: "eve", nil, renewsToken: true, "test", "host", moment)
            }
        }
    }

    /// As many components as a pattern has room for.
    private static func deep(_ last: String) -> String { "**/" + String(repeating: "a/", count: 490) + last }

    @Test("trees of 64 deep patterns each are compared exactly, beside a thousand others")
    func deepTrees() throws {
        let tree = Tree(try (0..<64).map { try Glob(Self.deep("x\($0)?")) })
        let live = (0..<1000).map { number in
            Lease(
                id: LeaseID(UInt64(number)), token: UInt64(number + 2), lane: Label("lane\(number)")!, kind: .cluster,
                tree: tree, holder: "ada", ttl: 1,
                acquiredAt: Timestamp(microseconds: 0), beat: Self.now)
        }
        let arbiter = Arbiter(live: live)
        let own = Tree(try (0..<64).map { try Glob(Self.deep("y\($0)?")) })
        #expect(arbiter.judge(Claim(lane: Label("new")!, kind: .cluster, tree: own)).reasonClass == .free)
        let meeting = Tree([try Glob(Self.deep("y")), try Glob(Self.deep("x7z"))])
        let verdict = arbiter.judge(Claim(lane: Label("new")!, kind: .cluster, tree: meeting))
        #expect(verdict.reasonClass == .treeOverlap && verdict.blocking?.token == 2)
    }

    @Test("what would take too long to compare counts as meeting, is called intricate, and names whom")
    func intricate() throws {
        // What stands between two runs is looked for at each of 250 places, and fails at its end.
        let pattern = try Glob("**/" + String(repeating: "a/", count: 250) + "b/**")
        let path = try Glob(String(repeating: "a/", count: 500) + "c?")
        let live = (0..<100).map { number in
            Lease(
                id: LeaseID(UInt64(number)), token: UInt64(number + 2), lane: Label("lane\(number)")!, kind: .cluster,
                tree: Tree([Glob](repeating: path, count: 64)), holder: String(repeating: "x", count: 5000), ttl: 1,
                acquiredAt: Timestamp(microseconds: 0), beat: Self.now)
        }
        let claim = Claim(lane: Label("new")!, kind: .cluster, tree: Tree([Glob](repeating: pattern, count: 64)))
        let verdict = Arbiter(live: live).judge(claim)
        #expect(verdict.reasonClass == .treeIntricate && verdict.blocking != nil)
        #expect(verdict.reason.contains("too intricate to be compared with that of xxx") && verdict.reason.utf8.count < 400)
        // The same whatever the order.
        #expect(Arbiter(live: live.reversed()).judge(claim) == verdict)
        // One of them is compared to its end.
        #expect(
            Arbiter(live: [live[0]]).judge(Claim(lane: claim.lane, kind: .cluster, tree: Tree([pattern]))).reasonClass == .free)
    }

    private static let now = Instant(time: Timestamp(microseconds: 0), boot: BootTime(boot: "b", microseconds: 0))

    @Test("a name that is too long is refused as usage, and names what it is")
    func longNames() throws {
        let world = try LaneMachine()
        try world.declare("api")
        let long = String(repeating: "x", count: LaneText.byteCountMax + 1)
        let changes: [(String, (inout LaneRequest) -> Void)] = [
            ("holder", { $0.holder = long }), ("loop_ts", { $0.loopTS = long }), ("host_id", { $0.host = long }),
            ("run_id", { $0.notes = ["run_id": .string(long)] }), ("mode", { $0.notes = ["mode": .string(long)] }),
            (
                "children",
                { $0.notes = ["children": .array(Array(repeating: ["pid": 1, "run_id": .string("r")], count: 1000))] }
            ),
        ]
        for (name, change) in changes {
            var request = try LaneRequest.of("api")
            change(&request)
            let error = #expect(throws: LedgerError.self) { try world.acquire(request) }
            #expect(error?.code == .usage && error?.message.contains(name) == true, "\(name): \(String(describing: error))")
        }
        var request = try LaneRequest.of("api")
        request.holder = String(long.dropLast())
        let lease = try #require(try world.acquire(request).lease)
        let error = #expect(throws: LedgerError.self) {
            try world.decide { lanes, moment throws(LedgerError) in
                try lanes.adopt(lease.id, token: lease.token, nil, by: long, nil, renewsToken: false, "test", "host", moment)
            }
        }
        #expect(error?.code == .usage)
        let verdict = try world.acquire(.of("api")).verdict
        #expect(verdict.reasonClass == .laneHeld && verdict.reason.utf8.count < 250, "\(verdict.reason)")
    }

    /// Leases as a version without limits granted them.
    private func grant(_ world: LaneMachine, _ count: Int, named name: String) throws {
        let now = world.now
        let drafts = try (0..<count).map { number in
            let lease = Lease(
                id: LeaseID(UInt64(number) + 1), token: 0, lane: Label("lane\(number)")!, kind: .shared,
                tree: Tree([try Glob("d")]), holder: name, loopTS: "\(number)" + name, ttl: Self.second, acquiredAt: now.time,
                beat: now)
            return try Draft(
                action: "lane.acquire", actor: "process:test", justification: Justification(.sovereignty, "test"),
                body: ["lease": .object(lease.json)])
        }
        for start in stride(from: 0, to: count, by: max(1, 2_000_000 / (3 * name.utf8.count))) {
            let part = drafts[start..<min(count, start + max(1, 2_000_000 / (3 * name.utf8.count)))]
            try world.machine.write { session in try session.decide(Array(part)) }
        }
        world.clock.pass(100 * Self.second)
    }

    @Test("expired leases with names of any length block nobody")
    func largeEvictions() throws {
        let world = try LaneMachine()
        try world.declare("api", LaneDeclaration(tree: Tree([try Glob("d")])))
        try grant(world, 40, named: String(repeating: "x", count: 120_000))
        #expect(try world.lanes().leases.count == 40)
        let lease = try #require(try world.acquire(.of("api")).lease)
        #expect(try world.lanes().leases.values.map(\.id) == [lease.id])
    }

    @Test("more expired leases than one decision can take away are taken away in several, and the refusal says so")
    func manyEvictions() throws {
        let world = try LaneMachine()
        try world.declare("api", LaneDeclaration(tree: Tree([try Glob("d")])))
        try grant(world, 2500, named: String(repeating: "x", count: 1000))
        let first = try world.acquire(.of("api"))
        #expect(first.lease == nil && first.verdict.reasonClass == .expiredLeft, "\(first.verdict)")
        #expect(first.verdict.reason.contains("ask again"))
        let left = try world.lanes().leases.count
        #expect(left > 0 && left < 1500)
        #expect(try world.acquire(.of("api")).lease != nil)
        #expect(try world.lanes().leases.count == 1)
    }

    @Test("an exported lease is shared there if it is here, whatever mode its holder noted")
    func exportedMode() throws {
        for (kind, mode, exported) in [
            (LaneKind.shared, "batch", "shared"), (.cluster, "shared", nil), (.cluster, "batch", "batch"),
        ]
            as [(LaneKind, String, String?)]
        {
            let lease = Lease(
                id: LeaseID(1), token: 2, lane: Label("api")!, kind: kind, tree: .everything, holder: "ada", ttl: 1_000_000,
                acquiredAt: Timestamp(microseconds: 0), beat: Self.now, notes: ["mode": .string(mode)])
            let text = String(decoding: LaneJournal.exporting([lease], upTo: 2), as: UTF8.self)
            #expect(text.contains("\"mode\": \"shared\"") == (exported == "shared"), "\(text)")
            #expect(text.contains("\"mode\"") == (exported != nil), "\(text)")
        }
    }

    @Test("more leases than fit into a line are exported and compacted in lines of their own")
    func longExport() throws {
        let leases = try (0..<3000).map { number in
            Lease(
                id: LeaseID(UInt64(number) + 1), token: UInt64(number) + 2, lane: Label("lane\(number)")!, kind: .cluster,
                tree: Tree([try Glob("d\(number)")]), holder: String(repeating: "x", count: 200), ttl: 1_000_000,
                acquiredAt: Timestamp(microseconds: 0), beat: Self.now)
        }
        let journal = try LaneJournal(LaneJournal.exporting(leases, upTo: 5000))
        #expect(
            journal.leases.map { $0.identity.description } == leases.map { "lane \($0.lane), run \($0.loopTS)" })
        #expect(String(decoding: journal.nextSeq.text, as: UTF8.self) == "5001" && journal.entryCount > 1)
        let compacted = journal.compacted(isCompatible: false)
        #expect(try compacted.acquiredCount > 0 && LaneJournal(compacted.bytes).holdsTheSame(as: journal))
        #expect(throws: JournalError.self) { try LaneJournal(journal.compacted(isCompatible: true).bytes) }
    }
}
