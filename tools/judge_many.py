#!/usr/bin/env python3
"""Ask verify_ledger.py many times in one process: a directory a line on stdin, `CODE VERDICT: PLACE` a line on stdout."""
import sys

sys.dont_write_bytecode = True
import verify_ledger

for line in sys.stdin:
    try:
        verdict, code, place, _ = verify_ledger.verify(line.rstrip("\n"))
        answer = "%d %s: segment %s, offset %d, seq %d" % ((code, verdict) + place)
    except verify_ledger.Stop as stop: answer = "%d no verdict: %s" % stop.args
    except OSError as error: answer = "30 no verdict: %s" % error
    print(answer, flush=True)
