package import DurableFiles
package import LedgerFormat

extension SegmentReader {
    /// Where the entry with this seq starts, or a place before it from which a scan finds it; nil if it lies before the first segment.
    ///
    /// Reads a few pages, whatever the size: a line feed ends every frame and stands nowhere else, so any place in a
    /// segment leads to the next frame. Nothing here is trusted: what is found is verified by whoever reads on.
    package func locate(_ seq: UInt64) throws(StorageError) -> Place? {
        guard let segment = segments.last(where: { $0 <= seq }) else { return nil }
        let file = try open(segment: segment)
        var low = Place(segment: segment, offset: 0, seq: segment)
        var high = try file.status().size
        while high - low.offset > Self.locateByteCount {
            let middle = low.offset + (high - low.offset) / 2
            if let found = try frame(behind: middle, before: high, in: file), found.seq > low.seq, found.seq <= seq {
                low = Place(segment: segment, offset: found.offset, seq: found.seq)
            } else {
                high = middle
            }
        }
        return low
    }

    private static var locateByteCount: Int { 1 << 16 }

    /// The first frame that starts behind `offset`.
    func frame(behind offset: Int, before end: Int, in file: any StorageFile) throws(StorageError) -> (offset: Int, seq: UInt64)?
    {
        var size = 1 << 12
        while true {
            var window = [UInt8](repeating: 0, count: size)
            let count = try file.read(into: &window, from: 0, at: offset)
            let bytes = window.span.extracting(0..<count)
            // No frame holds a NUL: this is preallocated space, which may be megabytes, or damage.
            if count > 0, bytes[0] == 0 { return nil }
            if let start = bytes.firstIndex(of: 0x0A).map({ $0 + 1 }), start < count {
                switch FrameView.find(in: bytes, at: start) {
                case .frame(let frame): return (offset + start, frame.seq)
                case .padding, .fault: return nil
                case .incomplete: break
                }
            }
            if size > 2 * Limits.frame || count < size || offset + count >= end && count == 0 { return nil }
            size *= 8
        }
    }

    /// The frame that ends at `end`: it starts behind the line feed before its own.
    func lastFrame(endingAt end: Int, in file: any StorageFile) throws(StorageError) -> (frame: FrameView, bytes: [UInt8])? {
        guard end > 0 else { return nil }
        var size = 1 << 12
        while true {
            let start = max(0, end - size)
            var window = [UInt8](repeating: 0, count: end - start)
            var count = 0
            while count < window.count {
                let read = try file.read(into: &window, from: count, at: start + count)
                if read == 0 { return nil }
                count += read
            }
            let lineFeed = window.span.extracting(0..<window.count - 1).lastIndex(of: 0x0A)
            if let first = lineFeed.map({ $0 + 1 }) ?? (start == 0 ? 0 : nil) {
                let bytes = Array(window[first...])
                guard case .frame(let frame) = FrameView.find(in: bytes.span, at: 0), frame.frame.count == bytes.count else {
                    return nil
                }
                return (frame, bytes)
            }
            if start == 0 || size > 2 * Limits.frame { return nil }
            size *= 8
        }
    }
}

extension Span where Element == UInt8 {
    func firstIndex(of byte: UInt8) -> Int? {
        for index in indices where self[index] == byte { return index }
        return nil
    }

    func lastIndex(of byte: UInt8) -> Int? {
        var index = count
        while index > 0 {
            index -= 1
            if self[index] == byte { return index }
        }
        return nil
    }
}
