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

// Kills and failures at every call of every verb are the torture suite's, `Torture/Machine/SystemCalls.swift`.
@Suite("What a program says whose system calls fail", .enabled(if: Machine.hasStrace, Machine.needsStrace))
struct SystemCallTests {
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
        for call in ["pwrite64", "fdatasync", "fsync", "flock", "pread64"] {
            // The loader reads too, and takes an interrupted read for a broken library.
            let paths = call == "pread64" ? "-P \"$1/L/HEAD\" -P \"$1/L/\(CommandLedger.firstSegment)\"" : ""
            let script = """
                exec strace -f -qq -o "$1/trace" \(paths) -e trace=\(call) -e inject=\(call):error=EINTR:when=1+2 \
                    "$BULLA" append --ledger "$1/L" --actor a:b --action c --pillar integrity --reason r --body '{}'
                """
            let result = try Program.shell(script, ledger.directory.path).run()
            #expect(result.code == 0 && result.receipts.count == 1, "\(call): \(result.error)")
        }
        try ledger.expectIntact(seq: 9)
    }

    @Test("a look at a file that fails (EIO) is 30 and no tampering: the alert is not raised")
    func unreadableStatus() throws {
        let ledger = try CommandLedger(entries: 3)
        // The last looks are at the base, the segment and the key before and behind the entry's write.
        let script = """
            cd "$1"
            append() { "$@" "$BULLA" append --ledger L --actor a:b --action c --pillar integrity --reason r --body '{}'; }
            append strace -f -qq -o trace -e trace=statx > out
            total=$(wc -l < trace); k=$((total-12))
            # The first look of all: at the base.
            append strace -f -qq -o trace -P "$1/L" -e trace=statx -e inject=statx:error=EIO:when=1 > out 2> err
            echo "did statx 0 $? $(tr '\\n' ' ' < err)"
            while [ $k -le $total ]; do
                append strace -f -qq -o trace -e trace=statx -e inject=statx:error=EIO:when=$k > out 2> err
                code=$?
                grep -q '(INJECTED)' trace && echo "did statx $k $code $(tr '\\n' ' ' < err)"
                "$BULLA" verify --ledger L > v || echo "FAILED $k verify: $(cat v)"
                grep -q RAISED v && echo "FAILED $k: the alert is raised"
                k=$((k+1))
            done
            """
        let sweep = Sweep(try Program.shell(script, ledger.directory.path).run())
        #expect(sweep.failures.isEmpty)
        #expect(sweep.count > 8, "too few failures: \(sweep.count)")
        for outcome in sweep.outcomes where outcome.code != 0 {
            #expect(outcome.code == 30 && outcome.error.contains("Input/output error"), "\(outcome)")
        }
        #expect(sweep.outcomes.contains { $0.place == 0 && $0.code == 30 })
        #expect(sweep.outcomes.contains { $0.code == 30 && $0.error.contains("cannot tell whether the ledger is still the one") })
        #expect(try ledger.append().code == 0)
    }

    @Test("an answer that cannot be written is 30 and said; the entry is there")
    func unwritableAnswer() throws {
        let ledger = try CommandLedger(entries: 3)
        let script = """
            exec "$BULLA" append --ledger "$1" --actor a:b --action c --pillar integrity --reason r --body '{}' > /dev/full
            """
        let result = try Program.shell(script, ledger.path).run()
        #expect(result.code == 30)
        #expect(result.error.contains("the answer cannot be written: No space left on device"), "\(result.error)")
        try ledger.expectIntact(seq: 5)
    }

    @Test("a read that fails (EIO) is 30 and no tampering: the alert is not raised")
    func unreadable() throws {
        let ledger = try CommandLedger(entries: 3)
        let script = """
            cd "$1"; files="-P $1/L/HEAD -P $1/L/\(CommandLedger.firstSegment)"
            for verb in verify append; do
                draft="--actor a:b --action c --pillar integrity --reason r --body {}"
                [ $verb = append ] || draft=
                k=1
                while :; do
                    strace -f -qq -o trace $files -e trace=pread64 -e inject=pread64:error=EIO:when=$k \
                        "$BULLA" $verb --ledger L $draft > out 2> err
                    code=$?
                    grep -q '(INJECTED)' trace || break
                    echo "did $verb $k $code $(tr '\\n' ' ' < err)"
                    "$BULLA" verify --ledger L > v || echo "FAILED $verb $k verify: $(cat v)"
                    grep -q RAISED v && echo "FAILED $verb $k: the alert is raised"
                    k=$((k+1))
                done
            done
            """
        let sweep = Sweep(try Program.shell(script, ledger.directory.path).run())
        #expect(sweep.failures.isEmpty)
        for verb in ["verify", "append"] { #expect(sweep.outcomes.count { $0.call == verb && $0.code == 30 } > 2) }
        for outcome in sweep.outcomes {
            #expect(outcome.error.contains("Input/output error"), "\(outcome)")
            let isHead = outcome.error.contains("HEAD was not replaced and lags")
            #expect(outcome.code == (isHead ? 0 : 30), "\(outcome)")
        }
        #expect(try ledger.append().code == 0)
    }

    @Test("an init whose calls fail (EIO) is 30 and leaves nothing, or the whole ledger")
    func failingInit() throws {
        let directory = TemporaryDirectory()
        let script = """
            cd "$1" && mkdir house
            for call in mkdirat pwrite64 fdatasync fsync renameat2; do
                k=1
                while :; do
                    strace -f -qq -o trace -e trace=$call -e inject=$call:error=EIO:when=$k \
                        "$BULLA" init --ledger house/L > out 2> err
                    code=$?
                    grep -q '(INJECTED)' trace || break
                    echo "did $call $k $code $(tr '\\n' ' ' < err)"
                    [ ! -e house/L ] || "$BULLA" verify --ledger house/L > v || echo "FAILED $call $k verify: $(cat v)"
                    rm -rf house/L
                    [ -z "$(ls -A house)" ] || echo "FAILED $call $k left $(ls -A house)"
                    k=$((k+1))
                done
                rm -rf house/L
            done
            """
        let sweep = Sweep(try Program.shell(script, directory.path).run())
        #expect(sweep.failures.isEmpty)
        for call in ["mkdirat", "pwrite64", "fsync", "renameat2"] { #expect(sweep.outcomes.contains { $0.call == call }) }
        for outcome in sweep.outcomes {
            #expect(outcome.code == 30 && outcome.error.contains("Input/output error"), "\(outcome)")
        }
    }

    @Test("without openat2, as in old kernels and some sandboxes, paths are walked step by step, and links refused as ever")
    func withoutWalkInOneCall() throws {
        let ledger = try CommandLedger(entries: 3)
        let script = """
            cd "$1"; ln -s L link
            for path in L "$1/L" link "$1/link"; do
                strace -f -qq -o trace -e trace=openat2 -e inject=openat2:error=ENOSYS \
                    "$BULLA" append --ledger "$path" --actor a:b --action c --pillar integrity --reason r --body '{}' > out 2> err
                code=$?
                grep -q '(INJECTED)' trace || echo "FAILED $path: openat2 was not called"
                echo "did openat2 0 $code $(cat err)"
            done
            """
        let sweep = Sweep(try Program.shell(script, ledger.directory.path).run())
        #expect(sweep.failures.isEmpty)
        #expect(sweep.outcomes.map(\.code) == [0, 0, 20, 20])
        for outcome in sweep.outcomes where outcome.code == 20 {
            #expect(outcome.error.contains("is a symbolic link"), "\(outcome)")
        }
        try ledger.expectIntact(seq: 6)
    }

    @Test("a look at the gate that fails (EIO) counts as somebody waiting: the lock is given back, and nothing else happens")
    func unreadableGate() throws {
        let ledger = try CommandLedger(entries: 3)
        // The gate, the lock, and then the look whether anybody waits.
        let script = """
            cd "$1"
            seq 1 5 | strace -f -qq -o trace -e trace=flock -e inject=flock:error=EIO:when=3 \
                "$BULLA" ingest --ledger L --raw --actor a:b - || exit $?
            grep -q 'LOCK_SH.*(INJECTED)' trace
            """
        let result = try Program.shell(script, ledger.directory.path).run()
        #expect(result.code == 0 && result.output.hasPrefix("recorded 5 entries\n"), "\(result.output) \(result.error)")
        try ledger.expectIntact(seq: 9)
    }
}
