import CanonicalJSON
import LedgerFormat

/// The members of an entry, or of a lease, that a fold looks at: the tokens of their values.
///
/// Found in one pass. Of several with the same name the last one counts, as Python has it.
struct JournalFields {
    private(set) var operation: Int?
    private(set) var lane: Int?
    private(set) var loop: Int?
    private(set) var lease: Int?
    private(set) var leases: Int?
    private(set) var seq: Int?
    private(set) var watermark: Int?
    private(set) var heartbeat: Int?
    private(set) var time: Int?
    private(set) var holder: Int?
    private(set) var process: Int?
    private(set) var host: Int?

    /// - Parameter index: the token of the object.
    init(of index: Int, _ tape: borrowing JSONTape, _ bytes: Span<UInt8>) {
        var name = index + 1
        while name < tape.tokens[index].next {
            take(name, tape, bytes)
            name = tape.tokens[name + 1].next
        }
    }

    private mutating func take(_ name: Int, _ tape: borrowing JSONTape, _ bytes: Span<UInt8>) {
        let token = tape.tokens[name]
        guard token.kind == .escapedText else { return take(bytes.extracting(token.range), value: name + 1) }
        take(tape.text(of: token, in: bytes).bytes.span, value: name + 1)
    }

    /// By the name's length first, for most members are none of these.
    private mutating func take(_ name: Span<UInt8>, value: Int) {
        switch name.count {
        case 2: if name.holds("op", at: 0) { operation = value } else if name.holds("ts", at: 0) { time = value }
        case 3: if name.holds("seq", at: 0) { seq = value } else if name.holds("pid", at: 0) { process = value }
        case 4: if name.holds("lane", at: 0) { lane = value }
        case 5: if name.holds("lease", at: 0) { lease = value }
        case 6: if name.holds("leases", at: 0) { leases = value } else if name.holds("holder", at: 0) { holder = value }
        case 7: if name.holds("loop_ts", at: 0) { loop = value } else if name.holds("host_id", at: 0) { host = value }
        case 12: if name.holds("heartbeat_at", at: 0) { heartbeat = value }
        case 13: if name.holds("seq_watermark", at: 0) { watermark = value }
        default: break
        }
    }
}
