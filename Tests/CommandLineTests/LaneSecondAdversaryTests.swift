import CanonicalJSON
import Foundation
import TestSupport
import Testing

/// What a second adversary found at the command line, one test each.
@Suite("Lanes: what a second adversary found, at the command line") struct LaneSecondAdversaryTests {
    @Test("a shared lease that was exported is not imported beside itself")
    func exportedTwice() throws {
        let ledger = try CommandLedger(lanes: [("s", ["--kind", "shared"])])
        for holder in ["process:w1", "process:w2"] { _ = try ledger.acquire("s", "--loop-ts", "run7", as: holder) }
        let path = ledger.directory.path("e")
        #expect(try ledger.run("lane", "export", "--file", path).code == 0)
        let imported = try ledger.run("lane", "import", "--file", path, "--leave-out", "--actor", "user:ada")
        #expect(imported.code == 0 && imported.output == "no lease is imported\n", "\(imported)")
        let listed = try JSON(parsing: Array(try ledger.run("lane", "list", "--json").lastLine.utf8))
        #expect(listed["leases"]?.array?.count == 2)
    }

    @Test("a refusal promises a takeover only where the end of that lease opens the way")
    func promises() throws {
        let ledger = try CommandLedger(
            lanes: [
                ("s", ["--kind", "shared"]), ("x", ["--tree", "x"]), ("y", ["--tree", "y"]),
                ("z", ["--tree", "z", "--kind", "shared"]),
            ],
            settings: ["--order", "z,y"])
        for lane in ["y", "z", "z"] { _ = try ledger.acquire(lane) }
        for request in [["s", "--kind", "exclusive"], ["x", "--tree", "y", "--tree", "z"], ["z", "--kind", "cluster"]] {
            let refused = try ledger.run(["lane", "acquire", "--actor", "process:b"] + request)
            #expect(refused.code == 20 && !refused.error.contains("taken over"), "\(refused)")
        }
        let one = try ledger.run("lane", "acquire", "y", "--actor", "process:b")
        #expect(one.code == 20 && one.error.contains("it may be taken over from "), "\(one)")
        let any = try ledger.run("lane", "acquire", "--kind", "cluster", "--actor", "process:b")
        #expect(any.code == 20 && any.error.contains(" of y may be taken over from "), "\(any)")
    }

    @Test("an unknown lane is refused by whatever names one, and nothing is recorded, unless lanes are open or a lease has it")
    func unknownLanes() throws {
        let ledger = try CommandLedger(lanes: [("api", [])])
        let verbs = [
            ["spawn", "nosuch"], ["attempt", "u", "--outcome", "error", "--lane", "nosuch"], ["halt", "h", "--lane", "nosuch"],
            ["enforce", "warn", "--lane", "nosuch"], ["declare", "--order", "api,nosuch"],
        ]
        for verb in verbs {
            try ledger.expectRefusal(20, "the lane nosuch is not declared") {
                try ledger.run(["lane"] + verb + ["--actor", "user:ada"])
            }
        }
        try ledger.lane(["declare", "new", "--order", "api,new"])
        let lease = try ledger.acquire("new")
        try ledger.lane(["declare", "new", "--remove"])
        try ledger.lane(["attempt", "u", "--outcome", "error", "--lane", "new"] + lease.right)
        try ledger.lane(["declare", "--open"])
        for verb in verbs { try ledger.lane(verb) }
    }

    @Test(
        "what a declaration would drop is refused: 64",
        arguments: [
            ["--tree", "src", "--grace", "5s"], ["--kind", "exclusive", "--grace", "5s"], ["--class", "c", "--open"],
            ["--remove", "--open"], ["api", "--remove", "--tree", "x"], ["api", "--remove", "--kind", "shared"],
        ])
    func declarations(arguments: [String]) throws {
        let ledger = try CommandLedger(lanes: [("api", [])])
        try ledger.expectRefusal(64, "--") { try ledger.run(["lane", "declare", "--actor", "user:ada"] + arguments) }
    }

    @Test("a lane that is held is shown as SPAWNING nowhere")
    func spawning() throws {
        let ledger = try CommandLedger(lanes: [("api", []), ("web", ["--tree", "web"])])
        _ = try ledger.acquire("api", "--tree", "api")
        for lane in ["api", "web"] { try ledger.lane(["spawn", lane]) }
        let listed = try JSON(parsing: Array(try ledger.run("lane", "list", "--json").lastLine.utf8))
        #expect(listed["spawning"]?.array?.compactMap { $0["lane"]?.string } == ["web"])
    }

    @Test("a table that is piped cuts nothing, whatever is written out in it")
    func columns() throws {
        let ledger = try CommandLedger(lanes: [("api", [])])
        _ = try ledger.acquire("api", "--holder", "worker\u{200B}\u{200B}one")
        let listed = try ledger.run("lane", "list").output
        #expect(listed.contains("worker\\u{200b}\\u{200b}one") && !listed.contains("…"), "\(listed)")
    }

    @Test("a time that is too long is told the limit")
    func longTime() throws {
        let ledger = try CommandLedger(lanes: [("api", [])])
        try ledger.expectRefusal(64, "above 0 and up to 3650d") {
            try ledger.run("lane", "acquire", "api", "--ttl", "4000d", "--actor", "process:a")
        }
    }

    @Test("a guard that could not beat says so before it starts; one whose beats fail later says why")
    func beats() throws {
        let ledger = try CommandLedger(lanes: [("api", [])])
        let (key, other) = (ledger.directory.path("key"), ledger.directory.path("other"))
        let enrolled = try ledger.run("actor", "enroll", "process:w", "--class", "worker", "--key-file", key)
        try #require(enrolled.code == 0, "\(enrolled)")
        try #require(try Program.bulla("actor", "keygen", other).run().code == 0)
        let lease = try ledger.acquire("api", "--ttl", "4s")
        let ran = ledger.directory.path("ran")
        func command(_ more: [String], _ script: String) -> [String] {
            ["lane", "guard", "--ledger", ledger.path] + lease.right + more + ["--", "sh", "-c", script]
        }
        for (more, why) in [
            (["--beat-as", "process:w"], "give --actor-key"),
            (["--beat-as", "process:w", "--actor-key", other], "is not the one of process:w"),
            (["--beat-as", "process:x", "--actor-key", key], "nobody is enrolled as process:x"),
        ] {
            let refused = try Program.watched(command(more, "touch \(ran)")).run()
            #expect(refused.code == 125 && refused.error.contains(why), "\(refused)")
        }
        #expect(!FileManager.default.fileExists(atPath: ran))
        let fresh = try ledger.heartbeat(lease)
        try #require(fresh.code == 0, "\(fresh)")
        let running = try Program.watched(
            command(["--beat-as", "process:w", "--actor-key", key], "echo $$ > pid.new; mv pid.new pid; exec sleep 60")
        ).start(in: ledger.directory.path)
        _ = try ledger.pid(in: "pid")
        try FileManager.default.removeItem(atPath: key)
        let result = try running.wait()
        #expect(result.code == 125 && result.error.contains("has not beaten; the last beat failed: "), "\(result)")
    }
}
