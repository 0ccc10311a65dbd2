import Foundation
import TestSupport
import Testing

/// What a script found out while it stopped or hindered a program at one system call after the other.
private struct Sweep {
    /// How often a program was killed, or a call was made to fail.
    var count = 0
    var failures: [String] = []
    /// `call k code` and what was said on stderr.
    var outcomes: [(call: String, place: Int, code: Int32, error: String)] = []

    init(_ result: Program.Result) {
        for line in result.output.split(separator: "\n") {
            if line.hasPrefix("FAILED ") { failures.append(String(line)) }
            let parts = line.split(separator: " ", maxSplits: 4, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 5, parts[0] == "did", let place = Int(parts[2]), let code = Int32(parts[3]) else { continue }
            count += 1
            outcomes.append((parts[1], place, code, parts[4]))
        }
        if result.code != 0 { failures.append("the script itself ended with \(result.code): \(result.error.suffix(300))") }
    }
}

@Suite("A program that is killed or failed at each of its system calls", .enabled(if: Machine.hasStrace, Machine.needsStrace))
struct SystemCallTests {
    /// All calls through which a ledger changes or is locked, and the ones between them that find files.
    private static let calls =
        "openat newfstatat mkdirat pwrite64 fdatasync fsync renameat renameat2 unlinkat ftruncate flock write"

    /// Kills `$1`'s verb at the k-th call of each kind, for all k there are; `$checks` runs after each kill.
    private func sweep(_ ledger: String, calls: String = calls, verb: String, before: String = "", checks: String) throws -> Sweep
    {
        let script = """
            cd "$1"
            append() { "$BULLA" append --ledger L --actor a:b --action c --pillar integrity --reason r --body '{}' "$@"; }
            failed() { echo "FAILED $call $k: $*"; }
            for call in \(calls); do
                k=1
                while :; do
                    \(before)
                    strace -f -qq -o trace -e trace=$call -e inject=$call:signal=SIGKILL:when=$k \(verb) > out 2> err
                    code=$?
                    grep '^bulla-receipt-v1' out >> receipts
                    grep -q 'killed by SIGKILL' trace || break
                    echo "did $call $k $code -"
                    \(checks)
                    k=$((k+1))
                done
                [ $code = 0 ] || echo "FAILED $call: the last run, which nothing stopped, ended with $code: $(cat err)"
            done 2>/dev/null
            """
        return Sweep(try Program.shell(script, ledger).run())
    }

    @Test("init: afterwards there is no ledger, or a whole one, and orphans are harmless")
    func initialization() throws {
        let directory = TemporaryDirectory()
        let sweep = try sweep(
            directory.path, verb: "\"$BULLA\" init --ledger L", before: "rm -rf L receipts",
            checks: """
                if [ -e L ]; then
                    "$BULLA" verify --ledger L > v || failed "verify: $(cat v)"
                    append > /dev/null || failed append
                else
                    "$BULLA" init --ledger L > /dev/null || failed "init again"
                    "$BULLA" verify --ledger L > v || failed "verify after init: $(cat v)"
                fi
                """)
        #expect(sweep.failures.isEmpty)
        #expect(sweep.count > 60, "too few kills: \(sweep.count)")
        #expect(
            Set(sweep.outcomes.map(\.call)).isSuperset(of: ["mkdirat", "pwrite64", "fdatasync", "fsync", "renameat2", "write"]))
        #expect(try Program.judge(directory.path("L")).run().code == 0)
    }

    @Test("append: afterwards it verifies, nothing acknowledged is lost, and the next append works")
    func append() throws {
        let ledger = try CommandLedger(entries: 3)
        let sweep = try sweep(
            ledger.directory.path,
            verb: "\"$BULLA\" append --ledger L --actor a:b --action c --pillar integrity --reason r --body '{}'",
            checks: """
                "$BULLA" verify --ledger L > v || failed "verify: $(cat v)"
                append >> receipts || failed append
                """)
        #expect(sweep.failures.isEmpty)
        #expect(sweep.count > 60, "too few kills: \(sweep.count)")
        #expect(
            Set(sweep.outcomes.map(\.call)).isSuperset(of: [
                "pwrite64", "fdatasync", "fsync", "renameat", "flock", "unlinkat", "write",
            ]))
        try ledger.expectIntact()
        #expect(try ledger.verdict("--receipt", ledger.directory.path("receipts")).code == 0)
        let receipts = try String(contentsOfFile: ledger.directory.path("receipts"), encoding: .utf8).split(separator: "\n")
        #expect(Set(receipts).count == receipts.count && receipts.count >= sweep.count)
    }

    @Test("append that mends a torn tail: recovery is idempotent, and the evidence is kept and named once")
    func recovery() throws {
        let ledger = try CommandLedger(entries: 2)
        let head = try ledger.read("HEAD")
        let end = try #require(try ledger.read(CommandLedger.firstSegment).lastIndex { $0 != 0 }) + 1
        #expect(try ledger.append().code == 0)
        let torn = Array(try ledger.read(CommandLedger.firstSegment)[..<(end + 100)])
        try ledger.overwrite(CommandLedger.firstSegment, torn)
        try ledger.overwrite("HEAD", head)
        try ledger.directory.copy("L", to: "torn")
        let sweep = try sweep(
            ledger.directory.path, calls: "pwrite64 fdatasync fsync renameat unlinkat ftruncate flock write",
            verb: "\"$BULLA\" append --ledger L --actor a:b --action c --pillar integrity --reason r --body '{}'",
            before: "rm -rf L receipts; cp -r torn L",
            checks: """
                "$BULLA" verify --ledger L > v || failed "verify: $(cat v)"
                append > next || failed append
                cat next >> receipts
                "$BULLA" verify --ledger L --receipt receipts > v || failed "receipts: $(cat v)"
                [ $("$BULLA" log --ledger L --action ledger.tail_cut | wc -l) = 1 ] || failed "the cut is not recorded once"
                [ "$(ls L/quarantine | grep -c '[.]bin$')$(ls L/quarantine | grep -c pending)" = 10 ] || failed "evidence: $(ls L/quarantine)"
                [ $(cat L/quarantine/* | wc -c) = 100 ] || failed "the evidence is not whole"
                """)
        #expect(sweep.failures.isEmpty)
        #expect(sweep.count > 20, "too few kills: \(sweep.count)")
        try ledger.expectIntact()
    }

    @Test(
        "a call that fails gives 30, or an acknowledgement that holds; afterwards everything works", arguments: ["EIO", "ENOSPC"])
    func failures(error: String) throws {
        let ledger = try CommandLedger(entries: 3)
        let script = """
            cd "$1"
            for call in pwrite64 fdatasync fsync renameat unlinkat flock; do
                k=1
                while :; do
                    strace -f -qq -o trace -e trace=$call -e inject=$call:error=\(error):when=$k \
                        "$BULLA" append --ledger L --actor a:b --action c --pillar integrity --reason r --body '{}' > out 2> err
                    code=$?
                    grep '^bulla-receipt-v1' out >> receipts
                    grep -q '(INJECTED)' trace || break
                    echo "did $call $k $code $(tr '\\n' ' ' < err)"
                    "$BULLA" verify --ledger L > v || echo "FAILED $call $k verify: $(cat v)"
                    "$BULLA" append --ledger L --actor a:b --action c --pillar integrity --reason r --body '{}' >> receipts 2> err \
                        || echo "FAILED $call $k append: $(cat err)"
                    k=$((k+1))
                done
            done
            """
        let sweep = Sweep(try Program.shell(script, ledger.directory.path).run())
        #expect(sweep.failures.isEmpty)
        #expect(sweep.count >= 9, "too few failures: \(sweep.count)")
        let words = error == "EIO" ? "Input/output error" : "No space left on device"
        for outcome in sweep.outcomes {
            // A lock that is not given back by hand is given back by the process's end.
            if outcome.call == "flock", outcome.code == 0 { continue }
            #expect(outcome.error.contains(words), "\(outcome)")
            let isHead = outcome.error.contains("HEAD was not replaced and lags")
            #expect(outcome.code == (isHead ? 0 : 30), "\(outcome)")
        }
        for (call, place) in [("pwrite64", 1), ("fdatasync", 1)] {
            #expect(sweep.outcomes.contains { $0.call == call && $0.place == place && $0.code == 30 })
        }
        #expect(sweep.outcomes.contains { $0.call == "pwrite64" && $0.error.contains("nothing was recorded") })
        #expect(
            sweep.outcomes.contains {
                $0.call == "fdatasync" && $0.error.contains("is unknown") && $0.error.contains("repeat with the same id")
            })
        #expect(sweep.outcomes.contains { $0.call == "renameat" && $0.code == 0 })
        try ledger.expectIntact()
        #expect(try ledger.verdict("--receipt", ledger.directory.path("receipts")).code == 0)
    }

    @Test("after a failed sync the outcome is unknown, and repeating with the same id records it once")
    func repeatedAfterFailedSync() throws {
        let ledger = try CommandLedger(entries: 3)
        let script = """
            cd "$1"
            append() { "$@" "$BULLA" append --ledger L --actor a:b --action c --pillar integrity --reason r --body '{}' --id once; }
            append strace -f -qq -o trace -e trace=fdatasync -e inject=fdatasync:error=EIO:when=1; echo $?
            append; echo $?; append; echo $?
            """
        let result = try Program.shell(script, ledger.directory.path).run()
        let lines = result.output.split(separator: "\n").map(String.init)
        #expect(lines.count == 5 && lines[0] == "30" && lines[2] == "0" && lines[1] == lines[3] && lines[4] == "0", "\(lines)")
        try ledger.expectIntact(seq: 5)
    }

    @Test("signals that interrupt calls (EINTR) double nothing")
    func interrupted() throws {
        let ledger = try CommandLedger(entries: 3)
        for call in ["pwrite64", "fdatasync", "fsync", "flock"] {
            let script = """
                exec strace -f -qq -o "$1/trace" -e trace=\(call) -e inject=\(call):error=EINTR:when=1+2 \
                    "$BULLA" append --ledger "$1/L" --actor a:b --action c --pillar integrity --reason r --body '{}'
                """
            let result = try Program.shell(script, ledger.directory.path).run()
            #expect(result.code == 0 && result.receipts.count == 1, "\(call): \(result.error)")
        }
        try ledger.expectIntact(seq: 8)
    }
}
