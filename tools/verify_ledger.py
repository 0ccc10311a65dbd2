#!/usr/bin/env python3
"""Verify a Bulla ledger: verify_ledger.py DIR [--key FILE]

An independent judge, written from FORMAT.md alone (the § below are its sections). Prints the verdict line of §6 and
exits with its code; what is no verdict (64, 30, 20) goes to the error output. Changes nothing."""
import argparse, datetime, decimal, hashlib, hmac, io, json, math, os, re, stat, sys

class Stop(Exception): """(exit code, why): there is no verdict"""
class Fault(Exception): """(reason): a check failed"""
class Later(Exception): """a later version wrote this entry"""

# §1: JSON is canonical when it comes out as it went in, so order, duplicates, spaces and escapes need no check of their own.
def number(x):  # as ECMAScript's Number::toString; Python's repr finds the same digits
    if not math.isfinite(x): raise ValueError("not finite")
    sign, digits, exponent = decimal.Decimal(repr(x)).normalize().as_tuple()
    s, n = "".join(map(str, digits)), len(digits) + exponent  # the value is 0.s times 10 to the n
    if len(s) <= n <= 21: s += "0" * (n - len(s))
    elif 0 < n <= 21:     s = s[:n] + "." + s[n:]
    elif -6 < n <= 0:     s = "0." + "0" * -n + s
    else:                 s = s[0] + "." * (len(s) > 1) + s[1:] + "e%+d" % (n - 1)
    return "-" * sign + s

def dumps(v, depth=1):
    if isinstance(v, float): return number(v)
    if not isinstance(v, (dict, list)): return json.dumps(v, ensure_ascii=False)  # string, int, true, false, null
    if depth > 64: raise ValueError("too deep")
    if isinstance(v, list): return "[" + ",".join([dumps(x, depth + 1) for x in v]) + "]"
    names = sorted(v, key=lambda name: name.encode("utf-16-be"))
    return "{" + ",".join([dumps(name) + ":" + dumps(v[name], depth + 1) for name in names]) + "}"

def whole(text):  # an int is a "plain integer" from here on; what is not below 2^53 becomes a float
    return int(text) if len(text) < 18 and abs(int(text)) < 2**53 else float(text)

def loads(raw, form):
    try:
        value = json.loads(raw.decode("utf-8"), parse_int=whole)
        if dumps(value).encode("utf-8") == raw and fits(value, form): return value
    except (ValueError, RecursionError): pass  # a UnicodeError is a ValueError
    raise Fault("not canonical JSON with the right members")

# §3 to §5: forms. A string is a pattern, a dict an object with exactly these members, anything else a test.
def fits(v, form):
    if isinstance(form, str): return isinstance(v, str) and re.fullmatch(form, v) is not None
    if not isinstance(form, dict): return form(v)
    return isinstance(v, dict) and v.keys() == form.keys() and all(fits(v[name], form[name]) for name in form)

def an_object(v): return isinstance(v, dict)
def integer(low): return lambda v: type(v) is int and v >= low  # True is no integer
def context(v): return an_object(v) and ("part" not in v or part(v["part"]))
def part(v): return isinstance(v, list) and len(v) == 2 and all(map(integer(1), v)) and v[0] <= v[1] > 1
def time(v):  # datetime raises ValueError when there is no such date or time
    return (fits(v, "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[.][0-9]{6}Z")
            and bool(datetime.datetime(*map(int, re.findall("[0-9]+", v)))))

HEX16, HEX32, HEX64 = "[0-9a-f]{16}", "[0-9a-f]{32}", "[0-9a-f]{64}"
ENTRY = {"action": r"[a-z0-9_]+(\.[a-z0-9_]+)*", "actor": r'[a-z0-9_]+:[^\x00-\x1f\x7f"\\]+', "body": an_object,
         "context": context, "key": HEX16, "ledger": HEX32, "prev_hash": HEX64, "seq": integer(1), "time": time,
         "justification": {"pillar": "sovereignty|integrity|resilience|evolution", "reason": "(?s:.*)"},
         "synced": integer(0), "v": integer(-2**53)}
PAYLOAD = {"entry": ENTRY, "hash": HEX64, "sig": HEX64}
HEAD = {"alert": lambda v: isinstance(v, bool), "end": integer(1), "key": HEX16, "ledger": HEX32, "mac": HEX64,
        "segment": integer(1), "seq": integer(1), "tip": HEX64, "v": lambda v: integer(1)(v) and v == 1}

def read_frame(file, pos):  # PAYLOAD, the bytes of ENTRY, and the offset behind the frame
    file.seek(pos)
    length = re.match(rb"([1-9][0-9]{0,6}):", file.read(8))
    if not length or int(length[1]) > 1048576: raise Fault("no frame starts here")
    file.seek(pos + length.end())
    frame = file.read(int(length[1]) + 1)
    if len(frame) <= int(length[1]) or frame[-1:] != b"\n": raise Fault("the frame has not the length it states")
    return loads(frame[:-1], PAYLOAD), frame[9:-149], pos + length.end() + len(frame)  # behind ENTRY: 148 bytes and LF

def content_end(file, pos):  # where the NULs at the file's end begin; pos, if nothing else follows it
    file.seek(pos)
    end = pos
    while chunk := file.read(1 << 20):
        end, pos = pos + len(chunk.rstrip(b"\0")) if chunk.strip(b"\0") else end, pos + len(chunk)
    return end

class Ledger:  # §6
    def __init__(self, base, key_file):
        if not os.path.isdir(base): raise Stop(64, "no such directory: " + base)
        self.base, self.key_file, self.key, self.first, self.head, self.reached = base, key_file, None, None, None, False
        try:
            with self.open("HEAD") as file: self.head_bytes = file.read(4096)  # longer than any right HEAD
        except FileNotFoundError: self.head_bytes = b""
        try: self.names = sorted(n for n in os.listdir(os.path.join(base, "ledger")) if fits(n, r"[0-9]{20}\.frames"))
        except FileNotFoundError: self.names = []
        if not self.names and not self.head_bytes: raise Stop(64, "no ledger in " + base)
        self.name, self.pos, self.seq = "%020d.frames" % 1, 0, 1  # where the walk is, and the seq expected there
        self.start = self.name, 0, 1                              # the same for the start of the decision it is in
        self.prev, self.synced, self.rest = "0" * 64, 0, None     # rest: the part to come next, inside a decision

    def open(self, *path, unshared=0):
        path = os.path.join(self.base, *path)
        status = os.lstat(path)
        if (not stat.S_ISREG(status.st_mode) or status.st_nlink > 1 or status.st_uid != os.stat(self.base).st_uid
                or status.st_mode & unshared):
            raise Stop(20, "a link, no regular file, or not its owner's alone: " + path)
        return open(path, "rb")

    def walk(self):
        for name in self.names:
            if int(name[:20]) != self.seq: raise Fault("a segment is missing here, or misnamed")
            with self.open("ledger", name) as file:
                self.name, self.pos = name, 0
                while file.seek(self.pos) == self.pos and (byte := file.read(1)):
                    if not self.rest: self.start = name, self.pos, self.seq
                    if byte == b"\0" and name == self.names[-1]:
                        if content_end(file, self.pos) == self.pos: break
                        raise Fault("something lies behind the NULs")
                    self.check(*read_frame(file, self.pos))
        if not self.first: self.head = self.read_head()
        if self.head and not self.reached: raise Fault("the ledger is shorter than HEAD says")
        if self.rest:
            self.name, self.pos, self.seq = self.start
            raise Fault("the last decision is incomplete")

    def check(self, payload, raw, end):
        entry, digest = payload["entry"], payload["hash"]
        part = entry["context"].get("part", [1, 1])
        if self.seq == 1:
            self.first = entry
            self.key = self.read_key()
            self.head = self.read_head()
        rest = [part[0] + 1, part[1]] if part[0] < part[1] else None
        ends = self.head and (self.head["segment"], self.head["end"], self.head["tip"])
        vouched = self.head and self.head["seq"] == self.seq
        for holds, reason in (
                (entry["ledger"] == self.first["ledger"], "another ledger's entry"),
                (entry["seq"] == self.seq, "not the seq expected"),
                (entry["prev_hash"] == self.prev, "prev_hash is not the HASH before"),
                (self.synced <= entry["synced"] < self.seq, "synced is out of range"),
                (self.seq > 1 or entry["action"] == "ledger.genesis", "the first entry is no genesis"),
                (part == self.rest and self.pos > 0 if self.rest else part[0] == 1, "a decision is broken"),
                (entry["key"] == self.first["key"], "sealed with another key"),
                (self.sealed(payload, raw), "HASH or SIG does not match"),
                (entry["v"] > 0, "no such version")):
            if not holds: raise Fault(reason)
        if entry["v"] > 1: raise Later
        if vouched and (rest or ends != (int(self.name[:20]), end, digest)): raise Fault("HEAD says otherwise of this entry")
        self.reached = self.reached or vouched
        self.pos, self.seq, self.prev, self.synced, self.rest = end, self.seq + 1, digest, entry["synced"], rest

    def mac(self, data): return hmac.new(self.key, data, "sha256").hexdigest()
    def sealed(self, payload, raw):  # HASH and, with the key, SIG
        return (hashlib.sha256(raw + b"|sig:" + payload["sig"].encode()).hexdigest() == payload["hash"]
                and (not self.key or self.mac(raw) == payload["sig"]))

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
        ours = not self.first or all(head[name] == self.first[name] for name in ("ledger", "key"))
        return head if right and ours else None

    def torn(self):
        name, at, seq = self.start if self.rest else (self.name, self.pos, self.seq)
        if not self.reached or self.head["alert"] or name != self.names[-1]: return False
        head_name = "%020d.frames" % self.head["segment"]  # that segment or the one before
        if head_name not in self.names[-2:] or at - (self.head["end"] if head_name == name else 0) > 8388608: return False
        with self.open("ledger", name) as file:
            size = content_end(file, at) - at
            if size > 33554432: return False
            file.seek(at)
            tail = file.read(size)
        # No frame that holds has a NUL, so all NULs lie in damaged stretches; the run that ends the file is not in tail.
        if any((at + nuls.end()) % 512 for nuls in re.finditer(b"\0+", tail)): return False
        pos = damage = 0
        while found := re.compile(rb'[1-9][0-9]{0,6}:\{"entry":').search(tail, pos):
            pos = found.start() + 1
            try: payload, raw, end = read_frame(io.BytesIO(tail), found.start())
            except Fault: continue
            entry, stretch = payload["entry"], tail[damage:found.start()]
            if (entry["ledger"] == self.first["ledger"] and (not self.key or entry["key"] == self.first["key"])
                    and self.sealed(payload, raw)):
                if entry["synced"] >= seq or stretch and b"\0" not in stretch: return False
                pos = damage = end
        self.name, self.pos, self.seq = name, at, seq
        return True

def verify(base, key_file=None):  # verdict, exit code, (segment, offset, seq), reason
    ledger, reason, later = Ledger(base, key_file), None, False
    try: ledger.walk()
    except Fault as fault: reason = str(fault)
    except Later: later = True
    torn = reason and ledger.torn()
    name, pos, seq = ledger.name, ledger.pos, ledger.seq
    if reason and not torn: return "tampered", 10, (name, pos, seq), reason
    if not ledger.head: return "tampered", 10, ("HEAD", 0, seq - 1), "HEAD is missing or wrong"
    if later: return "unverifiable", 11, (name, pos, seq), "a later version wrote this entry"
    if not ledger.key: return "unverifiable", 11, (name, pos, seq - 1), "the sealing key is absent"
    return ("torn", 0, (name, pos, seq), reason) if torn else ("intact", 0, (name, pos, seq - 1), None)

def main():
    parser = argparse.ArgumentParser(description="Verify a Bulla ledger (FORMAT.md).")
    parser.add_argument("dir", metavar="DIR")
    parser.add_argument("--key", metavar="FILE", help="the sealing key; else DIR/keys/<key id>.key")
    try:
        arguments = parser.parse_args()
        verdict, code, place, reason = verify(arguments.dir, arguments.key)
        print("%s: segment %s, offset %d, seq %d" % ((verdict,) + place) + (": " + reason if reason else ""))
        return code
    except SystemExit as end: return 64 if end.code else 0
    except Stop as stop: code, why = stop.args
    except OSError as error: code, why = 30, str(error)
    print("error:", why, file=sys.stderr)
    return code

if __name__ == "__main__":
    sys.exit(main())
