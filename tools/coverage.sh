#!/bin/sh
# Line and region coverage of floors 1 to 3 by the tests, with the programs that they start; fails when a line that no test reaches
# is not justified in tools/uncovered.txt. `keep` judges the profile of the last run again. Needs about 3 GB in .build-cov.
set -eu
cd "$(dirname -- "$0")/.."

scratch=$PWD/.build-cov
profiles=$scratch/profiles
tools=$(dirname -- "$(readlink -f -- "$(command -v swift)")")
# Without the trait PlantedDefects: what is built is what is used.
build="swift build -c release --build-tests --enable-code-coverage --scratch-path $scratch"

# run KERNEL [FILTER]
run() {
    echo "== tests, SHA-256 $1"
    # One file a process. Sharing one (%m) is no use: a test that kills a program, or makes its calls fail, spoils the counts of all.
    LLVM_PROFILE_FILE="$profiles/$1-%p.profraw" BULLA_SHA256=$1 \
        "$out/bullaPackageTests.xctest" --testing-library swift-testing ${2:+--filter "$2"} >"$scratch/$1.log" 2>&1 || {
        grep '^✘' "$scratch/$1.log" | head -n 20 >&2
        echo "coverage: tests failed; the log is $scratch/$1.log" >&2
        exit 1
    }
    tail -n 1 "$scratch/$1.log"
}

if [ "${1:-}" != keep ]; then
    $build
    out=$($build --show-bin-path)
    rm -rf "$profiles"
    mkdir "$profiles"
    run native
    # What computes seals runs again without what the processor has for them, as in `make test`.
    run portable 'LedgerFormatTests|LedgerTests|BullaTests|FuzzTests'
    # A program that was killed while it wrote its profile leaves a piece, which is left out.
    find "$profiles" -name '*.profraw' >"$scratch/profiles.txt"
    "$tools/llvm-profdata" merge -sparse -failure-mode=all -f "$scratch/profiles.txt" -o "$scratch/merged.profdata" \
        2>"$scratch/merge.log"
    echo "== $(wc -l <"$scratch/profiles.txt") programs ran; $(grep -c '^warning' "$scratch/merge.log" || true) left no whole profile"
    rm -rf "$profiles"
else
    out=$($build --show-bin-path)
fi
"$tools/llvm-cov" export -instr-profile "$scratch/merged.profdata" "$out/bullaPackageTests.xctest" -object "$out/bulla" \
    Sources/CanonicalJSON Sources/LedgerFormat Sources/DurableFiles Sources/Ledger >"$scratch/coverage.json"
python3 tools/coverage.py "$scratch/coverage.json" tools/uncovered.txt
