#!/bin/sh
# Line and region coverage of floors 1 to 3 by the tests, with the programs that they start; fails when a line that no test reaches
# is not justified in tools/uncovered.txt. With `keep` the profile of the last run is judged again.
set -eu
cd "$(dirname -- "$0")/.."

scratch=$PWD/.build-cov
tools=$(dirname -- "$(readlink -f -- "$(command -v swift)")")
build="swift build -c release --build-tests --enable-code-coverage --scratch-path $scratch"
$build
out=$($build --show-bin-path)

if [ "${1:-}" != keep ]; then
    rm -rf "$scratch/profiles"
    mkdir "$scratch/profiles"
    # A process that is killed or stops itself writes no profile: %m merges what the others of one program write.
    for kernel in native portable; do
        echo "== tests, SHA-256 $kernel"
        LLVM_PROFILE_FILE="$scratch/profiles/%m-$kernel.profraw" BULLA_SHA256=$kernel \
            "$out/bullaPackageTests.xctest" --testing-library swift-testing >"$scratch/$kernel.log" 2>&1 ||
            { grep -E '^✘' "$scratch/$kernel.log" | head -n 20 >&2; echo "coverage: tests failed; the log is $scratch/$kernel.log" >&2; }
        tail -n 1 "$scratch/$kernel.log"
    done
    "$tools/llvm-profdata" merge -o "$scratch/merged.profdata" "$scratch"/profiles/*.profraw
fi
"$tools/llvm-cov" export -instr-profile "$scratch/merged.profdata" "$out/bullaPackageTests.xctest" -object "$out/bulla" \
    Sources/CanonicalJSON Sources/LedgerFormat Sources/DurableFiles Sources/Ledger >"$scratch/coverage.json"
python3 tools/coverage.py "$scratch/coverage.json" tools/uncovered.txt
