import CanonicalJSON

/// The lines of a journal that begin in a part of its bytes: cut behind line feeds, each of which ends a line.
package struct JournalPart: Sendable {
    /// What was read: the lines, and some bytes around them.
    package let bytes: [UInt8]
    package let lines: Range<Int>
    /// Whether the journal ends with them.
    package let isEnd: Bool

    /// - Parameters:
    ///   - range: the part; not empty.
    ///   - byteCount: of the whole journal.
    ///   - read: what stands from an offset on, so many bytes.
    package init<Failure: Error>(
        _ range: Range<Int>, ofAll byteCount: Int, _ read: (_ offset: Int, _ count: Int) throws(Failure) -> [UInt8]
    ) throws(Failure) {
        // With the byte before, which may be the line feed behind which the part's first line begins.
        let start = max(range.lowerBound - 1, 0)
        let partEnd = range.upperBound - start
        var end = min(range.upperBound + Self.lineByteCount, byteCount)
        var found = try read(start, end - start)
        let first = range.lowerBound == 0 ? 0 : found.span.behindLineFeed(from: 0) ?? found.count
        // A long line concerns one part only.
        guard first < partEnd else {
            (bytes, lines, isEnd) = (found, first..<first, false)
            return
        }
        var last = range.upperBound < byteCount ? found.span.behindLineFeed(from: partEnd - 1) : nil
        while last == nil, end < byteCount {
            let next = min(end + found.count, byteCount)
            let more = try read(end, next - end)
            let count = found.count
            last = more.span.behindLineFeed(from: 0).map { count + $0 }
            found += more
            end = next
        }
        bytes = found
        lines = first..<(last ?? found.count)
        isEnd = start + lines.upperBound == byteCount
    }

    /// Most lines are shorter.
    private static let lineByteCount = 1024
}

extension Span where Element == UInt8 {
    /// The offset behind the first line feed from `start` on.
    fileprivate func behindLineFeed(from start: Int) -> Int? { firstLineFeed(from: start).map { $0 + 1 } }
}
