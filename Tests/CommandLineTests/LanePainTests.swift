import CanonicalJSON
import Foundation
import TestSupport
import Testing

/// What users of the reference lose work to, one test each.
@Suite("Lanes: pains of the reference") struct LanePainTests {
    private func ledger(grace: String = "30s") throws -> CommandLedger {
        try CommandLedger(
            lanes: [
                ("api", ["--tree", "src/api"]), ("apiary", ["--tree", "src/apiary"]), ("source", ["--tree", "src/**"]),
                ("all", ["--kind", "exclusive"]), ("any", []),
            ], settings: ["--grace", grace])
    }

    @Test("two processes with one name: the right to a lease is its id and token, and only one has it")
    func sameOwner() throws {
        let ledger = try ledger()
        let first = try ledger.acquire("api", "--holder", "worker", as: "process:worker")
        let refusal = try ledger.refusal("api", "--holder", "worker", as: "process:worker")
        #expect(refusal["reason_class"] == "lane_held" && refusal["blocking"]?["token"]?.integer == Int64(first.token))
        // The name opens nothing: neither with another id nor with another token.
        for right in [
            ["--lease", "0123456789abcdef", "--token", "3"], ["--lease", first.id, "--token", String(first.token - 1)],
        ] {
            for verb in ["heartbeat", "release"] {
                #expect(try ledger.run(["lane", verb, "--actor", "process:worker"] + right).code == 20)
            }
            #expect(try ledger.run(["lane", "check"] + right).code == 20)
        }
        #expect(try ledger.check(first) == 0)
    }

    @Test(
        "a crashed holder blocks its lane no longer than its time and the grace; taking over writes SCAVENGE, then a higher token"
    )
    func crashed() throws {
        let ledger = try ledger(grace: "100ms")
        let first = try ledger.acquire("api", "--ttl", "200ms")
        var second: GrantedLease?
        try waitUntil("the lease has expired") {
            let answer = try ledger.run(["lane", "acquire", "source", "--json", "--actor", "process:b"])
            guard answer.code == 0 else { return false }
            let json = try JSON(parsing: Array(answer.lastLine.utf8))
            second = GrantedLease(id: json["id"]?.string ?? "", token: Int(json["token"]?.integer ?? 0), json: json)
            return true
        }
        let taken = try #require(second)
        #expect(taken.token > first.token && taken.json["evicted"]?[0]?["lease_id"]?.string == first.id)
        let last = try ledger.entries("--last", "2").compactMap { $0["entry"] }
        #expect(last.map { $0["action"]?.string } == ["lane.scavenge", "lane.acquire"])
        #expect(last[0]["context"]?["part"] == [1, 2] && last[0]["body"]?["lease_id"]?.string == first.id)
        // The old right is worth nothing any more.
        #expect(try ledger.check(first) == 20 && ledger.heartbeat(first).code == 20)
        #expect(try ledger.run(["lane", "release", "--actor", "process:a"] + first.right).code == 20)
        #expect(try ledger.check(taken) == 0)
    }

    @Test("the number of a helper that is gone evicts nobody: a process is evidence by its start, and never at acquire")
    func helper() throws {
        let ledger = try ledger()
        // Gone before it is named: its start is unknown, so it is no evidence at all.
        let gone = try Program("/bin/sh", ["-c", "echo $$"]).run().output.dropLast()
        let first = try ledger.acquire("api", "--pid", String(gone))
        #expect(try ledger.refusal("api")["reason_class"] == "lane_held")
        #expect(try ledger.run("lane", "scavenge", "--lease", first.id, "--actor", "process:b").code == 20)
        #expect(try ledger.heartbeat(first).code == 0)
        // Gone after that: who asks for the lane is refused all the same, and only who says so takes it over or away.
        let holder = try Program("/bin/sleep", ["60"]).start()
        let second = try ledger.acquire("apiary", "--pid", String(holder.processID))
        let adopt = ["lane", "adopt", "--lease", second.id, "--actor", "process:b"]
        #expect(try ledger.run(adopt).code == 20, "it lives")
        holder.send(signal: SIGKILL)
        _ = try holder.wait()
        #expect(try ledger.refusal("apiary")["reason_class"] == "lane_held")
        #expect(try ledger.run(adopt).code == 0)
        #expect(try ledger.check(second) == 0, "identity and token stay")
        let adopted = try #require(try ledger.laneBodies("adopt").first)
        #expect(adopted["holder"] == "process:b" && adopted["prev_holder"] == "process:a")
        // Who fears that the holder is not gone after all shuts the old token out.
        let renewed = try ledger.lane(["adopt", "--lease", second.id, "--token", String(second.token), "--new-token", "--json"])
        let token = try #require(try JSON(parsing: Array(renewed.lastLine.utf8))["token"]?.integer)
        #expect(token > second.token)
        #expect(try ledger.check(second) == 20 && ledger.heartbeat(second).code == 20)
        #expect(try ledger.run("lane", "check", "--lease", second.id, "--token", String(token)).code == 0)
        #expect(try ledger.run("lane", "history", "apiary").output.contains("lease \(second.id), token \(token)\n"))
    }

    @Test("src/api and src/apiary are two places; what meets is refused with both patterns; no tree is everything")
    func trees() throws {
        let ledger = try ledger()
        _ = try ledger.acquire("api")
        _ = try ledger.acquire("apiary")
        let refusal = try ledger.refusal("source")
        #expect(refusal["reason_class"] == "tree_overlap")
        #expect(refusal["reason"]?.string?.contains("src/** meets src/api ") == true)
        #expect(try ledger.refusal("any")["reason_class"] == "tree_overlap")
        #expect(try ledger.refusal("any", "--tree", "src/api/handlers/*.swift")["reason_class"] == "tree_overlap")
        _ = try ledger.acquire("any", "--tree", "docs")
    }

    @Test("the decided kind is recorded and enforced, not the one that was asked for")
    func kinds() throws {
        let ledger = try ledger()
        let lease = try ledger.acquire("all", "--kind", "shared", "--tree", "x")
        #expect(lease.json["lane_kind"] == "exclusive")
        #expect(try ledger.laneBodies("acquire").first?["lane_kind"] == "exclusive")
        let refusal = try ledger.refusal("any", "--kind", "shared", "--tree", "y")
        #expect(refusal["reason_class"] == "exclusive_live" && refusal["blocking"]?["lane"] == "all")
        try ledger.lane(["release"] + lease.right)
        _ = try ledger.acquire("any", "--tree", "y")
        #expect(try ledger.refusal("all", "--tree", "x")["reason_class"] == "exclusive_request")
    }

    @Test("an undeclared lane and an empty name are refused and nothing is written, unless the lane set is declared open")
    func undeclared() throws {
        let ledger = try ledger()
        let before = try ledger.contents()
        #expect(try ledger.run("lane", "acquire", "nonesuch", "--actor", "process:a").code == 20)
        #expect(try ledger.run("lane", "acquire", "", "--actor", "process:a").code == 64)
        #expect(try ledger.run("lane", "acquire", "--actor", "process:a").code == 20, "no order is declared")
        #expect(try ledger.contents() == before)
        try ledger.lane(["declare", "--open"])
        _ = try ledger.acquire("nonesuch")
    }

    @Test("a stamp of the future counts as now, and that is recorded; an earlier one shortens no lease that beat since")
    func future() throws {
        let ledger = try ledger()
        let lease = try ledger.acquire("api", "--ttl", "10m")
        #expect(try ledger.heartbeat(lease, "--at", "2999-01-01T00:00:00Z").code == 0)
        let beat = try #require(try ledger.laneBodies("heartbeat").last)
        #expect(beat["clamped_from"] == "2999-01-01T00:00:00.000000Z")
        #expect(try #require(beat["heartbeat_at"]?.string) < "2999")
        let listed = try JSON(parsing: Array(try ledger.run("lane", "list", "--json").lastLine.utf8))
        #expect(try #require(listed["leases"]?[0]?["rest_seconds"]?.number) <= 600)
        #expect(try ledger.heartbeat(lease, "--at", "2001-01-01T00:00:00Z").code == 0)
        #expect(try ledger.check(lease) == 0)
    }

    @Test("acquire without a lane takes the first of the order that is free and does not rest")
    func order() throws {
        let ledger = try ledger()
        try ledger.lane(["declare", "--order", "api,apiary,any"])
        #expect(try ledger.acquire().json["lane"] == "api")
        try ledger.lane(["attempt", "issue-1", "--outcome", "error", "--lane", "apiary"])
        #expect(try ledger.acquire("--tree", "docs").json["lane"] == "any")
        let refusal = try ledger.refusal()
        #expect(refusal["reason_class"] == "none_free")
        #expect(try #require(refusal["reason"]?.string).contains("apiary rests for 29 min after issue-1 (error)"))
        #expect(try ledger.run("lane", "history", "apiary", "--only", "refuse").output.contains("none_free"))
        try ledger.lane(["attempt", "issue-1", "--outcome", "shipped", "--lane", "apiary"])
        #expect(try ledger.acquire().json["lane"] == "apiary")
        // One that nobody declares any more is passed over.
        for lane in ["last", "nobodys"] { try ledger.lane(["declare", lane]) }
        try ledger.lane(["declare", "--order", "nobodys,last"])
        try ledger.lane(["declare", "nobodys", "--remove"])
        #expect(try ledger.acquire("--tree", "elsewhere").json["lane"] == "last")
    }

    @Test("a holder that lost its lease cannot act on: guard ends its command, and check says stale")
    func lost() throws {
        let ledger = try ledger(grace: "100ms")
        let lease = try ledger.acquire("api", "--ttl", "6s")
        // The guard and its command stop, as a laptop's do or under a debugger; meanwhile the lane goes to another.
        let command =
            ["lane", "guard"] + lease.right + ["--ledger", ledger.path, "--", "sh", "-c", "echo $$ > pid; exec sleep 60"]
        let guarding = try Program.bulla(command).start(in: ledger.directory.path)
        let pid = try ledger.pid(in: "pid")
        kill(pid, SIGSTOP)
        guarding.send(signal: SIGSTOP)
        try waitUntil("the lane is another's") {
            try ledger.run("lane", "acquire", "api", "--actor", "process:b").code == 0
        }
        #expect(try ledger.check(lease) == 20)
        guarding.send(signal: SIGCONT)
        let result = try guarding.wait()
        #expect(result.code == 125 && result.error.contains("the command was stopped"), "\(result)")
        #expect(Program.state(of: pid).map { "ZX".contains($0) } ?? true)
    }
}

extension CommandLedger {
    /// The number that a script writes to a file.
    func pid(in file: String) throws -> Int32 {
        var pid: Int32?
        try waitUntil("the command runs") {
            pid = (try? directory.read(file)).flatMap { Int32(String(decoding: $0, as: UTF8.self).dropLast()) }
            return pid != nil
        }
        return try #require(pid)
    }
}
