import CanonicalJSON
import LedgerFormat
import TestSupport
import Testing

@Suite("Associates, where entries are lost")
struct AssociateLossTests {
    /// Changes a bit in the first frame of a file.
    private func flip(_ ledger: CommandLedger, _ file: String) throws {
        var bytes = try ledger.read(file)
        bytes[60] ^= 1
        try ledger.overwrite(file, bytes)
        #expect(try ledger.agreedVerdict().code == 10)
    }

    @Test("nothing in the ledger says any more who signs: the archive does")
    func archive() throws {
        let house = try GovernedHouse()
        let ledger = house.ledger
        #expect(try ledger.run(["associate", "remove", TestActors.carol.key.description] + house.keys("ada", "bob")).code == 0)
        #expect(try ledger.archive(to: "A").code == 0)
        try flip(ledger, try ledger.firstSegmentLeft)
        let plain = try ledger.run("repair")
        #expect(plain.code == 10 && plain.output.contains("give the archive's directory with --archive, or restore"), "\(plain)")
        let repaired = try ledger.run("repair", "--yes", "--archive", ledger.place("A"))
        #expect(repaired.code == 0 && repaired.output.contains("2 of 2 associates must sign"), "\(repaired)")
        try ledger.expectIntact()
        try ledger.expectRefusal(20, "is no associate's") { try ledger.run(["alert", "release"] + house.keys("ada", "carol")) }
        #expect(try ledger.run(["alert", "release"] + house.keys("ada", "bob")).code == 0)
        try ledger.expectIntact()
        #expect(try ledger.run("verify", "--archive", ledger.place("A")).code == 0)
        #expect(try ledger.append().code == 0)
    }

    @Test("the only entry that names associates is damaged: they are not taken away by that, and can be named anew")
    func founders() throws {
        let house = try GovernedHouse()
        let ledger = house.ledger
        try flip(ledger, CommandLedger.firstSegment)
        // Whoever finds the damage raises the alert.
        #expect(try ledger.append().code == 10)
        let plan = try ledger.run("repair")
        #expect(
            plan.code == 10 && plan.output.contains("WARNING: nothing sound says whether the ledger had associates"), "\(plan)")
        #expect(plan.output.contains("--yes refuses until it is said") && !plan.output.contains("do it with"), "\(plan)")
        #expect(try ledger.run("repair", "--json").output.contains("\"associates_lost\":true"))
        try ledger.expectRefusal(20, "--associate KEY and --threshold M", "--without-associates") {
            try ledger.run("repair", "--yes")
        }
        let named = [TestActors.ada, TestActors.bob, TestActors.carol].flatMap { ["--associate", $0.key.description] }
        try ledger.expectRefusal(20, "4 of 3 cannot be asked") {
            try ledger.run(["repair", "--yes", "--threshold", "4"] + named)
        }
        try ledger.expectRefusal(64, "give one of them") { try ledger.run(["repair", "--yes", "--without-associates"] + named) }
        try ledger.backUp(as: "damaged")
        let repaired = try ledger.run(["repair", "--yes", "--threshold", "2"] + named)
        #expect(repaired.code == 0 && repaired.output.contains("2 of 3 associates must sign"), "\(repaired)")
        try ledger.expectIntact()
        try ledger.expectRefusal(21) { try ledger.append() }
        try ledger.expectRefusal(20, "1 of 2") { try ledger.run(["alert", "release"] + house.keys("ada")) }
        #expect(try ledger.run(["alert", "release"] + house.keys("ada", "carol")).code == 0)
        #expect(try ledger.append().code == 0)
        try ledger.expectIntact()
        let entry = try #require(try ledger.entries("--action", "ledger.repaired").first?["entry"]?["body"])
        #expect(entry["associates_lost"] == true && entry["associates"]?["threshold"]?.integer == 2)
        // Known again: nobody names others by a repair.
        var bytes = try ledger.read(CommandLedger.firstSegment)
        bytes[bytes.count - 60] ^= 1
        try ledger.overwrite(CommandLedger.firstSegment, bytes)
        try ledger.expectRefusal(20, "is known by sound entries") {
            try ledger.run("repair", "--yes", "--associate", TestActors.eve.key.description)
        }
        try ledger.expectRefusal(20, "no repair gives them up: leave --without-associates out") {
            try ledger.run("repair", "--yes", "--without-associates")
        }
        let plain = try CommandLedger(entries: 3)
        bytes = try plain.read(CommandLedger.firstSegment)
        bytes[bytes.count - 60] ^= 1
        try plain.overwrite(CommandLedger.firstSegment, bytes)
        #expect(try plain.append().code == 10)
        try plain.expectRefusal(20, "the ledger has no associates, as sound entries say") {
            try plain.run("repair", "--yes", "--associate", TestActors.eve.key.description)
        }
        // Whoever gives them up says so.
        try ledger.restore(from: "damaged")
        let without = try ledger.run("repair", "--yes", "--without-associates")
        #expect(without.code == 0 && without.output.contains("nobody has to sign"), "\(without)")
        #expect(try ledger.append().code == 0)
        try ledger.expectIntact()
    }

    @Test("a removal is lost without a trace: the request that was kept proves it, and another one proves nothing")
    func request() throws {
        let house = try GovernedHouse()
        let ledger = house.ledger
        let carol = TestActors.carol.key.description
        let wrong = try house.request(["associate", "remove", carol], signedBy: ["ada"], as: "few")
        let request = try house.request(["associate", "remove", carol], signedBy: ["ada", "bob"], as: "r")
        let files = try Set(ledger.contents().keys)
        #expect(try ledger.run("associate", "remove", carol, "--signed", request).code == 0)
        let file = try #require(try ledger.contents().keys.first { $0.hasSuffix(".frames") && !files.contains($0) })
        try ledger.overwrite(file, [])
        #expect(try ledger.agreedVerdict().code == 10)
        let plan = try ledger.run("repair")
        #expect(plan.code == 10 && plan.output.contains("if a removal or a constitution is lost, give the request"), "\(plan)")
        #expect(plan.output.contains("2 of 3 associates must sign"), "\(plan)")
        try ledger.expectRefusal(20, "proves nothing here: 1 of 2 signatures") { try ledger.run("repair", "--request", wrong) }
        let repaired = try ledger.run("repair", "--yes", "--request", request)
        #expect(repaired.code == 0 && repaired.output.contains("2 of 2 associates must sign"), "\(repaired)")
        try ledger.expectIntact()
        try ledger.expectRefusal(20, "is no associate's") { try ledger.run(["alert", "release"] + house.keys("ada", "carol")) }
        #expect(try ledger.run(["alert", "release"] + house.keys("ada", "bob")).code == 0)
        try ledger.expectIntact()
    }

    @Test("a power cut tears a release: no tampering, nothing to repair, and the same request finishes it")
    func torn() throws {
        let house = try GovernedHouse()
        let ledger = house.ledger
        try house.lock()
        let locked = try ledger.read("HEAD")
        let files = try Set(ledger.contents().keys)
        let signed = try house.request(["alert", "release"], signedBy: ["ada", "carol"], as: "release")
        #expect(try ledger.run("alert", "release", "--signed", signed).code == 0)
        let file = try #require(try ledger.contents().keys.first { $0.hasSuffix(".frames") && !files.contains($0) })
        try ledger.overwrite(file, Array(try ledger.read(file).prefix(700)))
        try ledger.overwrite("HEAD", locked)
        let verdict = try ledger.agreedVerdict()
        #expect(verdict.code == 0 && verdict.line.hasPrefix("torn: "), "\(verdict)")
        let verified = try ledger.run("verify")
        #expect(verified.output.contains("the release keeps it as evidence"), "\(verified)")
        #expect(try ledger.run("alert", "status").code == 21)
        #expect(try ledger.run("repair").code == 21)
        try ledger.expectRefusal(21) { try ledger.append() }
        #expect(try ledger.agreedVerdict().code == 0)
        let released = try ledger.run("alert", "release", "--signed", signed)
        #expect(released.code == 0 && released.output.contains("the house is open"), "\(released)")
        #expect(try ledger.append().code == 0)
        try ledger.expectIntact()
        #expect(try ledger.contents().keys.contains { $0.hasPrefix("quarantine/tail") })
    }
}
