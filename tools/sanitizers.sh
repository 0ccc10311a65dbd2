#!/bin/sh
# Runs tests under a sanitizer: the thread sanitizer over everything that several threads reach, the address sanitizer over
# everything that reads bytes, with the C kernels of SHA-256 and without.
#   tools/sanitizers.sh [thread] [address]        both, without a word
set -eu
cd "$(dirname -- "$0")/.."

concurrent='DurableFilesTests.(LockConstitutionTests|LockTests|HandoverTests)|LedgerTests.(GroupCommitTests|Submit|AuditTests|GateTests|WatchTests)|KernelTests.DecideTests|LanesTests.JournalTests|BullaTests|BullaLoggingTests'
parsing='CanonicalJSONTests|LedgerFormatTests|FuzzTests|LanesTests.(PythonJSON|Journal|Tree)|CommandLineTests.(LogFormat|LogRedaction|RecordRedactor)'

# build SANITIZER SCRATCH-PATH
build() {
    swift build -c release --build-tests --sanitize="$1" --scratch-path "$2" --traits PlantedDefects
}

# run SCRATCH-PATH FILTER: the bundle is a program; `swift test` would be given the preloaded library and the options too.
run() {
    log=$1/sanitizer.log
    if ! timeout 600 "$1/release/bullaPackageTests.xctest" --testing-library swift-testing --filter "$2" >"$log" 2>&1; then
        grep -vE '^[✔◇↳]' "$log" | head -n 100 >&2
        echo "sanitizers: failed; the whole log is $log" >&2
        exit 1
    fi
    tail -n 1 "$log"
    # A filter that fits nothing passes as well.
    if ! grep -qE 'Test run with [0-9]{2,} tests? .*passed' "$log"; then
        echo "sanitizers: hardly a test ran" >&2
        exit 1
    fi
}

# canary SANITIZER SCRATCH-PATH DEFECT: a sanitizer that finds nothing in a broken program, or something in a sound one, proves nothing.
canary() {
    # The linker warns at length about symbols of the sanitizer.
    if ! swiftc -O -sanitize="$1" -o "$2/canary" tools/sanitizer_canary.swift >"$2/canary.log" 2>&1; then
        cat "$2/canary.log" >&2
        exit 1
    fi
    if ! "$2/canary" >"$2/canary.log" 2>&1; then
        head -n 40 "$2/canary.log" >&2
        echo "sanitizers: the $1 sanitizer objects to a sound program" >&2
        exit 1
    fi
    if SWIFT_BACKTRACE=enable=no "$2/canary" "$3" >"$2/canary.log" 2>&1; then
        echo "sanitizers: the $1 sanitizer does not see a planted $3" >&2
        exit 1
    fi
    grep -h '^SUMMARY' "$2/canary.log"
}

thread() {
    echo "== thread sanitizer"
    build thread "$PWD/.build-tsan"
    # Without it the contended way of Mutex is invisible; see the file.
    clang=$(dirname -- "$(readlink -f -- "$(command -v swift)")")/clang
    "$clang" -shared -fPIC -O1 -Wall -Werror -o .build-tsan/mutex.so tools/tsan_mutex.c -ldl
    (
        export LD_PRELOAD="$PWD/.build-tsan/mutex.so" TSAN_OPTIONS="halt_on_error=1:${TSAN_OPTIONS:-}"
        canary thread "$PWD/.build-tsan" race
        run "$PWD/.build-tsan" "$concurrent"
    )
}

address() {
    echo "== address sanitizer"
    build address "$PWD/.build-asan"
    (
        # Swift's runtime keeps what it has made for good, and would be said to leak it.
        export ASAN_OPTIONS="detect_leaks=0:${ASAN_OPTIONS:-}"
        canary address "$PWD/.build-asan" overflow
        run "$PWD/.build-asan" "$parsing"
        echo "== address sanitizer, portable SHA-256"
        BULLA_SHA256=portable
        export BULLA_SHA256
        run "$PWD/.build-asan" 'LedgerFormatTests|FuzzTests'
    )
}

[ $# -gt 0 ] || set -- thread address
for sanitizer; do
    case $sanitizer in
    thread | address) "$sanitizer" ;;
    *)
        sed -n '4s/^# *//p' "$0" >&2
        exit 64
        ;;
    esac
done
