#!/bin/sh
# demo.sh BULLA: the tour that README promises. Everything happens in a temporary directory.
set -eu
PATH=$(dirname "$1"):$PATH
cd "$(dirname -- "$0")/.."
work=$(cd "$(mktemp -d)" && pwd -P)
trap 'rm -rf "$work"' EXIT INT TERM
export BULLA_DIR="$work/ledger"

step() { printf '\n\033[1m%s\033[0m\n' "$1"; }
run() { printf '$ '; for word in "$@"; do case $word in *" "*) printf '"%s" ' "$word" ;; *) printf '%s ' "$word" ;; esac; done; echo; "$@"; }

step "1. A fresh ledger"
run bulla init

step "2. Record a real command: who ran it, what it was, how it ended, what it printed (as digests)"
run bulla record --actor user:demo --reason "look at the machine" -- uname -srm

step "3. Take in real log lines of this machine"
log=
for file in /var/log/dpkg.log /var/log/syslog /var/log/messages /var/log/kern.log /var/log/apt/history.log /var/log/alternatives.log; do
    if [ -s "$file" ] && [ -r "$file" ]; then log=$file; break; fi
done
if [ -n "$log" ]; then
    tail -n 1000 "$log" > "$work/lines"
else
    log="the table of processes"
    ps -ef > "$work/lines" 2>/dev/null || ls -l /proc > "$work/lines"
fi
echo "# $(wc -l < "$work/lines") lines of $log"
run bulla ingest --raw --actor service:log "$work/lines"

step "4. What is there now"
run bulla log --last 4
run bulla status

step "5. Verify: ours, and an independent script that shares no code with it"
run bulla verify
if command -v python3 >/dev/null; then run python3 tools/verify_ledger.py "$BULLA_DIR"; fi

step "6. A forger edits one letter in a copy"
cp -a "$BULLA_DIR" "$work/copy"
segment=$(ls "$work"/copy/ledger/*.frames)
offset=$(grep -abo 'look at the machine' "$segment" | head -n 1 | cut -d: -f1)
printf 'L' | dd of="$segment" bs=1 seek="$offset" conv=notrunc 2>/dev/null
echo "# byte $offset: 'look at the machine' is now 'Look at the machine'"

step "7. And is caught"
code=0
run bulla verify --ledger "$work/copy" || code=$?
echo "# exit code $code"
if [ "$code" != 10 ]; then
    echo "demo: the forgery was not caught" >&2
    exit 1
fi
if command -v python3 >/dev/null; then
    code=0
    run python3 tools/verify_ledger.py "$work/copy" || code=$?
    if [ "$code" != 10 ]; then exit 1; fi
fi
printf '\nThe original is untouched; the demo removes everything it made.\n'
