import LedgerFormat

/// By what the reference tells leases apart.
package struct LeaseIdentity: Hashable, Sendable {
    package var loop: PythonText
    package var lane: PythonText

    package init(loop: PythonText, lane: PythonText) {
        (self.loop, self.lane) = (loop, lane)
    }

    /// What an entry or a lease says of itself: `str(value or "")` of its `loop_ts` and its `lane`.
    package init(of object: PythonObject) {
        let text = { (name: PythonText) in
            guard let value = object[name], value.isTruthy else { return PythonText([]) }
            return value.pythonText
        }
        self.init(loop: text("loop_ts"), lane: text("lane"))
    }

    package var isEmpty: Bool { loop.isEmpty && lane.isEmpty }
}

/// What a journal's entries lead to: the live leases and the greatest seq. Entries count in the order in which they stand; their seqs do not.
struct JournalFold {
    private var identities = IdentityNumbers()
    /// By the number of its identity; nil where that is not live.
    private var live: [LiveLease?] = []
    private var leaseCount = 0
    /// Of plain numbers, and of all others.
    private var greatestUsual: UInt64 = 0
    private var greatestUnusual = PythonInteger.zero
    /// What says of a line that it was bad, in the order of the journal.
    private(set) var corrupt: [JournalReader.Line] = []

    /// A live lease, by the places of what made it. It becomes a value only if it is still live at the end.
    private struct LiveLease {
        var place: Int
        var range: Range<Int>
        /// Whether `range` is an entry that holds the lease's members among its own.
        var isInline: Bool
        /// Members that were set later.
        var changes: [(name: String, range: Range<Int>)] = []

        mutating func set(_ name: String, to range: Range<Int>) {
            changes.removeAll { $0.name == name }
            changes.append((name, range))
        }
    }

    var greatestSeq: PythonInteger { max(PythonInteger(greatestUsual), greatestUnusual) }

    /// The live leases in the order in which their identities became live, each with the identity that it is known by.
    func leases(of bytes: Span<UInt8>) -> [(identity: LeaseIdentity, lease: PythonObject)] {
        let found = live.enumerated().compactMap { number, lease in lease.map { (number, $0) } }
        var leases: [(identity: LeaseIdentity, lease: PythonObject)] = []
        for (number, lease) in found.sorted(by: { $0.1.place < $1.1.place }) {
            leases.append((identities.all[number], value(of: lease, bytes)))
        }
        return leases
    }

    private func value(of lease: LiveLease, _ bytes: Span<UInt8>) -> PythonObject {
        var object = PythonJSON(reread: lease.range, of: bytes).object ?? PythonObject()
        if lease.isInline { object = object.inlineLease }
        for change in lease.changes { object[PythonText(change.name)] = PythonJSON(reread: change.range, of: bytes) }
        return object
    }
}

extension PythonObject {
    /// The lease that an entry without a `lease` of its own tells of.
    fileprivate var inlineLease: PythonObject {
        let names: [PythonText] = [
            "lane", "lane_kind", "tree", "loop_ts", "host_id", "pid", "acquired_at", "heartbeat_at", "ttl_minutes", "holder",
            "run_id",
        ]
        return PythonObject(names.compactMap { name in self[name].map { (name, $0) } })
    }
}

extension PythonJSON {
    /// Reads JSON text; nil if it is none.
    package init?(reading bytes: [UInt8]) {
        var tape = JSONTape()
        let text = PythonText(decoding: bytes).bytes
        do throws(JSONTape.Failure) { try tape.read(0..<text.count, of: text.span) } catch { return nil }
        self = tape.value(at: 0, of: text.span)
    }

    /// What was read before, and so is known to be JSON.
    init(reread range: Range<Int>, of bytes: Span<UInt8>) {
        self = JSONTape(reread: range, of: bytes).value(at: 0, of: bytes)
    }
}

extension JournalFold {
    mutating func apply(_ line: JournalReader.Line, _ tape: JSONTape, _ bytes: Span<UInt8>) {
        guard case .entry(let range) = line else {
            corrupt.append(line)
            return
        }
        let fields = JournalFields(of: 0, tape, bytes)
        count(fields.seq, tape, bytes)
        count(fields.watermark, tape, bytes)
        guard let operation = fields.operation else { return }
        let name = tape.tokens[operation]
        if tape.isText(name, "CHECKPOINT", in: bytes) { return reset(to: fields.leases, tape, bytes) }
        if tape.isText(name, "_CORRUPT", in: bytes) { corrupt.append(line) }
        guard let change = Change(name, tape, bytes) else { return }
        guard let identity = number(of: fields, tape, bytes) else { return }
        switch change {
        case .set:
            if let lease = fields.lease, tape.tokens[lease].kind == .object {
                set(identity, to: tape.tokens[lease].range, isInline: false)
            } else {
                set(identity, to: range, isInline: true)
            }
        case .remove: live[identity] = nil
        case .beat: beat(identity, fields, tape, bytes)
        case .adopt:
            adopt(identity, fields, tape)
            beat(identity, fields, tape, bytes)
        }
    }

    private mutating func count(_ token: Int?, _ tape: JSONTape, _ bytes: Span<UInt8>) {
        guard let token else { return }
        let range = tape.tokens[token].range
        if tape.tokens[token].kind == .integer, let (seq, end) = bytes.plainInteger(at: range.lowerBound), end == range.upperBound
        {
            greatestUsual = max(greatestUsual, seq)
        } else if let seq = PythonInteger(of: tape.value(at: token, of: bytes)) {
            greatestUnusual = max(greatestUnusual, seq)
        }
    }

    /// What an operation does to the live leases; all others are evidence only.
    private enum Change {
        case set, remove, beat, adopt

        init?(_ operation: JSONTape.Token, _ tape: JSONTape, _ bytes: Span<UInt8>) {
            if tape.isText(operation, "ACQUIRE", in: bytes) || tape.isText(operation, "RECONCILE", in: bytes) {
                self = .set
            } else if tape.isText(operation, "RELEASE", in: bytes) || tape.isText(operation, "SCAVENGE", in: bytes) {
                self = .remove
            } else if tape.isText(operation, "HEARTBEAT", in: bytes) {
                self = .beat
            } else if tape.isText(operation, "ADOPT", in: bytes) {
                self = .adopt
            } else {
                return nil
            }
        }
    }

    /// The number of an entry's or a lease's identity; nil if that is empty.
    private mutating func number(of fields: JournalFields, _ tape: JSONTape, _ bytes: Span<UInt8>) -> Int? {
        let number: Int
        if let loop = tape.plainPlace(of: fields.loop), let lane = tape.plainPlace(of: fields.lane) {
            if loop.isEmpty, lane.isEmpty { return nil }
            number = identities.number(loop: loop, lane: lane, in: bytes)
        } else {
            let identity = tape.identity(fields, bytes)
            if identity.isEmpty { return nil }
            number = identities.number(of: identity)
        }
        if number == live.count { live.append(nil) }
        return number
    }

    /// A lease that is known keeps its place.
    private mutating func set(_ identity: Int, to range: Range<Int>, isInline: Bool) {
        let place = live[identity]?.place ?? leaseCount
        if place == leaseCount { leaseCount += 1 }
        live[identity] = LiveLease(place: place, range: range, isInline: isInline)
    }

    private mutating func adopt(_ identity: Int, _ fields: JournalFields, _ tape: JSONTape) {
        let changes: [(String, Int?)] = [("holder", fields.holder), ("pid", fields.process), ("host_id", fields.host)]
        for case (let name, let token?) in changes where tape.tokens[token].kind != .null {
            live[identity]?.set(name, to: tape.place(of: token))
        }
    }

    private mutating func beat(_ identity: Int, _ fields: JournalFields, _ tape: JSONTape, _ bytes: Span<UInt8>) {
        for case let token? in [fields.heartbeat, fields.time] where tape.isTruthy(token, bytes) {
            live[identity]?.set("heartbeat_at", to: tape.place(of: token))
            return
        }
    }

    /// A checkpoint's leases are known by what they say of themselves.
    private mutating func reset(to leases: Int?, _ tape: JSONTape, _ bytes: Span<UInt8>) {
        for number in live.indices { live[number] = nil }
        guard let leases, tape.tokens[leases].kind == .array else { return }
        let tape = JSONTape(reread: tape.tokens[leases].range, of: bytes)
        var token = 1
        while token < tape.tokens[0].next {
            if tape.tokens[token].kind == .object {
                let identity = number(of: JournalFields(of: token, tape, bytes), tape, bytes)
                if let identity { set(identity, to: tape.tokens[token].range, isInline: false) }
            }
            token = tape.tokens[token].next
        }
    }
}

extension JSONTape {
    fileprivate func identity(_ fields: JournalFields, _ bytes: Span<UInt8>) -> LeaseIdentity {
        LeaseIdentity(loop: name(fields.loop, bytes), lane: name(fields.lane, bytes))
    }

    /// Where the text of `str(value or "")` stands as it is; nil if it stands nowhere.
    fileprivate func plainPlace(of token: Int?) -> Range<Int>? {
        guard let token else { return 0..<0 }
        return switch tokens[token].kind {
        case .plainText: tokens[token].range
        case .null, .no: 0..<0
        default: nil
        }
    }

    /// `str(value or "")`.
    private func name(_ token: Int?, _ bytes: Span<UInt8>) -> PythonText {
        guard let token, isTruthy(token, bytes) else { return PythonText([]) }
        return value(at: token, of: bytes).pythonText
    }

    fileprivate func isTruthy(_ index: Int, _ bytes: Span<UInt8>) -> Bool {
        switch tokens[index].kind {
        case .null, .no: false
        case .yes, .notANumber, .infinity, .negativeInfinity: true
        case .plainText, .escapedText: !tokens[index].range.isEmpty
        case .array, .object, .integer, .float: value(at: index, of: bytes).isTruthy
        }
    }

    /// Where the JSON text of a value stands.
    fileprivate func place(of index: Int) -> Range<Int> {
        let token = tokens[index]
        switch token.kind {
        case .plainText, .escapedText: return token.range.lowerBound - 1..<token.range.upperBound + 1
        default: return token.range
        }
    }
}
