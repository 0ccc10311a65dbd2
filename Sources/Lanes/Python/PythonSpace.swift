import CanonicalJSON

/// What Python takes for white space and for the end of a line.
enum PythonSpace {
    /// `str.isspace`.
    static func isSpace(_ point: UInt32) -> Bool {
        switch point {
        case 0x09...0x0D, 0x1C...0x1F, 0x20: true
        default: point >= 0x80 && isSpaceBeyondASCII(point)
        }
    }

    static func isSpaceBeyondASCII(_ point: UInt32) -> Bool {
        switch point {
        case 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000: true
        default: false
        }
    }

    /// Where `str.splitlines` ends a line.
    static func isLineEnd(_ point: UInt32) -> Bool {
        switch point {
        case 0x0A...0x0D, 0x1C...0x1E, 0x85, 0x2028, 0x2029: true
        default: false
        }
    }
}

extension Span where Element == UInt8 {
    /// `range` without the white space at both of its ends, as `str.strip` has it.
    func stripped(_ range: Range<Int>) -> Range<Int> {
        var (start, end) = (range.lowerBound, range.upperBound)
        while start < end {
            let (point, length) = codePoint(at: start)
            guard PythonSpace.isSpace(point) else { break }
            start += length
        }
        while start < end {
            var last = end - 1
            while last > start, self[last] & 0xC0 == 0x80 { last -= 1 }
            guard PythonSpace.isSpace(codePoint(at: last).point) else { break }
            end = last
        }
        return start..<end
    }

    /// The line that starts at `start`, without its end, and where the next one starts.
    func line(from start: Int) -> (range: Range<Int>, next: Int) {
        var offset = start
        while true {
            offset = firstUnusual(from: offset)
            guard offset < count else { return (start..<count, count) }
            let (point, length) = codePoint(at: offset)
            if PythonSpace.isLineEnd(point) {
                let isPair = point == 0x0D && offset + 1 < count && self[offset + 1] == 0x0A
                return (start..<offset, offset + length + (isPair ? 1 : 0))
            }
            offset += length
        }
    }
}
