import CanonicalJSON
import Foundation
import TestSupport
import Testing

@Suite("Lanes at the command line") struct LaneTests {
    @Test(
        "declare, acquire, beat, release: each is an entry, list and history tell of it, and both verifiers find the ledger intact"
    )
    func life() throws {
        let ledger = try CommandLedger(lanes: [("api", ["--tree", "src/api", "--class", "back"])])
        let lease = try ledger.acquire("api", "--ttl", "20m", "--run-id", "r1", "--child", "c1=4711")
        #expect(lease.token == 3 && lease.json["lease"]?["children"] == [["pid": 4711, "run_id": "c1"]])
        #expect(lease.json["lease"]?["ttl_minutes"] == 20 && lease.json["receipt"]?["seq"] == 3)
        #expect(try ledger.heartbeat(lease, "--event", "tests pass").code == 0)
        let plain = try ledger.run("lane", "acquire", "api", "--actor", "process:b")
        #expect(plain.code == 20 && plain.output.isEmpty)
        #expect(
            plain.error.contains("the lane api is refused: the lane is held by process:a (lease \(lease.id) of api, token 3)"))
        let listed = try ledger.run("lane", "list").output.split(separator: "\n")
        #expect(listed.count == 2 && listed[1].hasPrefix("api   ADVANCING  3      ") && listed[1].hasSuffix("process:a  src/api"))
        try ledger.lane(["release", "--reason", "merged"] + lease.right)
        #expect(try ledger.run("lane", "list").output.split(separator: "\n")[1].hasPrefix("api   free"))
        let history = try ledger.run("lane", "history", "api").output.split(separator: "\n")
        #expect(history.count == 8 && history[6].contains("process:a") == false && history[7] == "    merged")
        #expect(history[4].contains("refused to process:b (lane_held)") && history[5].contains("token 3"))
        #expect(try ledger.run("lane", "history", "api", "--beats", "--last", "2").output.split(separator: "\n").count == 4)
        let refused = try JSON(
            parsing: Array(try ledger.run("lane", "history", "api", "--only", "refuse", "--json").lastLine.utf8))
        #expect(refused["operation"] == "refuse" && refused["body"]?["blocking"]?["token"] == 3)
        try ledger.expectIntact(seq: 6)
    }

    @Test(
        "bad input is a clear refusal, and nothing is written",
        arguments: [
            (["acquire", "api", "--tree", ""], 64, "it is empty"), (["acquire", "api", "--ttl=-5m"], 64, "--ttl takes"),
            (["acquire", "api", "--ttl", "-5s"], 64, "--ttl takes a length of time above 0"),
            (["acquire", "api", "--ttl", "0"], 64, "--ttl takes"),
            (["declare", "--grace", "-1s"], 64, "--grace takes a length of time above 0"),
            (["import", "--ttl", "-5s"], 64, "--ttl takes a length of time above 0"),
            (["acquire", "api", "--kind", "odd"], 64, "odd"),
            (["acquire", "nonesuch"], 20, "is not declared"), (["acquire", "--force"], 64, "takes the name of a lane"),
            (["acquire", "api", "--tree", "../x"], 64, "holds \"..\""), (["acquire", "api", "--child", "x"], 64, "run=pid"),
            (["heartbeat", "--lease", "0123456789abcdef", "--token", "2"], 20, "is not current"),
            (["release", "--lease", "0123456789abcdef", "--token", "99"], 20, "is of the future"),
            (["release", "--lease", "xyz", "--token", "2"], 64, "xyz"),
            (["adopt", "--lease", "0123456789abcdef"], 20, "is not current"),
            (["scavenge", "--lease", "0123456789abcdef"], 20, "is not current"), (["declare"], 64, "nothing to declare"),
            (["declare", "nonesuch", "--remove"], 20, "is not declared"), (["declare", "--budget", "x"], 64, "class=n"),
            (["declare", "--cooldown", "shipped=5m"], 64, "outcome=time"), (["declare", "--grace", "0"], 64, "--grace takes"),
            (["heartbeat", "--lease", "0123456789abcdef", "--token", "2", "--at", "noon"], 64, "--at takes"),
            (["heartbeat", "--lease", "0123456789abcdef", "--token", "2", "--at", "2026-01-31T12:00:00X"], 64, "--at takes"),
            (["attempt", "u", "--outcome", "error", "--lease", "0123456789abcdef"], 64, "together"),
        ] as [([String], Int32, String)])
    func refused(arguments: [String], code: Int32, words: String) throws {
        let ledger = try CommandLedger(lanes: [("api", [])])
        let before = try ledger.contents()
        let result = try ledger.run(["lane"] + arguments + ["--actor", "process:a"])
        #expect(result.code == code && result.error.contains(words), "\(result)")
        #expect(try ledger.contents() == before)
    }

    @Test("check and guard refuse a token of the future, which no lease can have yet")
    func futureToken() throws {
        let ledger = try CommandLedger(lanes: [("api", [])])
        let lease = try ledger.acquire("api")
        for (verb, rest) in [("check", []), ("guard", ["--", "touch", ledger.directory.path("ran")])] {
            let right = ["--lease", lease.id, "--token", "999", "--ledger", ledger.path, "--json"]
            let result = try Program.watched(["lane", verb] + right + rest).run()
            #expect(result.code == 20, "\(result)")
            #expect(result.error.contains("the token 999 is of the future: the ledger ends at seq 3"), "\(result)")
        }
        #expect(!FileManager.default.fileExists(atPath: ledger.directory.path("ran")))
    }

    @Test("budgets, settings and evidence are kept and shown")
    func settings() throws {
        let ledger = try CommandLedger(
            lanes: [("a", ["--class", "k", "--tree", "a"]), ("b", ["--class", "k", "--tree", "b"])],
            settings: ["--budget", "k=1", "--liveness", "1ms", "--cooldown", "error=2h"])
        let lease = try ledger.acquire("a")
        #expect(try ledger.refusal("b")["reason_class"] == "class_budget")
        try ledger.lane(["declare", "--budget", "k=none"])
        try ledger.lane(["spawn", "b", "--holder", "soon"])
        var listed = try JSON(parsing: Array(try ledger.run("lane", "top", "--json").lastLine.utf8))
        #expect(listed["spawning"]?[0]?["holder"] == "soon" && listed["leases"]?[0]?["liveness"] == "STALLED")
        #expect(try ledger.run("lane", "top").output.contains("SPAWNING"))
        _ = try ledger.acquire("b")
        try ledger.lane(["attempt", "issue-1", "--outcome", "error", "--lane", "b"] + lease.right)
        try ledger.lane(["halt", "job-1", "--command", "kill 1", "--lane", "b"])
        try ledger.lane(["enforce", "warn", "--tool", "write", "--withheld", "--lane", "b"])
        listed = try JSON(parsing: Array(try ledger.run("lane", "list", "--json").lastLine.utf8))
        #expect(listed["spawning"] == [] && listed["settings"]?["budgets"] == [:])
        #expect(try #require(listed["resting"]?[0]?["rest_seconds"]?.number) > 7000)
        let history = try ledger.run("lane", "history", "b").output
        for words in ["soon is about to come", "issue-1 tried: error", "halt of job-1 wanted", "warn proposed", "class_budget"] {
            #expect(history.contains(words), "\(words)")
        }
        try ledger.lane(["declare", "b", "--remove"])
        #expect(try ledger.run("lane", "list", "--json").output.contains(#""declared":[{"class":"k","lane":"a""#))
    }

    @Test("top is a live screen that redraws, is resized, and ends with q")
    func top() throws {
        let ledger = try CommandLedger(lanes: [("api", ["--tree", "src/api"])])
        let lease = try ledger.acquire("api", as: "process:worker-with-a-rather-long-name")
        let result = try TopTests().onTerminal(
            ledger, verb: ["lane", "top"],
            """
            see('ADVANCING'); see('process:worker')
            resize(30, 6); draw(1)
            assert all(len(l) <= 200 for l in screens()[-1].split(b'\\r\\n'))
            resize(200, 24); see('src/api')
            import subprocess
            subprocess.run([bulla, 'lane', 'release', '--ledger', path, '--actor', 'user:ada', '--lease', '\(lease.id)', '--token', '\(lease.token)'], check=True, stdout=subprocess.DEVNULL)
            see('free')
            key('q')
            """)
        #expect(result.lastLine == "EXIT 0", "\(result.error)")
    }
}
