import CanonicalJSON
import Foundation
import LedgerFormat
import TestSupport
import Testing

@Suite("The name that Bulla itself speaks in")
struct HouseNameTests {
    private static let house = "service:bulla"
    private static let draft =
        #"{"action":"deploy.approved","actor":"service:bulla","body":{},"justification":{"pillar":"integrity","reason":"r"}}"#

    @Test("nobody else uses it, whatever he records, and by whatever way")
    func refused() throws {
        let patches = try PatchHouse()
        let (ledger, house) = (patches.ledger, patches.house)
        for lane in ["api", "docs"] { try ledger.lane(["declare", lane]) }
        let lease = try ledger.acquire("api")
        #expect(try ledger.run("state", "set", "/n", "1", "--actor", "user:ada").code == 0)
        let patch = try patches.propose()
        let actor = ["--actor", Self.house]
        for arguments in [
            ["append", "--action", "deploy.approved", "--pillar", "integrity", "--reason", "r", "--body", "{}"],
            ["state", "set", "/n", "1"], ["learn", "add", "--trauma", "t"], ["lane", "acquire", "docs"],
            ["lane", "acquire", "api", "--force"] + house.keys("ada", "bob"), ["lane", "declare", "web"],
            ["restore", "--to", "2", "--yes", "--reason", "r"], ["patch", "reject", patch, "--reason", "r"],
            ["patch", "propose", PatchHouse.handbook, "--from", house.file("edited")],
        ] {
            try ledger.expectRefusal(20, "is the name that Bulla itself speaks in") { try ledger.run(arguments + actor) }
        }
        try ledger.expectRefusal(20, "line 1 is refused", "Bulla itself") { try ledger.run("ingest", "-", input: Self.draft) }
        try ledger.expectRefusal(20, "Bulla itself") {
            try ledger.run(["ingest", "--raw", "-"] + actor, input: Array("l\n".utf8))
        }
        let recorded = try Program.watched(["record", "--ledger", ledger.path] + actor + ["--", "true"]).run()
        #expect(recorded.code == 125 && recorded.error.contains("Bulla itself"), "\(recorded)")
        let guarded = ["lane", "guard", "--ledger", ledger.path, "--beat-as", Self.house] + lease.right
        let stopped = try Program.watched(guarded + ["--", "touch", ledger.place("started")]).run()
        #expect(stopped.code == 125 && stopped.error.contains("Bulla itself"), "\(stopped)")
        #expect(!FileManager.default.fileExists(atPath: ledger.place("started")))
        try ledger.expectIntact()
    }

    @Test("nobody else uses it where nobody is enrolled and nobody signs for the house, either")
    func plain() throws {
        let ledger = try CommandLedger(lanes: [("api", []), ("docs", [])])
        let lease = try ledger.acquire("api")
        #expect(try ledger.run("state", "set", "/n", "1", "--actor", "user:ada").code == 0)
        try ledger.directory.write(Array(#"[{"op":"replace","path":"/n","value":2}]"#.utf8), to: "patch")
        for arguments in [
            ["append", "--action", "deploy.approved", "--pillar", "integrity", "--reason", "r", "--body", "{}"],
            ["state", "set", "/n", "2"], ["state", "patch", ledger.directory.path("patch")], ["state", "remove", "/n"],
            ["learn", "add", "--trauma", "t"], ["restore", "--to", "2", "--yes", "--reason", "r"],
            ["lane", "declare", "web"], ["lane", "acquire", "docs"], ["lane", "heartbeat"] + lease.right,
            ["lane", "release"] + lease.right,
        ] {
            try ledger.expectRefusal(20, "is the name that Bulla itself speaks in") {
                try ledger.run(arguments + ["--actor", Self.house])
            }
        }
        let record = ["record", "--ledger", ledger.path, "--actor", Self.house, "--", "touch", ledger.directory.path("started")]
        let recorded = try Program.watched(record).run()
        #expect(recorded.code == 125 && recorded.error.contains("Bulla itself"), "\(recorded)")
        #expect(!FileManager.default.fileExists(atPath: ledger.directory.path("started")))
        #expect(try ledger.entries("--actor", Self.house).count == 1, "the first entry alone")
        try ledger.expectIntact()
    }

    @Test("nor over a socket")
    func socket() throws {
        let served = try SocketLedger()
        let appended = try served.run(
            ["append", "--actor", Self.house, "--action", "a.b", "--pillar", "integrity", "--reason", "r", "--body", "{}"])
        #expect(appended.code == 20 && appended.error.contains("Bulla itself"), "\(appended)")
        let started = Self.draft.replacing("deploy.approved", with: "record.started")
        let answers = try served.exchange(
            [Self.draft, started].map { #"{"decisions":[[\#($0)]],"v":1}"# + "\n" }.joined())
        for answer in answers {
            #expect(answer["answers"]?.array?.first?["error"]?["code"]?.integer == 20, "\(answer)")
        }
        #expect(try answers.count == 2 && served.clientEntries().isEmpty)
    }

    @Test("what was recorded so before stays valid")
    func earlier() throws {
        var chain = ForgedChain()
        chain.append {
            $0.actor = Self.house
            $0.action = "deploy.approved"
        }
        let ledger = try CommandLedger(chain, keys: [0])
        try ledger.expectIntact()
        #expect(try ledger.append().code == 0)
        try ledger.expectIntact()
    }
}
