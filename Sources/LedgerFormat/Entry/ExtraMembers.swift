import CanonicalJSON

/// Reads frames whose ENTRY has members that format 1 does not know, between those that it does.
///
/// Without these members it must be a frame of format 1: a copy that leaves them out is read the ordinary way, which alone
/// knows the forms of the others, and what is found there is moved to where it stands.
enum ExtraMembers {
    private static let known: [StaticString] = [
        "\"action\":", "\"actor\":", "\"body\":", "\"context\":", "\"justification\":", "\"key\":", "\"ledger\":",
        "\"prev_hash\":",
        "\"seq\":", "\"synced\":", "\"time\":", "\"v\":",
    ]

    /// A copy of PAYLOAD and its line feed without what format 1 does not know.
    private struct Plain {
        var bytes: [UInt8]
        /// Where each known member stands in the frame, less where it stands in the copy.
        var distances: [Int]
    }

    /// The view of a frame that ends with a line feed; nil when more is wrong with it than members too many.
    @inline(never)
    static func view(of frame: Range<Int>, payload: Int, _ bytes: Span<UInt8>) -> FrameView? {
        let entryStart = payload + FrameShape.head.utf8CodeUnitCount
        let entryEnd = frame.upperBound - 1 - FrameShape.tailByteCount
        guard entryEnd > entryStart, bytes.holds(FrameShape.head, at: payload),
            isCanonical(payload..<frame.upperBound - 1, of: bytes),
            let plain = plain(frame, entryStart..<entryEnd, of: bytes)
        else { return nil }
        var scanner = CanonicalScanner()
        // Not `move`, which calls this: what calls itself is not inlined, and all frames would pay for it.
        var view = FrameView()
        do throws(FrameFault) {
            try view.read(plain.bytes.span, 0..<plain.bytes.count, payload: 0, &scanner)
        } catch {
            return nil
        }
        return FrameView(view, of: frame, entryStart: entryStart, distances: plain.distances)
    }

    private static func isCanonical(_ payload: Range<Int>, of bytes: Span<UInt8>) -> Bool {
        CanonicalScanner.firstFault(in: bytes.extracting(payload), maximumDepth: Limits.depth) == nil
    }

    /// Nil unless all known members are there; canonical order has them in ours.
    private static func plain(_ frame: Range<Int>, _ entry: Range<Int>, of bytes: Span<UInt8>) -> Plain? {
        guard let members = members(of: entry, bytes) else { return nil }
        var plain: [UInt8] = []
        var starts: [Int] = []
        for (index, member) in members.enumerated() {
            plain += (index == 0 ? "{\"entry\":{" : ",").utf8
            starts.append(plain.count)
            plain.append(copying: bytes.extracting(member))
        }
        plain.append(UInt8(ascii: "}"))
        plain.append(copying: bytes.extracting(entry.upperBound..<frame.upperBound))
        let distances = zip(members, starts).map { $0.lowerBound - frame.lowerBound - $1 }
        return Plain(bytes: plain, distances: distances)
    }

    /// The known members of a canonical object, with their names.
    private static func members(of entry: Range<Int>, _ bytes: Span<UInt8>) -> [Range<Int>]? {
        var found: [Range<Int>] = []
        var scanner = CanonicalScanner(at: entry.lowerBound + 1)
        do throws(JSONError) {
            while scanner.position < entry.upperBound - 1 {
                let start = scanner.position
                let isKnown = found.count < known.count && bytes.holds(known[found.count], at: start)
                try scanner.skipString(in: bytes)
                scanner.position += 1
                try scanner.skipValue(in: bytes, openContainers: 2, maximumDepth: Limits.depth)
                if isKnown { found.append(start..<scanner.position) }
                scanner.position += 1
            }
        } catch {
            return nil
        }
        return found.count == known.count && scanner.position == entry.upperBound ? found : nil
    }
}

extension FrameView {
    /// What was found in a copy, moved to where it stands in `frame`.
    fileprivate init(_ copy: FrameView, of frame: Range<Int>, entryStart: Int, distances: [Int]) {
        let (action, actor, body, context) = (Int32(distances[0]), Int32(distances[1]), Int32(distances[2]), Int32(distances[3]))
        let (reason, key, ledger, link) = (Int32(distances[4]), Int32(distances[5]), Int32(distances[6]), Int32(distances[7]))
        self.init(
            start: frame.lowerBound, byteCount: Int32(frame.count), entryStart: Int32(entryStart - frame.lowerBound),
            actionStart: copy.actionStart + action, actionEnd: copy.actionEnd + action, actorStart: copy.actorStart + actor,
            actorEnd: copy.actorEnd + actor, bodyStart: copy.bodyStart + body, bodyEnd: copy.bodyEnd + body,
            contextStart: copy.contextStart + context, contextEnd: copy.contextEnd + context,
            reasonStart: copy.reasonStart + reason, reasonEnd: copy.reasonEnd + reason, keyStart: copy.keyStart + key,
            ledgerStart: copy.ledgerStart + ledger, linkStart: copy.linkStart + link,
            timeStart: copy.timeStart + Int32(distances[10]), pillar: copy.pillar, isTurn: copy.isTurn, continuesPrevious: false,
            part: copy.part, seq: copy.seq, synced: copy.synced, time: copy.time, version: copy.version)
    }
}
