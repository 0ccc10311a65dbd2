import CanonicalJSON
import Foundation
import TestSupport
import Testing

/// A repair loses the entry that ended a lease; what follows proves that it was there.
@Suite("Lanes: behind a repair") struct LaneRepairTests {
    /// Damages the one entry that says so, and repairs.
    private func lose(_ reason: String, in ledger: CommandLedger) throws {
        var bytes = try ledger.read(CommandLedger.firstSegment)
        let place = try #require(bytes.firstRange(of: Array(reason.utf8)))
        bytes[place.lowerBound] ^= 1
        try ledger.overwrite(CommandLedger.firstSegment, bytes)
        let repaired = try ledger.run("repair", "--yes")
        try #require(repaired.code == 0, "\(repaired)")
    }

    private func live(_ ledger: CommandLedger) throws -> [String] {
        let listed = try JSON(parsing: Array(try ledger.run("lane", "list", "--json").lastLine.utf8))
        return (listed["leases"]?.array ?? []).compactMap { $0["lease_id"]?.string }
    }

    @Test(
        "of two grants that contradict each other the earlier one is over: of a lane, of trees that meet, beside an exclusive one",
        arguments: ["api", "source", "all"])
    func contradiction(later: String) throws {
        let ledger = try CommandLedger(
            lanes: [
                ("api", ["--tree", "src/api"]), ("source", ["--tree", "src/**"]), ("all", ["--kind", "exclusive"]),
                ("docs", ["--tree", "docs"]),
            ])
        let first = try ledger.acquire("api")
        try ledger.lane(["release", "--reason", "given-back"] + first.right)
        if later != "all" { _ = try ledger.acquire("docs") }
        let second = try ledger.acquire(later, as: "process:b")
        try lose("given-back", in: ledger)
        #expect(try ledger.check(first) == 20 && ledger.check(second) == 0)
        let left = try live(ledger)
        #expect(!left.contains(first.id) && left.contains(second.id) && left.count == (later == "all" ? 1 : 2))
        #expect(
            try ledger.heartbeat(first).code == 20
                && ledger.run(["lane", "release", "--actor", "process:b"] + second.right).code == 0)
    }

    @Test("a token whose renewal was lost is stale as soon as the new one was used")
    func renewal() throws {
        let ledger = try CommandLedger(lanes: [("api", [])])
        let lease = try ledger.acquire("api")
        let adopted = try ledger.lane(
            ["adopt", "--new-token", "--reason", "shut-out", "--json"] + lease.right, as: "process:b")
        let token = Int(try #require(try JSON(parsing: Array(adopted.lastLine.utf8))["token"]?.integer))
        let renewed = GrantedLease(id: lease.id, token: token, json: .null)
        #expect(try ledger.heartbeat(renewed).code == 0)
        try lose("shut-out", in: ledger)
        #expect(try ledger.check(lease) == 20 && ledger.check(renewed) == 0)
        try ledger.lane(["release"] + renewed.right)
        #expect(try live(ledger).isEmpty)
    }
}
