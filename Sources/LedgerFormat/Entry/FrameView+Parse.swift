import CanonicalJSON
import PlantedDefects

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
        return find(in: bytes, at: start, after: nil, &scanner)
    }

    /// The same with a scanner that is used again: making one costs as much as reading a short entry.
    ///
    /// - Parameters:
    ///   - previous: a view of a frame in the same bytes. Entries that follow each other have much in common; where the
    ///     text is the same, what was found out about it holds again.
    ///   - allowsExtraMembers: whether ENTRY may have members that format 1 does not know.
    @inline(__always)
    static func find(
        in bytes: Span<UInt8>, at start: Int, after previous: FrameView?, allowsExtraMembers: Bool = false,
        _ scanner: inout CanonicalScanner
    ) -> FrameFinding {
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
        // First what the first byte says already: the reason must not depend on how much is here.
        if digits > 0, bytes[start] == 0x30, !planted(.paddedLengthAccepted) { return .fault(.length) }
        if digits > 7 { return .fault(.payloadTooLong) }
        if position == bytes.count { return .incomplete(atLeast: digits + 1) }
        guard digits > 0, bytes[position] == UInt8(ascii: ":") else { return .fault(.length) }
        guard length <= Limits.payload || planted(.hugeFrameAccepted) else { return .fault(.payloadTooLong) }
        let payload = position + 1
        guard payload + length < bytes.count else { return .incomplete(atLeast: payload + length + 1 - start) }
        guard bytes[payload + length] == 0x0A || planted(.terminatorUnchecked) else { return .fault(.notTerminated) }
        do throws(FrameFault) {
            return .frame(try FrameView(bytes, start..<payload + length + 1, payload: payload, after: previous, &scanner))
        } catch {
            // Here and not before, so that a frame as format 1 knows it costs no question more.
            if allowsExtraMembers, let frame = ExtraMembers.view(of: start..<payload + length + 1, payload: payload, bytes) {
                return .frame(frame)
            }
            return .fault(error)
        }
    }

    /// Reads a frame as format 1 knows it, whose bounds are known.
    @inline(__always)
    init(
        _ bytes: Span<UInt8>, _ frame: Range<Int>, payload: Int, after previous: FrameView?,
        _ scanner: inout CanonicalScanner
    ) throws(FrameFault) {
        let end = frame.upperBound - 1
        let entryStart = payload + FrameShape.head.utf8CodeUnitCount
        let tail = end - FrameShape.tailByteCount
        guard tail > entryStart,
            bytes.holds(FrameShape.head, at: payload),
            bytes.holds(FrameShape.hash, at: tail),
            bytes.holds(FrameShape.sig, at: tail + 73),
            bytes.holds(FrameShape.end, at: end - 2),
            // Their form; their values are compared where the seal is checked.
            bytes.holdsDigest(at: tail + 9),
            bytes.holdsDigest(at: tail + 82)
        else { throw .shape }
        var reader = EntryParser(frameStart: frame.lowerBound, position: entryStart, end: tail)
        self = try reader.read(bytes, frame, after: previous, &scanner)
    }
}

/// Walks over ENTRY, member by member: the members are fixed, so their names are literals and only values are scanned.
private struct EntryParser {
    let frameStart: Int
    var position: Int
    let end: Int

    // Inlined up to whoever keeps the view, so that its bytes are written once and where they stay.
    @inline(__always)
    mutating func read(
        _ bytes: Span<UInt8>, _ frame: Range<Int>, after previous: FrameView?, _ scanner: inout CanonicalScanner
    ) throws(FrameFault) -> FrameView {
        let entryStart = offset(position)
        let names = try actionAndActor(bytes, after: previous, &scanner)
        try expect(",\"body\":", bytes, "body")
        let body = try object(bytes, "body", &scanner)
        try expect(",\"context\":", bytes, "context")
        let context = try object(bytes, "context", &scanner)
        let part = try Part.find(inContext: context, of: bytes, &scanner)
        let (middle, isSameLedger) = try justificationToLedger(bytes, after: previous, &scanner)
        let linkStart = offset(position)
        let isLinked = try previousHash(bytes, after: previous)
        try expect("\",\"seq\":", bytes, "seq")
        let seq = try integer(bytes, "seq")
        try expect(",\"synced\":", bytes, "synced")
        let synced = try integer(bytes, "synced")
        try expect(",\"time\":\"", bytes, "time")
        let timeStart = offset(position)
        let time = try time(bytes, after: previous)
        let version = try version(bytes)
        return FrameView(
            start: frameStart, byteCount: Int32(truncatingIfNeeded: frame.count), entryStart: entryStart,
            actionStart: names.actionStart, actionEnd: names.actionEnd, actorStart: names.actorStart, actorEnd: names.actorEnd,
            bodyStart: offset(body.lowerBound), bodyEnd: offset(body.upperBound),
            contextStart: offset(context.lowerBound), contextEnd: offset(context.upperBound),
            reasonStart: middle.reasonStart, reasonEnd: middle.reasonEnd, keyStart: middle.keyStart,
            ledgerStart: middle.ledgerStart, linkStart: linkStart, timeStart: timeStart, pillar: middle.pillar,
            isTurn: names.isTurn, continuesPrevious: isSameLedger && isLinked, part: part, seq: seq, synced: synced, time: time,
            version: version)
    }

    /// Where a place in the buffer lies in the frame, whose length has at most seven digits.
    @inline(__always)
    private func offset(_ position: Int) -> Int32 { Int32(truncatingIfNeeded: position &- frameStart) }

    /// Where action and actor stand in the frame.
    private struct NamesAt {
        let actionStart, actionEnd, actorStart, actorEnd: Int32
        let isTurn: Bool
    }

    /// Where the texts between the context and `prev_hash` stand in the frame.
    private struct MiddleAt {
        let pillar: Justification.Pillar
        let reasonStart, reasonEnd, keyStart, ledgerStart: Int32
    }

    @inline(__always)
    private mutating func actionAndActor(
        _ bytes: Span<UInt8>, after previous: FrameView?, _ scanner: inout CanonicalScanner
    ) throws(FrameFault) -> NamesAt {
        let start = offset(position)
        if let previous, repeats(previous.actionAndActor, bytes) {
            let distance = start &- previous.entryStart
            return NamesAt(
                actionStart: previous.actionStart &+ distance, actionEnd: previous.actionEnd &+ distance,
                actorStart: previous.actorStart &+ distance, actorEnd: previous.actorEnd &+ distance, isTurn: previous.isTurn)
        }
        try expect("{\"action\":", bytes, "action")
        let action = try string(bytes, &scanner)
        guard Names.isAction(bytes, action) else { throw .member("action") }
        try expect(",\"actor\":", bytes, "actor")
        let actor = try string(bytes, &scanner)
        guard Names.isActor(bytes, actor) else { throw .member("actor") }
        return NamesAt(
            actionStart: offset(action.lowerBound), actionEnd: offset(action.upperBound), actorStart: offset(actor.lowerBound),
            actorEnd: offset(actor.upperBound), isTurn: ChainTurn.isAction(bytes, action))
    }

    /// Up to the digits of `prev_hash`.
    @inline(__always)
    private mutating func justificationToLedger(
        _ bytes: Span<UInt8>, after previous: FrameView?, _ scanner: inout CanonicalScanner
    ) throws(FrameFault) -> (MiddleAt, isSameLedger: Bool) {
        let contextEnd = offset(position)
        if let previous, repeats(previous.justificationToLedger, bytes) {
            let distance = contextEnd &- previous.contextEnd
            let middle = MiddleAt(
                pillar: previous.pillar, reasonStart: previous.reasonStart &+ distance, reasonEnd: previous.reasonEnd &+ distance,
                keyStart: previous.keyStart &+ distance, ledgerStart: previous.ledgerStart &+ distance)
            return (middle, true)
        }
        try expect(",\"justification\":{\"pillar\":\"", bytes, "justification")
        let pillar = try pillar(bytes)
        try expect(",\"reason\":", bytes, "justification")
        let reason = try string(bytes, &scanner)
        position = reason.upperBound
        let (reasonStart, reasonEnd) = (offset(reason.lowerBound), offset(reason.upperBound))
        if let previous, repeats(previous.keyAndLedger, bytes) {
            let distance = reasonEnd &- previous.reasonEnd
            let middle = MiddleAt(
                pillar: pillar, reasonStart: reasonStart, reasonEnd: reasonEnd, keyStart: previous.keyStart &+ distance,
                ledgerStart: previous.ledgerStart &+ distance)
            return (middle, true)
        }
        position += 1
        try expect("},\"key\":\"", bytes, "key")
        let keyStart = offset(position)
        guard KeyID(hex: bytes, at: position) != nil else { throw .member("key") }
        position += 16
        try expect("\",\"ledger\":\"", bytes, "ledger")
        let ledgerStart = offset(position)
        guard LedgerID(hex: bytes, at: position) != nil else { throw .member("ledger") }
        position += 32
        try expect("\",\"prev_hash\":\"", bytes, "prev_hash")
        let middle = MiddleAt(
            pillar: pillar, reasonStart: reasonStart, reasonEnd: reasonEnd, keyStart: keyStart, ledgerStart: ledgerStart)
        return (middle, false)
    }

    /// Whether `prev_hash` is the HASH of the frame before.
    @inline(__always)
    private mutating func previousHash(_ bytes: Span<UInt8>, after previous: FrameView?) throws(FrameFault) -> Bool {
        if let previous, repeats(previous.hashText, bytes) { return true }
        guard bytes.holdsDigest(at: position) else { throw .member("prev_hash") }
        position += 64
        return false
    }

    @inline(__always)
    private mutating func time(_ bytes: Span<UInt8>, after previous: FrameView?) throws(FrameFault) -> Timestamp {
        let start = position
        position += Timestamp.byteCount
        if let previous, bytes.repeats(previous.secondText, at: start),
            let time = Timestamp(bytes, at: start, inSecondOf: previous.time)
        {
            return time
        }
        guard let time = Timestamp(bytes, at: start) else { throw .member("time") }
        return time
    }

    /// With the end of the entry.
    @inline(__always)
    private mutating func version(_ bytes: Span<UInt8>) throws(FrameFault) -> UInt64 {
        // All that is known today, in one comparison.
        let common: StaticString = "\",\"v\":1}"
        if end - position == common.utf8CodeUnitCount, bytes.holds(common, at: position) { return 1 }
        try expect("\",\"v\":", bytes, "v")
        let version = try integer(bytes, "v")
        try expect("}", bytes, "members")
        guard position == end else { throw .member("members") }
        return version
    }

    /// Moves behind the text of `range` if it stands here too.
    @inline(__always)
    private mutating func repeats(_ range: Range<Int>, _ bytes: Span<UInt8>) -> Bool {
        guard range.upperBound &- range.lowerBound <= end &- position, bytes.repeats(range, at: position) else { return false }
        position &+= range.upperBound &- range.lowerBound
        return true
    }

    @inline(__always)
    private mutating func expect(_ literal: StaticString, _ bytes: Span<UInt8>, _ member: StaticString) throws(FrameFault) {
        guard literal.utf8CodeUnitCount <= end - position, bytes.holds(literal, at: position) else { throw Self.fault(member) }
        position += literal.utf8CodeUnitCount
    }

    /// Names the place in the frame: where that lies in a buffer means nothing to anybody.
    @inline(never)
    private func notCanonical(_ error: JSONError) -> FrameFault {
        .notCanonical(JSONError(error.kind, at: error.offset - frameStart).description)
    }

    @inline(never)
    private static func fault(_ member: StaticString) -> FrameFault { .member("\(member)") }

    /// The range between the quotation marks.
    private mutating func string(_ bytes: Span<UInt8>, _ scanner: inout CanonicalScanner) throws(FrameFault) -> Range<Int> {
        let start = position
        scanner.position = position
        do throws(JSONError) { try scanner.skipString(in: bytes) } catch { throw notCanonical(error) }
        position = scanner.position
        guard position <= end else { throw .shape }
        return start + 1..<position - 1
    }

    /// A payload and its entry enclose the object, so two containers are open around it.
    @inline(__always)
    private mutating func object(
        _ bytes: Span<UInt8>, _ member: StaticString, _ scanner: inout CanonicalScanner
    ) throws(FrameFault) -> Range<Int> {
        let start = position
        guard bytes[start] == UInt8(ascii: "{") else { throw Self.fault(member) }
        if bytes[start + 1] == UInt8(ascii: "}") {
            position = start + 2
            return start..<position
        }
        scanner.position = position
        do throws(JSONError) { try scanner.skipValue(in: bytes, openContainers: 2, maximumDepth: Limits.depth) } catch {
            throw notCanonical(error)
        }
        position = scanner.position
        guard position <= end else { throw .shape }
        return start..<position
    }

    private mutating func pillar(_ bytes: Span<UInt8>) throws(FrameFault) -> Justification.Pillar {
        guard let (pillar, end) = bytes.pillar(at: position) else { throw .member("pillar") }
        position = end
        return pillar
    }

    @inline(__always)
    private mutating func integer(_ bytes: Span<UInt8>, _ member: StaticString) throws(FrameFault) -> UInt64 {
        guard let (value, next) = bytes.plainInteger(at: position), next <= end else { throw Self.fault(member) }
        position = next
        return value
    }
}
