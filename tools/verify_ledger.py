#!/usr/bin/env python3
"""Verify a Bulla ledger: verify_ledger.py DIR [--key FILE ...]. An independent judge, written from FORMAT.md alone (the
§ below are its sections). Prints the verdict line of §6, exits with its code and changes nothing."""
import argparse, datetime, decimal, hashlib, hmac, io, json, os, re, stat, sys

class Stop(Exception): """(exit code, why): there is no verdict"""
class Fault(Exception): """(reason): a check failed"""

# §1. JSON is canonical when it comes out as it went in; so order, duplicates, spaces and escapes need no other check.
def number(x):  # as ECMAScript's Number::toString; Python's repr finds the same digits
    if x.is_integer() and abs(x) < 2**53: return str(int(x))
    _, digits, exponent = decimal.Decimal(repr(x)).normalize().as_tuple()
    s, n = "".join(map(str, digits)), len(digits) + int(exponent)  # 0.s times 10 to the n; ValueError if not finite
    if 0 < n <= 21:    s = s[:n].ljust(n, "0") + "." * (len(s) > n) + s[n:]
    elif -6 < n <= 0:  s = "0." + "0" * -n + s
    else:              s = s[0] + "." * (len(s) > 1) + s[1:] + "e%+d" % (n - 1)
    return "-" * (x < 0) + s
quote = json.JSONEncoder(ensure_ascii=False).encode  # for strings, true, false and null
def dumps(v, depth=1):
    if isinstance(v, float): return number(v)
    if not isinstance(v, (dict, list)): return quote(v)
    if depth > 64: raise ValueError("too deep")
    if isinstance(v, list): return "[" + ",".join([dumps(x, depth + 1) for x in v]) + "]"
    names = sorted(v, key=lambda name: name.encode("utf-16-be"))
    return "{" + ",".join([quote(name) + ":" + dumps(v[name], depth + 1) for name in names]) + "}"
def loads(raw, form):
    try:
        value = json.loads(raw.decode("utf-8"), parse_int=float)
        if dumps(value).encode("utf-8") == raw and fits(value, form): return value
    except (ValueError, RecursionError): pass  # a UnicodeError is a ValueError
    raise Fault("not canonical JSON with the right members")

# §3 to §5. A form is a type, a pattern, a range of plain integers, a dict for exactly these members, or else a test.
def fits(v, form):
    if isinstance(form, type): return type(v) is form
    if isinstance(form, str): return type(v) is str and re.fullmatch(form, v) is not None
    if isinstance(form, range): return type(v) is float and v.is_integer() and form.start <= v < form.stop
    if not isinstance(form, dict): return form(v)
    return type(v) is dict and v.keys() == form.keys() and all(fits(v[name], form[name]) for name in form)
def context(v):
    part = v.get("part", [1.0, 2.0]) if type(v) is dict else None
    return type(part) is list and len(part) == 2 and all(fits(x, POSITIVE) for x in part) and part[0] <= part[1] > 1 and part[1] < 2**31
def time(v):
    shape = "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[.][0-9]{6}Z"
    try: return fits(v, shape) and bool(datetime.datetime(*map(int, re.findall("[0-9]+", v))))
    except ValueError: return False  # no such date or time
NATURAL, POSITIVE, HEX16, HEX32, HEX64 = range(2**53), range(1, 2**53), "[0-9a-f]{16}", "[0-9a-f]{32}", "[0-9a-f]{64}"
ENTRY = {"action": r"[a-z0-9_]+(\.[a-z0-9_]+)*", "actor": r'[a-z0-9_]+:[^\x00-\x1f\x7f"\\]+', "body": dict,
         "context": context, "key": HEX16, "ledger": HEX32, "prev_hash": HEX64, "seq": POSITIVE, "time": time,
         "justification": {"pillar": "sovereignty|integrity|resilience|evolution", "reason": str},
         "synced": NATURAL, "v": NATURAL}
ENROLMENT = {"actor": r'[a-z0-9_]+:[^\x00-\x1f\x7f"\\]+', "class": "[a-z0-9_-]{1,64}", "enrolled": POSITIVE, "key": HEX64,
             "revoked": NATURAL}
GAP = {"first": POSITIVE, "last": POSITIVE}
SEGMENT = {"bytes": NATURAL, "first": POSITIVE, "key": HEX16, "last": POSITIVE, "sha256": HEX64, "tip": HEX64}
ROSTER = {"introduced": POSITIVE, "key": HEX16, "retired": NATURAL}
def turn(action, body, seq):  # §4.1: whether the body holds what its action asks for
    if action == "key.rotated": return fits(body.get("key"), HEX16) and fits(body.get("proof"), HEX64)
    if action == "key.retired": return fits(body.get("key"), HEX16)
    if action == "ledger.archived":
        all_fit = lambda v, form: type(v) is list and all(fits(x, form) and x.get("first", 0) <= x.get("last", 0) for x in v)
        segments = body.get("segments")
        return (all_fit(body.get("keys"), ROSTER) and all_fit(segments, SEGMENT) and len(segments) > 0
                and all(a["last"] + 1 == b["first"] for a, b in zip(segments, segments[1:])) and segments[-1]["last"] < seq)
    if "roster" in body and "associates" in body and not fits(body["associates"], associates): return False
    if action in VERBS:
        return (fits(body.get("roster"), roster) and "associates" in body and request(body.get("request"), VERBS[action])
                and (not action.startswith("patch.") or holds_texts(body)) and (action != "lane.forced" or holds_lease(body)))
    if action in ACTORS: return fits(body.get("roster"), roster) and ACTORS[action](body)
    if action == "ledger.repaired" and "roster" in body and "associates" in body and not mending(body): return False
    return action != "ledger.repaired" or ("gap" not in body or fits(body["gap"], GAP) and body["gap"]["first"] <= body["gap"]["last"]
                                           ) and ("roster" not in body or fits(body["roster"], roster))
# §4.7. Ed25519 as RFC 8032 §5.1 has it: slow, and short.
P, L, D = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493, -121665 * pow(121666, -1, 2**255 - 19) % (2**255 - 19)
def add(p, q):
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    return (b - a) * (d - c) % P, (d + c) * (b + a) % P, (d - c) * (d + c) % P, (b - a) * (b + a) % P
def times(n, a):
    sum = 0, 1, 1, 0
    while n:
        if n & 1: sum = add(sum, a)
        a, n = add(a, a), n >> 1
    return sum
def point(raw):  # None for what is no canonical spelling of a point
    y, odd = int.from_bytes(raw, "little") & 2**255 - 1, raw[31] >> 7
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P: x = x * pow(2, (P - 1) // 4, P) % P
    if y >= P or (x * x - square) % P or x == 0 and odd: return None
    x = x if x & 1 == odd else P - x
    return x, y, 1, x * y % P
B = point(bytes.fromhex("58" + "66" * 31))
def actor_key(text):  # §4.7: canonical, and of the order L
    found = point(bytes.fromhex(text))
    if found is None or found[:2] == (0, 1): return False
    x, y, z, _ = times(L, found)
    return x == 0 and y == z
def signed(key, signature, text):
    a, s = point(key), int.from_bytes(signature[32:], "little")
    if a is None or s >= L: return False
    h = int.from_bytes(hashlib.sha512(signature[:32] + key + text).digest(), "little") % L
    x, y, z, _ = add(times(s, B), times(h, (P - a[0], a[1], 1, P - a[3])))  # not L - h: L times a need not be zero
    x, y = x * pow(z, -1, P) % P, y * pow(z, -1, P) % P
    return (y | (x & 1) << 255).to_bytes(32, "little") == signature[:32]

def standing(rows, actor, seq):  # the actor's last enrolment before seq
    rows = [x for x in rows if x["actor"] == actor and x["enrolled"] < seq]
    return rows[-1] if rows else None
def is_live(row, seq): return row is not None and not 0 < row["revoked"] < seq
def roster(v):
    return (type(v) is list and len(v) <= 1000 and all(fits(x, ENROLMENT) and len(x["actor"].encode()) <= 256 for x in v)
            and len({x["key"] for x in v}) == len(v) and all(not x["revoked"] or x["revoked"] > x["enrolled"] for x in v)
            and all(a["enrolled"] < b["enrolled"] for a, b in zip(v, v[1:]))
            and not any(is_live(standing(v[:i], x["actor"], x["enrolled"]), x["enrolled"]) for i, x in enumerate(v)))
ACTORS = {"actor.stated": lambda body: True, "actor.revoked": lambda body: type(body.get("actor")) is str,
          "actor.enrolled": lambda body: fits({x: body.get(x) for x in ("actor", "class", "key")}, {x: ENROLMENT[x] for x in
                            ("actor", "class", "key")}) and body["actor"] != "service:bulla" and len(body["actor"].encode()) <= 256 and actor_key(body["key"])}
# §4.8. Associates: M of N keys, and what they sign.
VERBS = {"associate.added": "associate.add", "associate.removed": "associate.remove", "alert.released": "alert.release",
         "constitution.adopted": "constitution.adopt", "patch.approved": "patch.approve", "patch.reverted": "patch.revert",
         "lane.forced": "lane.force"}
LEASE = {"holder": str, "lane": str, "lane_kind": str, "ttl_minutes": float,
         "tree": lambda v: type(v) is list and len(v) <= 64 and all(type(x) is str for x in v)}
def holds_lease(body):  # §4.5: the lease is the one that was signed
    lease, arguments = body.get("lease"), body["request"]["arguments"]
    return type(lease) is dict and all(name in lease and dumps(lease[name]) == dumps(arguments.get(name)) for name in LEASE)
def holds_texts(body):  # §4.10: both texts of a handbook are those that were signed
    sha256 = lambda v: hashlib.sha256(v.encode()).hexdigest() if type(v) is str else None
    arguments = body["request"]["arguments"]
    return sha256(body.get("before")) == arguments.get("base") and sha256(body.get("after")) == arguments.get("result")
def key_list(v): return type(v) is list and len(v) <= 64 and len(set(map(str, v))) == len(v) and all(fits(x, HEX64) for x in v)
def counts(keys, m): return 0 < len(keys) <= 64 and 1 <= m <= len(keys)
def can_withdraw(keys, gone, m): return not gone or set(gone) <= set(keys) and len(keys) - len(gone) >= m
def texts(fit): return lambda v: type(v) is list and len(v) <= 64 and all(type(x) is str and fit(x) for x in v)
def articles(v):  # of a constitution; its text is for who signs it
    name = lambda x: re.fullmatch(r"[a-z0-9_]+(\.[a-z0-9_]+)*", x) is not None and len(x) <= 256
    folder = lambda x: 1 <= len(x.encode()) <= 1024 and not re.search(r"[\x00-\x1f\x7f]", x)
    pillars = lambda v: type(v) is dict and set(v) <= {"sovereignty", "integrity", "resilience", "evolution"} and all(map(texts(name), v.values()))
    form = {"classes": texts(lambda x: re.fullmatch(r"[a-z0-9_-]{1,64}|\*", x)), "handbooks": {"folders": texts(folder)}, "pillars": pillars,
            "retention": {"days": range(36526)}, "thresholds": {"recurrences": range(1, 1000001), "request_hours": range(1, 8785)}}
    once = lambda v: len(set(v)) == len(v)
    return (fits(v, form) and len(dumps(v).encode()) <= 16384 and v["classes"] != [] and once([x.replace("_", "-") for x in v["classes"]])
            and once([x for names in v["pillars"].values() for x in names]))
def adopted(v): return v is None or fits(v, {"act": {"hash": HEX64, "seq": POSITIVE}, "articles": articles})
def associates(v):
    form = {"act": {"hash": HEX64, "seq": POSITIVE}, "constitution": adopted, "keys": key_list, "suspended": bool, "threshold": POSITIVE,
            "withdrawn": key_list}
    return (fits(v, form) and counts(v["keys"], v["threshold"]) and (v["suspended"] or not v["withdrawn"])
            and can_withdraw(v["keys"], v["withdrawn"], v["threshold"]))
def request(v, verb):
    form = {"arguments": dict, "base": HEX64, "expires": time, "ledger": HEX32, "nonce": HEX32, "verb": lambda v: v in VERBS.values(),
            "signatures": lambda v: type(v) is list and len(v) <= 64 and all(fits(x, {"key": HEX64, "sign": "[0-9a-f]{128}"}) for x in v)}
    return fits(v, form) and len(dumps(v).encode()) <= 65536 and verb in (None, v["verb"])
def mending(body):
    acts = body.get("acts", [])
    return key_list(body.get("withdrawn", [])) and fits(body.get("threshold", 1.0), range(1, 65)) and type(acts) is list and all(
        fits(x, {"hash": HEX64, "request": lambda r: request(r, None)}) for x in acts)
def signers_of(house): return [x for x in house["keys"] if x not in house["withdrawn"]]
def carried_out(house, asked, ledger, now, tip):  # the associates behind a request; now and tip are None where nobody knows them
    if asked["ledger"] != ledger or house["suspended"] and asked["verb"] != "alert.release" or asked["base"] != house["act"]["hash"] or asked["base"] == 64 * "0":
        raise Fault("a request for something else, or one that was used")
    if now and now > asked["expires"]: raise Fault("a request that expired")
    arguments, names = asked["arguments"], [x["key"] for x in asked["signatures"]]
    digest = hashlib.sha256(dumps(arguments).encode()).hexdigest()
    text = b"bulla/1/request\n" + dumps({"arguments": digest, **{x: asked[x] for x in ("base", "expires", "ledger", "nonce", "verb")}}).encode()
    if (len(set(names)) != len(names) or not set(names) <= set(signers_of(house)) or len(names) < house["threshold"]
            or not all(signed(bytes.fromhex(x["key"]), bytes.fromhex(x["sign"]), text) for x in asked["signatures"])):
        raise Fault("a request that was not signed by enough associates")
    return applied(house, asked["verb"], arguments, tip)
def applied(house, verb, arguments, tip):
    keys, m, reason = house["keys"], arguments.get("threshold"), lambda x: type(x) is str and len(x.encode()) <= 4096
    if verb == "alert.release":
        named = {"constitution": HEX64} if "constitution" in arguments else {}  # as earlier builds did not
        holds = house["constitution"] and hashlib.sha256(dumps(house["constitution"]["articles"]).encode()).hexdigest()
        if (not fits(arguments, {**named, "keys": key_list, "reason": reason, "threshold": NATURAL, "tip": HEX64})
                or named and arguments["constitution"] != holds or tip not in (None, arguments["tip"])
                or arguments["keys"] != signers_of(house) or m != house["threshold"]): raise Fault("the release of something else")
        return {**house, "keys": signers_of(house), "withdrawn": [], "suspended": False}
    if verb == "constitution.adopt":
        text = lambda x: type(x) is str and len(x.encode()) <= 16384
        if (not fits(arguments, {"articles": articles, "reason": reason, "text": text, "threshold": NATURAL})
                or not counts(keys, m)): raise Fault("a constitution that cannot be")
        return {**house, "threshold": m, "constitution": {"act": None, "articles": arguments["articles"]}}
    if verb == "lane.force":
        if not fits(arguments, {**LEASE, "reason": reason}): raise Fault("a lane without the right arguments")
        return house
    if verb.startswith("patch."):
        if not fits(arguments, {"base": HEX64, "diff": HEX64, "handbook": lambda x: type(x) is str and 0 < len(x.encode()) <= 512,
                                "proposal": POSITIVE, "reason": reason, "result": HEX64}): raise Fault("a patch without the right arguments")
        return house
    if not fits(arguments, {"key": HEX64, "reason": reason, "threshold": NATURAL}) or not actor_key(arguments["key"]):
        raise Fault("a request without the right arguments")
    key, adds = arguments["key"], verb == "associate.add"
    if house["constitution"] and m != house["threshold"]: raise Fault("only a constitution says how many must sign")
    keys = keys + [key] if adds else [x for x in keys if x != key]
    if (key in house["keys"]) == adds or not counts(keys, m): raise Fault("associates who cannot be")
    return {**house, "keys": keys, "threshold": m}
def adopting(asked, house, act): return {**house, "constitution": {**house["constitution"], "act": act}} if asked["verb"] == "constitution.adopt" else house
def mended(house, body, ledger, act):
    for old in body.get("acts", []):
        house = carried_out(house, old["request"], ledger, None, None)
        house = adopting(old["request"], {**house, "act": {**house["act"], "hash": old["hash"]}}, act)
    if "threshold" in body:
        if body["threshold"] <= house["threshold"] or not counts(house["keys"], body["threshold"]): raise Fault("a repair that lets other numbers sign")
        house = {**house, "threshold": body["threshold"]}
    gone = house["withdrawn"] + [x for x in body.get("withdrawn", []) if x not in house["withdrawn"]]
    if not can_withdraw(house["keys"], gone, house["threshold"]): raise Fault("a repair that leaves too few associates")
    return {**house, "act": act, "suspended": True, "withdrawn": gone}
def founded(body, act):  # what the first entry says; None if it names nobody
    if "associates" not in body: return None
    named = body["associates"]
    if not (fits(named, {"keys": key_list, "threshold": POSITIVE}) and counts(named["keys"], named["threshold"])
            and all(map(actor_key, named["keys"]))): raise Fault("the first entry names associates who cannot be")
    return {**named, "act": act, "constitution": None, "suspended": False, "withdrawn": []}
HEAD = {"alert": bool, "end": POSITIVE, "key": HEX16, "ledger": HEX32, "mac": HEX64, "segment": POSITIVE,
        "seq": POSITIVE, "tip": HEX64, "v": range(1, 2)}

def read(file, pos, size):
    file.seek(pos)
    return file.read(size)
def read_frame(file, pos):  # PAYLOAD, the bytes of ENTRY, and the offset behind the frame
    length = re.match(rb"([1-9][0-9]{0,6}):", read(file, pos, 8))
    if not length or int(length[1]) > 1048576: raise Fault("no frame starts here")
    size, start = int(length[1]), pos + length.end()
    frame = read(file, start, size + 1)
    if frame[size:] != b"\n": raise Fault("the frame has not the length it states")
    payload = loads(frame[:size], {"entry": ENTRY, "hash": HEX64, "sig": HEX64})
    return payload, frame[9:size - 148], start + size + 1  # 148: HASH and SIG with their names
def content_end(file, pos):  # where the NULs at the file's end begin; pos, if nothing else follows it
    end = pos
    while chunk := read(file, pos, 1 << 20):
        end, pos = pos + len(chunk.rstrip(b"\0")) if chunk != bytes(len(chunk)) else end, pos + len(chunk)
    return end

def key_of(text): return bytes.fromhex(text[:64].decode()) if re.fullmatch(b"[0-9a-f]{64}\n", text) else None
def key_id(key): return hashlib.sha256(b"bulla/1/key-id\n" + key).hexdigest()[:16]

class Ledger:  # §2, §6
    def __init__(self, base, key_files):
        self.base, self.reached = base, False
        if not os.path.lexists(base): raise Stop(64, "no such directory: " + base)
        for path in (os.path.join(base, name) for name in ("", "ledger", "keys")):
            if os.path.lexists(path) and not os.path.isdir(path) or os.path.realpath(path) != os.path.abspath(path):
                raise Stop(20, "a link on the way, or no directory: " + path)
        self.head_bytes = head_bytes = self.read_head()
        names = os.listdir(os.path.join(base, "ledger")) if os.path.isdir(os.path.join(base, "ledger")) else []
        self.names = sorted(n for n in names if fits(n, r"[0-9]{20}\.frames") and int(n[:20]) in POSITIVE)
        if not self.names and not head_bytes: raise Stop(64, "no ledger in " + base)
        self.place = self.start = "%020d.frames" % 1, 0, 1     # of what is expected next; of the decision that it is in
        self.prev, self.synced, self.rest = "0" * 64, 0, None  # rest: the part that must come next in the decision
        self.later = None                                      # of the first entry that a later version wrote
        self.begin = int(self.names[0][:20]) if self.names else 1  # where the walk begins; the rest was archived, if above 1 (§4.4)
        self.by = None                                            # the entry that explains it
        self.first = self.read_first()
        try: self.head = loads(head_bytes, HEAD)  # None when it is missing or wrong
        except Fault: self.head = None
        named = {x["key"] for x in (self.first, self.head) if x}
        self.keys = self.given(key_files) if key_files else self.read_keys(named)
        if self.head:
            text = dumps({name: self.head[name] for name in HEAD if name != "mac"}).encode()
            if (self.mac(self.head["key"], b"bulla/1/head\n" + text) not in (None, self.head["mac"])
                    or self.first and self.first["ledger"] != self.head["ledger"]): self.head = None
        self.called, self.introduced = (self.first["key"], {self.first["key"]}) if self.first else (None, set())
        self.actors = []                              # who is or was enrolled (§4.7)
        self.used, self.newest = {}, 0                # the seq of each signed actor and id; the greatest b of them (§4.7)
        self.house = None                             # the associates (§4.8)
        self.unchecked, self.retirements = set(), []  # keys whose SIGs were not checked; (who is retired, by whom, SIG checked)
    def read_head(self):
        with self.open("HEAD") as file: return file.read(4096)  # a right HEAD is shorter
    def has_moved(self): return self.read_head() != self.head_bytes or self.read_keys(()).keys() != self.keys.keys()
    def is_overtaken(self):  # whether segments left for an archive since they were listed, or HEAD is that of before
        names = os.listdir(os.path.join(self.base, "ledger")) if self.names else []
        return bool(self.names) and self.names[0] not in names or self.begin > 1 and self.read_head() != self.head_bytes
    def read_first(self):  # the first entry, if it has the form of one
        if not self.names: return None
        with self.open("ledger", self.names[0]) as file:
            try: return read_frame(file, 0)[0]["entry"]
            except Fault: return None
    def open(self, *path, unshared=0):
        path = os.path.join(self.base, *path)
        try: status = os.lstat(path)
        except FileNotFoundError: return io.BytesIO()  # HEAD and a key that are absent are as if empty
        if (not stat.S_ISREG(status.st_mode) or status.st_nlink > 1 or status.st_mode & unshared
                or status.st_uid != os.stat(self.base).st_uid):
            raise Stop(20, "a link, no regular file, or not its owner's alone: " + path)
        return open(path, "rb")
    def given(self, files):  # keys by their ids
        keys = {}
        for file in files:
            with open(file, "rb") as opened: key = key_of(opened.read(66))
            if not key: raise Stop(64, "no key file: " + file)
            keys[key_id(key)] = key
        return keys
    def read_keys(self, named):
        keys, folder = {}, os.path.join(self.base, "keys")
        try: ids = [name[:16] for name in os.listdir(folder) if fits(name, HEX16 + r"\.key")]
        except (FileNotFoundError, PermissionError): return keys
        for name in ids:
            try:
                with self.open("keys", name + ".key", unshared=0o077) as file: key = key_of(file.read(66))
            except PermissionError: continue
            except Stop:
                if name in named: raise
                continue
            if key and key_id(key) == name: keys[name] = key
        return keys
    def mac(self, name, data):  # None without the key
        return hmac.new(self.keys[name], data, "sha256").hexdigest() if name in self.keys else None
    def hashed(self, payload, raw):
        return hashlib.sha256(raw + b"|sig:" + payload["sig"].encode()).hexdigest() == payload["hash"]
    def walk(self):
        if not self.names: raise Fault("there is no segment")
        if self.begin > 1: self.place = self.start = self.names[0], 0, self.begin
        for name in self.names:
            if int(name[:20]) != self.place[2]: raise Fault("a segment is missing here, or misnamed")
            last, self.place = name == self.names[-1], (name, 0, self.place[2])
            with self.open("ledger", name) as file:
                while byte := read(file, self.place[1], 1):
                    if not self.rest: self.start = self.place
                    if byte == b"\0" and last and content_end(file, self.place[1]) == self.place[1]: break
                    self.check(*read_frame(file, self.place[1]))
            if self.rest and not last: raise Fault("the segment ends inside a decision")
        if self.head and not self.reached: raise Fault("the ledger is shorter than HEAD says")
        if self.begin > 1 and not self.by:
            self.place = "%020d.frames" % 1, 0, 1
            raise Fault("the first segments are missing, and no entry explains it")
    def check(self, payload, raw, end):
        entry, (name, _, expected) = payload["entry"], self.place
        seq, action, body, (i, n) = entry["seq"], entry["action"], entry["body"], entry["context"].get("part", (1, 1))
        if not turn(action, body, seq): raise Fault("the body is not what its action asks for")
        gap = body.get("gap") if action == "ledger.repaired" else None
        if entry["ledger"] != self.first["ledger"]: raise Fault("another ledger's entry")
        if (gap["first"], gap["last"] + 1) != (expected, seq) if gap else seq != expected: raise Fault("not the seq expected")
        if expected == self.begin > 1:  # on trust, until an entry explains it
            self.trusted, self.prev = (entry["prev_hash"], entry["key"]), entry["prev_hash"]
        if entry["prev_hash"] != self.prev: raise Fault("prev_hash is not the HASH before")
        if not self.synced <= entry["synced"] < seq: raise Fault("synced is out of range")
        if seq == 1 and action != "ledger.genesis": raise Fault("the first entry is no genesis")
        if (i, n) != self.rest if self.rest else i > 1: raise Fault("a decision is broken")
        if entry["key"] != self.called: raise Fault("sealed with a key that is not called for")
        if action == "key.retired" and body["key"] == self.called: raise Fault("a key retires itself")
        sig, has_key = self.mac(self.called, raw), self.called in self.keys
        if not self.hashed(payload, raw) or has_key and sig != payload["sig"]: raise Fault("HASH or SIG does not match")
        if entry["v"] < 1: raise Fault("no such version")
        if entry["v"] > 1 and not self.later: self.later = self.place
        called = self.called
        if action == "key.rotated":
            if body["key"] in self.introduced: raise Fault("a key comes a second time")
            proof = self.mac(body["key"], b"bulla/1/key-introduction\n" + (entry["ledger"] + called).encode())
            if proof not in (None, body["proof"]): raise Fault("a key does not prove itself")
            called = body["key"]
        if action == "ledger.archived" and self.begin > 1 and not self.by:
            ends = [(x["last"] + 1, x["tip"], x["key"]) for x in body["segments"]]
            if (self.begin, *self.trusted) in ends:
                older = {x["key"] for x in body["keys"] if x["introduced"] < self.begin} - {self.trusted[1]}
                if older & self.introduced: raise Fault("a key comes a second time")
                self.by, self.introduced = int(seq), self.introduced | older
        self.check_actors(entry, payload["hash"])
        if self.head and expected == self.begin > self.head["seq"]: raise Fault("HEAD vouches for an archived entry")
        if self.head and expected <= self.head["seq"] <= seq:
            here = {"segment": int(name[:20]), "end": end, "seq": seq, "tip": payload["hash"], "key": called}
            if i < n or not here.items() <= self.head.items(): raise Fault("HEAD says otherwise of this entry")
            self.reached = True
        if not has_key: self.unchecked.add(self.called)
        if action == "key.retired": self.retirements.append((body["key"], self.called, has_key))
        self.introduced.add(called)
        self.place, self.rest, self.called = (name, end, int(seq) + 1), (i + 1, n) if i < n else None, called
        self.prev, self.synced = payload["hash"], entry["synced"]
    def check_actors(self, entry, hash):  # §4.7, §4.8
        seq, action, body, first = int(entry["seq"]), entry["action"], entry["body"], self.place[1] == 0
        states, act = action in ACTORS or action in VERBS or action == "ledger.repaired" and "roster" in body, {"hash": hash, "seq": entry["seq"]}
        # Behind an archive, and where a repair found no beginning, on trust.
        if first and states and (self.place[2] == self.begin > 1 or self.prev == "0" * 64):
            self.actors, self.house = body["roster"] if self.begin > 1 else self.actors, body.get("associates")
        if seq == 1: self.house = founded(body, act)
        elif first and (self.actors or self.house) and not states: raise Fault("the segment does not begin with who is enrolled")
        if self.house and action == "ledger.repaired" and not first: raise Fault("only a segment's first entry suspends associates")
        if states and (body.get("associates") != self.house or self.house and self.house["act"]["seq"] >= seq):
            raise Fault("others are associates than the entry says")
        if self.house and self.house["suspended"] and action not in ("actor.stated", "alert.released") and not re.match(
                r"(ledger|key|snapshot)\.", action): raise Fault("the house is suspended, and not released")
        if states:
            rows = body["roster"]
            if any(x["enrolled"] >= seq or x["revoked"] >= seq for x in rows): raise Fault("a roster from the future")
            if action == "ledger.repaired" and first:
                has = lambda x: any(y == x or not x["revoked"] and y == {**x, "revoked": y["revoked"]} for y in rows)
                if not all(map(has, self.actors)): raise Fault("a repair forgets actors")
            elif rows != self.actors: raise Fault("others are enrolled than the entry says")
            if (action in ACTORS or action in VERBS) and not first: raise Fault("only a segment's first entry says who is enrolled")
        if self.actors:
            self.check_signature(entry, seq + 1)
            proven = {"frame": {"entry": ENTRY, "hash": HEX64, "sig": HEX64}, "proven": lambda x: x is True}
            if action == "ledger.readmitted" and fits(body, proven): self.check_signature(body["frame"]["entry"], seq)
        if states: self.actors = rows
        if action in VERBS:
            house = carried_out(self.house, body["request"], entry["ledger"], entry["time"], entry["prev_hash"])
            self.house = adopting(body["request"], {**house, "act": act}, act)
        if action == "ledger.repaired" and self.house: self.house = mended(self.house, body, entry["ledger"], act)
        live = standing(self.actors, body.get("actor"), seq) if action in ACTORS else None
        if action == "actor.enrolled":
            if is_live(live, seq) or len(self.actors) >= 1000 or any(x["key"] == body["key"] for x in self.actors):
                raise Fault("an actor is enrolled already, or a key is")
            row = {"actor": body["actor"], "class": body["class"], "enrolled": entry["seq"], "key": body["key"], "revoked": 0.0}
            self.actors = self.actors + [row]
        if action == "actor.revoked":
            if not is_live(live, seq): raise Fault("nobody is enrolled under that name")
            self.actors = [{**x, "revoked": entry["seq"]} if x is live else x for x in self.actors]
    def check_signature(self, entry, end):  # end: its seq lies below
        context, row = entry["context"], standing(self.actors, entry["actor"], entry["seq"])
        if row is None: return
        before, base, sign = entry["seq"] - context.get("part", (1, 1))[0], context.get("base"), context.get("sign")
        if not is_live(row, entry["seq"]): raise Fault("the actor's key was revoked")
        if not (fits(sign, "[0-9a-f]{128}") and type(context.get("id")) is str and fits(base, POSITIVE) and 0 <= before - base <= 10000):
            raise Fault("the entry of an enrolled actor has no signature, no id or no base that will do")
        draft = {x: entry[x] for x in ("action", "actor", "body", "justification")}
        draft["context"] = {x: y for x, y in context.items() if x not in ("part", "peer", "sign")}
        text = b"bulla/1/draft\n" + entry["ledger"].encode() + b"\n" + dumps(draft).encode()
        if not signed(bytes.fromhex(row["key"]), bytes.fromhex(sign), text): raise Fault("the signature is not the actor's")
        name = entry["actor"], context["id"]
        if entry["seq"] >= end: raise Fault("an entry is taken over that is still to come")
        if self.newest - base > 10000 or self.used.get(name, 0) > base: raise Fault("the signed draft was recorded before, or may have been")
        self.used[name], self.newest = entry["seq"], max(self.newest, before)
    def absent(self):  # whether a key is, that is needed (§6)
        retired = set()
        for _ in self.retirements: retired |= {key for key, by, signed in self.retirements if signed or by in retired}
        return self.head["key"] not in self.keys or not self.unchecked <= retired
    def torn(self, name, at, seq):  # whether B, which is here, is
        if not self.reached or name != self.names[-1] or self.begin > 1 and not self.by: return False
        # In alert only associates write: their release, the first of a segment.
        if self.head["alert"] and not (self.house and at == 0 and seq == self.head["seq"] + 1): return False
        head_name = "%020d.frames" % self.head["segment"]
        behind = at - self.head["end"] if head_name == name else at
        if head_name not in self.names[-2:] or behind > 8388608: return False
        with self.open("ledger", name) as file:
            size = content_end(file, at) - at
            tail = read(file, at, min(size, 33554432))
        # No frame that holds has a NUL: all NULs lie in damaged stretches. Those that end the file are not in tail.
        if size > 33554432 or any((at + nuls.end()) % 512 for nuls in re.finditer(b"\0+", tail)): return False
        pos = damage = 0
        while found := re.compile(rb'[1-9][0-9]{0,6}:\{"entry":').search(tail, pos):
            pos = found.start() + 1
            try: payload, raw, end = read_frame(io.BytesIO(tail), found.start())
            except Fault: continue
            entry, stretch = payload["entry"], tail[damage:found.start()]
            signed = self.called not in self.keys or self.mac(entry["key"], raw) == payload["sig"]
            if entry["ledger"] == self.first["ledger"] and self.hashed(payload, raw) and signed:
                if entry["synced"] >= seq or stretch and b"\0" not in stretch: return False
                pos = damage = end
        rest = tail[damage:]  # at the end of the file: nothing, a lost sector, or a frame that was cut short
        begun = re.fullmatch(rb"([1-9][0-9]{0,6})(?::([^\n]*))?", rest)
        return not rest or b"\0" in rest or bool(begun and len(begun[2] or b"") <= int(begun[1]) <= 1048576)

def verify(base, key_files=(), looks=8):  # verdict, exit code, place, reason
    ledger, reason = Ledger(base, key_files), None
    try:
        ledger.walk()
        if ledger.rest: reason, b = "the last decision is incomplete", ledger.start
    except Fault as fault: reason, b = str(fault), ledger.place
    start, done = ledger.start if ledger.rest else ledger.place, ledger.place[:2] + (ledger.place[2] - 1,)
    if reason and looks and ledger.is_overtaken(): return verify(base, key_files, looks - 1)
    if reason and not ledger.torn(*start): return "tampered", 10, b, reason
    if not ledger.head: return "tampered", 10, ("HEAD", 0, done[2]), "HEAD is missing or wrong"
    if ledger.later: return "unverifiable", 11, ledger.later, "a later version wrote this entry"
    if ledger.absent():
        # Rotations may have brought a key since they were listed, and taken away one that HEAD named then.
        if looks and not key_files and ledger.has_moved(): return verify(base, key_files, looks - 1)
        return "unverifiable", 11, done, "a sealing key is absent"
    if reason: return "torn", 0, start, reason
    archived = "from seq %d; before: unchecked, archived by entry %d" % (ledger.begin, ledger.by or 0)
    return "intact", 0, done, archived if ledger.begin > 1 else None

def main():
    parser = argparse.ArgumentParser(description="Verify a Bulla ledger (FORMAT.md).")
    parser.add_argument("dir", metavar="DIR")
    parser.add_argument("--key", metavar="FILE", action="append", help="a sealing key, for each; else those in DIR/keys")
    try:
        arguments = parser.parse_args()
        verdict, code, place, reason = verify(arguments.dir, arguments.key or ())
        print("%s: segment %s, offset %d, seq %d" % ((verdict,) + place) + (": " + reason if reason else ""))
        return code
    except SystemExit as end: return 64 if end.code else 0
    except Stop as stop: code, why = stop.args
    except OSError as error: code, why = 30, str(error)
    print("error:", why, file=sys.stderr)
    return code

if __name__ == "__main__": sys.exit(main())
