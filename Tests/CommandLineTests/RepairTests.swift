import CanonicalJSON
import Foundation
import TestSupport
import Testing

@Suite("bulla repair")
struct RepairTests {
    /// A ledger whose entry 4 of 9 is damaged; HEAD vouches for all of them.
    private func damaged() throws -> CommandLedger {
        let ledger = try CommandLedger(entries: 8)
        try damage(ledger, line: "3")
        return ledger
    }

    /// Changes a bit of the entry that holds this line.
    private func damage(_ ledger: CommandLedger, line: String) throws {
        var bytes = try ledger.read(CommandLedger.firstSegment)
        let range = try #require(bytes.firstRange(of: Array("{\"line\":\"\(line)\"".utf8)))
        bytes[range.upperBound - 2] ^= 8
        try ledger.overwrite(CommandLedger.firstSegment, bytes)
    }

    private func json(_ result: Program.Result) throws -> JSON { try JSON(parsing: Array(result.lastLine.utf8)) }

    @Test("without --yes the plan is shown, 10 is returned, and not a byte changes")
    func plan() throws {
        let ledger = try damaged()
        let before = try ledger.contents()
        let shown = try ledger.run("repair")
        #expect(shown.code == 10)
        for words in [
            "seq 1 to 3 are sound", "damaged: segment 00000000000000000001.frames", "seq 5 is sound again",
            "5 sound entries", "5 proven", "of seq 4 to 9, 5 come back; lost, or in the evidence only: 1",
            "nothing was changed; do it with: bulla repair --yes",
        ] { #expect(shown.output.contains(words), "\(words): \(shown.output)") }
        let plan = try json(try ledger.run("repair", "--json"))
        #expect(plan["applied"]?.bool == false && plan["needed"]?.bool == true)
        #expect(plan["plan"]?["prefix"]?.integer == 3 && plan["plan"]?["seq"]?.integer == 10)
        #expect(plan["plan"]?["gap"]?["first"]?.integer == 4 && plan["plan"]?["gap"]?["last"]?.integer == 9)
        #expect(plan["plan"]?["proven"]?.integer == 5 && plan["plan"]?["lost"]?.integer == 1)
        #expect(try ledger.contents() == before)
    }

    @Test("a whole ledger needs none: 0, and not a byte changes, also with --yes", arguments: [[], ["--yes"]])
    func nothing(arguments: [String]) throws {
        let ledger = try CommandLedger(entries: 3)
        let before = try ledger.contents()
        let shown = try ledger.run(["repair"] + arguments)
        #expect(shown.code == 0 && shown.output.contains("nothing to repair"), "\(shown)")
        #expect(try ledger.contents() == before)
    }

    @Test("with --yes: a sound ledger, the damaged one kept whole, and both verifiers find it intact")
    func applied() throws {
        let ledger = try damaged()
        let segment = try ledger.read(CommandLedger.firstSegment)
        let done = try ledger.run(
            "repair", "--yes", "--reason", "the disk was replaced", "--root-cause", "a dying disk", "--lesson", "watch the disk")
        #expect(done.code == 0, "\(done.error)")
        #expect(done.output.contains("repaired: seq 10 says how") && done.receipts.count == 1, "\(done.output)")
        try ledger.expectIntact(seq: 15)
        let kept = try ledger.contents().filter { $0.key.hasPrefix("quarantine/ledger-10-") && $0.key.hasSuffix(".frames") }
        #expect(kept.count == 1 && kept.values.first == segment)
        let entry = try #require(try ledger.entries("--action", "ledger.repaired").first?["entry"])
        #expect(entry["justification"]?["reason"]?.string == "the disk was replaced")
        let body = try #require(entry["body"])
        #expect(body["root_cause"]?.string == "a dying disk" && body["lesson"]?.string == "watch the disk")
        #expect(body["evidence"]?.string.map { kept.keys.first?.hasPrefix($0 + "/") == true } == true)
        #expect(body["damages"]?.array?.first?["sha256"]?.string?.count == 64)
        #expect(try ledger.append().code == 0)
        try ledger.expectIntact(seq: 16)
        // Damaged once more, also in what the first repair wrote.
        try damage(ledger, line: "6")
        #expect(try ledger.run("repair").code == 10)
        let again = try json(try ledger.run("repair", "--yes", "--json"))
        #expect(again["applied"]?.bool == true && again["evidence"]?.string != nil && again["receipt"] != nil)
        try ledger.expectIntact()
    }

    @Test("a torn tail is no damage: the plan says so with 0, and --yes cuts it as every writer does")
    func torn() throws {
        let ledger = try CommandLedger(entries: 3)
        let head = try ledger.read("HEAD")
        #expect(try ledger.append().code == 0)
        try ledger.overwrite("HEAD", head)
        var bytes = try ledger.read(CommandLedger.firstSegment)
        let end = try #require(bytes.lastIndex { $0 != 0 })
        // As a write that was cut short leaves it: the first half, and nothing behind.
        bytes.replaceSubrange((end - 200)..., with: [])
        try ledger.overwrite(CommandLedger.firstSegment, bytes)
        let before = try ledger.contents()
        let plan = try ledger.run("repair")
        #expect(
            plan.code == 0 && plan.output.contains("nothing to repair") && plan.output.contains("a crash has torn"), "\(plan)")
        #expect(try json(ledger.run("repair", "--json"))["needed"] == false)
        #expect(try ledger.contents() == before)
        let done = try ledger.run("repair", "--yes")
        #expect(done.code == 0 && done.output.contains("nothing to repair") && done.error.contains("torn tail"), "\(done)")
        try ledger.expectIntact(seq: 5)
    }

    @Test("a repair that was killed before HEAD: the plan says that it will be finished, and --yes does just that")
    func interrupted() throws {
        let ledger = try damaged()
        // The third rename puts HEAD in place.
        let script = """
            cd "$1"; for n in 1 2 3 4 5 6 7 8; do
                rm -rf T; cp -a L T
                strace -f -qq -o trace -e trace=renameat -e inject=renameat:signal=SIGKILL:when=$n "$BULLA" repair --yes --ledger T
                [ -e T/repair ] && [ -d T/quarantine ] && ! cmp -s T/ledger/00000000000000000001.frames \
                    L/ledger/00000000000000000001.frames && break
            done > out 2>&1; rm -rf L; mv T L
            """
        _ = try Program.shell(script, ledger.directory.path).run()
        let before = try ledger.contents()
        let shown = try ledger.run("repair")
        #expect(shown.code == 10 && shown.output.contains("a repair was interrupted"), "\(shown)")
        let told = try json(ledger.run("repair", "--json"))
        #expect(told["applied"] == false && told["needed"] == true && told["plan"] == nil)
        #expect(try ledger.contents() == before)
        let done = try ledger.run("repair", "--yes", "--json")
        #expect(done.code == 0, "\(done)")
        #expect(try json(done)["receipt"] == told["interrupted"]?["receipt"])
        try ledger.expectIntact(seq: 15)
    }

    @Test("a whole ledger in alert: the plan returns 21, and --yes releases it, recorded")
    func alert() throws {
        let ledger = try damaged()
        let damagedBytes = try ledger.read(CommandLedger.firstSegment)
        // The damage is noticed, and then goes away.
        #expect(try ledger.run("repair", "--yes", "--max-skips", "1").code == 0)
        _ = damagedBytes
        var bytes = try ledger.read(CommandLedger.firstSegment)
        let whole = bytes
        let last = try #require(bytes.lastIndex { $0 != 0 })
        bytes[last - 1] ^= 1
        try ledger.overwrite(CommandLedger.firstSegment, bytes)
        #expect(try ledger.append().code == 10)
        try ledger.overwrite(CommandLedger.firstSegment, whole)
        #expect(try ledger.append().code == 21)
        let before = try ledger.contents()
        let plan = try ledger.run("repair")
        #expect(plan.code == 21 && plan.output.contains("the alert is RAISED"), "\(plan)")
        #expect(try ledger.contents() == before)
        let done = try ledger.run("repair", "--yes")
        #expect(done.code == 0 && !done.output.contains("quarantine"), "\(done)")
        let repaired = try #require(try ledger.entries("--action", "ledger.repaired").last?["entry"]?["body"])
        #expect(repaired["root_cause"]?.string?.contains("offset") == true, "what was noticed is kept: \(repaired)")
        #expect(try ledger.append().code == 0)
        try ledger.expectIntact(seq: 17)
    }

    @Test("more damages than --max-skips is refused with 10; a number that is none is usage")
    func tooMany() throws {
        let ledger = try damaged()
        try damage(ledger, line: "6")
        let before = try ledger.contents()
        let refused = try ledger.run("repair", "--max-skips", "1")
        #expect(refused.code == 10 && refused.error.contains("--max-skips"), "\(refused)")
        #expect(try ledger.run("repair", "--max-skips", "0").code == 64)
        #expect(try ledger.run("repair", "--lesson", String(repeating: "x", count: 20_000)).code == 64)
        #expect(try ledger.contents() == before)
    }

    @Test("without its key a ledger is not repaired: 11, and nothing changes")
    func keyless() throws {
        let ledger = try damaged()
        try ledger.directory.remove(ledger.name(try ledger.keyFile))
        let before = try ledger.contents()
        for arguments in [["repair"], ["repair", "--yes"]] {
            let refused = try ledger.run(arguments)
            #expect([10, 11].contains(refused.code), "\(refused)")
            #expect(try ledger.contents() == before)
        }
    }
}

@Suite("bulla repair, stopped and hindered", .enabled(if: Machine.hasStrace, Machine.needsStrace))
struct RepairSystemCallTests {
    /// Runs a damaged ledger's repair once for each call, hinders it there, looks, and lets a second one complete it.
    private func sweep(_ injection: String, calls: String, expected: String) throws {
        let ledger = try CommandLedger(entries: 6)
        var bytes = try ledger.read(CommandLedger.firstSegment)
        let range = try #require(bytes.firstRange(of: Array("{\"line\":\"3\"".utf8)))
        bytes[range.upperBound - 2] ^= 8
        try ledger.overwrite(CommandLedger.firstSegment, bytes)
        try ledger.backUp(as: "damaged")
        let script = """
            cd "$1"; cp L/\(CommandLedger.firstSegment) segment
            for call in \(calls); do
                k=1
                while :; do
                    rm -rf L; cp -a damaged L
                    strace -f -qq -o trace -e trace=$call -e inject=$call:\(injection):when=$k \
                        "$BULLA" repair --ledger L --yes > out 2> err
                    code=$?
                    grep -q '(INJECTED)' trace || grep -q 'killed by SIGKILL' trace || break
                    echo "did $call $k $code $(tr '\\n' ' ' < err)"
                    case " \(expected) " in *" $code "*) ;; *) echo "FAILED $call $k: code $code: $(cat err)";; esac
                    kept=no
                    for file in L/\(CommandLedger.firstSegment) L/quarantine/ledger-*/00000000000000000001.frames; do
                        cmp -s $file segment && kept=yes
                    done
                    [ $kept = yes ] || echo "FAILED $call $k: the damaged bytes are gone"
                    # Where nothing has begun, the damage lies where a writer does not look.
                    if cmp -s L/HEAD damaged/HEAD && [ ! -e L/repair ]; then :
                    elif "$BULLA" append --ledger L --actor a:b --action c --pillar integrity --reason r --body '{}' > out 2> err; then
                        "$BULLA" verify --ledger L > v || echo "FAILED $call $k: a writer was let in: $(cat v)"
                    fi
                    "$BULLA" repair --ledger L --yes > out 2> err || echo "FAILED $call $k second: $(cat err)"
                    "$BULLA" verify --ledger L > v || echo "FAILED $call $k verify: $(cat v)"
                    python3 "$2/tools/verify_ledger.py" L > v || echo "FAILED $call $k judge: $(cat v)"
                    "$BULLA" log --ledger L --json > log
                    for line in 1 2 4 5 6; do
                        [ $(grep -c "\\"line\\":\\"$line\\"" log) = 1 ] || echo "FAILED $call $k: line $line is not there once"
                    done
                    "$BULLA" append --ledger L --actor a:b --action c --pillar integrity --reason r --body '{}' > out 2> err \
                        || echo "FAILED $call $k append: $(cat err)"
                    k=$((k+1))
                done
            done
            """
        let result = try Program(
            "/usr/bin/env",
            [
                "timeout", "-s", "KILL", "900", "env", "BULLA=" + Program.bullaPath, "sh", "-c", script, "sh",
                ledger.directory.path, Program.repository,
            ]
        ).run()
        #expect(result.code == 0, "\(result.error.suffix(500))")
        let lines = result.output.split(separator: "\n").map(String.init)
        let failures = lines.filter { $0.hasPrefix("FAILED") }
        #expect(failures.isEmpty)
        #expect(lines.count { $0.hasPrefix("did ") } > 5, "\(result.output)")
        for call in calls.split(separator: " ") {
            #expect(lines.contains { $0.hasPrefix("did \(call) ") }, "\(call) was never hindered")
        }
    }

    @Test(
        "killed at every system call that changes something, the next one completes it",
        arguments: ["pwrite64 renameat2 mkdirat unlinkat", "fsync fdatasync renameat"])
    func killed(calls: String) throws { try sweep("signal=SIGKILL", calls: calls, expected: "137") }

    @Test("a call that fails gives 30, or a repair that holds", arguments: ["EIO", "ENOSPC"])
    func failed(error: String) throws {
        try sweep("error=\(error)", calls: "pwrite64 fsync fdatasync renameat renameat2 mkdirat", expected: "0 30")
    }
}
