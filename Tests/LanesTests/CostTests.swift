import CanonicalJSON
import Kernel
import Lanes
import Ledger
import TestSupport
import Testing

@Suite("Lanes: what history costs") struct CostTests {
    @Test("a decision folds what follows the newest snapshot, however long the history is")
    func snapshots() throws {
        let world = try LaneMachine()
        try world.declare("api")
        for _ in 0..<150 {
            let lease = try #require(try world.acquire(.of("api")).lease)
            try world.release(lease)
        }
        let found = try FoundFold<Lanes>(in: try LedgerView(world.machine.storage()), world.machine.environment)
        // LaneMachine's deciders keep one at every 20 entries; the ledger has 302.
        #expect(try #require(found.snapshotSeq) > 302 - 22)
    }

    @Test("state does not grow with history: names that nobody has a lease of are forgotten, the oldest first")
    func bounded() throws {
        let world = try LaneMachine()
        try world.declare(nil, nil, ["open": true])
        for number in 0..<300 {
            try world.decide { lanes, moment throws(LedgerError) in
                try lanes.spawn(Label("lane\(number)")!, by: "ada", LaneEvidence(host: "h", reason: "test"), moment)
            }
        }
        let spawning = try world.lanes().spawning.map(\.lane.text)
        #expect(spawning.count <= 256 && spawning.last == "lane299" && !spawning.contains("lane0"))
    }
}
