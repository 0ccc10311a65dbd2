/// What an entry of a journal does to the live leases.
///
/// All ranges are of the journal's bytes: what made a lease becomes a value only if the lease is still live at the end.
enum JournalChange: Sendable {
    case set(Identity, LeaseText)
    case remove(Identity)
    case beat(Identity, Range<Int>?)
    case adopt(Identity, [(name: String, text: Range<Int>)], beat: Range<Int>?)
    /// These leases, and no others.
    case reset([(identity: Identity, lease: LeaseText)])

    /// By what a lease is told from others; never empty.
    enum Identity: Sendable {
        /// Its texts stand in the journal as they are.
        case places(loop: Range<Int>, lane: Range<Int>)
        case made(LeaseIdentity)
    }

    /// Where a lease stands.
    struct LeaseText: Sendable {
        var range: Range<Int>
        /// Whether it is an entry that holds the lease's members among its own.
        var isInline: Bool
    }

    /// Nil for an entry that is evidence only, or names no lease.
    ///
    /// - Parameters:
    ///   - operation: the text of its `op`.
    ///   - range: the entry.
    init?(
        _ operation: JSONTape.Token, _ fields: JournalFields, _ range: Range<Int>, _ tape: borrowing JSONTape,
        _ bytes: Span<UInt8>
    ) {
        guard let operation = Operation(operation, tape, bytes) else { return nil }
        let identity = operation == .reset ? nil : Identity(fields, tape, bytes)
        switch (operation, identity) {
        case (.reset, _): self = .reset(Self.leases(of: fields, tape, bytes))
        case (.set, let identity?): self = .set(identity, Self.lease(fields, range, tape))
        case (.remove, let identity?): self = .remove(identity)
        case (.beat, let identity?): self = .beat(identity, fields.beat(tape, bytes))
        case (.adopt, let identity?): self = .adopt(identity, fields.adopted(tape), beat: fields.beat(tape, bytes))
        case (_, nil): return nil
        }
    }

    private enum Operation {
        case set, remove, beat, adopt, reset

        init?(_ text: JSONTape.Token, _ tape: borrowing JSONTape, _ bytes: Span<UInt8>) {
            if tape.isText(text, "ACQUIRE", in: bytes) || tape.isText(text, "RECONCILE", in: bytes) {
                self = .set
            } else if tape.isText(text, "RELEASE", in: bytes) || tape.isText(text, "SCAVENGE", in: bytes) {
                self = .remove
            } else if tape.isText(text, "HEARTBEAT", in: bytes) {
                self = .beat
            } else if tape.isText(text, "ADOPT", in: bytes) {
                self = .adopt
            } else if tape.isText(text, "CHECKPOINT", in: bytes) {
                self = .reset
            } else {
                return nil
            }
        }
    }

    private static func lease(_ fields: JournalFields, _ range: Range<Int>, _ tape: borrowing JSONTape) -> LeaseText {
        guard let lease = fields.lease, tape.tokens[lease].kind == .object else { return LeaseText(range: range, isInline: true) }
        return LeaseText(range: tape.tokens[lease].range, isInline: false)
    }

    /// A checkpoint's leases are known by what they say of themselves.
    private static func leases(
        of fields: JournalFields, _ tape: borrowing JSONTape, _ bytes: Span<UInt8>
    ) -> [(identity: Identity, lease: LeaseText)] {
        guard let leases = fields.leases, tape.tokens[leases].kind == .array else { return [] }
        let tape = JSONTape(reread: tape.tokens[leases].range, of: bytes)
        var found: [(identity: Identity, lease: LeaseText)] = []
        var token = 1
        while token < tape.tokens[0].next {
            if tape.tokens[token].kind == .object, let identity = Identity(JournalFields(of: token, tape, bytes), tape, bytes) {
                found.append((identity, LeaseText(range: tape.tokens[token].range, isInline: false)))
            }
            token = tape.tokens[token].next
        }
        return found
    }
}

extension JournalChange.Identity {
    /// Of an entry or a lease; nil if it is empty.
    fileprivate init?(_ fields: JournalFields, _ tape: borrowing JSONTape, _ bytes: Span<UInt8>) {
        if let loop = tape.plainPlace(of: fields.loop), let lane = tape.plainPlace(of: fields.lane) {
            if loop.isEmpty, lane.isEmpty { return nil }
            self = .places(loop: loop, lane: lane)
        } else {
            let identity = LeaseIdentity(loop: tape.name(fields.loop, bytes), lane: tape.name(fields.lane, bytes))
            if identity.isEmpty { return nil }
            self = .made(identity)
        }
    }
}

extension JournalFields {
    /// What an adoption changes: nothing that is null.
    fileprivate func adopted(_ tape: borrowing JSONTape) -> [(name: String, text: Range<Int>)] {
        let changes: [(String, Int?)] = [("holder", holder), ("pid", process), ("host_id", host)]
        return changes.compactMap { name, token in
            guard let token, tape.tokens[token].kind != .null else { return nil }
            return (name, tape.place(of: token))
        }
    }

    /// Where the time of a heartbeat stands.
    fileprivate func beat(_ tape: borrowing JSONTape, _ bytes: Span<UInt8>) -> Range<Int>? {
        for case let token? in [heartbeat, time] where tape.isTruthy(token, bytes) { return tape.place(of: token) }
        return nil
    }
}

extension JSONTape {
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
    fileprivate func name(_ token: Int?, _ bytes: Span<UInt8>) -> PythonText {
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
