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

/// What a journal's entries lead to: the live leases. Entries count in the order in which they stand; their seqs do not.
struct JournalFold {
    private var identities = IdentityNumbers()
    /// By the number of its identity; nil where that is not live.
    private var live: [LiveLease?] = []
    private var leaseCount = 0

    private struct LiveLease {
        var place: Int
        var text: JournalChange.LeaseText
        /// What the text stands in.
        var bytes: [UInt8]
        /// Members that were set later.
        var changes: [(name: String, text: Range<Int>, bytes: [UInt8])] = []

        mutating func set(_ name: String, to text: Range<Int>, _ bytes: [UInt8]) {
            changes.removeAll { $0.name == name }
            changes.append((name, text, bytes))
        }
    }

    /// - Parameter bytes: what the change's ranges are of.
    mutating func apply(_ change: JournalChange, _ bytes: [UInt8]) {
        switch change {
        case .set(let identity, let lease): set(number(identity, bytes.span), to: lease, bytes)
        case .remove(let identity): live[number(identity, bytes.span)] = nil
        case .beat(let identity, let time): beat(number(identity, bytes.span), time, bytes)
        case .adopt(let identity, let members, let time):
            let number = number(identity, bytes.span)
            for member in members { live[number]?.set(member.name, to: member.text, bytes) }
            beat(number, time, bytes)
        case .reset(let leases):
            for number in live.indices { live[number] = nil }
            for (identity, lease) in leases { set(number(identity, bytes.span), to: lease, bytes) }
        }
    }

    private mutating func number(_ identity: JournalChange.Identity, _ bytes: Span<UInt8>) -> Int {
        let number =
            switch identity {
            case .places(let loop, let lane): identities.number(loop: loop, lane: lane, in: bytes)
            case .made(let identity): identities.number(of: identity)
            }
        if number == live.count { live.append(nil) }
        return number
    }

    /// A lease that is known keeps its place.
    private mutating func set(_ identity: Int, to text: JournalChange.LeaseText, _ bytes: [UInt8]) {
        let place = live[identity]?.place ?? leaseCount
        if place == leaseCount { leaseCount += 1 }
        live[identity] = LiveLease(place: place, text: text, bytes: bytes)
    }

    private mutating func beat(_ identity: Int, _ time: Range<Int>?, _ bytes: [UInt8]) {
        if let time { live[identity]?.set("heartbeat_at", to: time, bytes) }
    }
}

extension JournalFold {
    /// The live leases in the order in which their identities became live, each with the identity that it is known by.
    var leases: [(identity: LeaseIdentity, lease: PythonObject)] {
        let found = live.enumerated().compactMap { number, lease in lease.map { (number, $0) } }
        var leases: [(identity: LeaseIdentity, lease: PythonObject)] = []
        for (number, lease) in found.sorted(by: { $0.1.place < $1.1.place }) {
            leases.append((identities.all[number], value(of: lease)))
        }
        return leases
    }

    private func value(of lease: LiveLease) -> PythonObject {
        var object = PythonJSON(reread: lease.text.range, of: lease.bytes.span).object ?? PythonObject()
        if lease.text.isInline { object = object.inlineLease }
        for change in lease.changes { object[PythonText(change.name)] = PythonJSON(reread: change.text, of: change.bytes.span) }
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
