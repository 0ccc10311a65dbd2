import CanonicalJSON
import Foundation
import LedgerFormat
import TestSupport
import Testing

/// A ledger in which Ada is enrolled, and her key's file.
private struct AdasLedger {
    let ledger: CommandLedger
    var key: String { ledger.directory.path("ada.key") }
    var eve: String { ledger.directory.path("eve.key") }

    init() throws {
        ledger = try CommandLedger()
        let enrolled = try ledger.run(
            "actor", "enroll", "user:ada", "--class", "operator", "--key-file", ledger.directory.path("ada.key"))
        try #require(enrolled.code == 0, "\(enrolled.error)")
        let other = try Program.watched("actor", "keygen", ledger.directory.path("eve.key")).run()
        try #require(other.code == 0, "\(other.error)")
    }

    func append(_ more: String...) throws -> Program.Result {
        try ledger.run(CommandLedger.appendArguments + ["--body", "{}"] + more)
    }

    /// A draft of hers, signed for a ledger.
    func signed(_ draft: String, for other: CommandLedger? = nil, key: String? = nil) throws -> String {
        let result = try (other ?? ledger).run("actor", "sign", "--actor-key", key ?? self.key, "-", input: draft + "\n")
        try #require(result.code == 0, "\(result.error)")
        return result.output
    }

    func ingest(_ lines: String) throws -> Program.Result { try ledger.run("ingest", "-", input: lines) }

    static func draft(_ body: String = "{}", actor: String = "user:ada") -> String {
        #"{"action":"test.event","actor":"\#(actor)","body":\#(body),"justification":{"pillar":"integrity","reason":"r"}}"#
    }

    func expectRefused(_ result: Program.Result, _ words: String, _ source: SourceLocation = #_sourceLocation) {
        #expect(result.code == 20 && result.error.contains(words), "\(result)", sourceLocation: source)
    }
}

@Suite("bulla actor")
struct ActorCommandTests {
    @Test("keygen makes a private file and prints the public key; nothing is written over")
    func keygen() throws {
        let directory = TemporaryDirectory()
        let made = try Program.watched("actor", "keygen", directory.path("k")).run()
        #expect(made.code == 0 && made.output.utf8.count == 65, "\(made)")
        let attributes = try FileManager.default.attributesOfItem(atPath: directory.path("k"))
        #expect(attributes[.posixPermissions] as? Int == 0o600)
        let bytes = try directory.read("k")
        let again = try Program.watched("actor", "keygen", directory.path("k")).run()
        #expect(again.code == 64 && again.error.contains("nothing is written over it"), "\(again)")
        #expect(try directory.read("k") == bytes)
        #expect(try #require(ActorSigner(file: bytes)).key.description + "\n" == made.output)
    }

    @Test("enroll, list, sign, revoke: as the README tells it")
    func life() throws {
        let ada = try AdasLedger()
        let signed = try ada.append("--actor-key", ada.key)
        #expect(signed.code == 0 && signed.receipts.count == 1, "\(signed)")
        let context = try #require(try ada.ledger.entries("--last", "1").first)["entry"]?["context"]
        #expect(context?["sign"]?.string?.utf8.count == 128 && context?["id"]?.string != nil && context?["base"] != nil)
        let listed = try ada.ledger.run("actor", "list")
        #expect(listed.output.contains("user:ada  ") && listed.output.contains("operator, enrolled by entry 2"), "\(listed)")
        #expect(try ada.ledger.run("log").code == 0)
        try ada.ledger.expectIntact()
        let revoked = try ada.ledger.run("actor", "revoke", "user:ada", "--reason", "she left")
        #expect(revoked.code == 0 && revoked.output.contains("what it signed before stays valid"), "\(revoked)")
        ada.expectRefused(try ada.append("--actor-key", ada.key), "was revoked by entry 4")
        ada.expectRefused(try ada.append(), "was revoked by entry 4")
        #expect(try ada.ledger.run("actor", "list").output.contains("revoked by entry 4"))
        try ada.ledger.expectIntact()
    }

    @Test("without a key at hand enroll makes one, beside the caller; a refused one is taken away again")
    func freshKey() throws {
        let ledger = try CommandLedger()
        let enrolled = try ledger.run("actor", "enroll", "process:a/b", "--class", "worker", "--json")
        #expect(enrolled.code == 0, "\(enrolled)")
        #expect(FileManager.default.fileExists(atPath: ledger.directory.path("process_a_b.key")))
        let again = try ledger.run(
            "actor", "enroll", "process:a/b", "--class", "worker", "--key-file", ledger.directory.path("x"))
        #expect(again.code == 20 && !FileManager.default.fileExists(atPath: ledger.directory.path("x")), "\(again)")
    }

    @Test("attacks: unsigned, signed by another, for another ledger, with another body, played again, under two names")
    func attacks() throws {
        let ada = try AdasLedger()
        let before = try ada.ledger.contents()
        ada.expectRefused(try ada.append(), "only who has its key speaks in its name")
        ada.expectRefused(try ada.append("--actor-key", ada.eve), "that is not the one of user:ada")
        ada.expectRefused(try ada.ingest(AdasLedger.draft()), "the signature is missing")
        ada.expectRefused(try ada.ingest(ada.signed(AdasLedger.draft(), key: ada.eve)), "the signature is not that of user:ada")
        let other = try CommandLedger()
        ada.expectRefused(try ada.ingest(ada.signed(AdasLedger.draft(), for: other)), "over this ledger, draft and context")
        let moved = try ada.signed(AdasLedger.draft(#"{"n":1}"#)).replacing(#"{"n":1}"#, with: #"{"n":2}"#)
        ada.expectRefused(try ada.ingest(moved), "the signature is not that of user:ada")
        ada.expectRefused(try ada.ingest(ada.signed(AdasLedger.draft(actor: "user:bob"))), "nobody is enrolled as user:bob")
        let key = try #require(ActorSigner(file: Array(ada.ledger.directory.read("ada.key")))).key.description
        ada.expectRefused(
            try ada.ledger.run("actor", "enroll", "user:bob", "--class", "x", "--key", key), "is that of user:ada")
        #expect(try ada.ledger.contents() == before)
        // What was recorded once is not recorded again.
        let line = try ada.signed(AdasLedger.draft())
        #expect(try ada.ingest(line).code == 0)
        let again = try ada.ingest(line)
        #expect(again.code == 0 && again.output.contains("recorded 0 entries (1 were there already)"), "\(again)")
        try ada.ledger.expectIntact(seq: 3)
    }

    @Test(
        "keys that are none: of small or mixed order, not canonical, no point, no key",
        arguments: [
            ("0100000000000000000000000000000000000000000000000000000000000000", "small order"),
            (TestActors.adaMixed[0], "not of prime order"),
            (TestActors.adaMixed[1], "not of prime order"),
            (TestActors.adaMixed[2], "not of prime order"),
            ("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", "not the canonical spelling"),
            ("0200000000000000000000000000000000000000000000000000000000000000", "no point of the curve"),
            ("0200", "no Ed25519 public key"),
        ])
    func badKeys(key: String, words: String) throws {
        let ledger = try CommandLedger()
        let result = try ledger.run("actor", "enroll", "user:ada", "--class", "x", "--key", key)
        #expect(result.code == (key.count == 64 ? 20 : 64) && result.error.contains(words), "\(result)")
        try ledger.expectIntact(seq: 1)
    }

    @Test("who is enrolled is known behind a second repair too, from what the first one re-admitted")
    func repairedTwice() throws {
        let ada = try AdasLedger()
        let bob = try ada.ledger.run("actor", "enroll", "user:bob", "--class", "x", "--key-file", ada.ledger.place("bob.key"))
        try #require(bob.code == 0, "\(bob)")
        for round in 1...2 {
            // Each time the first entry that states the roster is damaged.
            let names = try FileManager.default.contentsOfDirectory(atPath: ada.ledger.path + "/ledger").sorted()
            for name in names {
                var text = try String(decoding: ada.ledger.read("ledger/" + name), as: UTF8.self)
                guard let range = text.range(of: "\"roster\"") else { continue }
                text.replaceSubrange(range, with: "\"Roster\"")
                try ada.ledger.overwrite("ledger/" + name, Array(text.utf8))
                break
            }
            #expect(try ada.ledger.agreedVerdict().code == 10, "round \(round)")
            let repaired = try ada.ledger.run("repair", "--yes")
            #expect(repaired.code == 0, "round \(round): \(repaired)")
            #expect(try ada.ledger.agreedVerdict().code == 0, "round \(round)")
            for actor in ["user:ada", "user:bob"] {
                ada.expectRefused(try ada.ingest(AdasLedger.draft(actor: actor)), "the signature is missing")
            }
        }
    }

    @Test("the verbs of the house speak in nobody's name either, and with the key they do")
    func verbs() throws {
        let ada = try AdasLedger()
        let verbs = [
            ["state", "set", "/n", "1", "--actor", "user:ada"],
            ["lane", "declare", "api", "--tree", "src", "--actor", "user:ada"],
            ["lane", "acquire", "api", "--actor", "user:ada"],
            ["restore", "--to", "1", "--yes", "--reason", "r", "--actor", "user:ada"],
        ]
        for verb in verbs {
            ada.expectRefused(try ada.ledger.run(verb), "the signature is missing")
            let signed = try ada.ledger.run(verb + ["--actor-key", ada.key])
            #expect(signed.code == 0, "\(verb): \(signed)")
        }
        let refused = try Program.watched("record", "--ledger", ada.ledger.path, "--actor", "user:ada", "--", "true").run()
        #expect(refused.code == 125 && refused.error.contains("the signature is missing"), "\(refused)")
        let recorded = try Program.watched(
            "record", "--ledger", ada.ledger.path, "--actor", "user:ada", "--actor-key", ada.key, "--", "true"
        ).run()
        #expect(recorded.code == 0, "\(recorded)")
        let lines = try ada.ledger.run(
            "ingest", "--raw", "--actor", "user:ada", "--actor-key", ada.key, "-", input: "one\ntwo\n")
        #expect(lines.code == 0, "\(lines)")
        // A restore brings back a tree, and never who is enrolled.
        #expect(try ada.ledger.run("actor", "list").output.contains("user:ada"))
        ada.expectRefused(try ada.append(), "the signature is missing")
        try ada.ledger.expectIntact()
    }

    @Test("over a socket: unsigned is refused, signed counts, and the peer is recorded beside the signature")
    func socket() throws {
        let ada = try AdasLedger()
        let served = try SocketLedger(ledger: ada.ledger)
        ada.expectRefused(try served.append(), "the signature is missing")
        let signed = try served.append("{}", "--actor-key", ada.key)
        #expect(signed.code == 0, "\(signed)")
        let line = try ada.signed(AdasLedger.draft())
        let ingested = try served.run(["ingest", "-"], input: line)
        #expect(ingested.code == 0, "\(ingested)")
        let entries = try served.clientEntries().filter { $0["entry"]?["actor"] == "user:ada" }
        #expect(entries.count == 2 && entries.allSatisfy { $0.peer != nil && $0["entry"]?["context"]?["sign"] != nil })
        #expect(try served.exchange(SocketLedger.request([SocketLedger.draft(action: "actor.revoked")])).first?.action == nil)
        _ = try served.stop()
        try ada.ledger.expectIntact()
    }

    @Test("only its own verbs write under actor: append, ingest and sign refuse")
    func reserved() throws {
        let ada = try AdasLedger()
        let draft = AdasLedger.draft().replacing("test.event", with: "actor.revoked")
        #expect(try ada.ingest(draft).code == 20)
        #expect(try ada.ledger.run("actor", "sign", "--actor-key", ada.key, "-", input: draft).code == 20)
    }

    @Test("an archive takes the enrolment along, and the name stays bound; what was archived is not played again")
    func archive() throws {
        let ada = try AdasLedger()
        let line = try ada.signed(AdasLedger.draft())
        #expect(try ada.ingest(line).code == 0)
        for number in 1...2 {
            #expect(try ada.ledger.archive(to: "A\(number)").code == 0)
            ada.expectRefused(try ada.append(), "the signature is missing")
            #expect(try ada.append("--actor-key", ada.key).code == 0)
            try ada.ledger.expectIntact()
        }
        ada.expectRefused(try ada.ingest(line), "it may have been recorded there")
        #expect(try ada.ledger.run("verify", "--archive", ada.ledger.place("A1"), "--archive", ada.ledger.place("A2")).code == 0)
        #expect(try ada.ledger.run("actor", "list").output.contains("enrolled by entry 2"))
    }

    /// The segment that an entry began.
    private func segment(_ seq: Int) -> String {
        "ledger/" + String(repeating: "0", count: 20 - "\(seq)".count) + "\(seq).frames"
    }

    @Test("an editor's byte order mark before her segment is three bytes of damage, and every entry comes back, proven")
    func byteOrderMark() throws {
        let ada = try AdasLedger()
        #expect(try ada.ledger.ingest((1...1000).map(String.init)).code == 0)
        try ada.ledger.overwrite(segment(2), [0xEF, 0xBB, 0xBF] + ada.ledger.read(segment(2)))
        let repair = try ada.ledger.run("repair", "--yes")
        #expect(repair.code == 0 && repair.output.contains("3 bytes"), "\(repair)")
        #expect(repair.output.contains("1,001 sound entries behind the damage are re-admitted: 1,001 proven"), "\(repair)")
        #expect(repair.output.contains("1,001 come back; lost, or in the evidence only: 0") && !repair.output.contains("WARNING"))
        try ada.ledger.expectIntact()
        for seq in ["2", "3", "1002"] { #expect(try ada.ledger.run("show", seq).code == 0) }
        ada.expectRefused(try ada.append(), "the signature is missing")
        #expect(try ada.append("--actor-key", ada.key).code == 0)
        try ada.ledger.expectIntact()
    }

    @Test("a revocation behind a byte too many, with another entry damaged: nobody gets his key back")
    func revokedBehindDamage() throws {
        let ada = try AdasLedger()
        let bob = ada.ledger.directory.path("bob.key")
        #expect(try ada.ledger.run("actor", "enroll", "user:bob", "--class", "operator", "--key-file", bob).code == 0)
        #expect(try ada.ledger.run("actor", "revoke", "user:bob", "--reason", "r").code == 0)
        #expect(try ada.ledger.ingest(["1", "2", "3"]).code == 0)
        var bytes = try ada.ledger.read(segment(4))
        let lineFeeds = bytes.indices.filter { bytes[$0] == 0x0A }
        bytes[lineFeeds[1] + 300] ^= 1
        try ada.ledger.overwrite(segment(4), Array("x".utf8) + bytes)
        let repair = try ada.ledger.run("repair", "--yes")
        #expect(repair.code == 0 && repair.output.contains("lost, or in the evidence only: 1"), "\(repair)")
        try ada.ledger.expectIntact()
        let draft = CommandLedger.appendArguments.map { $0 == "user:ada" ? "user:bob" : $0 } + ["--body", "{}"]
        ada.expectRefused(try ada.ledger.run(draft + ["--actor-key", bob]), "was revoked by entry 4")
        #expect(try ada.ledger.run("show", "4").code == 0)

        // The revocation itself is damaged: nobody can know what it said, and the plan says just that.
        let lost = try AdasLedger()
        let key = lost.ledger.directory.path("bob.key")
        #expect(try lost.ledger.run("actor", "enroll", "user:bob", "--class", "operator", "--key-file", key).code == 0)
        #expect(try lost.ledger.run("actor", "revoke", "user:bob", "--reason", "r").code == 0)
        bytes = try lost.ledger.read(segment(4))
        bytes[300] ^= 1
        try lost.ledger.overwrite(segment(4), bytes)
        let warned = try lost.ledger.run("repair")
        #expect(
            warned.code == 10 && warned.output.contains("WARNING: seq 4 is lost, the first entry of its segment"), "\(warned)")
    }

    @Test("a backup keeps who is enrolled")
    func backup() throws {
        let ada = try AdasLedger()
        let copy = ada.ledger.directory.path("B")
        #expect(try ada.ledger.run("backup", copy).code == 0)
        let refused = try Program.watched(
            ["append", "--ledger", copy] + CommandLedger.appendArguments.dropFirst() + ["--body", "{}"]
        ).run()
        ada.expectRefused(refused, "the signature is missing")
    }

    @Test("a private key that others may read is not used")
    func openKey() throws {
        let ada = try AdasLedger()
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: ada.key)
        ada.expectRefused(try ada.append("--actor-key", ada.key), "is open to others (mode 644)")
    }
}
