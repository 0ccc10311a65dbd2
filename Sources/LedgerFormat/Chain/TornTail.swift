import PlantedDefects

/// Whether damage behind HEAD can be what a crash leaves: FORMAT.md §6, rules 2 and 3.
package enum TornTail {
    /// - Parameters:
    ///   - tail: the bytes from the damaged place to the end of the file.
    ///   - offset: where in the file they start.
    ///   - seq: the seq expected there.
    /// - Returns: why it is no crash; nil when it is torn.
    package static func objection(
        to tail: Span<UInt8>, at offset: Int, seq: UInt64, finder: FrameFinder
    ) -> Objection? {
        var position = 0
        while position < tail.count {
            let frame = finder.next(in: tail, from: position)
            let stretch = position..<(frame?.frame.lowerBound ?? tail.count)
            if !stretch.isEmpty, !isCrashLike(stretch, of: tail, at: offset), !planted(.anyDamageTorn) {
                return .noTraceOfCrash(offset: offset + stretch.lowerBound)
            }
            guard let frame else { return nil }
            guard frame.synced < seq || planted(.durableEntryTorn) else { return .wasDurable(knownBy: frame.seq) }
            position = frame.frame.upperBound
        }
        return nil
    }

    package enum Objection: Sendable, Equatable {
        /// The stretch holds no lost sector and does not end with the file, or a run of NULs ends where no sector does.
        case noTraceOfCrash(offset: Int)
        /// A later entry says that this place was durable before it was sealed.
        case wasDurable(knownBy: UInt64)
    }

    private static let sectorByteCount = 512

    private static func isCrashLike(_ stretch: Range<Int>, of tail: Span<UInt8>, at offset: Int) -> Bool {
        // NULs that end the file are no part of the damage.
        var content = stretch
        if stretch.upperBound == tail.count {
            while !content.isEmpty, tail[content.upperBound - 1] == 0 { content = content.lowerBound..<content.upperBound - 1 }
        }
        var holdsNUL = false
        for index in content where tail[index] == 0 {
            holdsNUL = true
            let runEnds = index + 1 == content.upperBound || tail[index + 1] != 0
            if runEnds, (offset + index + 1) % sectorByteCount != 0 { return false }
        }
        if holdsNUL || content.isEmpty { return true }
        return stretch.upperBound == tail.count && (isCutShort(content, of: tail) || planted(.changedFrameTorn))
    }

    /// Whether the bytes can be a frame whose writing was stopped: its beginning, and not all of it.
    ///
    /// A frame that is all there and does not verify was changed, and no crash changes bytes.
    private static func isCutShort(_ content: Range<Int>, of tail: Span<UInt8>) -> Bool {
        var position = content.lowerBound
        var length = 0
        while position < content.upperBound, position - content.lowerBound < 7, tail[position] &- 0x30 < 10 {
            length = length * 10 + Int(tail[position] &- 0x30)
            position += 1
        }
        guard position > content.lowerBound, tail[content.lowerBound] != 0x30, length <= Limits.payload else { return false }
        if position == content.upperBound { return true }
        guard tail[position] == UInt8(ascii: ":"), content.upperBound - position - 1 <= length else { return false }
        for index in position..<content.upperBound where tail[index] == 0x0A { return false }
        return true
    }
}
