import CanonicalJSON
import Foundation
import LedgerFormat
import TestSupport
import Testing

/// Where archives go, where they are missing, and who reads meanwhile.
@Suite("bulla archive: places")
struct ArchivePlaceTests {
    private func set(_ ledger: CommandLedger, _ numbers: Int...) throws {
        for number in numbers {
            let set = try ledger.run("state", "set", "/n", String(number), "--actor", "user:ada")
            try #require(set.code == 0, "\(set.error)")
        }
    }

    /// Entries 1 to 4 in A, 5 to 11 in B, 12 to 18 in C.
    private func thrice() throws -> CommandLedger {
        let ledger = try CommandLedger()
        try set(ledger, 1, 2, 3)
        for (number, place) in zip(4..., ["A", "B", "C"]) {
            #expect(try ledger.archive(to: place).code == 0)
            try set(ledger, number)
        }
        return ledger
    }

    private func verify(_ ledger: CommandLedger, _ places: String...) throws -> Program.Result {
        try ledger.run(["verify"] + places.flatMap { ["--archive", ledger.place($0)] })
    }

    @Test("a directory that is missing is no damage: which entries are in none is said, wherever they lie")
    func holes() throws {
        let ledger = try thrice()
        #expect(try verify(ledger, "A", "B", "C").code == 0)
        for (given, missing) in [
            (["A", "C"], "5 to 11"), (["A"], "5 to 18"), (["B", "C"], "1 to 4"), (["A", "B"], "12 to 18"),
        ] {
            let found = try ledger.run(["verify"] + given.flatMap { ["--archive", ledger.place($0)] })
            #expect(found.code == 20 && found.error.contains("entries \(missing), which entry"), "\(given): \(found)")
            #expect(found.error.contains("in none of the archives given"), "\(given): \(found)")
        }
        // A file that was cut between two frames is damage, though no byte of what is left is wrong.
        let file = "B/ledger/00000000000000000005.frames"
        let bytes = try ledger.directory.read(file)
        let ends = bytes.indices.filter { bytes[$0] == 0x0A }.map { $0 + 1 }
        func write(_ bytes: [UInt8]) throws {
            try ledger.directory.write(bytes, to: file)
            chmod(ledger.place(file), 0o600)
        }
        try write(Array(bytes[..<ends[3]]))
        #expect(try verify(ledger, "A", "B", "C").code == 10)
        // So is a changed byte before a hole.
        var changed = bytes
        changed[ends[1] - 200] ^= 1
        try write(changed)
        #expect(try verify(ledger, "A", "B").code == 10)
    }

    @Test("of a missing directory it is no damage that what tells of it lies in another missing one")
    func holeBehindHole() throws {
        var chain = ForgedChain()
        for _ in 1...4 {
            for _ in 1...3 { chain.append() }
            chain.roll()
        }
        chain.append()
        let ledger = try CommandLedger(chain, keys: [0])
        for (seq, place) in zip(["5", "8", "11", "9999"], ["A", "B", "C", "D"]) {
            let archive = try ledger.run("archive", "--before", seq, "--to", ledger.place(place), "--yes")
            try #require(archive.code == 0, "\(archive)")
        }
        #expect(try verify(ledger, "A", "B", "C", "D").code == 0)
        let found = try verify(ledger, "A", "C")
        #expect(found.code == 20 && found.error.contains("entries 5 to 7, and entries 11 to "), "\(found)")
        #expect(try verify(ledger, "A", "C", "D").error.contains("entries 5 to 7, which entry "))
        // What is there is looked at all the same.
        let file = "C/ledger/00000000000000000008.frames"
        var bytes = try ledger.directory.read(file)
        bytes[bytes.count / 2] ^= 1
        try ledger.directory.write(bytes, to: file)
        chmod(ledger.place(file), 0o600)
        #expect(try verify(ledger, "A", "C").code == 10)
    }

    @Test("of entries in older archives nobody names the place of another; a restore says what can be done")
    func words() throws {
        let ledger = try thrice()
        for verb in [["show", "2"], ["state", "get", "--at", "2"], ["inspect", "2"], ["receipt", "2"]] {
            let error = try ledger.expectRefusal(20, "entry 2 was archived earlier than seq 12 to 18", "once for each directory")
            {
                try ledger.run(verb)
            }
            #expect(!error.error.contains("entry 2 was archived to"), "\(error)")
        }
        try ledger.expectRefusal(20, "entry 12 was archived to \(ledger.place("C")) by entry 19; give") {
            try ledger.run("inspect", "12")
        }
        let shown = try ledger.run("inspect", "12", "--archive", ledger.place("C"))
        #expect(shown.code == 0 && shown.output.contains("seq 12, sound"), "\(shown)")
        let restore = try ledger.expectRefusal(
            20, "entry 12 was archived to \(ledger.place("C"))", "state get --at 12 --archive DIR"
        ) {
            try ledger.run("restore", "--to", "12", "--yes", "--reason", "r", "--actor", "user:ada")
        }
        #expect(!restore.error.contains("give that directory with --archive"), "\(restore)")
        let early = try ledger.run("restore", "--to", "2001-01-01T00:00:00Z")
        #expect(early.code == 20 && early.error.contains("from seq 19 on"), "\(early)")
        let history = try ledger.run("state", "history", "/n")
        #expect(history.code == 0 && history.error.contains("what lies before seq 19 is left out"), "\(history)")
        #expect(try ledger.run("lane", "history").error.contains("what lies before seq 19 is left out"))
        let all = ["A", "B", "C"].flatMap { ["--archive", ledger.place($0)] }
        #expect(try ledger.run(["state", "history", "/n"] + all).error.isEmpty)
    }

    @Test("a key's change leaves snapshots where they are, unused; what is no file in their place is recorded once")
    func snapshots() throws {
        let ledger = try CommandLedger()
        try set(ledger, 1)
        #expect(try ledger.run("snapshot", "create").code == 0)
        #expect(try ledger.run("key", "rotate", "--reason", "r").code == 0)
        func change(_ number: Int) throws -> Program.Result {
            try ledger.run("state", "set", "/n", String(number), "--actor", "user:ada")
        }
        let changed = try change(2)
        #expect(changed.code == 0 && changed.error.isEmpty, "\(changed)")
        let read = try ledger.run("state", "get", "/n")
        #expect(read.output == "2\n" && read.error.isEmpty, "\(read)")
        #expect(try ledger.entries("--action", "snapshot.ignored").isEmpty)
        #expect(try ledger.run("snapshot", "list").output.contains("earlier key"))
        #expect(try ledger.run("snapshot", "verify").code == 0)
        let folder = ledger.path + "/snapshots/documents-00000000000000000003"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        #expect(try change(3).error.contains("is ignored"))
        for number in 4...5 { #expect(try change(number).error.isEmpty) }
        #expect(try ledger.run("state", "get", "/n").error.isEmpty)
        #expect(try ledger.entries("--action", "snapshot.ignored").count == 1)
    }

    @Test(
        "a place without room or that cannot be written to is refused, also when only shown, and the ledger stays as it was",
        .enabled(if: Machine.hasPrivateMounts, Machine.needsMounts))
    func targets() throws {
        let ledger = try CommandLedger(entries: 300)
        let before = try ledger.contents()
        let script = """
            cd "$1" && mkdir small fixed && mount -t tmpfs -o size=40k none small && mount -t tmpfs none fixed || exit 99
            mkdir -m 700 fixed/A && mount -o remount,ro fixed || exit 99
            try() { "$BULLA" archive --ledger "$2" --before 9999 --to "$1" $3 >out 2>err; echo "$?: $(cat out err)"; }
            for flag in "" --yes; do try small/A L $flag; try fixed/A L $flag; try fixed/B L $flag; try none/A L $flag; done
            """
        let program = Program(
            "/usr/bin/env",
            [
                "timeout", "-s", "KILL", "60", "env", "BULLA=" + Program.bullaPath, "unshare", "-m", "sh", "-c", script, "sh",
                ledger.directory.path,
            ])
        let lines = try program.run().output.split(separator: "\n").map(String.init)
        try #require(lines.count == 8, "\(lines)")
        let words = ["there is no room", "Read-only file system", "Read-only file system", "No such file or directory"]
        for (line, word) in zip(lines, words + words) { #expect(line.hasPrefix("30: bulla: ") && line.contains(word), "\(line)") }
        // Shown or done, it is the same.
        #expect(Array(lines[..<4]) == Array(lines[4...]))
        #expect(try ledger.contents() == before)
    }

    @Test("what stands in the place and is no copy is refused, also when only shown")
    func taken() throws {
        let ledger = try CommandLedger(entries: 3)
        try FileManager.default.createDirectory(atPath: ledger.place("A/ledger"), withIntermediateDirectories: true)
        for path in [ledger.place("A"), ledger.place("A/ledger")] { chmod(path, 0o700) }
        try ledger.directory.write([1, 2, 3], to: "A/ledger/00000000000000000001.frames")
        chmod(ledger.place("A/ledger/00000000000000000001.frames"), 0o600)
        let other = try CommandLedger()
        for flag in [[], ["--yes"]] {
            func archive(_ place: String) throws -> Program.Result {
                try ledger.run(["archive", "--before", "99", "--to", place] + flag)
            }
            try ledger.expectRefusal(20, "is there already") { try archive(ledger.place("A")) }
            try ledger.expectRefusal(20, "is a ledger itself") { try archive(other.path) }
            try ledger.expectRefusal(64, "lies inside the ledger") { try archive(ledger.path + "/A") }
        }
    }

    @Test("who reads while segments leave sees a whole ledger, and so does the independent judge")
    func beside() throws {
        var chain = ForgedChain()
        for _ in 1...40 {
            for _ in 1...3 { chain.append() }
            chain.roll()
        }
        chain.append()
        let ledger = try CommandLedger(chain, keys: [0])
        let script = """
            archive() { for seq in 13 25 37 49 61 73 85 97 109 119; do "$BULLA" archive --ledger "$1" --before $seq --to "$3" --yes >/dev/null || echo archive; done; }
            archive "$@" & archive=$!
            while kill -0 $archive 2>/dev/null; do
                "$BULLA" verify --ledger "$1" >out 2>err || { echo verify $?; cat out err; }
                python3 "$2" "$1" >out 2>err || { echo judge $?; cat out err; }
                "$BULLA" repair --ledger "$1" >out 2>err || { echo repair $?; cat out err; }
                "$BULLA" state get --ledger "$1" >out 2>err || { echo state $?; cat out err; }
                "$BULLA" log --last 2 --ledger "$1" >out 2>err || { echo log $?; cat out err; }
                "$BULLA" lane history --last 1 --ledger "$1" >out 2>err || { echo history $?; cat out err; }
                rm -rf "$4"; "$BULLA" backup "$4" --ledger "$1" >out 2>err || { echo backup $?; cat out err; }
            done
            wait $archive
            """
        let judge = Program.repository + "/tools/verify_ledger.py"
        let result = try Program.shell(script, ledger.path, judge, ledger.place(), ledger.place("copy")).run(
            in: ledger.directory.path, environment: ["BULLA_ANCHOR": "off"])
        #expect(result.code == 0 && result.output.isEmpty, "\(result)")
        #expect(try ledger.run("verify", "--archive", ledger.place()).code == 0)
    }
}
