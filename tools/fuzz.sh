#!/bin/sh
# Builds the fuzzers, or runs one by hand:
#   tools/fuzz.sh build
#   tools/fuzz.sh json|canonical|frames|head|draft [ARGUMENTS FOR LIBFUZZER, such as -max_total_time=60 or a file to be replayed]
set -eu
cd "$(dirname -- "$0")/.."
scratch=${BULLA_FUZZ_DIR:-$PWD/.build-fuzz}

build() {
    BULLA_FUZZ=1 swift build -c release --product fuzz --traits PlantedDefects --sanitize=fuzzer --scratch-path "$scratch"
}

case "${1:-}" in
build) build ;;
json | canonical | frames | head | draft)
    target=$1
    shift
    [ -x "$scratch/release/fuzz" ] || build
    "$scratch/release/fuzz" --seeds "$scratch"
    mkdir -p "$scratch/artifacts/$target"
    [ $# -gt 0 ] || set -- "$scratch/corpus/$target"
    # Swift's own handler of crashes would come before libFuzzer's, which keeps the input.
    BULLA_FUZZ_TARGET=$target SWIFT_BACKTRACE=enable=no exec "$scratch/release/fuzz" \
        "-dict=$scratch/$target.dict" "-artifact_prefix=$scratch/artifacts/$target/" "$@"
    ;;
*)
    sed -n '2,4s/^# //p' "$0" >&2
    exit 64
    ;;
esac
