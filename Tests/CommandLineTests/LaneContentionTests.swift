import CanonicalJSON
import DurableFiles
import Foundation
import TestSupport
import Testing

@Suite("Lanes: eight processes that are killed and stopped") struct LaneContentionTests {
    private static let workerCount = 8
    /// With what they mean, told once more by hand: the sets that meet.
    private static let lanes: [(name: String, arguments: [String], places: Set<String>)] = [
        ("api", ["--tree", "src/api"], ["api"]), ("deep", ["--tree", "**/x"], ["api", "docs"]),
        ("docs", ["--tree", "docs"], ["docs"]), ("web", ["--tree", "src/web"], ["web"]),
        ("all", ["--kind", "exclusive"], ["api", "docs", "web"]), ("read", ["--kind", "shared", "--tree", "docs"], ["docs"]),
        ("look", ["--kind", "shared", "--tree", "docs"], ["docs"]),
    ]

    /// Takes one lane after the other, beats, and gives it back, until it is told to stop.
    private static let worker = """
        cd "$1"; me=$2; actor=$3; n=$me
        while [ ! -e stop ]; do
            n=$((n + 1)); lane=$(echo \(lanes.map(\.name).joined(separator: " ")) | cut -d' ' -f$((n % \(lanes.count) + 1)))
            out=$("$BULLA" lane acquire $lane --ledger L --actor "$actor" --run-id "w$me" --ttl 400ms --json 2>/dev/null) || continue
            echo $lane >> "grants$me"
            id=$(printf %s "$out" | sed 's/.*[{,]"id":"\\([0-9a-f]*\\)".*/\\1/')
            token=$(printf %s "$out" | sed 's/.*"token":\\([0-9]*\\).*/\\1/')
            "$BULLA" lane heartbeat --ledger L --actor "$actor" --lease $id --token $token >/dev/null 2>&1
            "$BULLA" lane release --ledger L --actor "$actor" --lease $id --token $token >/dev/null 2>&1
        done
        """

    @Test(
        "0 moments with two holders that exclude each other, 0 doubled or missing seqs, grants for everyone, all of it explained",
        arguments: [true, false])
    func eight(equalNames: Bool) throws {
        let ledger = try CommandLedger(lanes: Self.lanes.map { ($0.name, $0.arguments) }, settings: ["--grace", "50ms"])
        let seed = UInt64.random(in: 0..<1_000_000)
        var random = SeededGenerator(seed: seed)
        func start(_ worker: Int) throws -> Program.Running {
            try Program.shell(
                Self.worker, ledger.directory.path, String(worker), equalNames ? "process:same" : "process:w\(worker)"
            )
            .start()
        }
        var workers = try (0..<Self.workerCount).map(start)
        var killCount = 0
        let (begin, clock) = (ContinuousClock.now, ContinuousClock())
        func hasGrants(_ worker: Int) -> Bool { FileManager.default.fileExists(atPath: ledger.directory.path("grants\(worker)")) }
        // Ten seconds; on a slow machine until everybody had his turn.
        while clock.now - begin < .seconds(10)
            || clock.now - begin < .seconds(60) && !(0..<Self.workerCount).allSatisfy(hasGrants)
        {
            let worker = random.below(Self.workerCount)
            // `timeout` leads a group of its own, with the shell and its present command.
            let group = -workers[worker].processID
            if random.coin() {
                kill(group, SIGKILL)
                _ = try workers[worker].wait()
                workers[worker] = try start(worker)
                killCount += 1
            } else {
                // Longer than a lease and its grace: it is taken over meanwhile.
                kill(group, SIGSTOP)
                usleep(500_000)
                kill(group, SIGCONT)
            }
            usleep(UInt32(random.below(300_000)))
        }
        try ledger.directory.write([], to: "stop")
        for worker in workers { _ = try worker.wait() }
        try judge(ledger, "seed \(seed), \(killCount) killed")
    }

    /// From the ledger alone, by a model that knows nothing of ours.
    private func judge(_ ledger: CommandLedger, _ run: String) throws {
        let entries = try ledger.entries()
        #expect(entries.compactMap { $0["entry"]?["seq"]?.integer } == Array(1...Int64(entries.count)), "\(run)")
        try ledger.expectIntact(seq: entries.count)
        let places = Dictionary(uniqueKeysWithValues: Self.lanes.map { ($0.name, $0.places) })
        var live: [(lane: String, id: String, token: Double)] = []
        var grants: [String: Int] = [:]
        var (refusalCount, takeoverCount) = (0, 0)
        for entry in entries.compactMap({ $0["entry"] }) {
            let body = try #require(entry["body"])
            let lane = body["lane"]?.string ?? ""
            switch entry["action"]?.string {
            case "lane.acquire":
                for other in live {
                    let isShared = { (name: String) in ["read", "look"].contains(name) }
                    let exclude =
                        !(isShared(lane) && isShared(other.lane)) && !places[lane]!.isDisjoint(with: places[other.lane]!)
                    #expect(!exclude, "\(run): seq \(entry["seq"]?.canonicalText ?? ""): \(lane) beside \(other)")
                }
                live.append((lane, try #require(body["lease"]?["lease_id"]?.string), try #require(entry["seq"]?.number)))
                grants[body["lease"]?["run_id"]?.string ?? "", default: 0] += 1
            case "lane.release", "lane.scavenge", "lane.heartbeat":
                // Each of them is about a lease that was live.
                let index = live.firstIndex { $0.id == body["lease_id"]?.string && $0.token == body["token"]?.number }
                let found = try #require(index, "\(run): \(entry)")
                if entry["action"] != "lane.heartbeat" { live.remove(at: found) }
                if entry["action"] == "lane.scavenge" { takeoverCount += 1 }
            case "lane.refuse":
                refusalCount += 1
                let blocking = try #require(body["blocking"], "\(run): \(entry)")
                #expect(
                    live.contains { $0.id == blocking["lease_id"]?.string && $0.token == blocking["token"]?.number }, "\(run)")
            default: continue
            }
        }
        #expect(grants.count == Self.workerCount, "\(run): \(grants)")
        // On a machine that is slow enough nobody comes in time to be refused.
        #expect(refusalCount + takeoverCount > 0, "\(run): \(refusalCount) refusals, \(takeoverCount) takeovers")
        var explained = 0
        for lane in Self.lanes {
            let history = try ledger.run(["lane", "history", lane.name, "--only", "acquire", "--only", "refuse", "--json"])
            explained += history.output.split(separator: "\n").count
        }
        #expect(explained == grants.values.reduce(0, +) + refusalCount, "\(run)")
    }
}
