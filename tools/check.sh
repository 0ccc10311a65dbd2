#!/bin/sh
# The house rules, as far as a machine can tell: format, warnings as errors, no Foundation below floor 4.
set -eu
cd "$(dirname -- "$0")/.."

echo "== format"
swift format lint --strict --recursive --parallel Package.swift Sources Tests Torture Fuzz Benchmarks/Package.swift Benchmarks/Sources

echo "== house rules"
if grep -rnE '^(package |public |internal |@_exported )*import Foundation' \
    Sources/CanonicalJSON Sources/LedgerFormat Sources/DurableFiles Sources/Ledger Sources/Kernel Sources/Lanes Sources/Bulla Sources/BullaLogging Sources/BullaCommand; then
    echo "check: Foundation is not used here" >&2
    exit 1
fi
upward=0
# floor TARGET FORBIDDEN-IMPORTS
floor() {
    if grep -rnE "^(package |public |internal |@testable )*import ($2)$" "Sources/$1"; then upward=1; fi
}
floor CanonicalJSON 'LedgerFormat|DurableFiles|Ledger|Kernel|Lanes|Bulla|BullaLogging|BullaCommand'
floor LedgerFormat 'DurableFiles|Ledger|Kernel|Lanes|Bulla|BullaLogging|BullaCommand'
floor DurableFiles 'CanonicalJSON|LedgerFormat|Ledger|Kernel|Lanes|Bulla|BullaLogging|BullaCommand'
floor Ledger 'Kernel|Lanes|Bulla|BullaLogging|BullaCommand'
floor Kernel 'Lanes|Bulla|BullaLogging|BullaCommand'
floor Lanes 'Bulla|BullaLogging|BullaCommand'
floor Bulla 'BullaLogging|BullaCommand'
floor BullaLogging 'BullaCommand'
if [ "$upward" = 1 ]; then
    echo "check: imports point downwards only" >&2
    exit 1
fi
python3 - tools/*.py <<'PY'
import ast, sys
for path in sys.argv[1:]:
    ast.parse(open(path).read(), path, feature_version=(3, 9))
PY
python3 tools/unplanted.py
for script in tools/*.sh .ci/run; do [ ! -e "$script" ] || sh -n "$script"; done

echo "== build, warnings as errors"
swift build -c release --build-tests --traits PlantedDefects
