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
            if !stretch.isEmpty, !isCrashLike(stretch, of: tail, at: offset) {
                return .noTraceOfCrash(offset: offset + stretch.lowerBound)
            }
            guard let frame else { return nil }
            guard frame.synced < seq else { return .wasDurable(knownBy: frame.seq) }
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
        var holdsNUL = false
        for index in stretch where tail[index] == 0 {
            holdsNUL = true
            let runEnds = index + 1 == stretch.upperBound || tail[index + 1] != 0
            if runEnds, index + 1 != tail.count, (offset + index + 1) % sectorByteCount != 0 { return false }
        }
        return holdsNUL || stretch.upperBound == tail.count
    }
}
