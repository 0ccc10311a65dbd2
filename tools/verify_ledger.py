#!/usr/bin/env python3
"""Verify a Bulla ledger: verify_ledger.py DIR [--key FILE]

An independent judge, written from FORMAT.md alone (the § below are its sections). It prints the verdict line of §6 and
exits with the code given there; what is no verdict (64, 30, 20) goes to the error output. It changes nothing. Segments
are mapped, so verify a ledger on a sound disk, and none that is being truncated meanwhile."""
import argparse, datetime, errno, hashlib, hmac, json, math, mmap, os, re, stat, sys

LENGTH = re.compile(rb"([1-9][0-9]{0,6}):")
SEALS = re.compile(rb',"hash":"([0-9a-f]{64})","sig":"([0-9a-f]{64})"}')  # always 148 bytes
CANDIDATE = re.compile(rb'[1-9][0-9]{0,6}:\{"entry":')
NULS = re.compile(rb"\0+")
SEGMENT = re.compile(r"[0-9]{20}\.frames")

class Stop(Exception):   # (exit code, why): no verdict is possible
    pass
class Fault(Exception):  # (reason): a check failed
    pass
class Incomplete(Fault): # the only fault is that the data ends inside a decision
    pass
class Later(Exception):  # an entry that a later version wrote
    pass

# --- §1: canonical JSON. What the parser's hooks do not refuse shows when the value is written again.

def number_text(x):  # as ECMAScript prints it; Python's repr has the same (shortest) digits
    digits, _, exponent = repr(abs(x)).partition("e")
    whole, _, fraction = digits.partition(".")
    digits = (whole + fraction).lstrip("0")
    point = len(whole) + int(exponent or 0) - (len(whole + fraction) - len(digits))  # where the decimal point stands
    digits = digits.rstrip("0")
    if not digits:
        return "0"
    if len(digits) <= point <= 21:
        text = digits + "0" * (point - len(digits))
    elif 0 < point <= 21:
        text = digits[:point] + "." + digits[point:]
    elif -6 < point <= 0:
        text = "0." + "0" * -point + digits
    else:
        text = digits[0] + ("." + digits[1:] if digits[1:] else "") + "e%+d" % (point - 1)
    return "-" + text if x < 0 else text

def read_number(text):  # also gets NaN and Infinity; float() takes any number of digits
    x = float(text)
    if not math.isfinite(x) or number_text(x) != text:
        raise ValueError("number")
    return int(text) if text.lstrip("-").isdigit() else x  # at most 21 digits here

def read_object(pairs):
    names = [name.encode("utf-16-be") for name, _ in pairs]  # fails on lone surrogates
    if any(a >= b for a, b in zip(names, names[1:])):
        raise ValueError("names out of order, or twice")
    return dict(pairs)

PARSER = json.JSONDecoder(object_pairs_hook=read_object, parse_int=read_number, parse_float=read_number,
                          parse_constant=read_number)
quote = json.JSONEncoder(ensure_ascii=False).encode  # of a string: the shortest escapes

def write(value, depth):  # depth: how many containers there are, with value if it is one
    if isinstance(value, str):
        return quote(value)
    if value is None or value is True or value is False:
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, (int, float)):
        return number_text(float(value))
    if depth > 64:
        raise ValueError("depth")
    if isinstance(value, list):
        return "[" + ",".join([write(v, depth + 1) for v in value]) + "]"
    return "{" + ",".join([quote(k) + ":" + write(v, depth + 1) for k, v in value.items()]) + "}"

def canonical(raw, depth):
    try:
        text = raw.decode("utf-8")
        value = PARSER.decode(text)
        if write(value, depth) == text:
            return value
    except (ValueError, RecursionError):  # UnicodeError is a ValueError
        pass
    raise Fault("it is not canonical JSON")

# --- §3, §4, §5: what has which form

def matches(pattern):
    pattern = re.compile(pattern)
    return lambda v: isinstance(v, str) and pattern.fullmatch(v) is not None

def integer(low):  # True is no integer, and neither is 1.0
    return lambda v: type(v) is int and low <= v < 2**53

def is_object(v):
    return isinstance(v, dict)

def is_context(v):
    if not is_object(v) or "part" not in v:
        return is_object(v)
    part = v["part"]
    return (isinstance(part, list) and len(part) == 2 and all(map(integer(1), part))
            and part[0] <= part[1] and part[1] >= 2)

def is_justification(v):
    return (is_object(v) and set(v) == {"pillar", "reason"} and isinstance(v["reason"], str)
            and v["pillar"] in ("sovereignty", "integrity", "resilience", "evolution"))

is_time_shape = matches(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z")

def is_time(v):
    try:
        return is_time_shape(v) and bool(datetime.datetime(*map(int, re.findall("[0-9]+", v))))
    except ValueError:
        return False

def is_one(v):
    return type(v) is int and v == 1

is_key, is_ledger, is_digest = matches("[0-9a-f]{16}"), matches("[0-9a-f]{32}"), matches("[0-9a-f]{64}")

ENTRY = {"action": matches(r"[a-z0-9_]+(\.[a-z0-9_]+)*"), "actor": matches(r'[a-z0-9_]+:[^\x00-\x1f\x7f"\\]+'),
         "body": is_object, "context": is_context, "justification": is_justification, "key": is_key,
         "ledger": is_ledger, "prev_hash": is_digest, "seq": integer(1), "synced": integer(0), "time": is_time,
         "v": is_one}
HEAD = {"alert": lambda v: isinstance(v, bool), "end": integer(1), "key": is_key, "ledger": is_ledger, "mac": is_digest,
        "segment": integer(1), "seq": integer(1), "tip": is_digest, "v": is_one}

def check_form(value, form):
    if not is_object(value) or value.keys() != form.keys():
        raise Fault("it has not exactly the members it must have")
    for name, holds in form.items():
        if not holds(value[name]):
            raise Fault("the member " + name + " is not as it must be")

def read_frame(data, pos):  # ENTRY, HASH, SIG and the offset behind the frame
    length = LENGTH.match(data, pos)
    if length:
        start = length.end()
        end = start + int(length.group(1))
        if end - start <= 1048576 and end < len(data) and data[end] == 10:
            seals = SEALS.fullmatch(data, max(start, end - 148), end)
            if seals and data[start:start + 9] == b'{"entry":':
                return data[start + 9:end - 148], seals.group(1).decode(), seals.group(2).decode(), end + 1
    raise Fault("the frame is malformed")

# --- §2: files

def open_file(path, otherwise):  # the file and its status; otherwise: the exit code when it is no regular file
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise Stop(otherwise, path + " is a symbolic link")
        raise
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise Stop(otherwise, path + " is no regular file")
    return os.fdopen(fd, "rb"), os.fstat(fd)

def read_head(path):  # b"" when it is missing; no right HEAD is longer than 4096
    try:
        with open_file(path, 30)[0] as file:
            return file.read(4097)
    except FileNotFoundError:
        return b""

def map_segment(path):
    file, status = open_file(path, 30)
    with file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if status.st_size else b""

def read_key(path, key_id):  # None when it is absent
    try:
        file, status = open_file(path, 20)
    except FileNotFoundError:
        return None
    with file:
        if status.st_nlink != 1 or status.st_uid != os.geteuid() or status.st_mode & 0o077:
            raise Stop(20, path + " is not its reader's alone (mode 0600, one link)")
        text = file.read(66)
    if not re.fullmatch(rb"[0-9a-f]{64}\n", text):
        return None
    key = bytes.fromhex(text[:64].decode())
    return key if hashlib.sha256(b"bulla/1/key-id\n" + key).hexdigest()[:16] == key_id else None

# --- §6: the walk

class Walk:
    def __init__(self, base, key_file):
        self.base, self.key_file, self.key, self.ledger, self.key_id = base, key_file, None, None, None
        self.head_bytes = read_head(os.path.join(base, "HEAD"))  # before the segments: it never leads them
        self.head = None        # HEAD, once it is known to be valid
        self.reached = False    # HEAD's frame was met, and is as HEAD says
        try:
            self.names = sorted(n for n in os.listdir(os.path.join(base, "ledger")) if SEGMENT.fullmatch(n))
        except FileNotFoundError:
            self.names = []
        if not self.names and not self.head_bytes:
            raise Stop(64, "there is no ledger in " + base)
        self.data = b""                                      # the segment being read
        self.seq, self.prev, self.synced = 1, "0" * 64, 0    # the seq expected next; of the entry before
        self.part = None                                     # the part that must come next, inside a decision
        self.place = ("%020d.frames" % 1, 0, 1)              # where the current decision starts, and its seq

    def walk(self):
        for name in self.names:
            self.place = (name, 0, self.seq)
            self.data = map_segment(os.path.join(self.base, "ledger", name))
            if int(name[:20]) != self.seq:
                raise Fault("the segment's name is not the seq expected")
            pos, last = 0, name == self.names[-1]
            while pos < len(self.data):
                if last and self.data[pos] == 0:
                    if NULS.match(self.data, pos).end() < len(self.data):
                        raise Fault("there are other bytes in the preallocation")
                    break
                pos = self.check(name, pos)
            if self.part:
                raise Incomplete("the decision is incomplete") if last else Fault("the decision is incomplete")
        if self.head and not self.reached:
            raise Fault("the ledger is shorter than HEAD says")

    def check(self, name, pos):
        entry_bytes, digest, sig, end = read_frame(self.data, pos)
        entry = canonical(entry_bytes, 2)
        if self.seq == 1 and is_object(entry) and is_key(entry.get("key")):
            path = self.key_file or os.path.join(self.base, "keys", entry["key"] + ".key")
            self.key = read_key(path, entry["key"])
        if (is_object(entry) and type(entry.get("v")) is int and entry["v"] > 1
                and not self.broken_seal(entry_bytes, digest, sig)):
            raise Later
        check_form(entry, ENTRY)
        if self.seq == 1:
            if entry["action"] != "ledger.genesis":
                raise Fault("the first entry is no genesis")
            self.ledger, self.key_id = entry["ledger"], entry["key"]
            self.judge_head()
        part = entry["context"].get("part")
        for wrong, reason in (
                (entry["ledger"] != self.ledger, "the entry is of another ledger"),
                (entry["seq"] != self.seq, "the seq is not the one expected"),
                (not hmac.compare_digest(entry["prev_hash"], self.prev), "prev_hash is not the hash of the entry before"),
                (not self.synced <= entry["synced"] < self.seq, "synced is out of its range"),
                (part != self.part if self.part else part and part[0] != 1, "the decision is broken"),
                (entry["key"] != self.key_id, "the entry names another key")):
            if wrong:
                raise Fault(reason)
        broken = self.broken_seal(entry_bytes, digest, sig)
        if broken:
            raise Fault(broken)
        self.part = [part[0] + 1, part[1]] if part and part[0] < part[1] else None
        if self.head and self.seq == self.head["seq"]:
            same = (int(name[:20]), end, digest) == (self.head["segment"], self.head["end"], self.head["tip"])
            if self.part or not same:
                self.place = (name, pos, self.seq)
                raise Fault("HEAD ends inside this decision" if same else "HEAD describes this entry otherwise")
            self.reached = True
        self.seq, self.prev, self.synced = self.seq + 1, digest, entry["synced"]
        if not self.part:
            self.place = (name, end, self.seq)
        return end

    def broken_seal(self, entry_bytes, digest, sig):  # why, or None
        if not hmac.compare_digest(hashlib.sha256(entry_bytes + b"|sig:" + sig.encode()).hexdigest(), digest):
            return "the hash does not match the entry"
        if self.key and not hmac.compare_digest(hmac.new(self.key, entry_bytes, "sha256").hexdigest(), sig):
            return "the sig does not match the entry"

    def judge_head(self):
        try:
            head = canonical(self.head_bytes, 1)
            check_form(head, HEAD)
        except Fault:
            return
        rest = write({k: v for k, v in head.items() if k != "mac"}, 1).encode()
        if (head["ledger"], head["key"]) == (self.ledger, self.key_id) and (not self.key or hmac.compare_digest(
                hmac.new(self.key, b"bulla/1/head\n" + rest, "sha256").hexdigest(), head["mac"])):
            self.head = head

    def torn(self, fault):
        (name, at, seq), data = self.place, self.data
        if not self.reached or self.head["alert"] or name != self.names[-1]:
            return False
        if self.head["segment"] == int(name[:20]):
            behind = at - self.head["end"]
        elif len(self.names) > 1 and self.head["segment"] == int(self.names[-2][:20]):
            behind = at
        else:
            return False
        if not 0 <= behind <= 8388608:
            return False
        far = at + 33554432  # from here on there may be nothing but NULs
        if far < len(data) and not re.compile(rb"\0+\Z").match(data, far):
            return False
        if isinstance(fault, Incomplete):
            return True
        pos = damage = at  # where to look next; where the current damaged stretch begins
        while True:
            found = CANDIDATE.search(data, pos)
            if not found:
                return self.like_a_crash(damage, len(data))
            pos = found.start()
            try:
                entry_bytes, digest, sig, end = read_frame(data, pos)
                entry = canonical(entry_bytes, 2)
                check_form(entry, ENTRY)
                holds = entry["ledger"] == self.ledger and not self.broken_seal(entry_bytes, digest, sig)
            except Fault:
                holds = False
            if not holds:
                pos += 1
                continue
            if entry["synced"] >= seq or not self.like_a_crash(damage, pos):
                return False
            pos = damage = end

    def like_a_crash(self, start, end):
        size, nul = len(self.data), False
        for run in NULS.finditer(self.data, start, end):
            nul = True
            if run.end() % 512 and run.end() != size:
                return False
        return nul or end == size or start == end

def verify(base, key_file):  # verdict, exit code, (segment, offset, seq), reason
    if not os.path.isdir(base):
        raise Stop(64, "there is no directory " + base)
    walk, fault = Walk(base, key_file), None
    try:
        walk.walk()
    except Fault as error:
        fault = error
    except Later:
        name, offset, seq = walk.place
        return "unverifiable", 11, (name, offset, seq - 1), "an entry is of a later version"
    name, offset, seq = walk.place
    if fault is None and not walk.head:
        return "tampered", 10, ("HEAD", 0, seq - 1), "HEAD is wrong" if walk.head_bytes else "HEAD is missing"
    if fault is not None and not walk.torn(fault):
        return "tampered", 10, walk.place, str(fault)
    if not walk.key:
        return "unverifiable", 11, (name, offset, seq - 1), "the sealing key is absent"
    if fault is not None:
        return "torn", 0, walk.place, str(fault)
    return "intact", 0, (name, offset, seq - 1), None

class Arguments(argparse.ArgumentParser):
    def error(self, message):
        raise Stop(64, message)

def main():
    try:
        arguments = Arguments(description="Verify a Bulla ledger (FORMAT.md).")
        arguments.add_argument("dir", metavar="DIR")
        arguments.add_argument("--key", metavar="FILE", help="the sealing key; else DIR/keys/<key id>.key")
        chosen = arguments.parse_args()
        verdict, code, place, reason = verify(chosen.dir, chosen.key)
    except Stop as stop:
        code, why = stop.args
        print("error:", why, file=sys.stderr)
    except OSError as error:
        code = 30
        print("error: cannot read:", error, file=sys.stderr)
    else:
        print("%s: segment %s, offset %d, seq %d" % ((verdict,) + place) + (": " + reason if reason else ""))
    return code

if __name__ == "__main__":
    sys.exit(main())
