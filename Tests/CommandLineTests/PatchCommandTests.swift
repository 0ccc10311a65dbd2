import CanonicalJSON
import Foundation
import LedgerFormat
import TestSupport
import Testing

@Suite("Patches of handbooks")
struct PatchCommandTests {
    @Test("proposed, shown, signed on another machine, applied, taken back; both verifiers agree")
    func whole() throws {
        let house = try PatchHouse()
        let patch = try house.propose("--evidence", "3", "--reason", "it was too quick")
        let shown = try house.ledger.run("patch", "show", patch)
        #expect(
            shown.code == 0 && shown.output.contains("-- be quick\n+- be careful\n") && shown.output.contains("evidence: entry 3")
        )
        let file = try house.house.request(["patch", "approve", patch], signedBy: ["ada", "carol"], as: "request")
        let request = try #require(SignedRequest(JSON(parsing: house.ledger.directory.read("request"))))
        // What is signed is what is shown.
        let diff = try house.ledger.run("patch", "show", patch, "--diff").output
        #expect(request.handbookChange?.diff == Digest(sha256: Array(diff.utf8).span))
        #expect(try house.text == PatchHouse.text)
        let applied = try house.approve(patch, ["--signed", file])
        #expect(applied.code == 0 && applied.output.contains("is applied to agents/builder/AGENT.md, signed by 2"), "\(applied)")
        #expect(try house.text == PatchHouse.edited && house.state(patch) == "applied")
        let reverted = try house.ledger.run(["patch", "revert", patch] + house.house.keys("bob", "carol"))
        #expect(reverted.code == 0, "\(reverted)")
        #expect(try house.text == PatchHouse.text && house.state(patch) == "reverted")
        #expect(try house.ledger.run("verify").code == 0)
        let judged = try Program.judge(house.ledger.path).run()
        #expect(judged.code == 0, "\(judged)")
    }

    @Test("a diff is taken as it is, or refused; a rejected patch stays so; without a constitution nothing is proposed")
    func others() throws {
        let house = try PatchHouse()
        let diff = "--- a/agents/builder/AGENT.md\n+++ b/agents/builder/AGENT.md\n@@ -5 +5 @@\n-- be quick\n+- be careful\n"
        try house.write(diff, to: "diff")
        let arguments = ["patch", "propose", PatchHouse.handbook, "--actor", "user:ada", "--diff", house.house.file("diff")]
        let proposed = try house.ledger.run(arguments + ["--json"])
        let patch = String(try #require(try JSON(parsing: Array(proposed.output.utf8))["patch"]?.integer))
        #expect(try house.ledger.run("patch", "show", patch, "--diff").output == diff)
        try house.write(diff.replacing("-- be quick", with: "-- be slow"), to: "diff")
        try house.expectRefusal("line 5 of the handbook is another one") { try house.ledger.run(arguments) }
        try house.write(diff.replacing("careful", with: "care\u{202E}ful"), to: "diff")
        try house.expectRefusal("U+202E") { try house.ledger.run(arguments) }
        try house.write(diff.replacing("builder", with: "baker"), to: "diff")
        try house.expectRefusal("names a/agents/baker/AGENT.md") { try house.ledger.run(arguments) }
        #expect(try house.ledger.run("patch", "reject", patch, "--actor", "user:ada", "--reason", "no").code == 0)
        try house.expectRefusal("was rejected") { try house.approve(patch) }
        #expect(try house.ledger.run("patch", "list", "--open").output.contains("no patch is open"))
        let plain = try PatchHouse(adopts: false)
        try plain.expectRefusal("no constitution says in which folders handbooks lie") {
            try plain.ledger.run([
                "patch", "propose", PatchHouse.handbook, "--actor", "user:ada", "--from", plain.house.file("edited"),
            ])
        }
    }

    @Test("a handbook elsewhere, or that is no plain file: neither proposed nor approved")
    func places() throws {
        let house = try PatchHouse()
        let patch = try house.propose()
        let script = """
            cd "$1" && mkdir -p other agents/hard agents/dir/AGENT.md agents/fifo && mkfifo agents/fifo/AGENT.md && ln -s builder agents/linked
            cp agents/builder/AGENT.md other && ln other/AGENT.md agents/hard/AGENT.md
            mkdir agents/file && ln -s ../builder/AGENT.md agents/file/AGENT.md
            """
        #expect(try Program.shell(script, house.ledger.directory.path).run().code == 0)
        let places = [
            ("agents/linked/AGENT.md", "symbolic link"), ("agents/file/AGENT.md", "symbolic link"),
            ("agents/hard/AGENT.md", "2 hard links"),
            ("agents/dir/AGENT.md", "is a directory"), ("agents/fifo/AGENT.md", "is a FIFO"),
            ("other/AGENT.md", "outside the handbook folders"), ("/etc/AGENT.md", "outside the handbook folders"),
            ("agents/../other/AGENT.md", "it has . or .."), ("agents/builder/OTHER.md", "name is AGENT.md"),
            ("agents/none/AGENT.md", "there is no handbook"), ("agents/\u{301}../AGENT.md", "there is no handbook"),
            ("agents/../\u{301}other/AGENT.md", "it has . or .."),
        ]
        for (place, words) in places {
            try house.expectRefusal(words) {
                try house.ledger.run(["patch", "propose", place, "--actor", "user:ada", "--from", house.house.file("edited")])
            }
        }
        // Between the proposal and the approval the folder became a link to somewhere else.
        let signed = try house.house.request(["patch", "approve", patch], signedBy: ["ada", "bob"], as: "request")
        let swap = #"cd "$1/agents" && cp -r builder ../away && rm -r builder && ln -s ../away builder"#
        #expect(try Program.shell(swap, house.ledger.directory.path).run().code == 0)
        try house.expectRefusal("symbolic link") { try house.approve(patch, ["--signed", signed]) }
    }

    @Test("a handbook has one name, and none lies in the ledger: such folders count for nothing, and nothing else is changed")
    func folders() throws {
        let house = try PatchHouse(adopts: false)
        let template = try house.ledger.run("constitution", "template").output
        for (folders, words) in [
            ("\"agents\", \"\(house.house.file("agents"))\"", "would have two names"), ("\"L\"", "in the ledger's own directory"),
        ] {
            try house.write(template.replacing(/folders = .*/, with: "folders = [\(folders)]"), to: "constitution.toml")
            let adopted = try house.ledger.run(
                ["constitution", "adopt", house.house.file("constitution.toml")] + house.house.keys("ada", "bob"))
            try #require(adopted.code == 0, "\(adopted)")
            try house.expectRefusal(words) {
                try house.ledger.run([
                    "patch", "propose", PatchHouse.handbook, "--actor", "user:ada", "--from", house.house.file("edited"),
                ])
            }
        }
    }

    @Test("forged, expired, replayed and re-targeted approvals, and a handbook that changed: each is refused with its own words")
    func attacks() throws {
        let house = try PatchHouse()
        let (patch, other) = (try house.propose(), try house.propose())
        // Forged
        try house.expectRefusal("1 of 2 signatures") { try house.approve(patch, house.house.keys("ada")) }
        try house.expectRefusal("is no associate's") { try house.approve(patch, house.house.keys("ada", "eve")) }
        let file = try house.request(patch, as: "forged")
        let text = String(decoding: try house.ledger.directory.read("forged"), as: UTF8.self)
        try house.write(text.replacing("\"proposal\":\(patch)", with: "\"proposal\":\(other)"), to: "forged")
        try house.expectRefusal("the signature is not that of") { try house.approve(other, ["--signed", file]) }
        // Expired
        let old = try house.request(patch, expires: "2020-01-01T00:00:00.000000Z", as: "expired")
        try house.expectRefusal("expired at 2020") { try house.approve(patch, ["--signed", old]) }
        // Another patch, another verb, other texts
        let signed = try house.request(patch, as: "signed")
        try house.expectRefusal("was signed for patch \(patch), and not for patch \(other)") {
            try house.approve(other, ["--signed", signed])
        }
        try house.expectRefusal("was signed for patch.approve, and not for patch.revert") {
            try house.ledger.run("patch", "revert", patch, "--signed", signed)
        }
        try house.expectRefusal("was signed for patch.approve, and not for associate.add") {
            try house.ledger.run("associate", "add", TestActors.eve.key.description, "--signed", signed)
        }
        let zeros = String(repeating: "0", count: 64)
        for name in ["base", "diff", "result"] {
            let changed = try house.request(patch, as: "changed") { $0[name] = .string(zeros) }
            try house.expectRefusal("signed for another patch") { try house.approve(patch, ["--signed", changed]) }
        }
        let moved = try house.request(patch, as: "moved") { $0["handbook"] = "agents/other/AGENT.md" }
        try house.expectRefusal("signed for another patch") { try house.approve(patch, ["--signed", moved]) }
        // Another ledger
        let twin = try PatchHouse()
        let there = try twin.request(twin.propose(), as: "there")
        try house.expectRefusal("is for another ledger") { try house.approve(patch, ["--signed", there]) }
        // A handbook that changed
        try house.write("# Other\n", to: PatchHouse.handbook)
        #expect(try house.state(patch) == "stale")
        try house.expectRefusal("has changed") { try house.approve(patch, ["--signed", signed]) }
        try house.expectRefusal("has changed") { try house.approve(patch, []) }
        try house.write(PatchHouse.text, to: PatchHouse.handbook)
        // Replayed
        #expect(try house.approve(patch, ["--signed", signed]).code == 0)
        try house.write(PatchHouse.text, to: PatchHouse.handbook)
        try house.expectRefusal("it was carried out before") { try house.approve(patch, ["--signed", signed]) }
        try house.expectRefusal("has changed") {
            try house.ledger.run(["patch", "revert", patch] + house.house.keys("ada", "bob"))
        }
    }

    @Test("a flood of proposals that nobody signs stops neither the review nor whoever is enrolled")
    func flooded() throws {
        let house = try PatchHouse()
        let key = house.house.file("olga.key")
        #expect(
            try house.ledger.run("actor", "enroll", "user:olga", "--class", "operator", "--key-file", key).code == 0)
        let propose = { (actor: String) in
            try house.ledger.run(
                "patch", "propose", PatchHouse.handbook, "--from", house.house.file("edited"), "--actor", actor)
        }
        for number in 0..<64 { #expect(try propose("user:flood\(number / 16)").code == 0) }
        try house.expectRefusal("16 patches that user:flood0 proposed are not signed yet") { try propose("user:flood0") }
        try house.expectRefusal("64 patches are open") { try propose("user:honest") }
        for _ in 0..<2 {
            let told = ["learn", "add", "--actor", "user:ada", "--trauma", "deploy 17 hung", "--owner", "specialist:builder"]
            #expect(try house.ledger.run(told).code == 0)
        }
        let reviewed = try house.ledger.run("patch", "review")
        #expect(reviewed.code == 0 && reviewed.output.contains("is drafted for \(PatchHouse.handbook)"), "\(reviewed)")
        #expect(reviewed.error.contains("which user:flood0 proposed, gives way unsigned"), "\(reviewed)")
        let patch = try house.propose("--actor", "user:olga", "--actor-key", key)
        #expect(try house.state(patch) == "proposed")
        #expect(try house.approve(patch).code == 0)
        try house.ledger.expectIntact()
    }

    @Test("restore shows and writes what a handbook was, and puts back what associates signed last, which nobody signs again")
    func restored() throws {
        let house = try PatchHouse()
        let patch = try house.propose()
        #expect(try house.approve(patch).code == 0)
        let restore = ["restore", "--handbook", PatchHouse.handbook]
        // Before the first patch
        let out = house.house.file("out")
        #expect(try house.ledger.run(restore + ["--to", "2", "--out", out]).code == 0)
        #expect(try String(decoding: house.ledger.directory.read("out"), as: UTF8.self) == PatchHouse.text)
        #expect(try house.ledger.run(restore + ["--to", "2", "--out", out]).code == 30, "nothing is overwritten")
        let back = ["--yes", "--reason", "scribbled on", "--actor", "user:ada"]
        try house.expectRefusal("nobody has signed the text") { try house.ledger.run(restore + ["--to", "2"] + back) }
        // Somebody scribbled on it.
        let last = String(try house.ledger.entries().count)
        try house.write("# Scribbled\n", to: PatchHouse.handbook)
        let shown = try house.ledger.run(restore + ["--to", last])
        #expect(
            shown.code == 0 && shown.output.contains("-# Scribbled") && shown.output.contains("nothing was changed"), "\(shown)")
        let done = try house.ledger.run(restore + ["--to", last] + back)
        #expect(done.code == 0 && done.output.contains("is put back"), "\(done)")
        #expect(try house.text == PatchHouse.edited)
        #expect(
            try house.ledger.entries("--action", "patch.restored").first?["entry"]?["body"]?["before"]?.string == "# Scribbled\n")
        // Somebody lost it.
        try house.ledger.directory.remove(PatchHouse.handbook)
        #expect(try house.ledger.run(restore + ["--to", last] + back).code == 0)
        #expect(try house.text == PatchHouse.edited && house.state(patch) == "applied")
        // What was taken back comes back by a signature only.
        #expect(try house.ledger.run(["patch", "revert", patch] + house.house.keys("ada", "bob")).code == 0)
        try house.expectRefusal("associates signed another text") { try house.ledger.run(restore + ["--to", last] + back) }
    }

    @Test("traumas that came again lead to a patch, by the verb and beside bulla run, which also finishes what a crash has left")
    func reviewed() throws {
        let house = try PatchHouse()
        for _ in 0..<2 {
            let told = ["learn", "add", "--actor", "user:ada", "--trauma", "deploy 17 hung", "--owner", "specialist:builder"]
            #expect(try house.ledger.run(told).code == 0)
        }
        let ran = try run(house, until: "proposed.*service:bulla")
        #expect(ran.code == 0, "\(ran)")
        let list = try JSON(parsing: Array(house.ledger.run("patch", "list", "--json").output.utf8))
        let drafted = try #require(list["patches"]?.array?.first)
        #expect(drafted["signature"]?.string == "told/deploy-#-hung" && drafted["state"]?.string == "proposed")
        #expect(try house.ledger.run("patch", "review").output.contains("no trauma wants a patch"))
        let patch = String(try #require(drafted["patch"]?.integer))
        #expect(try house.ledger.run("patch", "show", patch).output.contains("  trauma: deploy 17 hung"))
        // Something stands where the new text would be written.
        let obstacle = house.house.file("agents/builder/.AGENT.md.bulla")
        try FileManager.default.createDirectory(atPath: obstacle, withIntermediateDirectories: true)
        let approved = try house.approve(patch)
        #expect(approved.code == 30 && approved.error.contains("is signed, but its handbook was not changed"), "\(approved)")
        #expect(try house.state(patch) == "approved" && house.text == PatchHouse.text)
        let doctor = try house.ledger.run("doctor", "--no-write")
        #expect(doctor.code == 20 && doctor.output.contains("its handbook is not known to be changed"), "\(doctor)")
        let looked = try house.ledger.run("patch", "review")
        #expect(looked.error.contains("CANNOT be applied"), "\(looked)")
        try FileManager.default.removeItem(atPath: obstacle)
        #expect(try run(house, until: "applied.*service:bulla").code == 0)
        #expect(try house.text.contains("- What happened, 2 times: deploy 17 hung\n"))
    }

    /// Stays up until a line of the list of patches is there.
    private func run(_ house: PatchHouse, until line: String) throws -> Program.Result {
        let script = """
            "$BULLA" run --ledger "$1" --interval 0.05 --json > "$2" 2>&1 &
            for i in $(seq 600); do
                "$BULLA" patch list --ledger "$1" | grep -q "$3" && break
                sleep 0.05
            done
            kill -TERM $!; wait $!
            """
        return try Program.shell(script, house.ledger.path, house.house.file("said"), line).run()
    }
}
