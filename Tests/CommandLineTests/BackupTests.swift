import CanonicalJSON
import Foundation
import TestSupport
import Testing

@Suite("bulla backup")
struct BackupTests {
    private func backUp(_ ledger: CommandLedger, _ more: String...) throws -> Program.Result {
        try ledger.run(["backup", ledger.directory.path("B")] + more)
    }

    private func check(_ ledger: CommandLedger, _ more: String...) throws -> Program.Result {
        try ledger.run(["backup", "--check", ledger.directory.path("B")] + more)
    }

    private func judge(_ ledger: CommandLedger, _ name: String = "B") throws -> Verdict {
        Verdict(try Program.judge([ledger.directory.path(name)]).run())
    }

    @Test("the copy verifies by both verifiers, is recorded in the ledger, and is restored by putting it in its place")
    func roundTrip() throws {
        let ledger = try CommandLedger(entries: 5)
        let made = try backUp(ledger, "--json")
        #expect(made.code == 0 && made.error.isEmpty, "\(made.error)")
        let json = try JSON(parsing: Array(made.output.utf8))
        #expect(json["seq"]?.integer == 6 && json["segments"]?.integer == 1 && json["verdict"]?.string == "intact")
        #expect(try judge(ledger).line.hasSuffix(", seq 6"))
        let entry = try #require(try ledger.entries("--action", "backup.finished").first?["entry"])
        #expect(entry["actor"]?.string == "service:bulla" && entry["justification"]?["pillar"]?.string == "resilience")
        let body = entry["body"]
        #expect(
            body?["path"]?.string == ledger.directory.path("B") && body?["hash"] == json["hash"] && body?["seq"]?.integer == 6)
        #expect(body?["bytes"] == json["bytes"] && body?["segments"]?.integer == 1 && body?["microseconds"]?.integer != nil)

        let compared = try check(ledger, "--json")
        let report = try JSON(parsing: Array(compared.output.utf8))
        #expect(compared.code == 0 && report["restorable"]?.bool == true && report["original"]?["missing"]?.integer == 1)
        try ledger.restore(from: "B")
        #expect(try ledger.append().code == 0)
        try ledger.expectIntact(seq: 7)
    }

    @Test("keys and evidence are in it, deep and byte for byte; the directories are the owner's alone")
    func contents() throws {
        let ledger = try CommandLedger(entries: 2)
        let deep = ledger.path + "/quarantine/repair-1/ledger"
        try FileManager.default.createDirectory(atPath: deep, withIntermediateDirectories: true)
        let odd = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        for name in ["quarantine/evidence.bin", "quarantine/repair-1/ledger/00000000000000000001.frames", "constitution.toml"] {
            try ledger.directory.write(odd, to: ledger.name(name))
        }
        #expect(mkfifo(ledger.path + "/quarantine/pipe", 0o600) == 0)
        let made = try backUp(ledger)
        #expect(made.code == 0 && made.error.contains("quarantine/pipe was not copied"), "\(made.error)")
        for name in ["quarantine/evidence.bin", "quarantine/repair-1/ledger/00000000000000000001.frames", "constitution.toml"] {
            #expect(try ledger.directory.read("B/" + name) == odd)
        }
        #expect(try ledger.directory.read("B/" + ledger.keyFile) == ledger.read(ledger.keyFile))
        let modes = try Program.shell("cd \"$1\" && find B -type d ! -perm 700 -o -type f ! -perm 600", ledger.directory.path)
            .run()
        #expect(modes.output.isEmpty, "\(modes.output)")
    }

    @Test("without its keys it proves nothing by itself, says so with 11, and is whole once the key is back")
    func withoutKeys() throws {
        let ledger = try CommandLedger(entries: 2)
        let made = try backUp(ledger, "--without-keys")
        #expect(made.code == 0 && made.output.contains("not in it"), "\(made.error)")
        let keyless = try check(ledger)
        #expect(keyless.code == 11 && keyless.output.contains("cannot be restored as it is"), "\(keyless.output)")
        try ledger.directory.copy(ledger.name(ledger.keyFile), to: "B/" + ledger.keyFile)
        #expect(try check(ledger).code == 0)
    }

    @Test("a copy that others can enter, or whose key they can read, is not taken for one that can be restored")
    func open() throws {
        let ledger = try CommandLedger(entries: 2)
        #expect(try ledger.run("key", "rotate", "--reason", "r").code == 0)
        #expect(try backUp(ledger).code == 0)
        #expect(try check(ledger).code == 0)
        let copy = ledger.directory.path("B")
        func setMode(_ mode: Int, _ path: String) throws {
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
        }
        try setMode(0o755, copy)
        let entered = try check(ledger, "--json")
        let objections = try JSON(parsing: Array(entered.output.utf8))["objections"]?.array ?? []
        #expect(entered.code == 20 && objections.count == 1 && objections.first?["code"] == 20, "\(entered.output)")
        #expect(objections.first?["message"]?.string?.contains("B is open to others (mode 755)") == true, "\(entered.output)")
        try setMode(0o700, copy)
        for name in try FileManager.default.contentsOfDirectory(atPath: copy + "/keys") {
            try setMode(0o640, copy + "/keys/" + name)
            let read = try check(ledger)
            #expect(read.code == 20 && (read.output + read.error).contains("mode 640"), "\(read)")
            try setMode(0o600, copy + "/keys/" + name)
        }
        try FileManager.default.copyItem(atPath: copy + "/HEAD", toPath: copy + "/keys/spare")
        try setMode(0o644, copy + "/keys/spare")
        let spare = try check(ledger)
        #expect(spare.code == 20 && spare.output.contains("keys/spare is open to others (mode 644)"), "\(spare)")
    }

    @Test("of a copy that is damaged only what stands before the damage is compared, and it says so")
    func damagedCopy() throws {
        let ledger = try CommandLedger(entries: 20)
        #expect(try backUp(ledger).code == 0)
        #expect(try ledger.append().code == 0)
        let segment = "B/" + CommandLedger.firstSegment
        var bytes = try ledger.directory.read(segment)
        let ends = bytes.indices.filter { bytes[$0] == 0x0A }
        bytes[ends[9] + 100] ^= 1
        try ledger.directory.write(bytes, to: segment)
        let text = try check(ledger)
        #expect(
            text.code == 10 && text.output.contains("only seq 1 to 10 of the copy could be compared: the ledger at "), "\(text)")
        #expect(!text.output.contains("further"))
        let original = try JSON(parsing: Array(try check(ledger, "--json").output.utf8))["original"]
        #expect(original?["compared"] == ["first": 1, "last": 10] && original?["missing"] == .null, "\(text)")
    }

    /// A ledger with each kind of evidence that an entry names, and those files in `quarantine/`, each with a byte that is named.
    private func ledgerWithEvidence() throws -> (ledger: CommandLedger, places: [(file: String, offset: Int)]) {
        let ledger = try CommandLedger(entries: 2)
        func names() throws -> Set<String> {
            Set(try FileManager.default.contentsOfDirectory(atPath: ledger.path + "/quarantine"))
        }
        func change(_ file: String, _ offset: (inout [UInt8]) throws -> Int) throws {
            var bytes = try ledger.read(file)
            bytes[try offset(&bytes)] ^= 1
            try ledger.overwrite(file, bytes)
        }
        var places: [(file: String, offset: Int)] = []
        // A torn tail.
        let head = try ledger.read("HEAD")
        let end = try #require(try ledger.read(CommandLedger.firstSegment).lastIndex { $0 != 0 }) + 1
        #expect(try ledger.append().code == 0)
        try ledger.overwrite("HEAD", head)
        try ledger.overwrite(CommandLedger.firstSegment, Array(try ledger.read(CommandLedger.firstSegment)[..<(end + 50)]))
        #expect(try ledger.append().code == 0)
        places += try names().map { ("quarantine/" + $0, 20) }
        // A snapshot that is none.
        #expect(try ledger.run("state", "set", "/n", "1", "--actor", "user:ada").code == 0)
        #expect(try ledger.run("snapshot", "create").code == 0)
        let snapshot = try #require(
            try FileManager.default.contentsOfDirectory(atPath: ledger.path + "/snapshots").first { $0.hasPrefix("documents-") })
        try change("snapshots/" + snapshot) { $0.count / 2 }
        #expect(try ledger.run("state", "set", "/n", "2", "--actor", "user:ada").code == 0)
        places += try names().filter { $0.hasPrefix("snapshot-") }.map { ("quarantine/" + $0, 20) }
        // A damaged entry, and a HEAD that is none: a repair keeps both.
        try change(CommandLedger.firstSegment) { bytes in bytes.indices.filter { bytes[$0] == 0x0A }[1] + 100 }
        try change("HEAD") { $0.count - 10 }
        #expect(try ledger.run("repair", "--yes").code == 0)
        let body = try #require(try ledger.entries("--action", "ledger.repaired").last?["entry"]?["body"])
        let damage = try #require(body["damages"]?.array?.first)
        let replaced = try #require(body["evidence"]?.string) + "/" + (try #require(damage["segment"]?.string))
        places.append((replaced, Int(try #require(damage["offset"]?.integer)) + 5))
        places.append((try #require(body["head"]?["evidence"]?.string), 20))
        return (ledger, places)
    }

    @Test("a flipped bit of evidence is found by --check, whichever entry names it; a piece that is not there is no matter")
    func evidence() throws {
        let (ledger, places) = try ledgerWithEvidence()
        #expect(places.count == 4, "\(places)")
        #expect(try backUp(ledger).code == 0)
        #expect(try check(ledger).code == 0)
        for (file, offset) in places {
            let good = try ledger.directory.read("B/" + file)
            var bad = good
            bad[offset] ^= 1
            try ledger.directory.write(bad, to: "B/" + file)
            let found = try check(ledger)
            #expect(
                found.code == 10 && found.output.contains(file + ": the evidence is not")
                    || found.output.contains(file + ", bytes "))
            #expect(found.code == 10 && found.output.contains("it cannot be restored as it is"), "\(file): \(found.output)")
            let json = try JSON(parsing: Array(try check(ledger, "--json").output.utf8))
            #expect(json["restorable"] == false && json["objections"]?.array?.map { $0["code"] } == [10], "\(file)")
            try ledger.directory.write(good, to: "B/" + file)
            #expect(try check(ledger).code == 0)
        }
        let (file, _) = places[0]
        try ledger.directory.remove("B/" + file)
        #expect(try check(ledger).code == 0)
        try FileManager.default.createSymbolicLink(atPath: ledger.directory.path("B/" + file), withDestinationPath: "/dev/null")
        let linked = try check(ledger)
        #expect(linked.code == 10 && linked.output.contains("is no file of ours"), "\(linked.output)")
        try ledger.directory.remove("B/quarantine")
        try FileManager.default.createDirectory(atPath: ledger.directory.path("B/quarantine"), withIntermediateDirectories: false)
        #expect(try check(ledger).code == 0)
    }

    @Test("every flipped bit of the copied frames and HEAD is found by --check")
    func flipped() throws {
        let ledger = try CommandLedger(entries: 1)
        #expect(try backUp(ledger).code == 0)
        for file in ["B/" + CommandLedger.firstSegment, "B/HEAD"] {
            let good = try ledger.directory.read(file)
            for index in stride(from: 3, to: good.count, by: good.count / 12) {
                var bad = good
                bad[index] ^= 1
                try ledger.directory.write(bad, to: file)
                let found = try check(ledger)
                #expect(found.code == 10 && found.output.hasPrefix("tampered: "), "\(file) \(index): \(found.output)")
            }
            try ledger.directory.write(good, to: file)
            // Written anew by the test, the file has the test's mode; its bytes are right again.
            #expect(try check(ledger).code == 0)
        }
    }

    @Test("--check names what would keep a writer out: modes, the alert, another ledger, another history")
    func obstacles() throws {
        let ledger = try CommandLedger(entries: 3)
        #expect(try backUp(ledger).code == 0)
        let key = ledger.directory.path("B/" + (try ledger.keyFile))
        let segment = ledger.directory.path("B/" + CommandLedger.firstSegment)
        func expect(_ code: Int32, _ word: String, mode: String, of file: String, restored: String) throws {
            #expect(try Program.shell("chmod \(mode) \"$1\"", file).run().code == 0)
            let found = try check(ledger)
            #expect(found.code == code && (found.output + found.error).contains(word), "\(found.output) \(found.error)")
            #expect(try Program.shell("chmod \(restored) \"$1\"", file).run().code == 0)
        }
        try expect(20, "can be read by others", mode: "644", of: key, restored: "600")
        try expect(20, "cannot be written by its owner (mode 400)", mode: "400", of: segment, restored: "600")
        #expect(try check(ledger).code == 0)

        let other = try CommandLedger(entries: 9)
        let foreign = try other.run("backup", "--check", ledger.directory.path("B"))
        #expect(foreign.code == 20 && foreign.output.contains("is another one"), "\(foreign.output)")
        // Not named, another ledger in the working directory is no concern of the backup's.
        let alone = try Program.watched("backup", "--check", ledger.directory.path("B")).run(in: other.directory.path)
        #expect(alone.code == 0 && alone.output.contains("not compared"), "\(alone.output)")

        // Both go on: the histories part.
        #expect(try ledger.append(#"{"n":1}"#).code == 0)
        let further = try Program.watched(
            CommandLedger.appendArguments + ["--body", #"{"n":2}"#, "--ledger", ledger.directory.path("B")]
        ).run()
        #expect(further.code == 0)
        let parted = try check(ledger)
        #expect(parted.code == 10 && parted.output.contains("two histories"), "\(parted.output)")
    }

    @Test("nothing is overwritten, nothing is copied into the ledger itself, and there must be a ledger")
    func refusals() throws {
        let ledger = try CommandLedger(entries: 1)
        try ledger.directory.write([1], to: "B")
        try ledger.expectRefusal(20, "exists already") { try backUp(ledger) }
        try ledger.expectRefusal(64, "inside the ledger") { try ledger.run("backup", ledger.path + "/quarantine/B") }
        try ledger.expectRefusal(64, "inside the ledger") {
            try Program.watched("backup", "B", "--ledger", ledger.path).run(in: ledger.path)
        }
        try ledger.expectRefusal(64, "there is no backup") { try ledger.run("backup", "--check", "none") }
        #expect(try Program.watched("backup", "B2", "--ledger", "none").run(in: ledger.directory.path).code == 64)
        #expect(try FileManager.default.contentsOfDirectory(atPath: ledger.directory.path).sorted() == ["B", "L"])
    }

    @Test(
        "a key is replaced and destroyed between HEAD and the copying of keys: the backup begins again, and can be restored",
        .enabled(if: Machine.hasStrace, Machine.needsStrace), arguments: [[], ["--without-keys"]])
    func destroyed(options: [String]) throws {
        let ledger = try CommandLedger(entries: 3)
        let old = String(try ledger.keyFile.dropFirst("keys/".count).prefix(16))
        // The second directory is the first one in the copy; HEAD was read before.
        let script = """
            exec strace -f -qq -o "$1.trace" -e trace=mkdirat -e inject=mkdirat:signal=SIGSTOP:when=2 \
                "$BULLA" backup "$2" \(options.joined(separator: " ")) --ledger "$1"
            """
        let running = try Program(
            "/usr/bin/env", ["BULLA=" + Program.bullaPath, "sh", "-c", script, "sh", ledger.path, ledger.directory.path("B")]
        ).start(input: [])
        let trace = ledger.path + ".trace"
        try waitUntil("it is stopped") {
            ((try? String(contentsOfFile: trace, encoding: .utf8)) ?? "").contains("stopped by SIGSTOP")
        }
        let text = try String(contentsOfFile: trace, encoding: .utf8)
        let pid = try #require(
            Int32(text.split(separator: "\n").last { $0.contains("stopped by SIGSTOP") }?.prefix { $0 != " " } ?? ""))
        #expect(try ledger.run("key", "rotate", "--reason", "k").code == 0)
        #expect(try ledger.run("key", "retire", old, "--reason", "r", "--destroy").code == 0)
        kill(pid, SIGCONT)
        let made = try running.wait()
        #expect(made.code == 0 && made.output.contains("verified the copy"), "\(made)")
        if options.isEmpty {
            let checked = try check(ledger)
            #expect(checked.code == 0, "\(checked)")
            #expect(try judge(ledger).code == 0)
            try ledger.restore(from: "B")
            #expect(try ledger.append().code == 0)
        } else {
            let key = try ledger.keyFile
            try ledger.directory.copy("L/" + key, to: "B/" + key)
            #expect(try judge(ledger).code == 0)
        }
        try ledger.expectIntact()
    }

    @Test("a damaged ledger is not backed up, and nothing is left behind")
    func damaged() throws {
        let ledger = try CommandLedger(entries: 20)
        var bytes = try ledger.read(CommandLedger.firstSegment)
        bytes[700] ^= 1
        try ledger.overwrite(CommandLedger.firstSegment, bytes)
        let refused = try backUp(ledger)
        #expect(refused.code == 10 && refused.error.contains("bulla verify"), "\(refused.error)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: ledger.directory.path) == ["L"])
    }

    @Test("what cannot be written is backed up all the same, as far as HEAD vouches for it, and it is said")
    func locked() throws {
        let ledger = try CommandLedger(entries: 4)
        // A HEAD that is missing is rebuilt in alert.
        try ledger.directory.remove(ledger.name("HEAD"))
        #expect(try ledger.append().code == 10)
        let made = try backUp(ledger)
        #expect(made.code == 0 && made.output.contains("RAISED") && made.error.contains("not recorded"), "\(made.error)")
        #expect(try judge(ledger).code == 0)
        let found = try check(ledger)
        #expect(found.code == 20 && found.output.contains("in alert"), "\(found.output)")
    }

    @Test("while eight processes append, each backup is whole and holds all that was acknowledged before it began")
    func whileOthersWrite() throws {
        let ledger = try CommandLedger(entries: 200)
        let script = """
            while [ ! -e "$1/stop" ]; do
                seq 1 10 | "$BULLA" ingest --ledger "$1/L" --wait 60 --raw --actor "process:$2" - > /dev/null || exit
                "$BULLA" append --ledger "$1/L" --wait 60 --actor "process:$2" --action t.e --pillar integrity --reason r --body '{}' || exit
            done
            """
        let writers = try (1...8).map { try Program.shell(script, ledger.directory.path, String($0)).start() }
        var lastSeq = 0
        for round in 1...3 {
            try waitUntil("the writers got on") {
                try ledger.directory.read(ledger.name("HEAD")).count > 0
                    && writers.allSatisfy { try $0.output.split(separator: "\n").count >= round }
            }
            // Each writer's newest receipt stands for those before it; the last line may be on its way.
            let acknowledged = try writers.compactMap { writer in
                try writer.output.split(separator: "\n").map(String.init)
                    .last { $0.split(separator: "/").count == 5 && $0.hasSuffix("Z") }
            }
            #expect(acknowledged.count == writers.count)
            let made = try ledger.run("backup", ledger.directory.path("B\(round)"), "--wait", "60")
            #expect(made.code == 0 && made.error.isEmpty, "\(made.error)")
            try ledger.directory.write(Array(acknowledged.joined(separator: "\n").utf8), to: "receipts")
            let checked = try Program.watched(
                "verify", "--ledger", ledger.directory.path("B\(round)"), "--receipt", ledger.directory.path("receipts")
            ).run()
            #expect(checked.code == 0, "\(checked.output)")
            let judged = try judge(ledger, "B\(round)")
            let seq = try #require(judged.line.split(separator: " ").last.flatMap { Int($0) })
            #expect(judged.code == 0 && seq > lastSeq, "\(judged)")
            lastSeq = seq
        }
        try ledger.directory.write([], to: "stop")
        for writer in writers { #expect(try writer.wait().code == 0) }
        try ledger.expectIntact()
        #expect(try ledger.entries("--action", "backup.finished").count == 3)
    }

    @Test(
        "killed at any system call it leaves the ledger whole, and either no backup or a whole one",
        .enabled(if: Machine.hasStrace, Machine.needsStrace))
    func killed() throws {
        let ledger = try CommandLedger(entries: 3)
        try ledger.directory.write([1, 2, 3], to: ledger.name("quarantine/evidence.bin"))
        let script = """
            cd "$1"
            for call in mkdirat pwrite64 fdatasync fsync renameat2 renameat flock; do
                k=1
                while :; do
                    rm -rf B
                    strace -f -qq -o trace -e trace=$call -e inject=$call:signal=SIGKILL:when=$k \\
                        "$BULLA" backup --ledger L B > out 2> err
                    code=$?
                    [ $code = 137 ] || break
                    echo "killed $call $k"
                    "$BULLA" verify --ledger L > v || echo "FAILED $call $k ledger: $(cat v)"
                    if [ -e B ]; then "$BULLA" backup --check B --ledger L > v || echo "FAILED $call $k backup: $(cat v)"; fi
                    k=$((k+1))
                done
                [ $code = 0 ] || echo "FAILED $call $k ended with $code: $(cat err)"
            done
            rm -rf B; "$BULLA" backup --ledger L B > v 2>&1 || echo "FAILED in the end: $(cat v)"
            """
        let result = try Program.shell(script, ledger.directory.path).run()
        let lines = result.output.split(separator: "\n")
        #expect(result.code == 0 && !lines.contains { $0.hasPrefix("FAILED") }, "\(result.output)")
        #expect(lines.count > 30, "too few kills: \(lines.count)")
        for call in ["mkdirat", "pwrite64", "fdatasync", "fsync", "renameat2"] {
            #expect(lines.contains { $0.hasPrefix("killed \(call) ") })
        }
        try ledger.expectIntact()
        #expect(try judge(ledger).code == 0)
    }

    @Test(
        "a call that fails (EIO, ENOSPC) makes no backup and leaves nothing behind",
        .enabled(if: Machine.hasStrace, Machine.needsStrace), arguments: ["EIO", "ENOSPC"])
    func failures(error: String) throws {
        let ledger = try CommandLedger(entries: 3)
        let script = """
            cd "$1"
            for call in mkdirat pwrite64 fdatasync fsync renameat2; do
                k=1
                while :; do
                    rm -rf B
                    strace -f -qq -o trace -e trace=$call -e inject=$call:error=\(error):when=$k "$BULLA" backup --ledger L B > out 2> err
                    code=$?
                    grep -q '(INJECTED)' trace || break
                    echo "failed $call $k $code"
                    "$BULLA" verify --ledger L > v || echo "FAILED $call $k ledger: $(cat v)"
                    ls -A | grep -q bulla-init && echo "FAILED $call $k: something is left"
                    if [ -e B ]; then "$BULLA" backup --check B --ledger L > v || echo "FAILED $call $k backup: $(cat v)"
                    elif [ $code = 0 ]; then echo "FAILED $call $k: said done"; fi
                    k=$((k+1))
                done
            done
            """
        let result = try Program.shell(script, ledger.directory.path).run()
        let lines = result.output.split(separator: "\n")
        #expect(result.code == 0 && !lines.contains { $0.hasPrefix("FAILED") }, "\(result.output)")
        #expect(lines.count { $0.hasPrefix("failed") && $0.hasSuffix(" 30") } > 10, "\(result.output)")
    }
}
