import CanonicalJSON
import LedgerFormat
import TestSupport
import Testing

/// `lane acquire --force` through the program: who lets somebody in beside a holder, and who cannot.
@Suite("bulla lane acquire --force")
struct LaneForceTests {
    private static func house() throws -> GovernedHouse {
        let house = try GovernedHouse()
        try house.ledger.lane(["declare", "api", "--tree", "src/api/**"])
        try house.ledger.lane(["declare", "web", "--tree", "src/web/**"])
        try house.ledger.lane(["declare", "release", "--kind", "exclusive"])
        return house
    }

    private static func forcing(_ lane: String, _ more: String..., as actor: String = "process:b") -> [String] {
        ["lane", "acquire", lane, "--actor", actor, "--force"] + more
    }

    @Test("two sign, and the second holder stands beside the first, by a token of his own; what was signed works once")
    func granted() throws {
        let house = try Self.house()
        let ledger = house.ledger
        let first = try ledger.acquire("api")
        let signed = try house.request(Self.forcing("api", "--reason", "a hotfix"), signedBy: ["ada", "bob"], as: "r")
        let granted = try ledger.run(Self.forcing("api", "--signed", signed, "--json"))
        try #require(granted.code == 0, "\(granted)")
        let json = try JSON(parsing: Array(granted.lastLine.utf8))
        let second = GrantedLease(
            id: try #require(json["id"]?.string), token: Int(try #require(json["token"]?.integer)), json: json)
        #expect(second.token > first.token && json["reason_class"]?.string == "forced")
        for lease in [first, second] { #expect(try ledger.check(lease) == 0) }
        #expect(try ledger.heartbeat(second).code == 0)
        let history = try ledger.run("lane", "history", "api")
        #expect(history.output.contains("granted to process:b by associates: lease \(second.id), token \(second.token)"))
        let entry = try #require(try ledger.laneBodies("forced").first)
        #expect(entry["request"]?["signatures"]?.array?.count == 2 && entry["lease"]?["holder"]?.string == "process:b")
        #expect(entry["asked_by"] == "process:b")
        #expect(try ledger.refusal("api")["reason_class"]?.string == "lane_held", "others are refused as before")
        try ledger.expectRefusal(20, "carried out before") { try ledger.run(Self.forcing("api", "--signed", signed)) }
        try ledger.expectIntact()
    }

    @Test("attacks: too few, a stranger, another lane, holder or time, another verb, an exclusive lease")
    func attacks() throws {
        let house = try Self.house()
        let ledger = house.ledger
        for lane in ["api", "web"] { _ = try ledger.acquire(lane) }
        let signed = try house.request(Self.forcing("api"), signedBy: ["ada", "bob"], as: "r")
        let few = try house.request(Self.forcing("api"), signedBy: ["ada"], as: "few")
        let added = try house.request(
            ["associate", "add", TestActors.eve.key.description], signedBy: ["ada", "bob"], as: "add")
        let attacks: [(String, [String])] = [
            ("1 of 2 signatures are there", Self.forcing("api", "--signed", few)),
            ("is no associate's", Self.forcing("api") + house.keys("ada", "eve")),
            ("signed for another lease", Self.forcing("web", "--signed", signed)),
            ("signed for another lease", Self.forcing("api", "--signed", signed, as: "process:c")),
            ("signed for another lease", Self.forcing("api", "--signed", signed, "--ttl", "3650d")),
            ("was signed for associate.add, and not for lane.force", Self.forcing("api", "--signed", added)),
        ]
        for (message, arguments) in attacks { try ledger.expectRefusal(20, message) { try ledger.run(arguments) } }
        #expect(try ledger.laneBodies("forced").isEmpty)
        // Nothing was spoilt: what was signed still holds, once.
        #expect(try ledger.run(Self.forcing("api", "--signed", signed)).code == 0)
    }

    @Test("whoever is enrolled asks with his key: nobody else is recorded as who asked")
    func asked() throws {
        let house = try Self.house()
        let ledger = house.ledger
        _ = try ledger.acquire("api")
        let key = ledger.place("b.key")
        #expect(try ledger.run("actor", "enroll", "process:b", "--class", "worker", "--key-file", key).code == 0)
        let signed = try house.request(Self.forcing("api"), signedBy: ["ada", "bob"], as: "r")
        try ledger.expectRefusal(20, "only who has its key speaks in its name") {
            try ledger.run(Self.forcing("api", "--signed", signed))
        }
        #expect(try ledger.run(Self.forcing("api", "--signed", signed, "--actor-key", key)).code == 0)
        #expect(try ledger.laneBodies("forced").first?["asked_by"] == "process:b")
        try ledger.expectIntact()
    }

    @Test("an exclusive lease is passed by nobody: there is nothing to sign, and what was signed before is refused")
    func exclusive() throws {
        let house = try Self.house()
        let ledger = house.ledger
        let first = try ledger.acquire("api")
        let signed = try house.request(Self.forcing("api"), signedBy: ["ada", "bob"], as: "r")
        try ledger.lane(["release"] + first.right, as: "process:a")
        _ = try ledger.acquire("release")
        for more in [[], ["--signed", signed]] {
            let refused = try ledger.run(Self.forcing("api", "--json") + more)
            #expect(refused.code == 20 && refused.output.contains("\"reason_class\":\"exclusive_live\""), "\(refused)")
        }
        #expect(try ledger.laneBodies("forced").isEmpty)
    }

    @Test("where nothing stands against it any more it is granted as any other, and the signatures are not used up")
    func freeAgain() throws {
        let house = try Self.house()
        let ledger = house.ledger
        let first = try ledger.acquire("api")
        let signed = try house.request(Self.forcing("api"), signedBy: ["ada", "bob"], as: "r")
        try ledger.lane(["release"] + first.right, as: "process:a")
        let granted = try ledger.run(Self.forcing("api", "--signed", signed))
        #expect(granted.code == 0, "\(granted)")
        #expect(try ledger.laneBodies("forced").isEmpty)
        #expect(try ledger.run(Self.forcing("api", "--signed", signed)).code == 0)
        #expect(try ledger.laneBodies("forced").count == 1)
    }

    @Test("without associates, a lane, or --force there is nothing to sign")
    func usage() throws {
        let ledger = try CommandLedger(lanes: [("api", [])])
        _ = try ledger.acquire("api")
        try ledger.expectRefusal(20, "the ledger has no associates") { try ledger.run(Self.forcing("api")) }
        try ledger.expectRefusal(64, "takes the name of a lane") {
            try ledger.run("lane", "acquire", "--actor", "process:b", "--force")
        }
        try ledger.expectRefusal(64, "go with --force") {
            try ledger.run("lane", "acquire", "api", "--actor", "process:b", "--signed", "x")
        }
    }
}
