import CanonicalJSON

extension Part {
    /// Reads the member `part` of a canonical context object; nil when there is none.
    static func find(
        inContext range: Range<Int>, of bytes: Span<UInt8>, _ scanner: inout CanonicalScanner
    ) throws(FrameFault) -> Part? {
        scanner.position = range.lowerBound + 1
        while scanner.position < range.upperBound - 1 {
            let isPart = bytes.holds("\"part\":", at: scanner.position)
            do throws(JSONError) {
                try scanner.skipString(in: bytes)
                scanner.position += 1
                if isPart { break }
                try scanner.skipValue(in: bytes, openContainers: 3, maximumDepth: Limits.depth)
                scanner.position += 1
            } catch {
                throw .notCanonical(error.description)
            }
        }
        guard scanner.position < range.upperBound - 1 else { return nil }
        return try read(bytes, at: scanner.position)
    }

    /// `[i,n]` with 1 ≤ i ≤ n and n ≥ 2.
    private static func read(_ bytes: Span<UInt8>, at start: Int) throws(FrameFault) -> Part {
        guard bytes[start] == UInt8(ascii: "["),
            let (index, comma) = bytes.plainInteger(at: start + 1), bytes[comma] == UInt8(ascii: ","),
            let (count, close) = bytes.plainInteger(at: comma + 1), bytes[close] == UInt8(ascii: "]"),
            index >= 1, index <= count, count >= 2, count <= UInt64(Int32.max)
        else { throw .member("part") }
        return Part(index: Int(index), count: Int(count))
    }
}
