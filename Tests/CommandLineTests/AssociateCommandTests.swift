import CanonicalJSON
import Foundation
import LedgerFormat
import TestSupport
import Testing

/// A house of Ada, Bob and Carol, two of whom must sign, and their keys' files; Eve's key is nobody's.
struct GovernedHouse {
    let ledger: CommandLedger
    static let names = ["ada", "bob", "carol", "eve"]

    init(entries: Int = 5) throws {
        let directory = TemporaryDirectory()
        for (name, signer) in zip(Self.names, [TestActors.ada, TestActors.bob, TestActors.carol, TestActors.eve]) {
            try directory.write(signer.fileContents, to: name)
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: directory.path(name))
        }
        let path = directory.path("L")
        let founders = [TestActors.ada, TestActors.bob, TestActors.carol].flatMap { ["--associate", $0.key.description] }
        let made = try Program.watched(["init", "--ledger", path, "--threshold", "2"] + founders).run()
        try #require(made.code == 0 && made.output.contains("2 of 3 associates must sign"), "\(made)")
        ledger = CommandLedger(at: directory)
        let recorded = try ledger.ingest((1...entries).map(String.init))
        try #require(recorded.code == 0, "\(recorded.error)")
    }

    func file(_ name: String) -> String { ledger.directory.path(name) }

    /// The private keys' options.
    func keys(_ names: String...) -> [String] { names.flatMap { ["--associate-key", file($0)] } }

    /// Makes a request, lets somebody sign it, and keeps it in a file.
    func request(_ arguments: [String], signedBy names: [String], as name: String) throws -> String {
        let made = try ledger.run(arguments)
        try #require(made.code == 0 && made.error.contains("nothing is done yet"), "\(made)")
        try ledger.directory.write(Array(made.output.utf8), to: name)
        guard !names.isEmpty else { return file(name) }
        // On another machine: there is no ledger.
        let signed = try Program.watched(
            ["associate", "sign", file(name)] + names.flatMap { ["--associate-key", file($0)] }
        ).run()
        try #require(signed.code == 0 && signed.error.contains("in ledger"), "\(signed)")
        try ledger.directory.write(Array(signed.output.utf8), to: name)
        return file(name)
    }

    func damage() throws {
        var bytes = try ledger.read(CommandLedger.firstSegment)
        let place = try #require(bytes.firstRange(of: Array("service:lines".utf8))).lowerBound
        bytes[place] ^= 1
        try ledger.overwrite(CommandLedger.firstSegment, bytes)
    }

    /// A tampered byte that was found and mended.
    func lock() throws {
        try damage()
        try #require(try ledger.run("audit").code == 10)
        let repaired = try ledger.run("repair", "--yes")
        try #require(repaired.code == 0 && repaired.output.contains("the house stays locked"), "\(repaired)")
    }
}

@Suite("bulla associate, bulla alert")
struct AssociateCommandTests {
    private static let eve = TestActors.eve.key.description
    private static let carol = TestActors.carol.key.description

    @Test("a request travels, is signed by two, and adds a key; put together from two files too")
    func travels() throws {
        let house = try GovernedHouse()
        let bobs = try house.request(["associate", "add", Self.eve, "--reason", "joins"], signedBy: ["ada", "bob"], as: "r")
        let added = try house.ledger.run("associate", "add", Self.eve, "--signed", bobs)
        #expect(added.code == 0 && added.output.contains("is an associate now, signed by 2"), "\(added)")
        let listed = try house.ledger.run("associate", "list")
        #expect(listed.output.hasPrefix("2 of 4 must sign\n") && listed.output.contains(Self.eve), "\(listed)")
        let plain = try house.request(["associate", "remove", Self.carol], signedBy: [], as: "p")
        for name in ["ada", "eve"] {
            let signed = try Program.watched("associate", "sign", plain, "--associate-key", house.file(name)).run()
            try house.ledger.directory.write(Array(signed.output.utf8), to: "p-" + name)
        }
        let removed = try house.ledger.run(
            "associate", "remove", Self.carol, "--signed", house.file("p-ada"), "--signed", house.file("p-eve"), "--json")
        #expect(removed.code == 0, "\(removed)")
        #expect(try house.ledger.run("associate", "list", "--json").output.contains("\"threshold\":2"))
        #expect(try house.ledger.append().code == 0)
        try house.ledger.expectIntact()
    }

    @Test("attacks: too few, strangers, played again, another key, another verb, another ledger, altered, one signature twice")
    func attacks() throws {
        let house = try GovernedHouse()
        let ledger = house.ledger
        let signed = try house.request(["associate", "add", Self.eve], signedBy: ["ada", "bob"], as: "r")
        let few = try house.request(["associate", "add", Self.eve], signedBy: ["ada"], as: "few")
        try ledger.expectRefusal(20, "1 of 2 signatures are there") {
            try ledger.run("associate", "add", Self.eve, "--signed", few)
        }
        try ledger.expectRefusal(20, "is no associate's") {
            try ledger.run(["associate", "add", Self.eve] + house.keys("ada", "eve"))
        }
        try ledger.expectRefusal(20, "was signed for the key \(Self.eve), and not for \(Self.carol)") {
            try ledger.run("associate", "add", Self.carol, "--signed", signed)
        }
        try ledger.expectRefusal(20, "was signed for associate.add, and not for associate.remove") {
            try ledger.run("associate", "remove", Self.eve, "--signed", signed)
        }
        let other = try GovernedHouse()
        try other.ledger.expectRefusal(20, "is for another ledger") {
            try other.ledger.run("associate", "add", Self.eve, "--signed", signed)
        }
        let text = String(decoding: try ledger.directory.read("r"), as: UTF8.self)
        let altered = text.replacing("\"threshold\":2", with: "\"threshold\":1")
        try ledger.expectRefusal(20, "the signature is not that of") {
            try ledger.run("associate", "add", Self.eve, "--signed", "-", input: altered)
        }
        let once = String(decoding: try ledger.directory.read("few"), as: UTF8.self)
        let signature = try #require(once.firstMatch(of: /"signatures":\[(\{[^}]*\})\]/)).output.1
        try ledger.expectRefusal(20, "has signed twice, and counts once") {
            try ledger.run(
                "associate", "add", Self.eve, "--signed", "-", input: once.replacing(signature, with: "\(signature),\(signature)")
            )
        }
        try ledger.expectRefusal(64, "holds another request") {
            try ledger.run("associate", "add", Self.eve, "--signed", signed, "--signed", few)
        }
        try ledger.expectRefusal(64, "holds no request") {
            try ledger.run("associate", "add", Self.eve, "--signed", "-", input: "{}")
        }
        #expect(try ledger.run("associate", "add", Self.eve, "--signed", signed).code == 0)
        try ledger.expectRefusal(20, "was carried out before") {
            try ledger.run("associate", "add", Self.eve, "--signed", signed)
        }
        try ledger.expectIntact()
    }

    @Test("what could not be carried out is not even asked for")
    func foreseen() throws {
        let house = try GovernedHouse()
        let ledger = house.ledger
        try ledger.expectRefusal(20, "2 associates would be left, and 3 must sign") {
            try ledger.run("associate", "remove", Self.carol, "--threshold", "3")
        }
        try ledger.expectRefusal(20, "is an associate's already") { try ledger.run("associate", "add", Self.carol) }
        try ledger.expectRefusal(20, "is no associate's") { try ledger.run("associate", "remove", Self.eve) }
        try ledger.expectRefusal(20, "small order") {
            try ledger.run("associate", "add", "0100000000000000000000000000000000000000000000000000000000000000")
        }
        try ledger.expectRefusal(20, "not of prime order") { try ledger.run("associate", "add", TestActors.adaMixed[0]) }
        try ledger.expectRefusal(20, "not in alert") { try ledger.run("alert", "release") }
        #expect(try ledger.run("alert", "status").code == 0)
        let plain = try CommandLedger()
        try plain.expectRefusal(20, "the ledger has no associates") { try plain.run("associate", "add", Self.eve) }
        #expect(try plain.run("associate", "list").output.contains("has no associates"))
    }

    @Test("who signs where the ledger is at hand is told what will refuse the request; it is signed all the same")
    func warned() throws {
        let house = try GovernedHouse()
        let ledger = house.ledger
        let request = try house.request(["associate", "remove", Self.carol], signedBy: [], as: "r")
        let text = String(decoding: try ledger.directory.read("r"), as: UTF8.self)
        func sign(_ input: String, as name: String = "ada") throws -> Program.Result {
            let result = try ledger.run(["associate", "sign", "-"] + house.keys(name), input: Array(input.utf8))
            #expect(result.code == 0 && result.output.contains("\"signatures\":[{"), "\(result)")
            return result
        }
        #expect(try !sign(text).error.contains("WARNING"))
        #expect(try sign(text, as: "eve").error.contains("has signed, and is no associate's"))
        let below = try sign(text.replacing("\"threshold\":2", with: "\"threshold\":3"))
        #expect(
            below.error.contains(
                "WARNING: as the ledger stands, it will be refused: 2 associates would be left, and 3 must sign"),
            "\(below)")
        #expect(try ledger.run(["associate", "add", Self.eve] + house.keys("ada", "bob")).code == 0)
        #expect(try sign(text).error.contains("does not follow the last act"))
        let next = try ledger.run("associate", "remove", Self.carol).output
        #expect(try !sign(next).error.contains("WARNING"))
        try house.damage()
        #expect(try ledger.run("audit").code == 10)
        #expect(try sign(next).error.contains("is in alert"))
        let other = try GovernedHouse().ledger
        let foreign = try other.run(["associate", "sign", request] + house.keys("ada"))
        #expect(foreign.code == 0 && foreign.error.contains("is for another ledger"), "\(foreign)")
        let missing = try Program.watched(
            ["associate", "sign", request, "--ledger", house.file("none")] + house.keys("ada")
        ).run()
        #expect(missing.code == 64 && missing.output.isEmpty, "\(missing)")
    }

    @Test(
        "init refuses keys that cannot sign, one key twice, and more signatures than keys",
        arguments: [
            (["--associate", eve, "--associate", eve], "one key counts once"),
            (["--associate", eve, "--threshold", "2"], "2 of 1 cannot be asked"),
            (["--associate", eve, "--threshold", "0"], "0 of 1 cannot be asked"),
            (["--associate", "0100000000000000000000000000000000000000000000000000000000000000"], "small order"),
            (["--associate", "\(TestActors.ada.key)", "--associate", TestActors.adaMixed[2]], "not of prime order"),
            (["--associate", "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"], "not the canonical"),
            (["--associate", "ada"], "no Ed25519 public key"),
        ])
    func founders(arguments: [String], words: String) throws {
        let directory = TemporaryDirectory()
        let result = try Program.watched(["init", "--ledger", directory.path("L")] + arguments).run()
        #expect(result.code == 20 && result.error.contains(words), "\(result)")
        #expect(!FileManager.default.fileExists(atPath: directory.path("L")))
    }

    @Test("the locked house: writers are refused, one signature is too few, a release of before opens nothing, two sign it open")
    func locked() throws {
        let house = try GovernedHouse()
        let ledger = house.ledger
        try house.damage()
        #expect(try ledger.run("audit").code == 10)
        let status = try ledger.run("alert", "status")
        #expect(status.code == 10 && status.output.contains("RAISED") && status.output.contains("bulla repair"), "\(status)")
        try ledger.expectRefusal(10, "mend it first") { try ledger.run(["alert", "release"] + house.keys("ada", "bob")) }
        let repaired = try ledger.run("repair", "--yes")
        #expect(repaired.code == 0 && repaired.output.contains("the house stays locked"), "\(repaired)")
        try ledger.expectRefusal(21, "until its associates release it") { try ledger.append() }
        try ledger.expectRefusal(21) { try ledger.run("repair", "--yes") }
        let whole = try ledger.run("alert", "status")
        #expect(whole.code == 21 && whole.output.contains("2 of 3 associates release it"), "\(whole)")
        try ledger.expectRefusal(20, "1 of 2 signatures are there") { try ledger.run(["alert", "release"] + house.keys("ada")) }
        let signed = try house.request(["alert", "release", "--reason", "looked"], signedBy: ["ada", "carol"], as: "release")
        try ledger.expectIntact()
        let released = try ledger.run("alert", "release", "--signed", signed)
        #expect(released.code == 0 && released.output.contains("the house is open"), "\(released)")
        #expect(try ledger.append().code == 0)
        try ledger.expectIntact()
        // The next alert is another one.
        var bytes = try ledger.read(CommandLedger.firstSegment)
        bytes[300] ^= 1
        try ledger.overwrite(CommandLedger.firstSegment, bytes)
        #expect(try ledger.run("audit").code == 10)
        #expect(try ledger.run("repair", "--yes").code == 0)
        try ledger.expectRefusal(20, "the alert stays") { try ledger.run("alert", "release", "--signed", signed) }
        #expect(try ledger.run(["alert", "release"] + house.keys("bob", "carol")).code == 0)
        try ledger.expectIntact()
    }

    @Test("while the house is locked nobody is asked to sign anything but its release")
    func lockedRequests() throws {
        let patches = try PatchHouse()
        let (house, ledger) = (patches.house, patches.ledger)
        let patch = try patches.propose()
        try ledger.lane(["declare", "api"])
        _ = try ledger.acquire("api")
        try house.lock()
        for request in [
            ["associate", "add", Self.eve], ["associate", "remove", Self.carol], ["patch", "approve", patch],
            ["constitution", "adopt", house.file("constitution.toml")],
            ["lane", "acquire", "api", "--actor", "process:b", "--force"],
        ] {
            for more in [[], house.keys("ada", "bob")] {
                try ledger.expectRefusal(21, "until its associates release it") {
                    let result = try ledger.run(request + more)
                    #expect(result.output.isEmpty, "\(result)")
                    return result
                }
            }
        }
        #expect(try ledger.run(["alert", "release"] + house.keys("ada", "bob")).code == 0)
        #expect(try ledger.run("associate", "add", Self.eve).output.contains("associate.add"))
    }

    @Test("until a constitution is adopted, the standard articles say how long a request lives")
    func life() throws {
        let ledger = try GovernedHouse().ledger
        try ledger.expectRefusal(20, "168 hours at most") { try ledger.run("associate", "add", Self.eve, "--expires", "8d") }
        #expect(try ledger.run("associate", "add", Self.eve, "--expires", "7d").code == 0)
    }

    @Test(
        "a file that is none: each verb says so, and writes nothing",
        arguments: [
            ["constitution", "check"], ["constitution", "adopt"], ["associate", "add", eve, "--signed"],
            ["associate", "remove", carol, "--associate-key"], ["patch", "approve", "7", "--signed"],
            ["patch", "propose", PatchHouse.handbook, "--actor", "user:ada", "--from"],
            ["patch", "propose", PatchHouse.handbook, "--actor", "user:ada", "--diff"], ["repair", "--request"],
        ])
    func files(verb: [String]) throws {
        let patches = try PatchHouse()
        let ledger = patches.ledger
        let files: [(name: String, words: [String])] = [
            ("directory", ["is a directory"]), ("missing", ["missing"]), ("long", ["bytes"]),
            ("bytes", ["no UTF-8", "holds no", "no text in UTF-8", "the diff is refused"]),
        ]
        try FileManager.default.createDirectory(atPath: ledger.place("directory"), withIntermediateDirectories: true)
        try ledger.directory.write([0x61, 0xFF, 0xFE, 0x0A], to: "bytes")
        try ledger.directory.write(Array(repeating: 0x23, count: 1 << 20), to: "long")
        for name in ["bytes", "long"] {
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: ledger.place(name))
        }
        for (name, words) in files {
            let before = try ledger.contents()
            let result = try ledger.run(verb + [ledger.place(name)])
            #expect([20, 64].contains(result.code) && result.output.isEmpty, "\(name): \(result)")
            #expect(
                words.contains(where: result.error.contains) && !result.error.contains("template > \(ledger.place("directory"))"),
                "\(result)")
            #expect(result.error.split(separator: "\n").count <= 2, "\(result)")
            #expect(try ledger.contents() == before)
        }
    }

    @Test("a release is refused without HEAD, and where a key that seals entries is not there")
    func unreleasable() throws {
        let house = try GovernedHouse()
        let ledger = house.ledger
        #expect(try ledger.run("key", "rotate", "--reason", "test").code == 0)
        try house.lock()
        let head = try ledger.read("HEAD")
        try FileManager.default.removeItem(atPath: ledger.path + "/HEAD")
        try ledger.expectRefusal(10, "HEAD of", "mend it first") {
            try ledger.run(["alert", "release"] + house.keys("ada", "bob"))
        }
        try ledger.directory.write(head, to: ledger.name("HEAD"))
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: ledger.path + "/HEAD")
        let first = try #require(try ledger.entries("--last", "99").first?["entry"]?["key"]?.string)
        let file = ledger.path + "/keys/\(first).key"
        try FileManager.default.moveItem(atPath: file, toPath: ledger.directory.path("away"))
        try ledger.expectRefusal(11, "whether the ledger is whole cannot be verified") {
            try ledger.run(["alert", "release"] + house.keys("ada", "bob"))
        }
        try FileManager.default.moveItem(atPath: ledger.directory.path("away"), toPath: file)
        #expect(try ledger.run(["alert", "release"] + house.keys("ada", "bob")).code == 0)
    }

    @Test("a restore, an archive and a backup change nothing of it")
    func kept() throws {
        let house = try GovernedHouse()
        let ledger = house.ledger
        #expect(try ledger.run(["associate", "add", Self.eve] + house.keys("ada", "bob")).code == 0)
        #expect(try ledger.run("state", "set", "/n", "1", "--actor", "user:a").code == 0)
        #expect(try ledger.run("restore", "--to", "2", "--yes", "--reason", "r", "--actor", "user:a").code == 0)
        #expect(try ledger.archive(to: "A").code == 0)
        #expect(try ledger.run("associate", "list").output.hasPrefix("2 of 4 must sign\n"))
        try ledger.expectIntact()
        #expect(try ledger.run("verify", "--archive", ledger.place("A")).code == 0)
        let copy = ledger.directory.path("B")
        #expect(try ledger.run("backup", copy).code == 0)
        let listed = try Program.watched("associate", "list", "--ledger", copy).run()
        #expect(listed.output.hasPrefix("2 of 4 must sign\n"), "\(listed)")
        try ledger.expectRefusal(20, "1 of 2") { try ledger.run(["associate", "remove", Self.eve] + house.keys("eve")) }
    }

    @Test("a clock that was ahead once locks nobody out: requests live from the last entry's time on")
    func clock() throws {
        var roster = ActorRoster()
        var chain = ForgedChain(founders: [TestActors.ada, TestActors.bob], threshold: 2, in: &roster)
        chain.append { $0.time = "2222-01-01T00:00:00.000000Z" }
        let ledger = try CommandLedger(chain, keys: [0])
        var keys: [String] = []
        for (name, signer) in [("ada", TestActors.ada), ("bob", TestActors.bob)] {
            try ledger.directory.write(signer.fileContents, to: name)
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: ledger.directory.path(name))
            keys += ["--associate-key", ledger.directory.path(name)]
        }
        let added = try ledger.run(["associate", "add", Self.eve, "--expires", "1h"] + keys)
        #expect(added.code == 0, "\(added)")
        try ledger.directory.write(Array("[thresholds]\nsignatures = 2\nrequest_hours = 1".utf8), to: "L/constitution.toml")
        for _ in 0..<2 {
            let adopted = try ledger.run(["constitution", "adopt"] + keys)
            #expect(adopted.code == 0, "\(adopted)")
        }
        try ledger.expectIntact()
    }

    @Test("only its own verbs write under associate and alert")
    func reserved() throws {
        let house = try GovernedHouse()
        for action in ["associate.added", "alert.released"] {
            let draft = #"{"action":"\#(action)","actor":"user:a","body":{},"justification":{"pillar":"integrity","reason":"r"}}"#
            try house.ledger.expectRefusal(20) { try house.ledger.run("ingest", "-", input: draft) }
        }
    }
}
