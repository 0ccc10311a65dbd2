import CanonicalJSON
import Foundation
import TestSupport
import Testing

/// A ledger whose anchors are kept in a folder of the test's own.
private struct AnchoredLedger {
    let ledger: CommandLedger
    let state: String

    init(entries: Int = 0) throws {
        ledger = try CommandLedger(entries: entries)
        state = ledger.directory.path("state")
    }

    func run(_ arguments: [String], at name: String = "L", anchor: Bool = true) throws -> Program.Result {
        try Program.watched(arguments + ["--ledger", ledger.directory.path(name)])
            .run(in: ledger.directory.path, environment: anchor ? ["BULLA_STATE_DIR": state] : ["BULLA_ANCHOR": "off"])
    }

    func append(at name: String = "L") throws -> Program.Result {
        try run(CommandLedger.appendArguments + ["--body", "{}"], at: name)
    }

    func verify(at name: String = "L") throws -> Program.Result { try run(["verify"], at: name) }

    var anchorFile: String {
        get throws {
            let names = try FileManager.default.contentsOfDirectory(atPath: state + "/anchors")
            return "state/anchors/" + (try #require(names.first { !$0.hasSuffix(".new") }))
        }
    }

    func seq(at name: String = "L") throws -> Int64? {
        let anchor = try JSON(parsing: ledger.directory.read(anchorFile))
        return anchor["places"]?.array?.first { $0["path"]?.string == ledger.directory.path(name) }?["seq"]?.integer
    }
}

@Suite("The anchor in the user's state folder")
struct AnchorTests {
    @Test("behind a rotation an anchor that lags raises no alarm: another user wrote meanwhile")
    func rotated() throws {
        let anchored = try AnchoredLedger()
        #expect(try anchored.append().code == 0)
        #expect(try anchored.run(["key", "rotate", "--reason", "a year has passed"]).code == 0)
        #expect(try anchored.append().code == 0)
        // As by somebody with another state folder.
        #expect(try anchored.ledger.append().code == 0)
        let next = try anchored.append()
        #expect(next.code == 0, "\(next.error)")
        #expect(try anchored.verify().code == 0)
    }

    @Test("a repair of a ledger that was put back uses no seq again: what was rolled back is named as lost")
    func repairedRollback() throws {
        let anchored = try AnchoredLedger(entries: 10)
        let ledger = anchored.ledger
        try ledger.backUp(as: "old")
        let receipts = try (0..<5).map { _ in try anchored.append().output }
        #expect(try anchored.seq() == 16)
        try ledger.restore(from: "old")
        #expect(try anchored.append().code == 10)
        var bytes = try ledger.read(CommandLedger.firstSegment)
        let lineFeeds = bytes.indices.filter { bytes[$0] == 0x0A }
        bytes[lineFeeds[3] + 100] ^= 1
        try ledger.overwrite(CommandLedger.firstSegment, bytes)
        let repair = try anchored.run(["repair", "--yes"])
        #expect(repair.code == 0, "\(repair.error)")
        #expect(repair.output.contains("repaired: seq 17"), "\(repair.output)")
        #expect(repair.output.contains("WARNING: the ledger at ") && repair.output.contains("stepped back from seq 16, seen on"))
        try Data(receipts.joined().utf8).write(to: URL(fileURLWithPath: ledger.directory.path("receipts")))
        let verified = try anchored.run(["verify", "--receipt", "receipts"])
        #expect(verified.code == 10 && verified.output.contains("seq 12, was lost in repair 17"), "\(verified.output)")
        #expect(try anchored.append().code == 0)
        #expect(try ledger.agreedVerdict().code == 0)
    }

    @Test("a repair of another history mends the bytes, says what was seen, and gives 10 until that is accepted")
    func repairedFork() throws {
        let anchored = try AnchoredLedger(entries: 3)
        let ledger = anchored.ledger
        try ledger.backUp(as: "old")
        for _ in 0..<2 { #expect(try anchored.append().code == 0) }
        try ledger.restore(from: "old")
        for _ in 0..<4 {
            #expect(try anchored.run(CommandLedger.appendArguments + ["--body", "{}"], anchor: false).code == 0)
        }
        var bytes = try ledger.read(CommandLedger.firstSegment)
        let lineFeeds = bytes.indices.filter { bytes[$0] == 0x0A }
        bytes[lineFeeds[1] + 100] ^= 1
        try ledger.overwrite(CommandLedger.firstSegment, bytes)

        let shown = try anchored.run(["repair"])
        #expect(shown.code == 10 && shown.output.contains("WARNING: the entry with seq 6 at "), "\(shown)")
        let json = try JSON(parsing: Array(anchored.run(["repair", "--json"]).lastLine.utf8))
        #expect(json["plan"]?["anchor_seen"]?.array?.first?["seq"]?.integer == 6, "\(json)")
        let repair = try anchored.run(["repair", "--yes"])
        #expect(repair.code == 10 && repair.output.contains("repaired: seq 9"), "\(repair)")
        #expect(repair.output.contains("but the entry with seq 6 at ") && repair.output.contains("bulla anchor accept"))
        let entry = try #require(try ledger.entries("--action", "ledger.repaired").last?["entry"])
        #expect(entry["body"]?["anchor"]?["seq"]?.integer == 6, "\(entry)")
        for arguments in [["verify"], ["status"], ["anchor", "show"], ["repair"]] {
            let told = try anchored.run(arguments)
            #expect(told.code == 10 && told.output.contains("another history"), "\(arguments): \(told)")
        }
        #expect(try anchored.append().code == 10)
        #expect(try anchored.run(["anchor", "accept", "--reason", "the other one is gone"]).code == 0)
        #expect(try anchored.append().code == 0 && anchored.verify().code == 0)
        #expect(try ledger.agreedVerdict().code == 0)
    }

    @Test("the whole directory put back is noticed by append, verify and status; accept records it, and work goes on")
    func rollback() throws {
        let anchored = try AnchoredLedger(entries: 3)
        let ledger = anchored.ledger
        let first = try anchored.append()
        #expect(first.code == 0 && first.error.contains("nothing is known here"), "\(first.error)")
        #expect(try anchored.seq() == 5)
        try ledger.backUp(as: "old")
        let second = try anchored.append()
        #expect(second.code == 0 && second.error.isEmpty, "\(second.error)")
        let quiet = try anchored.verify()
        #expect(quiet.code == 0 && quiet.error.isEmpty, "\(quiet.error)")

        try ledger.restore(from: "old")
        try ledger.expectRefusal(10, "stepped back from seq 6", "to seq 5", "bulla anchor accept", "nothing was written") {
            try anchored.append()
        }
        let verified = try anchored.verify()
        #expect(verified.code == 10 && verified.output.contains("seq 6: the ledger at"), "\(verified.output)")
        let status = try anchored.run(["status"])
        #expect(status.code == 10 && status.output.contains("anchor     the ledger at"), "\(status.output)")
        #expect(try anchored.run(["anchor", "show"]).code == 10)
        // Without the anchor it is whole: the independent verifier cannot know.
        #expect(try ledger.agreedVerdict().code == 0)

        let accepted = try anchored.run(["anchor", "accept", "--reason", "a restore"])
        #expect(accepted.code == 0 && accepted.output.contains("accepted: seq 6"), "\(accepted.error)")
        let entry = try #require(try ledger.entries("--action", "anchor.accepted").first?["entry"])
        #expect(entry["justification"]?["reason"]?.string == "a restore" && entry["body"]?["from"]?["seq"]?.integer == 6)
        #expect(entry["body"]?["to"]?["seq"]?.integer == 5)
        #expect(try anchored.append().code == 0)
        let again = try anchored.run(["anchor", "accept", "--reason", "again"])
        #expect(again.code == 0 && again.output.contains("nothing to accept"))
        #expect(try anchored.verify().code == 0)
        try ledger.expectIntact(seq: 7)
    }

    @Test("an archive does not hide a step back: what it took of what was seen is said, and compared where it lies")
    func archivedRollback() throws {
        let anchored = try AnchoredLedger()
        let ledger = anchored.ledger
        func append(_ count: Int, anchor: Bool) throws {
            for _ in 1...count {
                let appended = try anchored.run(CommandLedger.appendArguments + ["--body", "{}"], anchor: anchor)
                try #require(appended.code == 0, "\(appended)")
            }
        }
        try ledger.backUp(as: "old")
        try append(4, anchor: true)
        try ledger.restore(from: "old")
        try append(6, anchor: false)
        let archive = ["archive", "--before", "99", "--to", ledger.place(), "--yes"]
        #expect(try anchored.run(archive, anchor: false).code == 0)
        let words = "the entry with seq 5, seen here on "
        let verified = try anchored.verify()
        #expect(verified.code == 0 && verified.error.contains(words) && verified.error.contains("--archive"), "\(verified)")
        #expect(try anchored.run(["status"]).output.contains("was archived since"))
        let shown = try anchored.run(["anchor", "show"])
        #expect(shown.code == 0 && shown.output.contains(words) && !shown.output.contains("agrees"), "\(shown)")
        let whole = try anchored.run(["verify", "--archive", ledger.place()])
        #expect(whole.code == 10 && whole.output.contains("this is another history"), "\(whole)")
        // A writer goes on, and says what that means; once.
        let first = try anchored.append()
        #expect(first.code == 0 && first.error.contains("counts as seen from here on"), "\(first)")
        #expect(try anchored.append().error.isEmpty)
        #expect(try anchored.verify().error.isEmpty)
    }

    @Test("an archive by whoever keeps the anchor raises no question, however often")
    func archivedHonestly() throws {
        let anchored = try AnchoredLedger()
        #expect(try anchored.append().code == 0)
        for place in ["A", "B"] {
            let archive = try anchored.run(["archive", "--before", "99", "--to", anchored.ledger.place(place), "--yes"])
            #expect(archive.code == 0 && archive.error.isEmpty, "\(archive)")
            for verb in [["verify"], ["anchor", "show"]] {
                let result = try anchored.run(verb)
                #expect(result.code == 0 && result.error.isEmpty && !result.output.contains("archived since"), "\(result)")
            }
            #expect(try anchored.append().error.isEmpty)
        }
    }

    @Test("doctor and top tell a step back as long as nobody has accepted it, and what to do")
    func standing() throws {
        let anchored = try AnchoredLedger(entries: 3)
        let ledger = anchored.ledger
        #expect(try anchored.append().code == 0)
        try ledger.backUp(as: "old")
        #expect(try anchored.append().code == 0)
        func anchorFinding() throws -> (code: Int32, state: String?, text: String) {
            let doctor = try anchored.run(["doctor", "--no-write", "--json"])
            let findings = try JSON(parsing: Array(doctor.output.utf8))["findings"]?.array ?? []
            let finding = findings.first { $0["name"] == "anchor" }
            return (doctor.code, finding?["state"]?.string, finding?.canonicalText ?? "")
        }
        #expect(try anchorFinding().state == "ok")
        #expect(try anchored.run(["top"]).code == 0)

        try ledger.restore(from: "old")
        let found = try anchorFinding()
        #expect(found.code == 20 && found.state == "problem", "\(found)")
        for words in ["stepped back from seq 6", "to seq 5", "bulla anchor accept"] {
            #expect(found.text.contains(words), "\(found)")
        }
        let top = try anchored.run(["top"])
        #expect(top.code == 10 && top.output.contains("TAMPERED: the ledger at "), "\(top.output)")
        #expect(top.output.contains("stepped back from seq 6") && top.output.contains("user:ada"), "what is there is shown too")

        #expect(try anchored.run(["anchor", "accept", "--reason", "a restore"]).code == 0)
        #expect(try anchorFinding().state == "ok")
        #expect(try anchored.run(["top"]).code == 0)
    }

    @Test("from the first entry on: a ledger that goes back to how init left it is noticed")
    func fromTheBeginning() throws {
        let directory = TemporaryDirectory()
        let environment = ["BULLA_STATE_DIR": directory.path("deep/er/state")]
        func run(_ arguments: [String]) throws -> Program.Result {
            try Program.watched(arguments).run(in: directory.path, environment: environment.merging(["BULLA_DIR": "L"]) { $1 })
        }
        #expect(try run(["init"]).code == 0)
        try directory.copy("L", to: "old")
        let appended = try run(CommandLedger.appendArguments + ["--body", "{}"])
        #expect(appended.code == 0 && appended.error.isEmpty, "\(appended.error)")
        try directory.remove("L")
        try directory.copy("old", to: "L")
        #expect(try run(["verify"]).code == 10)
        let modes = try Program.shell("stat -c %a \"$1\"/deep/er/state/anchors", directory.path).run()
        #expect(modes.output == "700\n")
    }

    @Test("a copy elsewhere is told of, and stays usable; when both were written, the one that gets as far stops")
    func copies() throws {
        let anchored = try AnchoredLedger(entries: 3)
        #expect(try anchored.append().code == 0)
        try anchored.ledger.backUp(as: "M")
        #expect(try anchored.verify(at: "M").error.isEmpty, "a copy that is as new is no news")
        for _ in 1...2 { #expect(try anchored.append().code == 0) }
        let behind = try anchored.append(at: "M")
        #expect(behind.code == 0 && behind.error.contains("/L up to seq 7") && behind.error.contains("this is a copy"))
        #expect(try anchored.verify(at: "M").code == 0)
        #expect(try anchored.append(at: "M").code == 0)
        let parted = try anchored.append(at: "M")
        #expect(parted.code == 10 && parted.error.contains("both copies were written"), "\(parted.error)")
        let verified = try anchored.verify(at: "M")
        #expect(verified.code == 10 && verified.output.contains("two histories"), "\(verified.output)")
        // The other one is told of too: its entry has the same seq.
        #expect(try anchored.verify().code == 10)
        #expect(try anchored.run(["anchor", "accept", "--reason", "M is for trials"]).code == 0)
        #expect(try anchored.append().code == 0)
        #expect(try anchored.verify().code == 0)
    }

    @Test("an absent, unwritable, foreign or damaged anchor is a warning, work goes on, and what is damaged is made anew")
    func unusable() throws {
        let anchored = try AnchoredLedger(entries: 1)
        let ledger = anchored.ledger
        #expect(try anchored.append().code == 0)
        let good = try ledger.directory.read(try anchored.anchorFile)
        for bad in [[], Array(good.dropLast()), Array("[]".utf8), [UInt8](repeating: 0, count: 4096)] {
            let file = try anchored.anchorFile
            try ledger.directory.write(bad, to: file)
            let verified = try anchored.verify()
            #expect(verified.code == 0 && verified.error.contains("is damaged"), "\(verified.error)")
            #expect(try ledger.directory.read(file) == bad, "verify wrote")
            let appended = try anchored.append()
            #expect(appended.code == 0 && appended.error.contains("is damaged"), "\(appended.error)")
            #expect(try anchored.append().error.isEmpty)
        }
        try ledger.directory.remove("state")
        #expect(try anchored.verify().error.contains("nothing is known here"))
        #expect(!FileManager.default.fileExists(atPath: anchored.state), "verify wrote")
        for obstacle in ["touch state", "mkdir state && touch state/anchors", "mkdir -p state/anchors/$(basename $2)"] {
            #expect(
                try Program.shell("cd \"$1\" && rm -rf state && \(obstacle)", ledger.directory.path, try ledgerID(ledger)).run()
                    .code
                    == 0)
            let appended = try anchored.append()
            #expect(appended.code == 0 && appended.error.contains("the anchor was not kept"), "\(obstacle): \(appended.error)")
        }
        try ledger.expectIntact()
    }

    private func ledgerID(_ ledger: CommandLedger) throws -> String {
        try #require(try ledger.entries().first?["entry"]?["ledger"]?.string)
    }

    @Test("switched off it is silent and keeps nothing", arguments: [["BULLA_ANCHOR": "off"], ["BULLA_STATE_DIR": ""]])
    func off(variables: [String: String]) throws {
        let anchored = try AnchoredLedger(entries: 1)
        let environment = ["BULLA_STATE_DIR": anchored.state, "HOME": anchored.state].merging(variables) { $1 }
        for arguments in [CommandLedger.appendArguments + ["--body", "{}"], ["verify"], ["status"]] {
            let result = try anchored.ledger.run(arguments, environment: environment)
            #expect(result.code == 0 && result.error.isEmpty, "\(result.error)")
        }
        #expect(!FileManager.default.fileExists(atPath: anchored.state))
        #expect(try anchored.ledger.run(["anchor", "show"], environment: environment).code == 64)
    }

    @Test("the folder is that of XDG, else of the home folder")
    func folders() throws {
        let anchored = try AnchoredLedger(entries: 1)
        let directory = anchored.ledger.directory
        let append = CommandLedger.appendArguments + ["--body", "{}", "--ledger", anchored.ledger.path]
        func run(_ variables: String) throws {
            let command =
                (["env", "-u", "BULLA_STATE_DIR"] + variables.split(separator: " ").map(String.init) + [Program.bullaPath]
                    + append)
            #expect(try Program("/usr/bin/env", command).run(in: directory.path).code == 0)
        }
        try run("XDG_STATE_HOME=\(directory.path("x")) HOME=\(directory.path("h"))")
        #expect(FileManager.default.fileExists(atPath: directory.path("x/bulla/anchors")))
        #expect(!FileManager.default.fileExists(atPath: directory.path("h")))
        try run("XDG_STATE_HOME=relative HOME=\(directory.path("h"))")
        #expect(FileManager.default.fileExists(atPath: directory.path("h/.local/state/bulla/anchors")))
    }

    @Test("a ledger below a folder whose name is no UTF-8 is known by its bytes")
    func oddPath() throws {
        let anchored = try AnchoredLedger(entries: 1)
        let script = """
            cd "$1"; export BULLA_STATE_DIR="$1/state"; odd=$(printf 'odd\\377'); other=$(printf 'odd\\376')
            mkdir "$odd" "$other"; cp -a L "$odd/L"; cp -a L "$other/L"
            append() { "$BULLA" append --ledger L --actor a:b --action c --pillar integrity --reason r --body '{}' > out 2> err; echo $?; }
            cd "$odd"; append; cp -a L ../old; append; rm -rf L; mv ../old L; append; cat err; cd "../$other"; append
            """
        let result = try Program.shell(script, anchored.ledger.directory.path).run()
        let lines = result.output.split(separator: "\n")
        #expect(lines.count == 5 && lines[0] == "0" && lines[1] == "0" && lines[2] == "10" && lines[4] == "0", "\(result.output)")
        #expect(lines.count == 5 && lines[3].contains("stepped back"))
        #expect(
            String(decoding: try anchored.ledger.directory.read(try anchored.anchorFile), as: UTF8.self).contains("path_base64"))
    }

    @Test("eight processes append, others verify and look at the status: never a false alarm, and the anchor ends at the tip")
    func concurrent() throws {
        let anchored = try AnchoredLedger(entries: 1)
        #expect(try anchored.append().code == 0)
        let script = """
            export BULLA_STATE_DIR="$1/state"
            for n in $(seq 1 25); do
                "$BULLA" append --ledger "$1/L" --wait 60 --actor "process:$2" --action t.e --pillar integrity --reason r --body '{}' || exit
            done
            """
        let writers = try (1...8).map { try Program.shell(script, anchored.ledger.directory.path, String($0)).start() }
        var looks = 0
        while try writers.contains(where: { try $0.output.split(separator: "\n").count < 25 }), looks < 200 {
            for verb in ["verify", "status"] {
                let looked = try anchored.run([verb])
                #expect(looked.code == 0 && looked.error.isEmpty, "\(looked.output) \(looked.error)")
            }
            looks += 1
        }
        for writer in writers {
            let result = try writer.wait()
            #expect(result.code == 0 && result.error.isEmpty, "\(result.error)")
        }
        #expect(looks > 0)
        try anchored.ledger.expectIntact(seq: 203)
        #expect(try anchored.seq() == 203)
    }

    @Test(
        "killed at any system call, or with any of them failing, an append leaves an anchor that raises no alarm",
        .enabled(if: Machine.hasStrace, Machine.needsStrace))
    func killed() throws {
        let anchored = try AnchoredLedger(entries: 2)
        #expect(try anchored.append().code == 0)
        let script = """
            cd "$1"; export BULLA_STATE_DIR="$1/state"
            append() { "$@" "$BULLA" append --ledger L --actor a:b --action c --pillar integrity --reason r --body '{}'; }
            for fault in signal=SIGKILL error=EIO; do
            for call in pwrite64 renameat unlinkat fdatasync fsync flock; do
                k=1
                while :; do
                    append strace -f -qq -o trace -e trace=$call -e inject=$call:$fault:when=$k > out 2> err
                    code=$?
                    [ $code = 137 ] || grep -q '(INJECTED)' trace || break
                    echo "did $fault $call $k $code"
                    "$BULLA" verify --ledger L > v 2> e || echo "FAILED $fault $call $k verify: $(cat v e)"
                    append > out 2> err || echo "FAILED $fault $call $k append: $(cat err)"
                    k=$((k+1))
                done
            done
            done
            """
        let result = try Program.shell(script, anchored.ledger.directory.path).run()
        let lines = result.output.split(separator: "\n")
        #expect(result.code == 0 && !lines.contains { $0.hasPrefix("FAILED") }, "\(result.output)")
        #expect(lines.count > 20, "\(result.output)")
        try anchored.ledger.expectIntact()
    }
}
