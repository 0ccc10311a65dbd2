import Foundation
import TestSupport
import Testing

/// Verbs that are killed at each system call that changes something, in the order of the whole process: these change threads, of which
/// strace counts each by itself. Those of `append`, `init`, keys, `repair`, `backup` and of the documents are the torture suite's.
@Suite("Verbs that are killed", .enabled(if: Machine.hasCompiler, Machine.needsCompiler))
struct KilledVerbsTests {
    /// Kills the process before its call number `KILL_AT`, and says on stderr which one that is.
    private static let shim = """
        #define _GNU_SOURCE
        #include <dlfcn.h>
        #include <fcntl.h>
        #include <signal.h>
        #include <stdarg.h>
        #include <stdatomic.h>
        #include <stdio.h>
        #include <stdlib.h>
        #include <sys/socket.h>
        #include <sys/stat.h>
        #include <unistd.h>
        static atomic_int count;
        static void tick(const char *name) {
            const char *at = getenv("KILL_AT");
            if (!at || atomic_fetch_add(&count, 1) + 1 != atoi(at)) return;
            dprintf(2, "at %s\\n", name);
            kill(getpid(), SIGKILL);
        }
        #define CALL(type, name, parameters, ...) \\
            type name parameters { tick(#name); return ((type(*) parameters) dlsym(RTLD_NEXT, #name))(__VA_ARGS__); }
        CALL(ssize_t, pwrite, (int f, const void *b, size_t n, off_t o), f, b, n, o)
        CALL(int, fdatasync, (int f), f)
        CALL(int, fsync, (int f), f)
        CALL(int, ftruncate, (int f, off_t n), f, n)
        CALL(int, mkdirat, (int d, const char *p, mode_t m), d, p, m)
        CALL(int, renameat, (int d, const char *p, int e, const char *q), d, p, e, q)
        CALL(int, unlinkat, (int d, const char *p, int f), d, p, f)
        CALL(int, unlink, (const char *p), p)
        CALL(int, link, (const char *p, const char *q), p, q)
        CALL(int, bind, (int s, const struct sockaddr *a, socklen_t n), s, a, n)
        int openat(int d, const char *p, int f, ...) {
            va_list l; va_start(l, f); mode_t m = f & O_CREAT ? va_arg(l, mode_t) : 0; va_end(l);
            if (f & O_CREAT) tick("openat");
            return ((int (*)(int, const char *, int, ...))dlsym(RTLD_NEXT, "openat"))(d, p, f, m);
        }
        """

    /// A verb, what it begins with, and how it is called behind `$@`, which kills it.
    struct Verb: Sendable, CustomTestStringConvertible {
        var name: String
        /// It is killed at this call first, and then at each so many further on.
        var first = 1
        var step = 1
        var kinds: [String] = ["pwrite", "fdatasync", "fsync", "renameat"]
        /// Another ledger than three entries, once.
        var setUp = ""
        var prepare = ":"
        var call: String
        /// What it begins with is damaged: behind a kill it finds that again, and a repair opens the house.
        var isOfDamage = false

        var testDescription: String { "\(name) from call \(first) on" }
    }

    /// From the start until it is online, and from there, as it is asked, to its end.
    private static let run = """
        rm -f said; mkfifo said
        "$@" "$BULLA" run --ledger L --interval 3600 --socket S --json > said 2> err &
        server=$!
        exec 3< said
        read -r online <&3 && kill -TERM $(echo "$online" | sed 's/.*"pid":\\([0-9]*\\).*/\\1/')
        wait $server; code=$?
        exec 3<&-
        [ $code = 0 ] || return $code
        """

    /// A house of two associates, and a third key; `calm` is it, and `locked` what a repair leaves of it.
    private static let house = """
        export BULLA_ANCHOR=off
        for name in a b c; do "$BULLA" actor keygen $name.key > $name.pub; done
        rm -rf L; "$BULLA" init --ledger L --associate $(cat a.pub) --associate $(cat b.pub) > out
        append > out; append > out; cp -a L calm
        "$BULLA" associate add $(cat c.pub) --ledger L 2> err | "$BULLA" associate sign - --associate-key a.key --associate-key b.key > add 2> err
        "$BULLA" constitution template --ledger L | sed 's/^sovereignty.*/sovereignty = ["trade."]/' > law
        "$BULLA" constitution adopt law --ledger L 2> err | "$BULLA" associate sign - --associate-key a.key --associate-key b.key > adopt 2> err
        printf X | dd of=L/ledger/00000000000000000001.frames bs=1 seek=1200 conv=notrunc status=none
        "$BULLA" repair --yes --ledger L > out; cp -a L locked
        "$BULLA" alert release --ledger L 2> err | "$BULLA" associate sign - --associate-key a.key --associate-key b.key > release 2> err
        """

    /// The same with a constitution that names handbooks' folder, a patch that is proposed, and one that is applied.
    private static let patched = """
        export BULLA_ANCHOR=off; mkdir -p agents/x
        for name in a b; do "$BULLA" actor keygen $name.key > $name.pub; done
        rm -rf L; "$BULLA" init --ledger L --associate $(cat a.pub) --associate $(cat b.pub) > out
        "$BULLA" constitution template --ledger L | sed 's/^folders = .*/folders = ["agents"]/' > rules
        "$BULLA" constitution adopt rules --ledger L --associate-key a.key --associate-key b.key > out
        echo old > agents/x/AGENT.md; echo new > edited
        "$BULLA" patch propose agents/x/AGENT.md --from edited --actor a:b --ledger L > out
        cp -a L calm
        "$BULLA" patch approve 3 --ledger L 2> err | "$BULLA" associate sign - --associate-key a.key --associate-key b.key > approval 2> err
        "$BULLA" patch approve 3 --ledger L --signed approval > out; cp -a L done
        "$BULLA" patch revert 3 --ledger L 2> err | "$BULLA" associate sign - --associate-key a.key --associate-key b.key > reversal 2> err
        """

    /// One byte of the second of three entries is another, and nobody noticed yet.
    private static let hurt = """
        printf X | dd of=L/ledger/00000000000000000001.frames bs=1 seek=1200 conv=notrunc status=none
        cp -a L hurt
        """

    private static let verbs: [Verb] =
        (1...3).map { first in Verb(name: "run", first: first, step: 3, kinds: [], prepare: "rm -rf L/snapshots", call: run) } + [
            Verb(name: "ingest", call: #"seq 1 5 | "$@" "$BULLA" ingest --raw --actor a:b --ledger L - > out 2> err"#),
            Verb(name: "record", call: #""$@" "$BULLA" record --actor a:b --ledger L -- true > out 2> err"#),
            Verb(
                name: "learn",
                call: #""$@" "$BULLA" learn add --actor a:b --trauma t --ledger L > out 2> err"#),
            // The ledger was put back to what it was before its last entry.
            Verb(
                name: "accept", prepare: "rm -rf L state; cp -a before L; cp -a noted state",
                call: #"BULLA_STATE_DIR="$house/state" "$@" "$BULLA" anchor accept --reason r --ledger L > out 2> err"#),
            Verb(
                name: "audit that raises the alert", kinds: ["pwrite", "fsync", "renameat"], setUp: hurt,
                prepare: "rm -rf L; cp -a hurt L",
                call: """
                    "$@" "$BULLA" audit --ledger L > out 2> err; c=$?
                    [ $c = 10 ] || return $c
                    "$BULLA" status --ledger L > out 2> err; grep -q RAISED out
                    """, isOfDamage: true),
            Verb(
                name: "alert release", setUp: house, prepare: "rm -rf L; cp -a locked L",
                call:
                    #""$@" "$BULLA" alert release --signed release --ledger L > out 2> err || { c=$?; grep -q 'not in alert' err || return $c; }"#
            ),
            Verb(
                name: "associate add", setUp: house, prepare: "rm -rf L; cp -a calm L",
                call:
                    #""$@" "$BULLA" associate add $(cat c.pub) --signed add --ledger L > out 2> err || { c=$?; grep -q 'carried out before' err || return $c; }"#
            ),
            Verb(
                name: "constitution adopt", setUp: house, prepare: "rm -rf L; cp -a calm L",
                call:
                    #""$@" "$BULLA" constitution adopt law --signed adopt --ledger L > out 2> err || { c=$?; grep -q 'carried out before' err || return $c; }; "$BULLA" constitution show --ledger L 2> err | cmp - law"#
            ),
            // A call that finds the patch signed finishes it, and then says that it is applied.
            Verb(
                name: "patch approve", setUp: patched, prepare: "rm -rf L; cp -a calm L; echo old > agents/x/AGENT.md",
                call: """
                    "$@" "$BULLA" patch approve 3 --signed approval --ledger L > out 2> err || { c=$?; grep -q 'carried out before' err || return $c; }
                    grep -qx new agents/x/AGENT.md
                    """),
            Verb(
                name: "patch revert", setUp: patched, prepare: "rm -rf L; cp -a done L; echo new > agents/x/AGENT.md",
                call: """
                    "$@" "$BULLA" patch revert 3 --signed reversal --ledger L > out 2> err || { c=$?; grep -q 'carried out before' err || return $c; }
                    grep -qx old agents/x/AGENT.md
                    """),
            Verb(
                name: "restore a handbook", setUp: patched, prepare: "rm -rf L; cp -a done L; echo scribbled > agents/x/AGENT.md",
                call: """
                    "$@" "$BULLA" restore --handbook agents/x/AGENT.md --to 4 --yes --reason r --actor a:b --ledger L > out 2> err || return $?
                    grep -qx new agents/x/AGENT.md
                    """),
            // Its twenty writes are alike; its code says more of the machine.
            Verb(
                name: "doctor", first: 2, step: 5, kinds: ["pwrite", "fdatasync", "unlinkat"], prepare: "rm -f L/doctor.tmp",
                call: #""$@" "$BULLA" doctor --ledger L > out 2> err; [ $? != 137 ] || return 137"#),
        ]

    @Test("the ledger verifies by the other verifier, the verb works again, and so does an append", arguments: verbs)
    func killed(_ verb: Verb) throws {
        let ledger = try CommandLedger(entries: 3)
        try ledger.directory.write(Array(Self.shim.utf8), to: "shim.c")
        let isAccept = verb.name == "accept"
        let isPutBack = isAccept || !verb.setUp.isEmpty
        let script = """
            cd "$1"; house=$1; state=
            cc -shared -fPIC -o shim.so shim.c -ldl || exit 99
            append() { BULLA_STATE_DIR="$state" "$BULLA" append --ledger L --actor a:b --action c.d --pillar integrity --reason r --body '{}'; }
            call() {
            \(verb.call)
            }
            \(verb.setUp)
            if \(isAccept); then state=$house/state; append > out; cp -a L before; append > out; cp -a state noted; fi
            k=\(verb.first)
            while :; do
                \(verb.prepare)
                call env KILL_AT=$k "LD_PRELOAD=$house/shim.so"
                code=$?
                if [ $code != 137 ]; then
                    [ $code = 0 ] || echo "FAILED $k ended with $code: $(cat err)"
                    break
                fi
                echo "killed $(grep '^at ' err)"
                if \(verb.isOfDamage); then
                    call || echo "FAILED $k again: $? $(cat err)"
                    append > out 2> err; [ $? = 21 ] || echo "FAILED $k no alert: $(cat err)"
                    "$BULLA" repair --yes --ledger L > out 2> err || echo "FAILED $k repair: $(cat err)"
                else
                    python3 "$2" L > v 2>&1 || echo "FAILED $k judge: $(cat v)"
                    call || echo "FAILED $k again: $? $(cat err)"
                fi
                append > out 2> err || echo "FAILED $k append: $(cat err)"
                \(isPutBack) || cat out >> receipts
                k=$((k+\(verb.step)))
            done
            ! \(verb.isOfDamage) || "$BULLA" repair --yes --ledger L > out 2>&1 || echo "FAILED in the end: $(cat out)"
            "$BULLA" verify --ledger L $([ ! -e receipts ] || echo --receipt receipts) > v 2>&1 || echo "FAILED in the end: $(cat v)"
            python3 "$2" L > v 2>&1 || echo "FAILED in the end: $(cat v)"
            """
        let judge = Program.repository + "/tools/verify_ledger.py"
        let result = try Program.shell(script, ledger.directory.path, judge).run()
        let lines = result.output.split(separator: "\n")
        #expect(lines.filter { $0.hasPrefix("FAILED") }.isEmpty && result.code == 0, "\(result.output) \(result.error)")
        #expect(lines.count { $0.hasPrefix("killed at ") } >= 5, "too few kills: \(result.output)")
        for kind in verb.kinds { #expect(lines.contains { $0 == "killed at \(kind)" }, "never at \(kind)") }
    }
}
