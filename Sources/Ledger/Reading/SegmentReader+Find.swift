import DurableFiles
import LedgerFormat

extension SegmentReader {
    /// A window holds at least two frames of the greatest size, and moves on by all but one of them: none is missed at its edge.
    private static var windowByteCount: Int { 4 << 20 }

    /// Shows the frames that a finder takes for sound, wherever they start.
    ///
    /// - Parameters:
    ///   - start: bytes from the segment's start.
    ///   - end: nothing behind it is read; nil for the segment's end.
    ///   - visit: gets the bytes that the frame's view refers to, and the offset in the segment where they start; false stops.
    func find(
        _ finder: FrameFinder, in segment: UInt64, from start: Int = 0, upTo end: Int? = nil,
        visit: (FrameView, Span<UInt8>, Int) -> Bool
    ) throws(StorageError) {
        let file = try open(segment: segment)
        let size = min(try file.status().size, end ?? .max)
        var offset = start
        while offset < size {
            let window = try file.bytes(in: offset..<min(size, offset + Self.windowByteCount))
            let bytes = window.span
            var next = 0
            while let frame = finder.next(in: bytes, from: next) {
                guard visit(frame, bytes, offset) else { return }
                next = frame.frame.upperBound
            }
            if window.count < Self.windowByteCount { return }
            offset += max(next, window.count - Limits.frame)
        }
    }
}
