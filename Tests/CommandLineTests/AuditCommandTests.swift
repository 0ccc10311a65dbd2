import CanonicalJSON
import Foundation
import LedgerFormat
import TestSupport
import Testing

@Suite("bulla audit")
struct AuditCommandTests {
    @Test("damage in what a retired and destroyed key has sealed raises the alert, as any other")
    func retired() throws {
        let ledger = try CommandLedger(entries: 3)
        let keys = try JSON(parsing: Array(try ledger.run("key", "list", "--json").output.utf8))
        let old = try #require(keys["keys"]?.array?.first?["key"]?.string)
        #expect(try ledger.run("key", "rotate", "--reason", "r").code == 0)
        #expect(try ledger.run("key", "retire", old, "--reason", "r", "--destroy").code == 0)
        var bytes = try ledger.read(CommandLedger.firstSegment)
        bytes[(bytes.firstIndex(of: 0x0A) ?? 0) + 100] ^= 1
        try ledger.overwrite(CommandLedger.firstSegment, bytes)
        #expect(try ledger.run("audit").code == 10)
        #expect(try ledger.append().code == 21)
    }

    @Test("--allow-extra: members that format 1 does not know are no failure, and the entry says that they were allowed")
    func extra() throws {
        let chain = ForgedChain()
        let ledger = try CommandLedger(chain, keys: 0..<1)
        let key = ForgedChain.keys[0]
        var (tip, bytes) = (chain.tip, chain.bytes)
        for more in [#","w":1"#, ""] {
            let forge = Forge(after: tip) { $0.more = more }
            bytes += forge.frame(key)
            (tip.seq, tip.hash, tip.synced) = (tip.seq + 1, forge.seal(key).hash, tip.seq)
        }
        try ledger.overwrite(CommandLedger.firstSegment, bytes)
        try ledger.overwrite("HEAD", Head(alert: false, end: bytes.count, segment: 1, tip: tip).sealed(with: key))
        let allowed = try ledger.run("audit", "--allow-extra", "--json")
        let json = try JSON(parsing: Array(allowed.output.utf8))
        #expect(allowed.code == 0 && json["allow_extra"] == true && json["checked"] == 3, "\(allowed)")
        // No reader goes over such an entry: the one behind it is looked for by its bytes.
        let recorded = try ledger.read(CommandLedger.firstSegment)[bytes.count...]
        #expect(recorded.firstRange(of: Array(#""body":{"allow_extra":true,"checked":3"#.utf8)) != nil)
        let told = try ledger.run("audit", "--allow-extra")
        #expect(told.output.contains("as it allowed unknown members, `bulla status` does not count it"), "\(told)")
        // It vouches for no more than it says: the next audit begins at the first entry, and knows no such members.
        #expect(try ledger.run("status").output.contains("audit      never"))
        let strict = try ledger.run("audit")
        #expect(strict.code == 10 && strict.output.contains("seq 2"), "\(strict)")
    }

    @Test(
        "the loop that the help shows goes on while there is more to do, and passes the last code on",
        arguments: [0, 10] as [Int32])
    func loop(code: Int32) throws {
        let ledger = try CommandLedger(entries: 5)
        if code == 10 {
            var bytes = try ledger.read(CommandLedger.firstSegment)
            bytes[700] ^= 1
            try ledger.overwrite(CommandLedger.firstSegment, bytes)
        }
        let help = try Program.watched("audit", "--help").run().output
        let loop = try #require(help.split(separator: "\n").first { $0.contains("while bulla audit;") })
        // The first two answers are partial ones, as of a large ledger.
        let script = """
            count=0
            bulla() {
                count=$((count+1))
                if [ $count -le 2 ]; then return 12; fi
                "$BULLA" "$@" --ledger "$path"
            }
            path=$1
            \(loop)
            echo "ended with $? after $count"
            """
        let result = try Program.shell(script, ledger.path).run()
        #expect(result.output.hasSuffix("ended with \(code) after 3\n"), "\(result)")
    }

    @Test("an audit is recorded, and status tells when the last full one was", arguments: ["boot", "fast", "deep"])
    func recorded(policy: String) throws {
        let ledger = try CommandLedger(entries: 5)
        #expect(try ledger.run("status").output.contains("audit      never"))
        let result = try ledger.run("audit", "--policy", policy, "--budget", "60")
        #expect(result.code == 0 && result.output.hasPrefix("intact: "), "\(result.error)")
        #expect(result.output.contains("full: every entry up to seq 6 was verified") && result.receipts.count == 1)
        let entry = try #require(try ledger.entries("--last", "1").first?["entry"])
        #expect(entry["action"] == "audit.finished" && entry["actor"] == "service:bulla")
        #expect(entry["justification"]?["pillar"] == "integrity")
        let body = try #require(entry["body"]?.object)
        #expect(
            body.keys == [
                "checked", "failed", "from", "full", "hash", "microseconds", "offset", "policy", "segment", "seq", "verdict",
            ])
        #expect(body["policy"] == .string(policy) && body["checked"] == 6 && body["full"] == true && body["seq"] == 6)
        #expect(try ledger.run("status").output.contains("full up to seq 6, "))
        let status = try JSON(parsing: Array(try ledger.run("status", "--json").output.utf8))
        #expect(status["audit"]?["seq"] == 6 && (status["audit"]?["age_microseconds"]?.number ?? -1) >= 0)
        try ledger.expectIntact(seq: 7)
    }

    @Test("a budget that is spent is partial (12), and the next audit goes on; --from-start does not")
    func partial() throws {
        let ledger = try CommandLedger()
        try ledger.directory.write(
            Array(String(repeating: String(repeating: "x", count: 999) + "\n", count: 6000).utf8), to: "lines")
        let ingested = try ledger.run("ingest", "--raw", "--actor", "a:b", ledger.directory.path("lines"))
        try #require(ingested.code == 0)
        // However little time there is, something is checked.
        let least = try ledger.run("audit", "--budget", "0", "--json")
        let json = try JSON(parsing: Array(least.output.utf8))
        #expect(least.code == 12 && json["verdict"] == "partial" && json["full"] == false)
        #expect(try #require(json["checked"]?.integer) > 0)
        var firsts: [Int64] = []
        var code: Int32 = 12
        while code == 12, firsts.count < 1000 {
            let result = try ledger.run("audit", "--policy", "fast", "--budget", "0.002", "--json")
            code = result.code
            let json = try JSON(parsing: Array(result.output.utf8))
            firsts.append(json["from"]?.integer ?? -1)
            #expect(json["full"] == .bool(code == 0))
        }
        #expect(code == 0 && firsts == firsts.sorted(), "\(firsts)")
        let whole = try ledger.run("audit", "--from-start", "--budget", "60", "--json")
        let object = try JSON(parsing: Array(whole.output.utf8))
        #expect(whole.code == 0 && object["from"] == 1)
        try ledger.expectIntact()
    }

    @Test("damage in the old part raises the alert: 10, then 10 again without a byte written, and writers get 21")
    func tampered() throws {
        var ends: [Int] = []
        let ledger = try CommandLedger(same: 9, ends: &ends)
        var bytes = try ledger.read(CommandLedger.firstSegment)
        bytes[ends[2] + 60] ^= 1
        try ledger.overwrite(CommandLedger.firstSegment, bytes)
        let result = try ledger.run("audit")
        #expect(
            result.code == 10
                && result.output.hasPrefix("tampered: segment 00000000000000000001.frames, offset \(ends[2]), seq 4"))
        #expect(result.error.contains("the alert was raised") && result.receipts.isEmpty)
        #expect(try ledger.append().code == 21)
        try ledger.expectRefusal(10) { try ledger.run("audit") }
        let status = try ledger.run("status")
        #expect(status.output.contains("RAISED"))
        #expect(try ledger.run("run", "--interval", "0.1").code == 21)
    }

    @Test("a whole ledger in alert: 21, and not a byte is written")
    func locked() throws {
        let ledger = try CommandLedger(entries: 2)
        try ledger.directory.remove(ledger.name("HEAD"))
        #expect(try ledger.append().code == 10)
        try ledger.expectRefusal(21) { try ledger.run("audit") }
        try ledger.expectRefusal(21) { try ledger.run("audit", "--policy", "boot") }
    }

    @Test("without the key 11, without a word about the last audit, and not a byte is written")
    func keyless() throws {
        let ledger = try CommandLedger(entries: 2)
        #expect(try ledger.run("audit").code == 0)
        try ledger.directory.remove(ledger.name(try ledger.keyFile))
        try ledger.expectRefusal(11) { try ledger.run("audit") }
        #expect(try ledger.run("status").output.contains("audit      unknown: "))
    }

    @Test("a position that somebody made or damaged is ignored with a notice")
    func forged() throws {
        let ledger = try CommandLedger(entries: 2)
        #expect(try ledger.run("audit").code == 0)
        try ledger.directory.write(Array(#"{"v":1}"#.utf8), to: ledger.name("snapshots/audit"))
        let result = try ledger.run("audit")
        #expect(result.code == 0 && result.error.contains("is ignored"), "\(result.error)")
        #expect(try ledger.run("audit").error.isEmpty)
    }

    @Test("bad arguments are 64")
    func usage() throws {
        let ledger = try CommandLedger()
        for arguments in [
            ["audit", "--policy", "quick"], ["audit", "--budget", "-1"], ["audit", "extra"], ["run", "--interval", "0"],
        ] {
            #expect(try ledger.run(arguments).code == 64)
        }
        #expect(try Program.watched("audit", "--ledger", "/nowhere/L").run().code == 64)
    }

    @Test("audits in a loop beside writers: never a false alarm")
    func beside() throws {
        let ledger = try CommandLedger()
        let script = """
            for n in 1 2 3 4 5 6; do seq 1 200 | "$BULLA" ingest --ledger "$1" --wait 60 --raw --actor a:b - >/dev/null || exit
                for m in 1 2 3; do "$BULLA" append --ledger "$1" --wait 60 --actor a:c --action x --pillar integrity --reason r \
                    --body '{}' >/dev/null || exit; done; done
            """
        let writers = try (0..<3).map { _ in try Program.shell(script, ledger.path).start() }
        for round in 0..<12 {
            let policy = ["boot", "fast", "deep"][round % 3]
            let result = try ledger.run("audit", "--policy", policy, "--wait", "60")
            #expect(result.code == 0 || result.code == 12, "\(policy): \(result.output) \(result.error)")
        }
        for writer in writers { #expect(try writer.wait().code == 0) }
        try ledger.expectIntact(seq: 1 + 3 * 6 * 203 + 12)
        let last = try ledger.run("audit", "--policy", "boot")
        #expect(last.code == 0 && last.output.contains("full: "))
    }
}

@Suite("status of a damaged ledger tells what it can")
struct DamagedStatusTests {
    @Test("HEAD missing, wrong, or ahead of the ledger, and a damaged end: 10 with the rows that are known")
    func damaged() throws {
        var ends: [Int] = []
        let ledger = try CommandLedger(same: 5, ends: &ends)
        #expect(try ledger.run("audit").code == 0)
        try ledger.backUp(as: "backup")
        let segment = try ledger.read(CommandLedger.firstSegment)
        let head = try ledger.read("HEAD")
        let cases: [(String, () throws -> Void)] = [
            ("HEAD is missing", { try ledger.overwrite("HEAD", []) }),
            (
                "HEAD's mac",
                {
                    try ledger.overwrite(
                        "HEAD", Array(String(decoding: head, as: UTF8.self).replacing("\"seq\":6", with: "\"seq\":5").utf8))
                }
            ),
            ("seq 6", { try ledger.overwrite(CommandLedger.firstSegment, Array(segment[..<(ends[4] + 100)])) }),
            (
                "seq 6",
                {
                    try ledger.overwrite(
                        CommandLedger.firstSegment, segment.enumerated().map { $0 == ends[4] + 90 ? $1 ^ 1 : $1 })
                }
            ),
        ]
        for (words, damage) in cases {
            try damage()
            let result = try ledger.run("status")
            #expect(result.code == 10 && result.error.contains(words), "\(result.error)")
            for row in [
                "ledger     ", "id 00112233445566778899aabbccddeeff", "size       ", "key        3d442c1707a0ad56", "damage     ",
            ] {
                #expect(result.output.contains(row), "\(row) in \(result.output)")
            }
            #expect(result.output.contains("full up to seq 5"))
            let json = try JSON(parsing: Array(try ledger.run("status", "--json").output.utf8))
            #expect(json["damage"]?.string?.contains(words) == true && json["key"] == "3d442c1707a0ad56")
            try ledger.restore(from: "backup")
        }
        #expect(try ledger.run("status").code == 0)
    }
}

@Suite("Audits that are killed", .enabled(if: Machine.hasStrace, Machine.needsStrace))
struct KilledAuditTests {
    @Test(
        "at every system call that changes something: the ledger verifies, and the next audit works", arguments: ["deep", "boot"])
    func killed(policy: String) throws {
        let ledger = try CommandLedger(entries: 3)
        let script = """
            cd "$1"
            for call in pwrite64 fdatasync fsync renameat unlinkat flock openat2 mkdirat; do
                k=1
                while :; do
                    [ $call != mkdirat ] || rm -rf L/snapshots
                    strace -f -qq -o trace -e trace=$call -e inject=$call:signal=SIGKILL:when=$k \
                        "$BULLA" audit --policy \(policy) --ledger L > out 2> err
                    code=$?
                    grep -q '(INJECTED)\\|killed by SIGKILL' trace || break
                    echo "did $call $k $code"
                    "$BULLA" verify --ledger L > v || echo "FAILED $call $k verify: $(cat v)"
                    "$BULLA" audit --policy \(policy) --ledger L > out 2> err || echo "FAILED $call $k audit: $(cat err)"
                    grep -q '^full: ' out || echo "FAILED $call $k not full: $(cat out err)"
                    k=$((k+1))
                done
            done
            """
        let result = try Program.shell(script, ledger.directory.path).run()
        let lines = result.output.split(separator: "\n")
        #expect(lines.filter { $0.hasPrefix("FAILED") }.isEmpty && result.code == 0, "\(result.output) \(result.error)")
        for call in ["pwrite64", "fdatasync", "fsync", "renameat", "openat2", "mkdirat"] {
            #expect(lines.contains { $0.hasPrefix("did \(call) 1 ") }, "never killed at \(call)")
        }
        try ledger.expectIntact()
    }
}
