#!/bin/sh
# Builds the optimised program and measures it beside its yardsticks; see PERFORMANCE.md.
set -eu
cd "$(dirname -- "$0")/.."
build="swift build -c release --static-swift-stdlib --scratch-path .build-static --product bulla"
$build >/dev/null
exec python3 Benchmarks/measure.py "$($build --show-bin-path)/bulla" "$@"
