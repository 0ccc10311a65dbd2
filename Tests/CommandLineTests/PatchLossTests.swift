import CanonicalJSON
import Foundation
import LedgerFormat
import TestSupport
import Testing

/// Behind a repair that lost entries nothing of what was signed before is carried out or put back: what is lost may have said otherwise.
@Suite("Patches of handbooks, and damage")
struct PatchLossTests {
    private static let first = "# Builder\n\nDelete everything.\n"
    private static let second = "# Builder\n\nNever delete.\n"
    private static let scribble = "# Scribbled\n"

    @Test(
        "what the lost entry may have been about: the proposal, the approval, its end, a rejection; an older text never comes back"
    )
    func putBack() throws {
        for lost in ["patch.proposed", "patch.approved", "patch.applied"] {
            let house = try PatchHouse()
            let (first, second) = (try house.apply(Self.first), try house.apply(Self.second))
            let acts = try [first, second].map { try #require(try house.member("act", of: $0)) }
            try house.lose(lost)
            try house.write(Self.scribble, to: PatchHouse.handbook)
            if lost == "patch.applied" {
                #expect(try house.state(second) == "unknown")
                #expect(try house.reject(second).code == 0)
            }
            for act in lost == "patch.approved" ? [acts[0]] : acts {
                try house.expectRefusal("entries were lost, or may have been, as entry") { try house.restore(to: act) }
            }
            try house.signAnew()
        }
    }

    @Test("a reversal whose end is lost, and that somebody gives up: what was taken back stays away")
    func givenUp() throws {
        let house = try PatchHouse()
        let patch = try house.apply(Self.first)
        let act = try #require(try house.member("act", of: patch))
        #expect(try house.ledger.run(["patch", "revert", patch] + house.house.keys("ada", "bob")).code == 0)
        try house.lose("patch.applied")
        #expect(try house.state(patch) == "unknown")
        try house.write(Self.scribble, to: PatchHouse.handbook)
        #expect(try house.ledger.run("patch", "review").error.isEmpty && house.text == Self.scribble)
        #expect(try house.reject(patch).code == 0 && house.state(patch) == "rejected")
        try house.expectRefusal("entries were lost, or may have been, as entry") { try house.restore(to: act) }
        try house.signAnew()
    }

    @Test("a lost rejection, or a lost end of an approval: nothing is carried out unasked, and associates decide anew")
    func pending() throws {
        let house = try PatchHouse()
        let patch = try house.propose()
        let obstacle = house.house.file("agents/builder/.AGENT.md.bulla")
        try FileManager.default.createDirectory(atPath: obstacle, withIntermediateDirectories: true)
        #expect(try house.approve(patch).code == 30)
        #expect(try house.reject(patch).code == 0)
        try FileManager.default.removeItem(atPath: obstacle)
        try house.lose("patch.rejected")
        for verb in [["patch", "review"], ["patch", "list", "--open"], ["patch", "show", patch]] {
            let ran = try house.ledger.run(verb)
            #expect(ran.code == 0 && ran.error.isEmpty, "\(ran)")
        }
        #expect(try house.text == PatchHouse.text && house.state(patch) == "unknown")
        #expect(try house.ledger.run("doctor", "--no-write").output.contains("is signed, and its handbook") == false)
        #expect(try house.approve(patch).code == 0)
        #expect(try house.text == PatchHouse.edited && house.state(patch) == "applied")
        // Done, and somebody put back the text before; the entry that it was done is lost.
        try house.write(PatchHouse.text, to: PatchHouse.handbook)
        try house.lose("patch.applied")
        #expect(try house.ledger.run("patch", "review").code == 0 && house.text == PatchHouse.text)
        #expect(try house.state(patch) == "unknown")
        // What its handbook shows decides what can be signed.
        try house.write(PatchHouse.edited, to: PatchHouse.handbook)
        try house.expectRefusal("the handbook is what the patch makes of it") { try house.approve(patch) }
        #expect(try house.ledger.run(["patch", "revert", patch] + house.house.keys("ada", "bob")).code == 0)
        #expect(try house.text == PatchHouse.text && house.state(patch) == "reverted")
        try house.ledger.expectIntact()
    }

    @Test("a repair that lost nothing changes nothing: what is pending is carried out, and what was signed last is put back")
    func nothingLost() throws {
        let house = try PatchHouse()
        let patch = try house.propose()
        let obstacle = house.house.file("agents/builder/.AGENT.md.bulla")
        try FileManager.default.createDirectory(atPath: obstacle, withIntermediateDirectories: true)
        #expect(try house.approve(patch).code == 30)
        try FileManager.default.removeItem(atPath: obstacle)
        // Bytes behind the last entry that no crash leaves.
        let file = try #require(try house.ledger.contents().keys.filter { $0.hasSuffix(".frames") }.max())
        var bytes = try house.ledger.read(file)
        let end = try #require(bytes.lastIndex(of: UInt8(ascii: "\n"))) + 1
        bytes = bytes[..<end] + Array("no entry\n".utf8) + bytes[min(end + 9, bytes.count)...]
        try house.ledger.overwrite(file, bytes)
        try house.repair()
        let repaired = try #require(try house.ledger.entries("--action", "ledger.repaired").last?["entry"]?["body"])
        #expect(repaired["lost"]?.integer == 0 && repaired["unproven"]?.integer == 0)
        #expect(try house.state(patch) == "approved")
        #expect(try house.ledger.run("patch", "review").error.contains("that is done now"))
        #expect(try house.text == PatchHouse.edited)
        try house.write(Self.scribble, to: PatchHouse.handbook)
        let act = try #require(try house.member("act", of: patch))
        #expect(try house.restore(to: act).code == 0)
        #expect(try house.text == PatchHouse.edited)
    }

    @Test("a HEAD that was missing vouches for nothing: what was signed before is signed anew, or not put back")
    func headless() throws {
        let house = try PatchHouse()
        let act = try #require(try house.member("act", of: try house.apply(Self.first)))
        try house.ledger.directory.remove("L/HEAD")
        #expect(try house.ledger.append().code == 10)
        #expect(try house.ledger.run(["alert", "release"] + house.house.keys("ada", "bob")).code == 0)
        try house.write(Self.scribble, to: PatchHouse.handbook)
        try house.expectRefusal("entries were lost, or may have been, as entry") { try house.restore(to: act) }
        try house.signAnew()
    }

    @Test("a flood of proposals makes nobody forget what was signed last")
    func flooded() throws {
        let house = try PatchHouse()
        let (first, second) = (try house.apply(Self.first), try house.apply(Self.second))
        var acts: [Int64] = []
        for patch in [second, first] {
            #expect(try house.ledger.run(["patch", "revert", patch] + house.house.keys("ada", "bob")).code == 0)
            acts.append(try #require(try house.member("act", of: patch)))
        }
        try house.write("# Wanted by nobody\n", to: "edited")
        // More than are known at most.
        let script = """
            for n in $(seq 191); do
                patch=$("$BULLA" patch propose "$2" --ledger "$1" --from "$3" --actor user:mallory |
                    sed -n 's/^patch \\([0-9]*\\) .*/\\1/p')
                "$BULLA" patch reject "$patch" --ledger "$1" --actor user:mallory --reason x > /dev/null || exit 1
            done
            """
        let flood = try Program.shell(script, house.ledger.path, PatchHouse.handbook, house.house.file("edited")).run()
        #expect(flood.code == 0, "\(flood)")
        #expect(try house.state(first) == nil)
        try house.write(Self.scribble, to: PatchHouse.handbook)
        try house.expectRefusal("associates signed another text") { try house.restore(to: acts[0]) }
        #expect(try house.restore(to: acts[1]).code == 0)
        #expect(try house.text == PatchHouse.text)
    }

    @Test("damage that is found: whoever would write is told of the alert (21), and nothing is written")
    func locked() throws {
        let house = try PatchHouse()
        let patch = try house.apply(Self.first)
        let act = try #require(try house.member("act", of: patch))
        let open = try house.propose()
        try house.damage("patch.proposed", last: false)
        #expect(try house.ledger.run("audit").code == 10)
        let before = try house.ledger.contents()
        let author = ["--actor", "user:ada"]
        for verb in [
            ["patch", "propose", PatchHouse.handbook, "--from", house.house.file("edited")] + author, ["patch", "review"],
            ["patch", "reject", open, "--reason", "no"] + author, ["patch", "approve", open], ["patch", "revert", patch],
            ["restore", "--handbook", PatchHouse.handbook, "--to", "\(act)", "--yes", "--reason", "x"] + author,
        ] {
            let ran = try house.ledger.run(verb)
            #expect(ran.code == 21, "\(verb): \(ran)")
        }
        #expect(try house.ledger.contents() == before)
    }

    @Test("a handbook that became anything is put back; where its directory is gone, that is told before anything is recorded")
    func scribbled() throws {
        let house = try PatchHouse()
        let act = try #require(try house.member("act", of: try house.apply(Self.first)))
        for bytes in [[0xFF, 0x0A], Array(repeating: UInt8(ascii: "a"), count: 70_000)] {
            try house.ledger.directory.write(bytes, to: PatchHouse.handbook)
            let shown = try house.ledger.run("restore", "--handbook", PatchHouse.handbook, "--to", "\(act)")
            #expect(shown.code == 0 && shown.output.contains("is no text that a handbook can have"), "\(shown)")
            let restored = try house.restore(to: act)
            #expect(restored.code == 0 && restored.output.contains("is put back"), "\(restored)")
            #expect(try house.text == Self.first)
        }
        try FileManager.default.removeItem(atPath: house.house.file("agents/builder"))
        try house.expectRefusal("is not there: make it first") { try house.restore(to: act) }
    }
}

extension PatchHouse {
    /// Proposes a text, and lets it be signed.
    fileprivate func apply(_ text: String) throws -> String {
        try write(text, to: "edited")
        let patch = try propose()
        let approved = try approve(patch)
        try #require(approved.code == 0, "\(approved)")
        try write(Self.edited, to: "edited")
        return patch
    }

    fileprivate func member(_ name: String, of patch: String) throws -> Int64? {
        let list = try JSON(parsing: Array(ledger.run("patch", "list", "--json").output.utf8))
        return list["patches"]?.array?.first { $0["patch"]?.integer == Int64(patch) }?[name]?.integer
    }

    fileprivate func reject(_ patch: String) throws -> Program.Result {
        try ledger.run("patch", "reject", patch, "--actor", "user:mallory", "--reason", "does not fit")
    }

    /// In the name of somebody who signs nothing.
    fileprivate func restore(to act: Int64) throws -> Program.Result {
        try ledger.run(
            "restore", "--handbook", Self.handbook, "--to", "\(act)", "--yes", "--actor", "user:mallory", "--reason", "mine")
    }

    /// Changes a bit of the first or last entry of an action.
    fileprivate func damage(_ action: String, last: Bool = true) throws {
        let entries = try ledger.entries("--action", action)
        let seq = try #require((last ? entries.last : entries.first)?["entry"]?["seq"]?.integer)
        let mark = Array("\"seq\":\(seq),\"synced\"".utf8)
        for file in try ledger.contents().keys where file.hasSuffix(".frames") {
            var bytes = try ledger.read(file)
            guard let place = bytes.firstRange(of: mark) else { continue }
            bytes[place.upperBound - 3] ^= 1
            return try ledger.overwrite(file, bytes)
        }
        Issue.record("no frame holds entry \(seq)")
    }

    fileprivate func repair() throws {
        let repaired = try ledger.run("repair", "--yes")
        try #require(repaired.code == 0, "\(repaired)")
        let released = try ledger.run(["alert", "release"] + house.keys("ada", "bob"))
        try #require(released.code == 0, "\(released)")
    }

    /// Damages the last entry of an action, with another one behind it, and repairs.
    fileprivate func lose(_ action: String) throws {
        try #require(try ledger.append().code == 0)
        try damage(action)
        try repair()
    }

    /// As soon as something is signed for the handbook, that is put back again.
    fileprivate func signAnew() throws {
        let patch = try apply("# Anew\n")
        let act = try #require(try member("act", of: patch))
        try write("# Scribbled again\n", to: Self.handbook)
        #expect(try restore(to: act).code == 0)
        #expect(try text == "# Anew\n")
        try ledger.expectIntact()
    }
}
