import CanonicalJSON
import DurableFiles
import Kernel
import Lanes
import Ledger
import LedgerFormat
import TestSupport
import Testing

@Suite("Lanes: replay") struct ReplayTests {
    @Test(
        "whatever agents and clocks do: no two leases that exclude each other, the fold is the naive model's, and so is a snapshot and its tail",
        arguments: 1...4 as ClosedRange<UInt64>)
    func random(seed: UInt64) throws {
        var agents = try RandomAgents(seed: seed)
        for step in 0..<120 {
            try agents.step()
            if step % 10 == 9 { try agents.compare("seed \(seed), step \(step)") }
        }
        #expect(agents.grantCount > 5 && agents.refusalCount > 5, "seed \(seed): \(agents.grantCount), \(agents.refusalCount)")
        // The same from any snapshot: of every entry, its state coded and read again, and the rest folded on.
        let view = try LedgerView(agents.world.machine.storage())
        let whole = try agents.world.lanes()
        for seq in stride(from: UInt64(1), through: 100, by: 9) {
            var fold = Fold<Lanes>()
            try fold.advance(in: view, to: FoldEnd(seq: seq), agents.world.machine.environment)
            let kept = Snapshot(ledger: LedgerID(1, 2), mark: fold.mark!, state: fold.state)
            let bytes = try kept.sealed(with: TestLedger.key)
            let read = try Snapshot<Lanes>(
                file: bytes, ledger: LedgerID(1, 2), key: TestLedger.key.id, keys: [TestLedger.key.id: TestLedger.key])
            #expect(read.state == fold.state, "seed \(seed), seq \(seq)")
            var state = read.state
            var mark: Mark? = read.mark
            try FactReader(view, of: Lanes.namespaces, agents.world.machine.environment).read(after: &mark) { state.apply($0) }
            #expect(state == whole, "seed \(seed), seq \(seq)")
        }
        #expect(try SnapshotFolder<Lanes>(agents.world.machine.storage()).seqs().count > 1)
        try checkpoint(agents.world, whole, "seed \(seed)")
    }

    /// An entry that says the live set: whoever reads it knows the leases, whatever he held for live before.
    private func checkpoint(_ world: LaneMachine, _ whole: Lanes, _ place: String) throws {
        let before = try #require(try world.machine.entries().last?.receipt)
        try world.machine.write { session in
            try session.decide([
                Draft(
                    action: "lane.checkpoint", actor: "process:test", justification: Justification(.integrity, "test"),
                    body: ["leases": Lanes.checkpoint(whole.ordered)])
            ])
        }
        #expect(try world.lanes() == whole, "\(place)")
        var state = Lanes()
        var mark: Mark? = Mark(seq: before.seq, hash: before.hash, latest: before.time)
        try FactReader(LedgerView(world.machine.storage()), of: Lanes.namespaces, world.machine.environment)
            .read(after: &mark) { state.apply($0) }
        #expect(state.leases == whole.leases, "\(place)")
    }
}

/// Agents that do anything at all, with clocks that step, and a naive model of what is live.
private struct RandomAgents {
    let world: LaneMachine
    private var random: SeededGenerator
    /// Rights that somebody once had: most of them stale.
    private var rights: [Lease] = []
    private(set) var grantCount = 0
    private(set) var refusalCount = 0
    private var bootCount = 1

    private static let lanes = ["api", "web", "docs", "all", "é", "e\u{301}"]
    private static let trees: [[String]?] = [nil, ["a"], ["a/b"], ["b"], ["**/c"], ["b/*", "c"], []]

    init(seed: UInt64) throws {
        world = try LaneMachine(seed: seed)
        random = SeededGenerator(seed: seed)
        try world.declare(nil, nil, ["open": true, "order": ["web", "docs", "new"], "budgets": ["k": 2]])
        try world.declare("api", LaneDeclaration(kind: .cluster, tree: Tree([try Glob("a")]), laneClass: Label("k")))
        try world.declare("all", LaneDeclaration(kind: .exclusive))
        try world.declare("docs", LaneDeclaration(kind: .shared, tree: Tree([try Glob("d")])))
    }

    mutating func step() throws {
        switch random.below(14) {
        case 0...4:
            let kinds: [LaneKind?] = [nil, nil, .shared, .cluster, .exclusive]
            let request = try LaneRequest.of(
                random.below(6) == 0 ? nil : Self.lanes[random.below(Self.lanes.count)], kinds[random.below(kinds.count)],
                tree: Self.trees[random.below(Self.trees.count)], ttl: Int64(1 + random.below(5)) * 60_000_000,
                holder: ["ada", "bob"][random.below(2)])
            if let lease = try world.acquire(request).lease {
                rights.append(lease)
                grantCount += 1
            } else {
                refusalCount += 1
            }
        case 5, 6:
            try with { world, lease throws(LedgerError) in try world.heartbeat(lease, event: lease.token % 2 == 0 ? "e" : nil) }
        case 7:
            let early = Timestamp(microseconds: world.now.time.microseconds + Int64(random.below(600) - 500) * 1_000_000)
            try with { world, lease throws(LedgerError) in try world.heartbeat(lease, at: early) }
        case 8: try with { world, lease throws(LedgerError) in try world.release(lease) }
        case 9:
            try with { world, lease throws(LedgerError) in
                try world.decide { lanes, moment throws(LedgerError) in
                    try lanes.scavenge(lease.id, nil, "test", by: "eve", "host", moment)
                }
            }
        case 10:
            let renews = random.coin()
            var renewed: Lease?
            try with { world, lease throws(LedgerError) in
                let decided = try world.decide { lanes, moment throws(LedgerError) in
                    try lanes.adopt(
                        lease.id, token: lease.token, nil, by: "eve", HolderProcess(pid: 7, start: nil),
                        renewsToken: renews, "test", "host", moment)
                }
                guard renews, let receipt = decided.receipts.last else { return }
                renewed = decided.reply
                renewed?.token = receipt.seq
            }
            if let renewed { rights.append(renewed) }
        case 11: world.clock.pass(Int64(random.below(400)) * 1_000_000)
        case 12: world.clock.step(Int64(random.below(200_000) - 100_000) * 1_000_000)
        default:
            let unit = Label("u\(random.below(3))")!
            let outcome = AttemptOutcome.allCases[random.below(5)]
            let lane = Label(Self.lanes[random.below(3)])
            try world.decide { lanes, moment throws(LedgerError) in
                try lanes.attempt(unit, outcome, lane: lane, nil, LaneEvidence(host: "h", reason: "test"), moment)
            }
            guard random.below(4) == 0 else { return }
            bootCount += 1
            world.clock.reboot("boot-\(bootCount)", off: Int64(random.below(2000) - 1000) * 1_000_000)
        }
    }

    /// Somebody uses a right, stale or not; a refusal writes nothing.
    private mutating func with(_ body: (LaneMachine, Lease) throws(LedgerError) -> Void) throws {
        guard !rights.isEmpty else { return }
        let before = world.machine.segment()
        do throws(LedgerError) { try body(world, rights[random.coin() ? rights.count - 1 : random.below(rights.count)]) } catch {
            guard error.code == .refused else { throw error }
            #expect(world.machine.segment() == before)
        }
    }

    func compare(_ place: String) throws {
        var model = NaiveLanes()
        for entry in try world.machine.entries() {
            model.apply(entry, place)
        }
        let state = try world.lanes()
        #expect(
            state.ordered.map { "\($0.id) \($0.token) \($0.lane) \($0.kind.rawValue) \($0.holder)" } == model.shown, "\(place)")
        #expect(state.ordered.map { $0.beat.json } == model.live.map(\.beat), "\(place)")
    }
}

/// The live set as lanes.md tells it, by an array that is gone through.
private struct NaiveLanes {
    struct Item {
        var id: String
        var token: UInt64
        var lane: [UInt8]
        var kind: String
        var holder: String
        var tree: [String]
        var beat: JSON
    }

    var live: [Item] = []

    var shown: [String] {
        live.map { "\($0.id) \($0.token) \(String(decoding: $0.lane, as: UTF8.self)) \($0.kind) \($0.holder)" }
    }

    mutating func apply(_ entry: Entry, _ place: String) {
        guard let body = try? JSON(parsing: entry.body) else { return }
        let index = live.firstIndex {
            $0.id == body["lease_id"]?.string && Double($0.token) == body["token"]?.number
        }
        switch entry.action {
        case "lane.acquire":
            guard let lease = body["lease"] else { return }
            let item = Item(
                id: lease["lease_id"]?.string ?? "", token: entry.seq, lane: Array((lease["lane"]?.string ?? "").utf8),
                kind: lease["lane_kind"]?.string ?? "", holder: lease["holder"]?.string ?? "",
                tree: (lease["tree"]?.array ?? []).compactMap(\.string), beat: lease["beat"] ?? .null)
            for other in live { #expect(!Self.exclude(item, other), "\(place): \(item) beside \(other)") }
            live.append(item)
        case "lane.release", "lane.scavenge": if let index { live.remove(at: index) }
        case "lane.heartbeat":
            guard let index, let beat = body["beat"] else { return }
            let last = live[index].beat
            let isLate =
                last["boot"] == beat["boot"]
                && (last["boot_microseconds"]?.number ?? 0) > (beat["boot_microseconds"]?.number ?? 0)
            if !isLate { live[index].beat = beat }
        case "lane.adopt":
            guard let index, let beat = body["beat"] else { return }
            live[index].holder = body["holder"]?.string ?? ""
            live[index].beat = beat
            guard body["renews_token"] == true else { return }
            live[index].token = entry.seq
            // The oldest token first.
            live.append(live.remove(at: index))
        default: return
        }
    }

    private static func exclude(_ one: Item, _ other: Item) -> Bool {
        if one.kind == "exclusive" || other.kind == "exclusive" { return true }
        if one.kind == "shared", other.kind == "shared" { return false }
        if one.lane == other.lane { return true }
        // Few patterns are in use: each is told by the paths below that it means.
        let paths: [String: Set<String>] = [
            "a": ["a", "a/b", "a/c"], "a/b": ["a/b"], "b": ["b", "b/x", "b/c"], "**/c": ["c", "a/c", "b/c", "d/c"],
            "b/*": ["b/x", "b/c"], "c": ["c"], "d": ["d", "d/c"],
        ]
        let (ones, others) = (one.tree.map { paths[$0]! }, other.tree.map { paths[$0]! })
        if ones.isEmpty || others.isEmpty { return true }
        return ones.contains { left in others.contains { !left.isDisjoint(with: $0) } }
    }
}
