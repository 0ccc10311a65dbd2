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
        /// Members that were set later.
        var changes: [(name: String, text: Range<Int>)] = []

        mutating func set(_ name: String, to text: Range<Int>) {
            changes.removeAll { $0.name == name }
            changes.append((name, text))
        }
    }

    /// - Parameter bytes: the journal, the same at each call.
    mutating func apply(_ change: JournalChange, _ bytes: Span<UInt8>) {
        switch change {
        case .set(let identity, let lease): set(number(identity, bytes), to: lease)
        case .remove(let identity): live[number(identity, bytes)] = nil
        case .beat(let identity, let time): beat(number(identity, bytes), time)
        case .adopt(let identity, let members, let time):
            let number = number(identity, bytes)
            for member in members { live[number]?.set(member.name, to: member.text) }
            beat(number, time)
        case .reset(let leases):
            for number in live.indices { live[number] = nil }
            for (identity, lease) in leases { set(number(identity, bytes), to: lease) }
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
    private mutating func set(_ identity: Int, to text: JournalChange.LeaseText) {
        let place = live[identity]?.place ?? leaseCount
        if place == leaseCount { leaseCount += 1 }
        live[identity] = LiveLease(place: place, text: text)
    }

    private mutating func beat(_ identity: Int, _ time: Range<Int>?) {
        if let time { live[identity]?.set("heartbeat_at", to: time) }
    }
}

extension JournalFold {
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
        var object = PythonJSON(reread: lease.text.range, of: bytes).object ?? PythonObject()
        if lease.text.isInline { object = object.inlineLease }
        for change in lease.changes { object[PythonText(change.name)] = PythonJSON(reread: change.text, of: bytes) }
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
