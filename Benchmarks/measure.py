"""measure.py BULLA [MEGABYTES]: whole processes beside their yardsticks, in turn, medians of five.

Exits non-zero only when something could not be run. Ratios count: absolute figures depend on the machine and the minute.
"""
import os
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

RUNS = 5
BODY = 60  # bytes of a line; a frame then has about 600


def timed(command, **options):
    start = time.perf_counter()
    result = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, **options)
    if result.returncode != 0:
        sys.exit(f"measure: {command} ended with {result.returncode}: {result.stderr.decode(errors='replace')}")
    return time.perf_counter() - start


def in_turn(ours, yardstick):
    """Medians of both, measured in turn after one warm-up of each."""
    ours(), yardstick()
    pairs = [(ours(), yardstick()) for _ in range(RUNS)]
    return statistics.median(a for a, _ in pairs), statistics.median(b for _, b in pairs)


def row(name, ours, yardstick, ratio, bar):
    print(f"| {name} | {ours} | {yardstick} | {ratio:.2f} | {bar} |", flush=True)


class Ground:
    def __init__(self, bulla, megabytes):
        self.bulla = bulla
        self.folder = tempfile.mkdtemp(dir=os.path.realpath(tempfile.gettempdir()))
        self.big = self.path("big")
        self.lines = self.path("lines")
        count = megabytes * 1_000_000 // 590
        with open(self.lines, "w") as file:
            for number in range(count):
                file.write(f"{number:08d} " + "x" * (BODY - 9) + "\n")
        timed([bulla, "init", "--ledger", self.big])
        timed([bulla, "ingest", "--ledger", self.big, "--raw", "--actor", "process:bench", self.lines])
        self.segments = sorted(os.path.join(self.big, "ledger", n) for n in os.listdir(self.big + "/ledger"))
        self.size = sum(os.path.getsize(s) for s in self.segments)
        self.count = count

    def path(self, name):
        return os.path.join(self.folder, name)

    def digest(self):
        """openssl over the same bytes, in one process."""
        return timed(["sh", "-c", 'cat "$@" | openssl dgst -sha256', "sh", *self.segments])

    def verify(self, threads):
        return timed([self.bulla, "verify", "--ledger", self.big, "--threads", str(threads)])

    def ingest(self, count):
        ledger = self.path("ingest")
        shutil.rmtree(ledger, ignore_errors=True)
        timed([self.bulla, "init", "--ledger", ledger])
        lines = self.path("some")
        with open(self.lines) as source, open(lines, "w") as target:
            for _ in range(count):
                target.write(source.readline())
        return timed([self.bulla, "ingest", "--ledger", ledger, "--raw", "--actor", "process:bench", lines])

    def database(self, name):
        path = self.path(name)
        for suffix in ("", "-wal", "-shm"):
            if os.path.exists(path + suffix):
                os.remove(path + suffix)
        database = sqlite3.connect(path, isolation_level=None)
        database.execute("pragma journal_mode=wal")
        database.execute("pragma synchronous=full")
        database.execute("create table log (id integer primary key, time text, actor text, action text, body text)")
        return database

    def insert(self, count):
        database = self.database("rows.db")
        rows = [("2026-01-31T12:00:00.000000Z", "process:bench", "log.line", "x" * BODY)] * 1000
        start = time.perf_counter()
        for _ in range(count // 1000):
            database.execute("begin")
            database.executemany("insert into log (time, actor, action, body) values (?, ?, ?, ?)", rows)
            database.execute("commit")
        duration = time.perf_counter() - start
        database.close()
        return duration

    def append(self, ledger):
        return timed([
            self.bulla, "append", "--ledger", ledger, "--actor", "process:bench", "--action", "bench.append",
            "--pillar", "integrity", "--reason", "bench", "--body", '{"line":"%s"}' % ("x" * BODY)])

    def insert_one(self, path):
        statement = f"pragma synchronous=full; insert into log (body) values ('{'x' * BODY}');"
        return timed(["sqlite3", path, statement])


def main():
    bulla = sys.argv[1]
    megabytes = int(sys.argv[2]) if len(sys.argv) > 2 else 1000
    ground = Ground(bulla, megabytes)
    try:
        print(f"{ground.count + 1:,} entries, {ground.size / 1e6:.0f} MB; medians of {RUNS}, in turn\n")
        print("| work | ours | yardstick | ratio | bar |\n|---|---|---|---|---|")
        for threads, bar in ((1, "≥ 0.95 of openssl's speed (≥ 0.65 without AVX-512)"), (2, "≥ 1.8 (≥ 1.25)")):
            ours, theirs = in_turn(lambda: ground.verify(threads), ground.digest)
            row(f"verify, {threads} thread{'s' * (threads > 1)}", f"{ground.size / ours / 1e6:.0f} MB/s",
                f"openssl {ground.size / theirs / 1e6:.0f} MB/s", theirs / ours, bar)
        ours, theirs = in_turn(lambda: ground.ingest(20_000), lambda: ground.insert(20_000))
        row("ingest, 20,000 lines", f"{20_000 / ours:.0f}/s", f"SQLite {20_000 / theirs:.0f}/s", theirs / ours, "≥ 3")
        small = ground.path("small")
        timed([bulla, "init", "--ledger", small])
        if shutil.which("sqlite3"):
            ground.database("one.db").close()
            ours, theirs = in_turn(lambda: ground.append(small), lambda: ground.insert_one(ground.path("one.db")))
            row("append, whole process", f"{ours * 1e3:.1f} ms", f"sqlite3 {theirs * 1e3:.1f} ms", ours / theirs, "≤ 2")
        big, little = in_turn(lambda: ground.append(ground.big), lambda: ground.append(small))
        row("append, big ledger beside small", f"{big * 1e3:.1f} ms", f"{little * 1e3:.1f} ms", big / little, "≤ 1.10")
        ours, theirs = in_turn(lambda: timed([bulla, "--version"]), lambda: timed(["true"]))
        row("--version", f"{ours * 1e3:.1f} ms", f"true {theirs * 1e3:.1f} ms", ours / theirs, "≤ 10 ms more")
        ours, theirs = in_turn(
            lambda: timed([bulla, "log", "--ledger", ground.big, "--json"]), lambda: timed(["cat", *ground.segments]))
        row("log --json", f"{ground.size / ours / 1e6:.0f} MB/s", f"cat {ground.size / theirs / 1e6:.0f} MB/s", theirs / ours,
            "≥ 200 MB/s")
    finally:
        shutil.rmtree(ground.folder)


main()
