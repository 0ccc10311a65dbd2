import CanonicalJSON
import LedgerFormat
import TestSupport
import Testing

@Suite("The constitution that a release names")
struct ReleaseConstitutionTests {
    /// Signs the output of a verb, on a machine without the ledger.
    private func signed(_ text: String, _ house: GovernedHouse, as name: String) throws -> (file: String, shown: String) {
        try house.ledger.directory.write(Array(text.utf8), to: name)
        let result = try Program.watched(["associate", "sign", house.file(name)] + house.keys("ada", "carol")).run()
        try #require(result.code == 0, "\(result)")
        try house.ledger.directory.write(Array(result.output.utf8), to: name)
        return (house.file(name), result.error)
    }

    @Test("a constitution that was signed and never adopted, and is given to a repair: nobody releases it without its name")
    func neverAdopted() throws {
        let house = try GovernedHouse()
        let ledger = house.ledger
        try house.propose("[pillars]\nsovereignty = [\"trade.\"]\n")
        let never = try house.request(["constitution", "adopt"], signedBy: ["ada", "bob"], as: "never")
        let articles = try #require(try JSON(parsing: ledger.directory.read("never"))["arguments"]?["articles"])
        let digest = Digest(sha256: articles.canonicalBytes().span).description
        try house.damage()
        #expect(try ledger.run("audit").code == 10)
        let plan = try ledger.run("repair", "--request", never)
        #expect(plan.code == 10 && plan.output.contains("constitution.adopt \(digest): its entry is lost"), "\(plan)")
        let repaired = try ledger.run("repair", "--yes", "--request", never)
        #expect(repaired.code == 0 && repaired.output.contains("the house stays locked"), "\(repaired)")
        try ledger.expectIntact()
        let shown = try ledger.run("constitution", "show")
        #expect(
            shown.error.contains("nothing sound tells that it was adopted; its digest is \(digest)"), "\(shown)")
        let asked = try ledger.run("alert", "release")
        #expect(asked.code == 0 && asked.output.contains("\"constitution\":\"\(digest)\","), "\(asked)")
        #expect(
            asked.error.contains("behind it the constitution \(digest) holds, taken over by the repair in entry")
                && asked.error.contains("nothing sound tells that it was adopted"), "\(asked)")
        let silent = try signed(asked.output.replacing("\"constitution\":\"\(digest)\",", with: ""), house, as: "silent")
        #expect(silent.shown.contains("constitution: none is named"), "\(silent)")
        try ledger.expectRefusal(20, "does not name the constitution that holds") {
            try ledger.run("alert", "release", "--signed", silent.file)
        }
        let other = try signed(
            asked.output.replacing(digest, with: Articles.standard.digest.description), house, as: "other")
        try ledger.expectRefusal(20, "names another constitution than the one that holds") {
            try ledger.run("alert", "release", "--signed", other.file)
        }
        let right = try signed(asked.output, house, as: "right")
        #expect(right.shown.contains("signed:   constitution: \(digest)\n"), "\(right)")
        let beside = try ledger.run(["associate", "sign", house.file("right")] + house.keys("ada"))
        #expect(
            beside.error.contains("the constitution that it names was taken over by the repair")
                && !beside.error.contains("WARNING"), "\(beside)")
        let warned = try ledger.run(["associate", "sign", silent.file] + house.keys("ada"))
        #expect(warned.code == 0 && warned.error.contains("will be refused: the release does not name"), "\(warned)")
        try ledger.expectIntact()
        #expect(try ledger.run("alert", "release", "--signed", right.file).code == 0)
        try ledger.expectIntact()
        #expect(try ledger.append().code == 0)
        try ledger.expectIntact()
    }

    @Test("where none was adopted, the release names none, and says that the standard articles hold")
    func none() throws {
        let house = try GovernedHouse()
        try house.lock()
        let asked = try house.ledger.run("alert", "release")
        #expect(asked.error.contains("the standard articles hold") && !asked.output.contains("constitution"), "\(asked)")
        #expect(try house.ledger.run(["alert", "release"] + house.keys("ada", "bob")).code == 0)
        try house.ledger.expectIntact()
    }
}
