"""Prints what `llvm-cov export` found, a line a target and a file, and the lines that nothing reaches.

    coverage.py coverage.json uncovered.txt

Exit code 1 when such a line is not justified in uncovered.txt, or a justification fits none.
"""
import json, os, sys
from collections import defaultdict


def uncovered_lines(segments):
    """The lines on which every region that holds code was never entered, as llvm-cov itself counts lines."""
    # Each segment: line, column, count, has_count, is_region_entry, is_gap.
    lines, wrapped = set(), None
    by_line = defaultdict(list)
    for segment in segments:
        by_line[segment[0]].append(segment)
    if not segments:
        return lines
    for number in range(segments[0][0], segments[-1][0] + 1):
        here = by_line.get(number, [])
        entries = [s for s in here if s[3] and s[4] and not s[5]]
        starts_skipped = bool(here) and not here[0][3] and here[0][4]
        mapped = not starts_skipped and ((wrapped is not None and wrapped[3]) or bool(entries))
        if mapped:
            counts = [s[2] for s in entries]
            if wrapped is not None and wrapped[3]:
                counts.append(wrapped[2])
            if counts and max(counts) == 0:
                lines.add(number)
        if here:
            wrapped = here[-1]
    return lines


def justifications(path):
    """`path :: part of a line :: reason`, one a line; the path may be `*`.

    A reason that begins with `sometimes:` is one of chance: its lines may be reached as well.
    """
    found = []
    for number, line in enumerate(open(path, encoding="utf-8"), 1):
        line = line.rstrip("\n")
        if not line or line.startswith("#"):
            continue
        parts = [part.strip() for part in line.split(" :: ")]
        if len(parts) != 3 or not all(parts):
            sys.exit(f"{path}:{number}: write path :: part of a line :: reason")
        found.append(parts)
    return found


def fits(part, run, text):
    """Whether a part of a rule stands in a run of uncovered lines, or in the line before it."""
    return any(part in text[number - 1] for number in [run[0] - 1] + run)


def runs(numbers):
    """Numbers that follow each other, together."""
    run = []
    for number in sorted(numbers):
        if run and number != run[-1] + 1:
            yield run
            run = []
        run.append(number)
    if run:
        yield run


def percent(covered, count):
    return "     –" if count == 0 else f"{100 * covered / count:5.1f}%"


def main(report, reasons):
    root = os.getcwd() + "/"
    rules = justifications(reasons)
    used, missing, justified = set(), [], 0
    targets = defaultdict(lambda: defaultdict(int))
    rows = []
    for file in json.load(open(report))["data"][0]["files"]:
        name = file["filename"].replace(root, "")
        text = open(file["filename"], encoding="utf-8").read().split("\n")
        lines, regions = file["summary"]["lines"], file["summary"]["regions"]
        target = name.split("/")[1]
        for key in ("covered", "count"):
            targets[target]["lines " + key] += lines[key]
            targets[target]["regions " + key] += regions[key]
        rows.append((name, lines, regions))
        for run in runs(uncovered_lines(file["segments"])):
            # What falls out of a loop that never ends: its count is the difference of others, and these are not exact.
            if all(text[number - 1].strip() == "}" for number in run):
                continue
            fitting = [
                index for index, (path, part, _) in enumerate(rules)
                if path in ("*", name) and fits(part, run, text)
            ]
            used.update(fitting)
            if fitting:
                justified += len(run)
            else:
                missing += [(name, number, text[number - 1].strip()) for number in run]
    print(f"{'':62} {'lines':>6} {'regions':>8}")
    for name, sums in sorted(targets.items()):
        print(f"{name:62} {percent(sums['lines covered'], sums['lines count'])} "
              f"{percent(sums['regions covered'], sums['regions count']):>8}  of {sums['lines count']} lines")
    for name, lines, regions in sorted(rows):
        if lines["covered"] < lines["count"] or regions["covered"] < regions["count"]:
            print(f"  {name:60} {percent(lines['covered'], lines['count'])} "
                  f"{percent(regions['covered'], regions['count']):>8}")
    print(f"{justified} lines that no test reaches are justified in {reasons}")
    for name, number, line in missing:
        print(f"not covered: {name}:{number}: {line}")
    stale = [rule for index, rule in enumerate(rules) if index not in used and not rule[2].startswith("sometimes:")]
    for rule in stale:
        print(f"{reasons}: fits no uncovered line any more: {' :: '.join(rule)}")
    return 1 if missing or stale else 0


sys.exit(main(*sys.argv[1:]))
