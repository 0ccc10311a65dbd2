import CanonicalJSON
import Foundation
import Ledger
import TestSupport
import Testing

/// Leases across namespaces of time, in which the clock since the boot is off by a constant.
@Suite("Lanes: namespaces of time") struct LaneClockTests {
    private static let hasNamespaces =
        (try? Program.shell("unshare --time --boottime 86400 \"$BULLA\" --version").run().code) == 0
    /// No clock can be behind by more than the time since the boot.
    private static let behind = -Int(ProcessInfo.processInfo.systemUptime / 2)
    private static let needsNamespaces: Comment = "SKIPPED: this needs root and unshare, and namespaces of time"

    /// Runs a verb where the clock since the boot is so many seconds ahead.
    private func run(ahead seconds: Int, _ ledger: CommandLedger, _ arguments: [String]) throws -> Program.Result {
        try Program.shell(
            #"n=$1; shift; exec unshare --time --boottime "$n" "$BULLA" "$@""#,
            [String(seconds)] + arguments + ["--ledger", ledger.path]
        ).run(in: ledger.directory.path)
    }

    private func lease(_ result: Program.Result) throws -> GrantedLease {
        try #require(result.code == 0, "\(result)")
        let json = try JSON(parsing: Array(result.lastLine.utf8))
        return GrantedLease(id: try #require(json["id"]?.string), token: Int(try #require(json["token"]?.integer)), json: json)
    }

    @Test(
        "a day ahead or far behind, the clock tells the same time: a live lease stays, and one whose time is over goes",
        .enabled(if: hasNamespaces, needsNamespaces), arguments: [86400, behind])
    func apart(seconds: Int) throws {
        let ledger = try CommandLedger(
            lanes: [("api", ["--tree", "a"]), ("web", ["--tree", "b"])], settings: ["--grace", "100ms"])
        // Nobody elsewhere takes what is live, and whoever has the right has it there too.
        let here = try ledger.acquire("api", "--ttl", "10m")
        let acquire = ["lane", "acquire", "web", "--actor", "process:b", "--json"]
        try #require(run(ahead: seconds, ledger, ["lane", "acquire", "api", "--actor", "process:b"]).code == 20)
        try #require(run(ahead: seconds, ledger, ["lane", "check"] + here.right).code == 0)
        let there = try lease(run(ahead: seconds, ledger, acquire + ["--ttl", "10m"]))
        #expect(try ledger.check(there) == 0)
        let rest = try #require(try JSON(parsing: Array(ledger.run("lane", "list", "--json").lastLine.utf8))["leases"]?.array)
        // Whoever is told another time here would wait for it below.
        for lease in rest {
            let left = try #require(lease["rest_seconds"]?.number)
            try #require((500...600).contains(left), "\(lease)")
        }
        // What was taken there ends here, and the other way round.
        try ledger.lane(["release"] + there.right)
        _ = try lease(run(ahead: seconds, ledger, acquire + ["--ttl", "200ms"]))
        try waitUntil("its time is over here") { try ledger.run(acquire + ["--ttl", "200ms"]).code == 0 }
        try waitUntil("its time is over there") { try run(ahead: seconds, ledger, acquire).code == 0 }
    }

    @Test("a process is no evidence where its start is told by another clock", .enabled(if: hasNamespaces, needsNamespaces))
    func process() throws {
        let ledger = try CommandLedger(lanes: [("api", [])])
        let holder = try Program("/bin/sleep", ["60"]).start()
        defer { holder.send(signal: 9) }
        let lease = try ledger.acquire("api", "--pid", String(holder.processID))
        let scavenge = ["lane", "scavenge", "--lease", lease.id, "--actor", "process:b"]
        let refused = try run(ahead: 86400, ledger, scavenge)
        #expect(refused.code == 20 && refused.error.contains("nothing proves that its holder is gone"), "\(refused)")
        holder.send(signal: 9)
        _ = try holder.wait()
        #expect(try run(ahead: 86400, ledger, scavenge).code == 20, "and so it is none either when it is gone")
        #expect(try ledger.run(scavenge).code == 0)
    }

    @Test("the system's list of offsets is read with its nanoseconds; what is none says nothing")
    func offsets() {
        let read = { Namespaces.bootClockOffset(in: $0) }
        #expect(read("monotonic           0         0\nboottime            0         0\n") == 0)
        #expect(read("monotonic           7         0\nboottime        86400 500000000\n") == 86_400_500_000)
        #expect(read("boottime  -2 250000000\n") == -1_750_000)
        for text in ["", "monotonic 1 0\n", "boottime 1\n", "boottime x 0\n", "boottime 9999999999999 0\n"] {
            #expect(read(text) == nil, "\(text)")
        }
    }
}
