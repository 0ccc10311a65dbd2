import Foundation
import TestSupport
import Testing

@Suite("A disk that is full, files that may not grow, file systems of the network")
struct DiskFaultTests {
    /// Lines of a script's output that report a step: `name=code`.
    private func steps(_ result: Program.Result) -> [String: String] {
        var steps: [String: String] = [:]
        for line in result.output.split(separator: "\n") {
            let parts = line.split(separator: "=", maxSplits: 1).map(String.init)
            if parts.count == 2 { steps[parts[0]] = parts[1] }
        }
        return steps
    }

    @Test(
        "a full disk: 30, nothing half-done, reading works, and writing works again when there is room",
        .enabled(if: Machine.hasPrivateMounts, Machine.needsMounts))
    func full() throws {
        let directory = TemporaryDirectory()
        let script = """
            cd "$1" && mkdir m && mount -t tmpfs -o size=700k none m || exit 99
            say() { echo "$1=$2"; }
            append() { "$BULLA" append --ledger m/L --actor a:b --action c --pillar integrity --reason r --body '{}' >>receipts 2>err; }
            "$BULLA" init --ledger m/L >/dev/null; say init $?
            append; say before $?
            cp m/L/HEAD head; cp -r m/L/ledger segments
            cat /dev/zero > m/fill 2>/dev/null
            seq 1 900 | "$BULLA" ingest --ledger m/L --raw --actor a:b - > out 2> err; say ingest $?
            say message "$(cat err)"; say recorded "$(head -n 1 out)"
            cmp m/L/HEAD head; say head $?
            "$BULLA" verify --ledger m/L > out; say verify $?; say verdict "$(head -n 1 out)"
            python3 "$2" m/L > out; say judge $?
            "$BULLA" log --ledger m/L > /dev/null; say log $?
            cat /dev/zero >> m/fill 2>/dev/null
            "$BULLA" init --ledger m/second 2> err; say second $?; say secondmessage "$(cat err)"; say left "$(ls -A m | tr '\\n' ' ')"
            rm m/fill
            seq 1 900 | "$BULLA" ingest --ledger m/L --raw --actor a:b - > out 2>> err; say again $?
            append; say after $?
            "$BULLA" verify --ledger m/L --receipt receipts > out; say end $?; say last "$(head -n 1 out)"
            python3 "$2" m/L > /dev/null; say endjudge $?
            """
        let program = Program(
            "/usr/bin/env",
            [
                "timeout", "-s", "KILL", "120", "env", "BULLA=" + Program.bullaPath, "unshare", "-m", "sh", "-c", script, "sh",
                directory.path,
                Program.repository + "/tools/verify_ledger.py",
            ])
        let said = steps(try program.run())
        for step in ["init", "before", "head", "verify", "judge", "log", "again", "after", "end", "endjudge"] {
            #expect(said[step] == "0", "\(step): \(said)")
        }
        #expect(said["ingest"] == "30")
        #expect(said["recorded"] == "recorded 0 entries")
        #expect(said["message"]?.contains("No space left on device") == true)
        #expect(said["message"]?.contains("nothing was recorded before it: go on at line 1") == true)
        #expect(said["verdict"]?.hasSuffix(", seq 2") == true)
        #expect(said["second"] == "30" && said["secondmessage"]?.contains("No space left on device") == true)
        #expect(said["left"] == "L fill ", "a ledger that could not be made leaves nothing")
        #expect(said["last"]?.hasSuffix(", seq 903") == true)
    }

    @Test(
        "a write that is cut short gives no acknowledgement, and the length is restored",
        .enabled(if: Machine.hasFileSizeLimit, Machine.needsLimit))
    func shortWrites() throws {
        let ledger = try CommandLedger(entries: 300)
        let before = try ledger.read(CommandLedger.firstSegment)
        let dataEnd = try #require(before.lastIndex { $0 != 0 }) + 1
        // Room for a part of the next batch only.
        let limit = before.count + 10_000
        let script = "trap '' XFSZ; seq 1 900 | prlimit --fsize=\(limit) \"$BULLA\" ingest --ledger \"$1\" --raw --actor a:b -"
        let refused = try Program.shell(script, ledger.path).run()
        #expect(refused.code == 30)
        #expect(refused.error.contains("File too large"))
        #expect(refused.output == "recorded 0 entries\n")
        #expect(try ledger.read(CommandLedger.firstSegment) == Array(before[..<dataEnd]))
        try ledger.expectIntact(seq: 301)
        // Where the entry fits and only the preallocation does not, it is recorded.
        let tight = "trap '' XFSZ; exec prlimit --fsize=\(limit) \"$BULLA\" ingest --ledger \"$1\" --raw --actor a:b -"
        #expect(try Program.shell(tight, ledger.path).run(input: Array("one\n".utf8)).code == 0)
        try ledger.expectIntact(seq: 302)
        #expect(try ledger.ingest((1...900).map(String.init)).code == 0)
        try ledger.expectIntact(seq: 1202)
    }

    @Test(
        "a network file system is refused by name: 20, unless it is allowed by name",
        .enabled(if: Machine.hasCompiler, Machine.needsCompiler))
    func network() throws {
        let ledger = try CommandLedger(entries: 1)
        let source = """
            #define _GNU_SOURCE
            #include <string.h>
            #include <sys/vfs.h>
            int fstatfs(int fd, struct statfs *s) { memset(s, 0, sizeof *s); s->f_type = 0x6969; return 0; }
            int fstatfs64(int fd, struct statfs64 *s) { memset(s, 0, sizeof *s); s->f_type = 0x6969; return 0; }
            """
        try ledger.directory.write(Array(source.utf8), to: "shim.c")
        let shim = ledger.directory.path("shim.so")
        try #require(
            try Program("/usr/bin/env", ["cc", "-shared", "-fPIC", "-o", shim, ledger.directory.path("shim.c")]).run().code == 0)
        let (nfs, other) = (
            ["LD_PRELOAD": shim, "BULLA_ALLOW_NETWORK_FS": "nfs"], ["LD_PRELOAD": shim, "BULLA_ALLOW_NETWORK_FS": "cifs"]
        )
        for verb in [["verify"], ["log"], ["status"], CommandLedger.appendArguments + ["--body", "{}"]] {
            for environment in [["LD_PRELOAD": shim], other] {
                try ledger.expectRefusal(20, "lies on a network file system (nfs)", "set BULLA_ALLOW_NETWORK_FS=nfs") {
                    try ledger.run(verb, environment: environment)
                }
            }
            #expect(try ledger.run(verb, environment: nfs).code == 0)
        }
        let fresh = ledger.directory.path("N")
        let refused = try Program.watched("init", "--ledger", fresh).run(environment: ["LD_PRELOAD": shim])
        #expect(refused.code == 20 && refused.error.contains("network file system (nfs)"))
        #expect(!FileManager.default.fileExists(atPath: fresh))
        #expect(try Program.watched("init", "--ledger", fresh).run(environment: nfs).code == 0)
    }
}
