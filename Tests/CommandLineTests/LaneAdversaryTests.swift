import CanonicalJSON
import Foundation
import TestSupport
import Testing

/// What an adversary found at the command line, one test each.
@Suite("Lanes: what an adversary found, at the command line") struct LaneAdversaryTests {
    @Test("who adopted a lease of a holder that is gone, and named no process, is neither robbed nor adopted at once")
    func adopted() throws {
        let ledger = try CommandLedger(lanes: [("api", [])])
        let holder = try Program("/bin/sleep", ["60"]).start()
        let lease = try ledger.acquire("api", "--pid", String(holder.processID))
        holder.send(signal: SIGKILL)
        _ = try holder.wait()
        let adopt = ["lane", "adopt", "--lease", lease.id, "--actor", "process:b"]
        #expect(try ledger.run(adopt).code == 0)
        for verb in [["lane", "scavenge", "--lease", lease.id, "--actor", "process:c"], adopt] {
            let refused = try ledger.run(verb)
            #expect(refused.code == 20, "\(refused)")
        }
        #expect(try ledger.check(lease) == 0)
    }

    @Test(
        "names that are too long are refused: 64, and nothing is written",
        arguments: ["--holder", "--loop-ts", "--run-id", "--mode"])
    func longNames(option: String) throws {
        let ledger = try CommandLedger(lanes: [("api", [])])
        let long = String(repeating: "x", count: 100_000)
        try ledger.expectRefusal(64, "has 100000 bytes, and 1024 at most are kept") {
            try ledger.run(["lane", "acquire", "api", "--actor", "process:a", option, long])
        }
    }

    @Test("a spent budget promises no takeover; without a lane the refusal says which lease may be taken over")
    func sentences() throws {
        let ledger = try CommandLedger(
            lanes: [("a", ["--class", "k", "--tree", "a"]), ("b", ["--class", "k", "--tree", "b"])],
            settings: ["--budget", "k=1", "--order", "b,a"])
        let lease = try ledger.acquire("a")
        let spent = try ledger.run("lane", "acquire", "b", "--actor", "process:b")
        #expect(spent.code == 20 && spent.error.contains("1 are allowed") && !spent.error.contains("taken over"), "\(spent)")
        let any = try ledger.run("lane", "acquire", "--actor", "process:b")
        #expect(any.code == 20 && any.error.contains("; the lease \(lease.id) of a may be taken over from "), "\(any)")
        let named = try ledger.run("lane", "acquire", "a", "--actor", "process:b")
        #expect(named.error.contains("; it may be taken over from "), "\(named)")
    }

    @Test("a journal that is imported twice doubles no shared lease, and what is new in it comes in")
    func importedTwice() throws {
        let ledger = try CommandLedger()
        try ledger.lane(["declare", "--open"])
        let line = { (lane: String) in
            #"{"op":"ACQUIRE","lane":"\#(lane)","loop_ts":"t","lease":{"lane":"\#(lane)","loop_ts":"t","mode":"shared","tree":["d"]}}"#
                + "\n"
        }
        let path = ledger.directory.path("journal")
        let command = ["lane", "import", "--file", path, "--actor", "user:ada"]
        try ledger.directory.write(Array(line("x").utf8), to: "journal")
        #expect(try ledger.run(command).code == 0)
        try ledger.expectRefusal(20, "it is live here already", "--leave-out") { try ledger.run(command) }
        try ledger.directory.write(Array((line("x") + line("y")).utf8), to: "journal")
        let again = try ledger.run(command + ["--leave-out"])
        #expect(again.code == 0 && again.output.contains("lane y") && !again.output.contains("lane x"), "\(again)")
    }
}
