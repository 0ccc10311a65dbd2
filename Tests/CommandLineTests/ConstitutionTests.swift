import CanonicalJSON
import Foundation
import LedgerFormat
import TestSupport
import Testing

extension GovernedHouse {
    /// Writes the proposal.
    func propose(_ text: String, threshold: Int? = 2) throws {
        let more = threshold.map { "\n[thresholds]\nsignatures = \($0)\n" } ?? ""
        try ledger.directory.write(Array((text + more).utf8), to: "L/constitution.toml")
    }

    /// Proposes it, and lets Ada and Bob adopt it.
    func adopt(_ text: String, threshold: Int? = 2) throws {
        try propose(text, threshold: threshold)
        let adopted = try ledger.run(["constitution", "adopt"] + keys("ada", "bob"))
        try #require(adopted.code == 0 && adopted.output.contains("the constitution holds, signed by 2"), "\(adopted)")
    }
}

@Suite("bulla constitution")
struct ConstitutionTests {
    private static let trade = "[pillars]\nsovereignty = [\"trade.\"]\n"
    private static let draft =
        #"{"action":"trade.order","actor":"user:a","body":{},"justification":{"pillar":"PILLAR","reason":"r"}}"#

    @Test("from the template over the signatures, on other machines, to the text that the ledger holds")
    func life() throws {
        let house = try GovernedHouse()
        let ledger = house.ledger
        let standard = try ledger.run("constitution", "show")
        #expect(standard.code == 0 && standard.error.contains("the standard articles"), "\(standard)")
        let template = try ledger.run("constitution", "template")
        #expect(template.code == 0 && template.output.contains("signatures = 2"), "\(template)")
        try house.propose(template.output, threshold: nil)
        let same = try ledger.run("constitution", "check")
        #expect(same.code == 0 && same.error.contains("it says what holds now") && !same.output.contains("\n+ "), "\(same)")
        let text = template.output.replacing("sovereignty = []", with: "sovereignty = [\"trade.\"]").replacing(
            "days = 0", with: "days = 7")
        try house.propose(text, threshold: nil)
        let checked = try ledger.run("constitution", "check")
        #expect(checked.output.contains("- sovereignty    any action\n+ sovereignty    alone justifies trade\n"), "\(checked)")
        #expect(checked.output.contains("\n+ days           7\n") && checked.error.contains("2 of 3 associates"), "\(checked)")
        let changes = try ledger.run("constitution", "check", "--json")
        #expect(changes.code == 0 && changes.output.contains(#""changes":["sovereignty","days"]"#), "\(changes)")
        let request = try house.request(["constitution", "adopt", "--reason", "rules"], signedBy: ["ada", "bob"], as: "r")
        #expect(try ledger.run("constitution", "show").error.contains("no constitution was adopted"))
        let adopted = try ledger.run("constitution", "adopt", "--signed", request)
        #expect(adopted.code == 0 && adopted.output.contains("signed by 2; from now on 2 must sign"), "\(adopted)")
        let shown = try ledger.run("constitution", "show")
        #expect(shown.code == 0 && shown.output == text, "\(shown)")
        let articles = try #require(try JSON(parsing: ledger.directory.read("r"))["arguments"]?["articles"])
        let digest = Digest(sha256: articles.canonicalBytes().span).description
        #expect(shown.error.contains("adopted by entry ") && shown.error.contains("its digest is \(digest)"), "\(shown)")
        #expect(try ledger.run("constitution", "show", "--articles").output.contains("alone justifies trade"))
        let json = try JSON(parsing: Array(try ledger.run("constitution", "show", "--json").output.utf8))
        #expect(
            json["text"] == .string(text) && json["digest"]?.string == digest
                && json["articles"]?["retention"]?["days"]?.integer == 7
                && json["threshold"]?.integer == 2)
        // The file is a proposal and no more.
        try house.propose("", threshold: 3)
        #expect(try ledger.run("constitution", "check").error.contains("all 3 must sign by it"))
        try house.propose("# nothing")
        #expect(try ledger.run("constitution", "show").output == text)
        try ledger.directory.remove("L/constitution.toml")
        #expect(try ledger.run("constitution", "show").output == text)
        try ledger.expectIntact()
    }

    @Test("it stays when associates come and go, and says how many must sign; both verifiers agree")
    func staying() throws {
        let house = try GovernedHouse()
        let ledger = house.ledger
        try house.adopt(Self.trade)
        let text = try ledger.run("constitution", "show").output
        for (verb, signer) in [("add", TestActors.eve), ("remove", TestActors.eve), ("remove", TestActors.carol)] {
            let words = ["associate", verb, signer.key.description]
            try ledger.expectRefusal(20, "only the adoption of another one changes that") {
                try ledger.run(words + ["--threshold", "1"] + house.keys("ada", "bob"))
            }
            #expect(try ledger.run(words + house.keys("ada", "bob")).code == 0)
            #expect(try ledger.run("constitution", "show").output == text)
            try ledger.expectRefusal(20, "justified by sovereignty alone") {
                try ledger.run("ingest", "-", input: Self.draft.replacing("PILLAR", with: "evolution") + "\n")
            }
        }
        try ledger.expectIntact()
        #expect(try ledger.agreedVerdict().code == 0)
    }

    @Test("who signs sees the text and what it lays down, and signs nothing else than the text says")
    func signing() throws {
        let house = try GovernedHouse()
        try house.propose("# for all\u{202E}\r\n\tclasses = [\"operator\"] # \"articles\"\n")
        let request = try house.request(["constitution", "adopt"], signedBy: [], as: "r")
        let signed = try Program.watched("associate", "sign", request, "--associate-key", house.file("ada")).run()
        #expect(
            signed.error.contains("constitution.adopt in ledger") && signed.error.contains("| # for all\\u{202e}\n"), "\(signed)")
        #expect(
            signed.error.contains("|     classes = [\"operator\"]") && signed.error.contains("classes        operator\n"),
            "\(signed)")
        let text = String(decoding: try house.ledger.directory.read("r"), as: UTF8.self)
        let changes = [
            (#""classes":["operator"]"#, #""classes":["operator","*"]"#, "are not what its text says"),
            (#""threshold":2"#, #""threshold":1"#, "are not what its text says"),
            ("signatures = 2", "signatures = 1", "are not what its text says"),
            ("signatures = 2", "signature = 2", "the text of the request is no constitution: line 5, column 1"),
        ]
        for (old, new, words) in changes {
            try #require(text.contains(old))
            let forged = try Program.watched("associate", "sign", "-", "--associate-key", house.file("ada")).run(
                input: Array(text.replacing(old, with: new).utf8))
            #expect(forged.code == 20 && forged.error.contains(words) && forged.output.isEmpty, "\(forged)")
        }
    }

    @Test("attacks: too few, strangers, another text, another verb, another ledger, altered, expired, played again")
    func attacks() throws {
        let house = try GovernedHouse()
        let ledger = house.ledger
        try house.propose(Self.trade)
        let signed = try house.request(["constitution", "adopt"], signedBy: ["ada", "bob"], as: "r")
        try ledger.expectRefusal(20, "1 of 2 signatures are there") {
            try ledger.run(["constitution", "adopt"] + house.keys("ada"))
        }
        try ledger.expectRefusal(20, "is no associate's") {
            try ledger.run(["constitution", "adopt"] + house.keys("ada", "eve"))
        }
        try ledger.expectRefusal(20, "was signed for constitution.adopt, and not for associate.add") {
            try ledger.run("associate", "add", TestActors.eve.key.description, "--signed", signed)
        }
        let addition = try house.request(
            ["associate", "add", TestActors.eve.key.description], signedBy: ["ada", "bob"], as: "a")
        try ledger.expectRefusal(20, "was signed for associate.add, and not for constitution.adopt") {
            try ledger.run("constitution", "adopt", "--signed", addition)
        }
        let text = String(decoding: try ledger.directory.read("r"), as: UTF8.self)
        try ledger.expectRefusal(20, "the signature is not that of") {
            try ledger.run(
                "constitution", "adopt", "--signed", "-", input: text.replacing("a constitution is adopted", with: "because"))
        }
        try house.propose("# another")
        try ledger.expectRefusal(20, "was signed for another text than that of") {
            try ledger.run("constitution", "adopt", "--signed", signed)
        }
        try house.propose(Self.trade)
        let other = try GovernedHouse()
        try other.propose(Self.trade)
        try other.ledger.expectRefusal(20, "is for another ledger") {
            try other.ledger.run("constitution", "adopt", "--signed", signed)
        }
        // The signed request holds the text; no file is needed, unless one is named.
        try ledger.directory.remove("L/constitution.toml")
        try ledger.expectRefusal(64, "there is no proposal at") {
            try ledger.run("constitution", "adopt", ledger.place("L/constitution.toml"), "--signed", signed)
        }
        #expect(try ledger.run("constitution", "adopt", "--signed", signed).code == 0)
        try ledger.expectRefusal(20, "was carried out before") { try ledger.run("constitution", "adopt", "--signed", signed) }
        try house.propose(Self.trade)
        try ledger.expectRefusal(20, "168 hours at most") { try ledger.run("constitution", "adopt", "--expires", "8d") }
        try ledger.expectIntact()
    }

    @Test(
        "a rule on logs, by which loggers of Swift programs would be refused: the check says so, and who asks for signatures too")
    func logs() throws {
        let house = try GovernedHouse()
        try house.propose("[pillars]\nresilience = [\"log.\"]\nintegrity = [\"log.dropped\"]")
        let checked = try house.ledger.run("constitution", "check")
        #expect(checked.code == 0 && checked.error.contains("by it log.line is justified by resilience alone"), "\(checked)")
        #expect(checked.error.contains("--pillar resilience") && !checked.error.contains("log.dropped"), "\(checked)")
        let json = try JSON(parsing: Array(house.ledger.run("constitution", "check", "--json").output.utf8))
        #expect(json["warnings"]?.array?.count == 1)
        #expect(try house.ledger.run("constitution", "adopt").error.contains("by it log.line is justified"))
        #expect(try house.ledger.run(["constitution", "adopt"] + house.keys("ada", "bob")).code == 0)
        #expect(try house.ledger.ingest(["a line"]).code == 20)
        #expect(
            try house.ledger.run("ingest", "--raw", "--actor", "service:x", "--pillar", "resilience", "-", input: "a\n").code == 0
        )
    }

    @Test("attacks: what would lock everybody out is not even asked for")
    func lockouts() throws {
        let house = try GovernedHouse()
        let ledger = house.ledger
        func refuse(_ code: Int32, _ words: String, _ text: String, threshold: Int? = 2) throws {
            try house.propose(text, threshold: threshold)
            try ledger.expectRefusal(code, words) { try ledger.run("constitution", "check") }
            try ledger.expectRefusal(code, words) { try ledger.run("constitution", "adopt") }
            try ledger.expectRefusal(code, words) { try ledger.run(["constitution", "adopt"] + house.keys("ada", "bob")) }
        }
        try refuse(20, "4 of 3 cannot be asked to sign", "", threshold: 4)
        try refuse(64, "signatures takes a whole number from 1 to 64, and not 0", "", threshold: 0)
        try refuse(64, "line 1, column 1: it is not said how many associates must sign", "", threshold: nil)
        try refuse(64, "line 1, column 11: no class is named", "classes = []")
        try refuse(64, "would lock it out of its own ledger", "[pillars]\nintegrity = [\"ledger.\"]")
        try refuse(64, "from 1 to 8784, and not 0", "[thresholds]\nsignatures = 2\nrequest_hours = 0", threshold: nil)
        try refuse(64, "and not 100000", "[retention]\ndays = 100000")
        try refuse(64, "there is no article \"klasses\"", "klasses = [\"a\"]")
        try ledger.directory.remove("L/constitution.toml")
        try ledger.expectRefusal(64, "there is no proposal at") { try ledger.run("constitution", "adopt") }
        #expect(try ledger.run("actor", "enroll", "user:o", "--class", "operator", "--key-file", ledger.place("o.key")).code == 0)
        try refuse(20, "user:o is enrolled as operator", "classes = [\"worker\"]")
        let plain = try CommandLedger()
        try plain.directory.write(Array("[thresholds]\nsignatures = 1".utf8), to: "L/constitution.toml")
        for verb in ["check", "adopt"] {
            try plain.expectRefusal(20, "the ledger has no associates") { try plain.run("constitution", verb) }
        }
        #expect(try plain.run("constitution", "show", "--articles").error.contains("the standard articles"))
    }

    @Test("a locked house adopts nothing, with whatever signatures")
    func locked() throws {
        let house = try GovernedHouse()
        try house.propose(Self.trade)
        let signed = try house.request(["constitution", "adopt"], signedBy: ["ada", "bob"], as: "r")
        try house.lock()
        try house.ledger.expectRefusal(21) { try house.ledger.run("constitution", "adopt", "--signed", signed) }
        try house.ledger.expectRefusal(21, "until its associates release it") { try house.ledger.run("constitution", "adopt") }
        #expect(try house.ledger.run(["alert", "release"] + house.keys("ada", "bob")).code == 0)
        try house.ledger.expectRefusal(20, "does not follow the last act") {
            try house.ledger.run("constitution", "adopt", "--signed", signed)
        }
        #expect(try house.ledger.run(["constitution", "adopt"] + house.keys("ada", "bob")).code == 0)
        try house.ledger.expectIntact()
    }

    @Test("a pillar's action with another pillar is refused by append and ingest, and nothing of its line is recorded")
    func pillars() throws {
        let house = try GovernedHouse()
        let ledger = house.ledger
        try house.adopt(Self.trade)
        let append = ["append", "--actor", "user:a", "--action", "trade.order", "--reason", "r", "--body", "{}", "--pillar"]
        try ledger.expectRefusal(20, "trade.order is justified by sovereignty alone, and not by integrity") {
            try ledger.run(append + ["integrity"])
        }
        try ledger.expectRefusal(20, "justified by sovereignty alone") {
            try ledger.run("ingest", "-", input: Self.draft.replacing("PILLAR", with: "evolution") + "\n")
        }
        #expect(try ledger.run(append + ["sovereignty"]).code == 0)
        #expect(try ledger.run("ingest", "-", input: Self.draft.replacing("PILLAR", with: "sovereignty") + "\n").code == 0)
        try ledger.expectIntact()
    }

    @Test("a server refuses its clients the same, and goes on")
    func socket() throws {
        let house = try GovernedHouse()
        try house.adopt(Self.trade)
        let server = try SocketLedger(ledger: house.ledger)
        let trade = { pillar in
            ["append", "--actor", "user:a", "--action", "trade.order", "--pillar", pillar, "--reason", "r", "--body", "{}"]
        }
        let refused = try server.run(trade("integrity"))
        #expect(refused.code == 20 && refused.error.contains("justified by sovereignty alone"), "\(refused)")
        #expect(try server.run(trade("sovereignty")).code == 0)
        #expect(try server.stop().code == 0)
        try house.ledger.expectIntact()
    }

    @Test("nobody is enrolled as one of a class that it does not name")
    func classes() throws {
        let house = try GovernedHouse()
        let ledger = house.ledger
        try house.adopt("classes = [\"security-sentinel\", \"worker\"]")
        let enroll = ["actor", "enroll", "user:o", "--key-file", ledger.place("o.key"), "--class"]
        try ledger.expectRefusal(20, "names no class operator, only security-sentinel, worker") {
            try ledger.run(enroll + ["operator"])
        }
        #expect(!FileManager.default.fileExists(atPath: ledger.place("o.key")))
        #expect(try ledger.run(enroll + ["security_sentinel"]).code == 0)
    }

    @Test("where two say different things of one place, its order of classes decides")
    func order() throws {
        for (text, winner) in [("", "sentinel"), ("classes = [\"worker\", \"*\"]", "worker")] {
            let house = try GovernedHouse()
            let ledger = house.ledger
            for (name, actorClass) in [("sentinel", "security-sentinel"), ("worker", "worker")] {
                let file = ledger.directory.path(name)
                let enroll = ["actor", "enroll", "process:\(name)", "--class", actorClass, "--key-file", file]
                try #require(try ledger.run(enroll).code == 0)
            }
            try house.adopt(text)
            #expect(try ledger.run("state", "set", "/n", "0", "--actor", "user:ada").code == 0)
            let state = try JSON(parsing: Array(try ledger.run("state", "get", "--json").output.utf8))
            let base = "\(try #require(state["seq"]?.integer))"
            for name in ["sentinel", "worker"] {
                let key = ["--actor", "process:\(name)", "--actor-key", ledger.directory.path(name), "--base", base]
                _ = try ledger.run(["state", "set", "/n", "\"\(name)\""] + key)
            }
            #expect(try ledger.run("state", "get", "/n").output == "\"\(winner)\"\n")
            try ledger.expectIntact()
        }
    }

    @Test("young entries are not archived: nothing is copied, ended or recorded")
    func retention() throws {
        let house = try GovernedHouse()
        let ledger = house.ledger
        try house.adopt("[retention]\ndays = 1")
        for more in [[], ["--yes"]] as [[String]] {
            try ledger.expectRefusal(20, "keeps entries in the ledger for 1 day, and entry 1 is of") {
                try ledger.run(["archive", "--before", "1000", "--to", ledger.place("A")] + more)
            }
        }
        let file = ledger.place("A") + "/ledger"
        #expect((try? FileManager.default.contentsOfDirectory(atPath: file))?.isEmpty ?? true)
        try house.adopt("[retention]\ndays = 0")
        #expect(try ledger.archive(to: "A").code == 0)
        // The text of the present one was archived too, and is read there.
        let gone = try ledger.run("constitution", "show")
        #expect(gone.code != 0 && gone.error.contains("archived"), "\(gone)")
        let shown = try ledger.run("constitution", "show", "--archive", ledger.place("A"))
        #expect(shown.code == 0 && shown.output.contains("days = 0"), "\(shown)")
        #expect(try ledger.run("constitution", "show", "--articles").code == 0)
        #expect(try ledger.run("verify", "--archive", ledger.place("A")).code == 0)
    }

    @Test("a backup, a restore and a repair keep what was adopted")
    func kept() throws {
        let house = try GovernedHouse()
        let ledger = house.ledger
        try house.adopt(Self.trade)
        let copy = ledger.directory.path("B")
        #expect(try ledger.run("backup", copy).code == 0)
        #expect(try Program.watched("constitution", "show", "--ledger", copy).run().output.hasPrefix(Self.trade))
        try house.lock()
        #expect(try ledger.run("constitution", "show").output.hasPrefix(Self.trade))
        #expect(try ledger.run(["alert", "release"] + house.keys("ada", "bob")).code == 0)
        #expect(try ledger.run("constitution", "show").output.hasPrefix(Self.trade))
        try ledger.expectRefusal(20, "justified by sovereignty alone") {
            try ledger.run("ingest", "-", input: Self.draft.replacing("PILLAR", with: "integrity") + "\n")
        }
        try ledger.expectIntact()
    }

    @Test("only its own verb writes under constitution")
    func reserved() throws {
        let house = try GovernedHouse()
        let draft = Self.draft.replacing("trade.order", with: "constitution.adopted").replacing("PILLAR", with: "sovereignty")
        try house.ledger.expectRefusal(20, "reserved") { try house.ledger.run("ingest", "-", input: draft) }
    }
}
