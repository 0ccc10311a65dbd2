import LedgerFormat

/// One client: what came from it, and what it has not taken yet. Both are bounded: while it is answered nothing more is read.
struct SocketConnection {
    let peer: Peer
    private var input: [UInt8] = []
    /// Where in `input` the first line feed stands.
    private var lineEnd: Int?
    private var output: [UInt8] = []
    private var outputStart = 0
    /// A request of it is under way.
    private(set) var isAsking = false
    /// Nothing more is done for it, and it is closed when it has its answers.
    private(set) var isEnding = false
    /// Since when, in microseconds, nothing came of it.
    private(set) var quietSince: Int64

    static let readByteCount = 1 << 16

    init(_ peer: Peer, now: Int64) {
        self.peer = peer
        quietSince = now
    }

    private var isIdle: Bool { !isAsking && !isEnding && !hasOutput }
    var wantsInput: Bool { isIdle && lineEnd == nil }
    var hasOutput: Bool { outputStart < output.count }
    var isOver: Bool { isEnding && !isAsking && !hasOutput }

    /// What was read; nothing stands for the end. It is read only when no request waits, and a half line is nobody's request.
    mutating func receive(_ bytes: ArraySlice<UInt8>) {
        if bytes.isEmpty { isEnding = true }
        let searchedCount = input.count
        input += bytes
        lineEnd = input[searchedCount...].firstIndex(of: 0x0A)
    }

    mutating func end() { isEnding = true }

    enum Next {
        /// Without its line feed; it is under way now, until it is answered.
        case line([UInt8])
        case nothing
        case tooLong
    }

    /// The next request, if it is its turn.
    mutating func next() -> Next {
        guard isIdle else { return .nothing }
        guard (lineEnd ?? input.count) <= SocketProtocol.lineByteCountMax else { return .tooLong }
        guard let end = lineEnd else { return .nothing }
        let line = Array(input[..<end])
        input.removeFirst(end + 1)
        lineEnd = input.firstIndex(of: 0x0A)
        isAsking = true
        return .line(line)
    }

    mutating func answer(_ line: [UInt8], now: Int64) {
        output = line
        outputStart = 0
        isAsking = false
        quietSince = now
    }

    /// What is still to be sent.
    var pending: ArraySlice<UInt8> { output[outputStart...] }

    mutating func sent(_ count: Int, now: Int64) {
        outputStart += count
        quietSince = now
        if !hasOutput {
            output = []
            outputStart = 0
        }
    }
}
