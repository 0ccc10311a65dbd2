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
    init(of index: Int, _ tape: JSONTape, _ bytes: Span<UInt8>) {
        var name = index + 1
        while name < tape.tokens[index].next {
            take(name, tape, bytes)
            name = tape.tokens[name + 1].next
        }
    }

    private mutating func take(_ name: Int, _ tape: JSONTape, _ bytes: Span<UInt8>) {
        let (token, value) = (tape.tokens[name], name + 1)
        if tape.isText(token, "op", in: bytes) {
            operation = value
        } else if tape.isText(token, "lane", in: bytes) {
            lane = value
        } else if tape.isText(token, "loop_ts", in: bytes) {
            loop = value
        } else if tape.isText(token, "lease", in: bytes) {
            lease = value
        } else if tape.isText(token, "leases", in: bytes) {
            leases = value
        } else if tape.isText(token, "seq", in: bytes) {
            seq = value
        } else if tape.isText(token, "seq_watermark", in: bytes) {
            watermark = value
        } else if tape.isText(token, "heartbeat_at", in: bytes) {
            heartbeat = value
        } else if tape.isText(token, "ts", in: bytes) {
            time = value
        } else if tape.isText(token, "holder", in: bytes) {
            holder = value
        } else if tape.isText(token, "pid", in: bytes) {
            process = value
        } else if tape.isText(token, "host_id", in: bytes) {
            host = value
        }
    }
}
