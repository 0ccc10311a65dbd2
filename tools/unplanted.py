#!/usr/bin/env python3
"""Looks that each sync of the engine is a named site: `planted(...)` on its line or the two before it, or a reason in unplanted.txt."""
import pathlib, re, sys

root = pathlib.Path(__file__).resolve().parent.parent
folders = ["DurableFiles/Storage", "DurableFiles/POSIX", "Ledger", "Kernel", "Lanes", "BullaCommand"]
call = re.compile(r"\btry[?!]?\s.*\b(synchronize|synchronizeData|fsync|fdatasync)\(")

reasons = {}
for line in (root / "tools/unplanted.txt").read_text().splitlines():
    if line and not line.startswith("#"):
        path, part, reason = line.split(" :: ")
        reasons[(path, part)] = False

wrong, count = [], 0
for folder in folders:
    for file in sorted((root / "Sources" / folder).rglob("*.swift")):
        path = str(file.relative_to(root))
        lines = file.read_text().splitlines()
        planting = False
        for index, line in enumerate(lines):
            # What a planted defect itself does is no site.
            if line.strip() in ("#if PlantedDefects", "#endif"):
                planting = line.strip() != "#endif"
            if planting or not call.search(line) or line.lstrip().startswith("//"):
                continue
            count += 1
            if any("planted(" in near for near in lines[max(0, index - 2) : index + 1]):
                continue
            fitting = [key for key in reasons if key[0] == path and key[1] in line]
            for key in fitting:
                reasons[key] = True
            if not fitting:
                wrong.append(f"{path}:{index + 1}: a sync without a planted defect: {line.strip()}")
wrong += [f"tools/unplanted.txt: fits nothing any more: {path} :: {part}" for (path, part), used in reasons.items() if not used]
if not count:
    wrong.append("no sync was found at all")
for complaint in wrong:
    print(complaint, file=sys.stderr)
sys.exit(1 if wrong else 0)
