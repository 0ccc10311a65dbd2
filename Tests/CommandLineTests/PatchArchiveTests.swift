import CanonicalJSON
import Foundation
import LedgerFormat
import TestSupport
import Testing

@Suite("Patches of handbooks, and archives")
struct PatchArchiveTests {
    /// A patch that is signed, and whose handbook something is in the way of.
    private func pending(_ house: PatchHouse) throws -> (patch: String, obstacle: String) {
        let patch = try house.propose()
        let obstacle = house.house.file("agents/builder/.AGENT.md.bulla")
        try FileManager.default.createDirectory(atPath: obstacle, withIntermediateDirectories: true)
        let approved = try house.approve(patch)
        try #require(approved.code == 30, "\(approved)")
        return (patch, obstacle)
    }

    @Test(
        "no archive takes along what a pending patch is to write, shown or done; one that is finished or given up keeps nothing")
    func pendingStays() throws {
        let house = try PatchHouse()
        let (patch, obstacle) = try pending(house)
        let words = "patch \(patch) of agents/builder/AGENT.md is not applied yet"
        try house.expectRefusal(words) { try house.ledger.run("archive", "--before", "99999", "--to", house.ledger.place("A")) }
        try house.expectRefusal(words) { try house.ledger.archive() }
        #expect(!FileManager.default.fileExists(atPath: house.ledger.place("A") + "/ledger"), "nothing was copied")
        try FileManager.default.removeItem(atPath: obstacle)
        #expect(try house.ledger.run("patch", "review").error.contains("that is done now"))
        #expect(try house.text == PatchHouse.edited)
        #expect(try house.ledger.archive().code == 0)
        #expect(try house.state(patch) == "applied")
        let other = try PatchHouse()
        let given = try pending(other)
        let rejected = try other.ledger.run("patch", "reject", given.patch, "--actor", "user:ada", "--reason", "no")
        #expect(rejected.code == 0, "\(rejected)")
        #expect(try other.ledger.archive().code == 0)
    }

    @Test("what an archive took along is named with its place, nobody is asked to sign it, and --archive finds it")
    func named() throws {
        let house = try PatchHouse()
        let (patch, other) = (try house.propose(), try house.propose())
        let signed = try house.house.request(["patch", "approve", patch], signedBy: ["ada", "bob"], as: "signed")
        #expect(try house.ledger.archive().code == 0)
        let archive = ["--archive", house.ledger.place("A")]
        let words = "entry \(patch) was archived to \(house.ledger.place("A")) by entry"
        try house.expectRefusal(words) { try house.ledger.run("patch", "show", patch) }
        try house.expectRefusal(words) { try house.ledger.run("patch", "approve", patch) }
        try house.expectRefusal(words) { try house.approve(patch, ["--signed", signed]) }
        let applied = try house.approve(patch, ["--signed", signed] + archive)
        #expect(applied.code == 0, "\(applied)")
        #expect(try house.text == PatchHouse.edited)
        // The act goes too.
        let act = String(try #require(try house.ledger.entries("--action", "patch.approved").last?["entry"]?["seq"]?.integer))
        let last = String(try #require(try house.ledger.entries().last?["entry"]?["seq"]?.integer))
        #expect(try house.ledger.run("archive", "--before", "99999", "--to", house.ledger.place("B"), "--yes").code == 0)
        let both = archive + ["--archive", house.ledger.place("B")]
        let gone = "entry \(act) was archived to \(house.ledger.place("B")) by entry"
        try house.expectRefusal(gone) { try house.ledger.run("patch", "revert", patch) }
        try house.write("# Scribbled\n", to: PatchHouse.handbook)
        let now = String(try #require(Int(last)) + 1)
        let restore = ["restore", "--handbook", PatchHouse.handbook, "--to", now]
        try house.expectRefusal(gone) { try house.ledger.run(restore) }
        let back = ["--yes", "--reason", "scribbled on", "--actor", "user:ada"]
        let restored = try house.ledger.run(restore + back + both)
        #expect(restored.code == 0, "\(restored)")
        #expect(try house.text == PatchHouse.edited)
        let reverted = try house.ledger.run(["patch", "revert", patch] + house.house.keys("ada", "bob") + both)
        #expect(reverted.code == 0, "\(reverted)")
        #expect(try house.text == PatchHouse.text && house.state(other) == "proposed")
        #expect(try house.ledger.run("restore", "--to", now, "--archive", house.ledger.place("A")).code == 64)
    }

    @Test("a constitution that names no folder: whoever looks is told that, and what is pending")
    func folders() throws {
        let house = try PatchHouse()
        let (patch, obstacle) = try pending(house)
        try FileManager.default.removeItem(atPath: obstacle)
        let text = String(decoding: try house.ledger.directory.read("constitution.toml"), as: UTF8.self)
        try house.write(text.replacing(#"folders = ["agents"]"#, with: "folders = []"), to: "constitution.toml")
        let adopted = try house.ledger.run(
            ["constitution", "adopt", house.house.file("constitution.toml")] + house.house.keys("ada", "bob"))
        try #require(adopted.code == 0, "\(adopted)")
        let words = "the constitution names no folder"
        try house.expectRefusal(words) { try house.ledger.run("patch", "review") }
        let looked = try house.ledger.run("patch", "review")
        #expect(
            looked.error.contains("patch \(patch) of agents/builder/AGENT.md is signed in entry")
                && looked.error.contains("CANNOT be applied: \(words)"), "\(looked)")
        let told = looked.error.split(separator: "\n").first { $0.contains("CANNOT") }
        #expect(told?.contains("nothing was recorded") == false, "the act is recorded")
        let doctor = try house.ledger.run("doctor", "--no-write")
        #expect(
            doctor.code == 20 && doctor.output.contains("patch \(patch) of agents/builder/AGENT.md is signed")
                && doctor.output.contains(words), "\(doctor)")
        let script = """
            "$BULLA" run --ledger "$1" --interval 0.05 --json > "$2" 2>&1 &
            for i in $(seq 600); do
                grep -q "CANNOT be applied" "$2" && break
                sleep 0.05
            done
            kill -TERM $!; wait $!
            """
        #expect(try Program.shell(script, house.ledger.path, house.house.file("said")).run().code == 0)
        #expect(String(decoding: try house.ledger.directory.read("said"), as: UTF8.self).contains(words))
    }
}
