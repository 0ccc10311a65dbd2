#!/usr/bin/env python3
"""Verify a Bulla ledger: verify_ledger.py DIR [--key FILE]

An independent judge, written from FORMAT.md alone (the § below are its sections). Prints the verdict line of §6 and exits
with its code; what is no verdict (64, 30, 20) goes to the error output. Changes nothing."""
import argparse, datetime, decimal, hashlib, hmac, io, json, math, os, re, stat, sys

class Stop(Exception): """(exit code, why): there is no verdict."""
class Fault(Exception): """(reason): a check failed."""
class Later(Exception): """A later version wrote this entry."""

# ---- §1. Canonical is what comes out again as it went in, so duplicates, spaces, escapes and order need no check of their own.

def number(x):
    """As ECMAScript's Number::toString. Python's repr has the same digits, only set otherwise."""
    if not math.isfinite(x):
        raise ValueError("not finite")
    sign, digits, exponent = decimal.Decimal(repr(x)).normalize().as_tuple()
    s, n = "".join(map(str, digits)), len(digits) + exponent  # the value is 0.s times 10 to the n
    if len(s) <= n <= 21: s += "0" * (n - len(s))
    elif 0 < n <= 21:     s = s[:n] + "." + s[n:]
    elif -6 < n <= 0:     s = "0." + "0" * -n + s
    else:                 s = s[0] + ("." + s[1:] if len(s) > 1 else "") + "e%+d" % (n - 1)
    return "-" * sign + s

def dumps(v, depth=1):
    if isinstance(v, float): return number(v)
    if not isinstance(v, (dict, list)): return json.dumps(v, ensure_ascii=False)  # string, int, true, false, null
    if depth > 64: raise ValueError("too deep")
    if isinstance(v, list): return "[" + ",".join([dumps(x, depth + 1) for x in v]) + "]"
    names = sorted(v, key=lambda name: name.encode("utf-16-be"))
    return "{" + ",".join([dumps(name) + ":" + dumps(v[name], depth + 1) for name in names]) + "}"

def whole(text):  # only what is below 2^53 becomes an int, that is: a "plain integer"
    return int(text) if len(text) < 18 and abs(int(text)) < 2**53 else float(text)

def loads(raw, form):
    """The value of canonical JSON that has the given form."""
    try:
        value = json.loads(raw.decode("utf-8"), parse_int=whole)
        if dumps(value).encode("utf-8") == raw and fits(value, form):
            return value
    except (ValueError, RecursionError):  # UnicodeError is a ValueError
        pass
    raise Fault("not canonical JSON with the right members")

# ---- §3 to §5: forms. A string is a pattern, a dict an object with exactly these members, the rest are tests.

def fits(v, form):
    if isinstance(form, str): return isinstance(v, str) and re.fullmatch(form, v) is not None
    if isinstance(form, dict): return is_object(v) and v.keys() == form.keys() and all(fits(v[k], form[k]) for k in form)
    return form(v)

def is_object(v): return isinstance(v, dict)
def is_integer(v): return type(v) is int
def is_positive(v): return type(v) is int and v > 0
def is_context(v): return is_object(v) and ("part" not in v or is_part(v["part"]))
def is_part(v): return isinstance(v, list) and len(v) == 2 and all(map(is_positive, v)) and v[0] <= v[1] > 1
def is_time(v):  # datetime() raises ValueError for what is no date or time
    return fits(v, r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z") and v.isascii() and datetime.datetime(*map(int, re.findall(r"\d+", v)))

HEX16, HEX32, HEX64 = "[0-9a-f]{16}", "[0-9a-f]{32}", "[0-9a-f]{64}"
ENTRY = {"action": r"[a-z0-9_]+(\.[a-z0-9_]+)*", "actor": r'[a-z0-9_]+:[^\x00-\x1f\x7f"\\]+', "body": is_object,
         "context": is_context, "key": HEX16, "ledger": HEX32, "prev_hash": HEX64, "seq": is_positive, "synced": is_integer,
         "justification": {"pillar": "sovereignty|integrity|resilience|evolution", "reason": "(?s:.*)"},
         "time": is_time, "v": is_integer}
PAYLOAD = {"entry": ENTRY, "hash": HEX64, "sig": HEX64}
HEAD = {"alert": lambda v: isinstance(v, bool), "end": is_positive, "key": HEX16, "ledger": HEX32, "mac": HEX64,
        "segment": is_positive, "seq": is_positive, "tip": HEX64, "v": lambda v: is_integer(v) and v == 1}

def read_frame(file, pos):
    """PAYLOAD as an object, the bytes of ENTRY, and the offset behind the frame."""
    file.seek(pos)
    length = re.match(rb"([1-9][0-9]{0,6}):", file.read(8))
    if not length or int(length[1]) > 1048576:
        raise Fault("no frame")
    file.seek(pos + length.end())
    payload = file.read(int(length[1]) + 1)
    if len(payload) <= int(length[1]) or payload[-1:] != b"\n":
        raise Fault("the frame has not the length it states")
    return loads(payload[:-1], PAYLOAD), payload[9:-149], pos + length.end() + len(payload)  # HASH and SIG: 148 bytes, LF: 1

def content_end(file, pos):
    """Where the NULs begin that end the file; pos if nothing else follows it."""
    file.seek(pos)
    end = pos
    for chunk in iter(lambda: file.read(1 << 20), b""):
        end, pos = pos + len(chunk.rstrip(b"\0")) if chunk.strip(b"\0") else end, pos + len(chunk)
    return end

# ---- §6

class Ledger:
    def __init__(self, base, key_file):
        if not os.path.isdir(base):
            raise Stop(64, "no such directory: " + base)
        self.base, self.key_file, self.key, self.head, self.reached = base, key_file, None, None, False
        try:
            with self.open("HEAD") as file: self.head_bytes = file.read(4096)  # more than a right HEAD can have
        except FileNotFoundError: self.head_bytes = b""
        try: self.names = sorted(n for n in os.listdir(os.path.join(base, "ledger")) if fits(n, r"[0-9]{20}\.frames"))
        except FileNotFoundError: self.names = []
        if not self.names and not self.head_bytes:
            raise Stop(64, "no ledger in " + base)
        self.name, self.pos, self.seq = "%020d.frames" % 1, 0, 1  # where the walk is, and the seq expected there
        self.start = (self.name, 0, 1)                            # the same for the start of the decision it is in
        self.prev, self.synced, self.rest = "0" * 64, 0, None     # rest: the part to come next, inside a decision

    def open(self, *path, unshared=0):
        path = os.path.join(self.base, *path)
        status = os.lstat(path)
        if (not stat.S_ISREG(status.st_mode) or status.st_nlink > 1 or status.st_uid != os.stat(self.base).st_uid
                or status.st_mode & unshared):
            raise Stop(20, "is a link, no regular file, or not its owner's alone: " + path)
        return open(path, "rb")

    def walk(self):
        if not self.names:
            raise Fault("there is no segment")
        for name in self.names:
            if int(name[:20]) != self.seq:
                raise Fault("a segment is missing here, or misnamed")
            with self.open("ledger", name) as file:
                self.name, self.pos = name, 0
                while file.seek(self.pos) is not None and (byte := file.read(1)):
                    if not self.rest:
                        self.start = (self.name, self.pos, self.seq)
                    if byte == b"\0" and name == self.names[-1]:
                        if content_end(file, self.pos) == self.pos: break
                        raise Fault("something lies behind the NULs")
                    self.check(*read_frame(file, self.pos))
        if self.head and not self.reached:
            raise Fault("the ledger is shorter than HEAD says")
        if self.rest:
            self.name, self.pos, self.seq = self.start
            raise Fault("the last decision is incomplete")

    def check(self, payload, raw, end):
        entry = payload["entry"]
        part = entry["context"].get("part", [1, 1])
        if self.seq == 1:
            self.first = entry
            self.key = self.read_key()
            self.head = self.read_head()
        def must(holds, reason):
            if not holds: raise Fault(reason)
        must(entry["ledger"] == self.first["ledger"], "another ledger's entry")
        must(entry["seq"] == self.seq, "not the seq expected")
        must(entry["prev_hash"] == self.prev, "prev_hash is not the HASH before")
        must(self.synced <= entry["synced"] < self.seq, "synced is out of range")
        must(self.seq > 1 or entry["action"] == "ledger.genesis", "the first entry is no genesis")
        must(part == self.rest and self.pos > 0 if self.rest else part[0] == 1, "a decision is broken")
        must(entry["key"] == self.first["key"], "sealed with another key")
        must(self.hash_holds(payload, raw), "HASH does not match")
        must(self.sig_holds(payload, raw), "SIG does not match")
        must(entry["v"] >= 1, "no such version")
        if entry["v"] > 1:
            raise Later
        self.rest = [part[0] + 1, part[1]] if part[0] < part[1] else None
        if self.head and self.head["seq"] == self.seq:
            at = (self.head["segment"], self.head["end"], self.head["tip"])
            must(at == (int(self.name[:20]), end, payload["hash"]) and not self.rest, "HEAD says otherwise of this entry")
            self.reached = True
        self.pos, self.seq, self.prev, self.synced = end, self.seq + 1, payload["hash"], entry["synced"]

    def mac(self, data): return hmac.new(self.key, data, "sha256").hexdigest()
    def sig_holds(self, payload, raw): return not self.key or self.mac(raw) == payload["sig"]
    def hash_holds(self, payload, raw):
        return hashlib.sha256(raw + b"|sig:" + payload["sig"].encode()).hexdigest() == payload["hash"]

    def read_key(self):  # None when it is absent
        try:
            with (open(self.key_file, "rb") if self.key_file else
                  self.open("keys", self.first["key"] + ".key", unshared=0o077)) as file: text = file.read(66)
        except OSError: return None
        key = bytes.fromhex(text[:64].decode()) if re.fullmatch(b"[0-9a-f]{64}\n", text) else b""
        return key if hashlib.sha256(b"bulla/1/key-id\n" + key).hexdigest()[:16] == self.first["key"] else None

    def read_head(self):  # None when it is missing or wrong
        try: head = loads(self.head_bytes, HEAD)
        except Fault: return None
        rest = dumps({name: head[name] for name in head if name != "mac"}).encode()
        right = not self.key or self.mac(b"bulla/1/head\n" + rest) == head["mac"]
        return head if right and all(head[name] == self.first[name] for name in ("ledger", "key")) else None

    def torn(self):
        name, at, seq = self.start if self.rest else (self.name, self.pos, self.seq)
        if not self.reached or self.head["alert"] or name != self.names[-1]:
            return False
        head_name = "%020d.frames" % self.head["segment"]
        if head_name not in self.names[-2:] or at - (self.head["end"] if head_name == name else 0) > 8388608:
            return False
        with self.open("ledger", name) as file:
            size = content_end(file, at) - at
            if size > 33554432: return False
            file.seek(at)
            tail = file.read(size)
        # No frame that holds has a NUL, so all NULs are in damaged stretches; the run that ends the file is not in the tail.
        if any((at + nuls.end()) % 512 for nuls in re.finditer(b"\0+", tail)): return False
        pos = damage = 0
        while (found := re.compile(rb'[1-9][0-9]{0,6}:\{"entry":').search(tail, pos)):
            pos = found.start() + 1
            try: payload, raw, end = read_frame(io.BytesIO(tail), found.start())
            except Fault: continue
            entry = payload["entry"]
            if (entry["ledger"] == self.first["ledger"] and self.hash_holds(payload, raw)
                    and (not self.key or entry["key"] == self.first["key"] and self.sig_holds(payload, raw))):
                stretch = tail[damage:found.start()]
                if entry["synced"] >= seq or stretch and b"\0" not in stretch: return False
                pos = damage = end
        self.name, self.pos, self.seq = name, at, seq
        return True

def verify(base, key_file=None):
    """Verdict, exit code, (segment, offset, seq), reason."""
    ledger, reason, later = Ledger(base, key_file), None, False
    try: ledger.walk()
    except Fault as fault: reason = str(fault)
    except Later: later = True
    if reason and not ledger.torn(): return "tampered", 10, (ledger.name, ledger.pos, ledger.seq), reason
    if not ledger.head: return "tampered", 10, ("HEAD", 0, ledger.seq - 1), "HEAD is missing or wrong"
    if later: return "unverifiable", 11, (ledger.name, ledger.pos, ledger.seq), "a later version wrote this entry"
    if not ledger.key: return "unverifiable", 11, (ledger.name, ledger.pos, ledger.seq - 1), "the sealing key is absent"
    if reason: return "torn", 0, (ledger.name, ledger.pos, ledger.seq), reason
    return "intact", 0, (ledger.name, ledger.pos, ledger.seq - 1), None

def main():
    parser = argparse.ArgumentParser(description="Verify a Bulla ledger (FORMAT.md).")
    parser.add_argument("dir", metavar="DIR")
    parser.add_argument("--key", metavar="FILE", help="the sealing key; else DIR/keys/<key id>.key")
    try:
        arguments = parser.parse_args()
        verdict, code, place, reason = verify(arguments.dir, arguments.key)
        print("%s: segment %s, offset %d, seq %d" % ((verdict,) + place) + (": " + reason if reason else ""))
    except SystemExit as end: return 64 if end.code else 0
    except Stop as stop: code, why = stop.args
    except OSError as error: code, why = 30, str(error)
    if code in (64, 30, 20): print("error:", why, file=sys.stderr)
    return code

if __name__ == "__main__":
    sys.exit(main())
