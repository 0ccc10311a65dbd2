import CanonicalJSON

/// What stands at a place where a frame may start.
package enum FrameFinding: Sendable {
    case frame(FrameView)
    /// A NUL: preallocated space, the end of data.
    case padding
    /// The buffer ends before the frame does; `atLeast` bytes from the frame's start are needed to say more.
    case incomplete(atLeast: Int)
    case fault(FrameFault)
}

extension FrameView {
    /// Reads the frame that starts at `start`, where the buffer has at least one byte.
    package static func find(in bytes: Span<UInt8>, at start: Int) -> FrameFinding {
        var scanner = CanonicalScanner()
        return find(in: bytes, at: start, &scanner)
    }

    /// The same with a scanner that is used again: making one costs as much as reading a short entry.
    static func find(in bytes: Span<UInt8>, at start: Int, _ scanner: inout CanonicalScanner) -> FrameFinding {
        if bytes[start] == 0 { return .padding }
        var position = start
        var length = 0
        while position < bytes.count, position - start < 8 {
            let digit = bytes[position] &- 0x30
            if digit > 9 { break }
            length = length * 10 + Int(digit)
            position += 1
        }
        let digits = position - start
        if digits > 7 { return .fault(.payloadTooLong) }
        if digits > 0, bytes[start] == 0x30 { return .fault(.length) }
        if position == bytes.count { return .incomplete(atLeast: digits + 1) }
        guard digits > 0, bytes[position] == UInt8(ascii: ":") else { return .fault(.length) }
        guard length <= Limits.payload else { return .fault(.payloadTooLong) }
        let payload = position + 1
        guard payload + length < bytes.count else { return .incomplete(atLeast: payload + length + 1 - start) }
        guard bytes[payload + length] == 0x0A else { return .fault(.notTerminated) }
        do throws(FrameFault) {
            return .frame(try FrameView(bytes, frame: start..<payload + length + 1, payload: payload, &scanner))
        } catch {
            return .fault(error)
        }
    }

    private init(
        _ bytes: Span<UInt8>, frame: Range<Int>, payload: Int, _ scanner: inout CanonicalScanner
    ) throws(FrameFault) {
        let end = frame.upperBound - 1
        let entryStart = payload + FrameShape.head.utf8CodeUnitCount
        let tail = end - FrameShape.tailByteCount
        guard tail > entryStart,
            bytes.holds(FrameShape.head, at: payload),
            bytes.holds(FrameShape.hash, at: tail),
            bytes.holds(FrameShape.sig, at: tail + 73),
            bytes.holds(FrameShape.end, at: end - 2),
            let hash = Digest(hex: bytes, at: tail + 9),
            // SIG's form; its value is compared where the seal is checked.
            Digest(hex: bytes, at: tail + 82) != nil
        else { throw .shape }
        var reader = EntryParser(position: entryStart, end: tail)
        self = try reader.read(bytes, frame: frame, hash: hash, &scanner)
    }
}

/// Walks over ENTRY, member by member: the members are fixed, so their names are literals and only values are scanned.
private struct EntryParser {
    var position: Int
    let end: Int

    mutating func read(
        _ bytes: Span<UInt8>, frame: Range<Int>, hash: Digest, _ scanner: inout CanonicalScanner
    ) throws(FrameFault) -> FrameView {
        let start = position
        let base = frame.lowerBound
        try expect("{\"action\":", bytes, "action")
        let action = try string(bytes, &scanner)
        guard Names.isAction(bytes, action) else { throw .member("action") }
        try expect(",\"actor\":", bytes, "actor")
        let actor = try string(bytes, &scanner)
        guard Names.isActor(bytes, actor) else { throw .member("actor") }
        try expect(",\"body\":", bytes, "body")
        let body = try object(bytes, "body", &scanner)
        try expect(",\"context\":", bytes, "context")
        let context = try object(bytes, "context", &scanner)
        let part = try Part.find(inContext: context, of: bytes, &scanner)
        try expect(",\"justification\":{\"pillar\":\"", bytes, "justification")
        let pillar = try pillar(bytes)
        try expect(",\"reason\":", bytes, "justification")
        let reason = try string(bytes, &scanner)
        try expect("},\"key\":\"", bytes, "key")
        guard let key = KeyID(hex: bytes, at: position) else { throw .member("key") }
        position += 16
        try expect("\",\"ledger\":\"", bytes, "ledger")
        guard let ledger = LedgerID(hex: bytes, at: position) else { throw .member("ledger") }
        position += 32
        try expect("\",\"prev_hash\":\"", bytes, "prev_hash")
        guard let previousHash = Digest(hex: bytes, at: position) else { throw .member("prev_hash") }
        position += 64
        try expect("\",\"seq\":", bytes, "seq")
        let seq = try integer(bytes, "seq")
        try expect(",\"synced\":", bytes, "synced")
        let synced = try integer(bytes, "synced")
        try expect(",\"time\":\"", bytes, "time")
        guard let time = Timestamp(bytes, at: position) else { throw .member("time") }
        position += Timestamp.byteCount
        try expect("\",\"v\":", bytes, "v")
        let version = try integer(bytes, "v")
        try expect("}", bytes, "members")
        guard position == end else { throw .member("members") }
        return FrameView(
            start: base, byteCount: Int32(frame.count), entryPart: .init(start..<end, base), actionPart: .init(action, base),
            actorPart: .init(actor, base), bodyPart: .init(body, base), contextPart: .init(context, base),
            reasonPart: .init(reason, base), pillar: pillar, part: part, key: key, ledger: ledger, previousHash: previousHash,
            hash: hash, seq: seq, synced: synced, time: time, version: version)
    }

    private mutating func expect(_ literal: StaticString, _ bytes: Span<UInt8>, _ member: StaticString) throws(FrameFault) {
        guard literal.utf8CodeUnitCount <= end - position, bytes.holds(literal, at: position) else {
            throw .member("\(member)")
        }
        position += literal.utf8CodeUnitCount
    }

    /// The range between the quotation marks.
    private mutating func string(_ bytes: Span<UInt8>, _ scanner: inout CanonicalScanner) throws(FrameFault) -> Range<Int> {
        let start = position
        scanner.position = position
        do throws(JSONError) { try scanner.skipString(in: bytes) } catch { throw .notCanonical(error.description) }
        position = scanner.position
        guard position <= end else { throw .shape }
        return start + 1..<position - 1
    }

    /// A payload and its entry enclose the object, so two containers are open around it.
    private mutating func object(
        _ bytes: Span<UInt8>, _ member: StaticString, _ scanner: inout CanonicalScanner
    ) throws(FrameFault) -> Range<Int> {
        let start = position
        guard bytes[start] == UInt8(ascii: "{") else { throw .member("\(member)") }
        scanner.position = position
        do throws(JSONError) { try scanner.skipValue(in: bytes, openContainers: 2, maximumDepth: Limits.depth) } catch {
            throw .notCanonical(error.description)
        }
        position = scanner.position
        guard position <= end else { throw .shape }
        return start..<position
    }

    private mutating func pillar(_ bytes: Span<UInt8>) throws(FrameFault) -> Justification.Pillar {
        if take("sovereignty\"", bytes) { return .sovereignty }
        if take("integrity\"", bytes) { return .integrity }
        if take("resilience\"", bytes) { return .resilience }
        if take("evolution\"", bytes) { return .evolution }
        throw .member("pillar")
    }

    private mutating func take(_ literal: StaticString, _ bytes: Span<UInt8>) -> Bool {
        guard bytes.holds(literal, at: position) else { return false }
        position += literal.utf8CodeUnitCount
        return true
    }

    private mutating func integer(_ bytes: Span<UInt8>, _ member: StaticString) throws(FrameFault) -> UInt64 {
        guard let (value, next) = bytes.plainInteger(at: position), next <= end else { throw .member("\(member)") }
        position = next
        return value
    }
}

extension FrameView.Part32 {
    /// A frame is at most 1 MiB long.
    fileprivate init(_ range: Range<Int>, _ base: Int) {
        self.init(start: Int32(range.lowerBound - base), end: Int32(range.upperBound - base))
    }
}
