import LedgerFormat

/// A frame found by its LENGTH alone, so that what a stage expects does not rest on the reader that it tries.
struct RawFrame {
    /// LENGTH to line feed.
    let bytes: Range<Int>
    let hash: Digest

    /// Nil where no frame starts, or not all of one is there.
    init?(in segment: [UInt8], at offset: Int) {
        var position = offset
        var length = 0
        while position < segment.count, position - offset < 7, segment[position] &- 0x30 < 10 {
            length = length * 10 + Int(segment[position] &- 0x30)
            position += 1
        }
        // The digits, a colon, the payload, a line feed. HASH stands at a fixed distance from the end.
        let end = position + 1 + length + 1
        guard position > offset, end <= segment.count, length > 140, let hash = Digest(hex: segment.span, at: end - 140) else {
            return nil
        }
        bytes = offset..<end
        self.hash = hash
    }
}
