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
        return find(in: bytes, at: start, &scanner)
    }

    /// The same with a scanner that is used again: making one costs as much as reading a short entry.
    static func find(in bytes: Span<UInt8>, at start: Int, _ scanner: inout CanonicalScanner) -> FrameFinding {
        var view = FrameView()
        return switch view.move(to: start, in: bytes, &scanner) {
        case nil: .frame(view)
        case .padding: .padding
        case .incomplete(let atLeast): .incomplete(atLeast: atLeast)
        case .fault(let fault): .fault(fault)
        }
    }

    /// What stands where no frame does; as in `FrameFinding`.
    enum Obstacle {
        case padding
        case incomplete(atLeast: Int)
        case fault(FrameFault)
    }

    /// Becomes the view of the frame that starts at `start`; behind an obstacle it is a view of nothing.
    ///
    /// In place, because a walk does little else than this: to hand on a view costs as much as half of reading it.
    ///
    /// - Parameters:
    ///   - isBehind: whether it is the view of a frame in the same bytes. Entries that follow each other have much in common;
    ///     where the text is the same, what was found out about it holds again.
    ///   - allowsExtraMembers: whether ENTRY may have members that format 1 does not know.
    mutating func move(
        to start: Int, in bytes: Span<UInt8>, isBehind: Bool = false, allowsExtraMembers: Bool = false,
        _ scanner: inout CanonicalScanner
    ) -> Obstacle? {
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
            try read(bytes, start..<payload + length + 1, payload: payload, isBehind: isBehind, &scanner)
            return nil
        } catch {
            // Here and not before, so that a frame as format 1 knows it costs no question more.
            if allowsExtraMembers, let frame = ExtraMembers.view(of: start..<payload + length + 1, payload: payload, bytes) {
                self = frame
                return nil
            }
            return .fault(error)
        }
    }

    /// Reads a frame as format 1 knows it, whose bounds are known.
    @inline(__always)
    mutating func read(
        _ bytes: Span<UInt8>, _ frame: Range<Int>, payload: Int, isBehind: Bool = false, _ scanner: inout CanonicalScanner
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
        var parser = EntryParser(frameStart: frame.lowerBound, position: entryStart, end: tail, isBehind: isBehind)
        try parser.read(bytes, into: &self, &scanner)
        start = frame.lowerBound
        byteCount = Int32(truncatingIfNeeded: frame.count)
    }
}

/// Walks over ENTRY, member by member: the members are fixed, so their names are literals and only values are scanned.
private struct EntryParser {
    let frameStart: Int
    var position: Int
    let end: Int
    /// Whether the view that is written still is that of the frame before. Each part of it is replaced when it was looked at, and
    /// where it lies, `start` and `byteCount`, at the very end.
    let isBehind: Bool

    mutating func read(
        _ bytes: Span<UInt8>, into view: inout FrameView, _ scanner: inout CanonicalScanner
    ) throws(FrameFault) {
        try actionAndActor(bytes, &view, &scanner)
        try expect(",\"body\":", bytes, "body")
        let body = try object(bytes, "body", &scanner)
        try expect(",\"context\":", bytes, "context")
        let context = try object(bytes, "context", &scanner)
        view.part = try Part.find(inContext: context, of: bytes, &scanner)
        let isSameLedger = try justificationToLedger(bytes, &view, &scanner)
        (view.bodyStart, view.bodyEnd) = (offset(body.lowerBound), offset(body.upperBound))
        (view.contextStart, view.contextEnd) = (offset(context.lowerBound), offset(context.upperBound))
        view.linkStart = offset(position)
        let isLinked = try previousHash(bytes, view)
        view.continuesPrevious = isSameLedger && isLinked
        try expect("\",\"seq\":", bytes, "seq")
        view.seq = try integer(bytes, "seq")
        try expect(",\"synced\":", bytes, "synced")
        view.synced = try integer(bytes, "synced")
        try expect(",\"time\":\"", bytes, "time")
        let timeStart = position
        view.time = try time(bytes, view)
        view.timeStart = offset(timeStart)
        view.version = try version(bytes)
    }

    /// Where a place in the buffer lies in the frame, whose length has at most seven digits.
    @inline(__always)
    private func offset(_ position: Int) -> Int32 { Int32(truncatingIfNeeded: position &- frameStart) }

    @inline(__always)
    private mutating func actionAndActor(
        _ bytes: Span<UInt8>, _ view: inout FrameView, _ scanner: inout CanonicalScanner
    ) throws(FrameFault) {
        let start = offset(position)
        if repeats(view.actionAndActor, bytes) {
            let distance = start &- view.entryStart
            view.actionStart &+= distance
            view.actionEnd &+= distance
            view.actorStart &+= distance
            view.actorEnd &+= distance
        } else {
            try expect("{\"action\":", bytes, "action")
            let action = try string(bytes, &scanner)
            guard Names.isAction(bytes, action) else { throw .member("action") }
            try expect(",\"actor\":", bytes, "actor")
            let actor = try string(bytes, &scanner)
            guard Names.isActor(bytes, actor) else { throw .member("actor") }
            (view.actionStart, view.actionEnd) = (offset(action.lowerBound), offset(action.upperBound))
            (view.actorStart, view.actorEnd) = (offset(actor.lowerBound), offset(actor.upperBound))
            view.isTurn = ChainTurn.isAction(bytes, action)
        }
        view.entryStart = start
    }

    /// Up to the digits of `prev_hash`; says whether key and ledger are those of the frame before.
    @inline(__always)
    private mutating func justificationToLedger(
        _ bytes: Span<UInt8>, _ view: inout FrameView, _ scanner: inout CanonicalScanner
    ) throws(FrameFault) -> Bool {
        let contextEnd = offset(position)
        if repeats(view.justificationToLedger, bytes) {
            let distance = contextEnd &- view.contextEnd
            view.reasonStart &+= distance
            view.reasonEnd &+= distance
            view.keyStart &+= distance
            view.ledgerStart &+= distance
            return true
        }
        try expect(",\"justification\":{\"pillar\":\"", bytes, "justification")
        view.pillar = try pillar(bytes)
        try expect(",\"reason\":", bytes, "justification")
        let reason = try string(bytes, &scanner)
        position = reason.upperBound
        let isSameLedger = repeats(view.keyAndLedger, bytes)
        if isSameLedger {
            let distance = offset(reason.upperBound) &- view.reasonEnd
            view.keyStart &+= distance
            view.ledgerStart &+= distance
        } else {
            position += 1
            try expect("},\"key\":\"", bytes, "key")
            view.keyStart = offset(position)
            guard KeyID(hex: bytes, at: position) != nil else { throw .member("key") }
            position += 16
            try expect("\",\"ledger\":\"", bytes, "ledger")
            view.ledgerStart = offset(position)
            guard LedgerID(hex: bytes, at: position) != nil else { throw .member("ledger") }
            position += 32
            try expect("\",\"prev_hash\":\"", bytes, "prev_hash")
        }
        (view.reasonStart, view.reasonEnd) = (offset(reason.lowerBound), offset(reason.upperBound))
        return isSameLedger
    }

    /// Whether `prev_hash` is the HASH of the frame before.
    @inline(__always)
    private mutating func previousHash(_ bytes: Span<UInt8>, _ view: FrameView) throws(FrameFault) -> Bool {
        if repeats(view.hashText, bytes) { return true }
        guard bytes.holdsDigest(at: position) else { throw .member("prev_hash") }
        position += 64
        return false
    }

    @inline(__always)
    private mutating func time(_ bytes: Span<UInt8>, _ view: FrameView) throws(FrameFault) -> Timestamp {
        let start = position
        position += Timestamp.byteCount
        if isBehind, bytes.repeats(view.secondText, at: start),
            let time = Timestamp(bytes, at: start, inSecondOf: view.time)
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

    /// Moves behind the text of `range`, which belongs to the frame before, if it stands here too.
    @inline(__always)
    private mutating func repeats(_ range: Range<Int>, _ bytes: Span<UInt8>) -> Bool {
        guard isBehind, range.upperBound &- range.lowerBound <= end &- position, bytes.repeats(range, at: position) else {
            return false
        }
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
