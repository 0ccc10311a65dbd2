extension CanonicalScanner {
    /// Moves behind the canonical value at the position.
    ///
    /// `openContainers` is how many arrays and objects the caller has entered already; they count towards
    /// `maximumDepth`, which must be 64 at most.
    package mutating func skipValue(
        in bytes: Span<UInt8>, openContainers: Int = 0, maximumDepth: Int = 64
    ) throws(JSONError) {
        precondition(position >= 0 && openContainers >= 0 && 0...64 ~= maximumDepth)
        let room = maximumDepth - openContainers
        var nesting = Nesting()
        var at = position
        value: while true {
            // Inside an object every value has a key in front of it.
            if nesting.isObject { at = try Self.memberValueStart(in: bytes, at: at, of: &nesting) }
            let first = bytes.byte(at: at)
            switch first {
            case UInt8(ascii: "\""):
                var escapes = false
                at = try Self.stringEnd(in: bytes, at: at, escapes: &escapes)
            case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
                at = try Self.numberEnd(in: bytes, at: at)
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                try open(&nesting, isObject: first == UInt8(ascii: "{"), room: room, at: at)
                at &+= 1
                if bytes.byte(at: at) != nesting.closer { continue value }
                at &+= 1
                close(&nesting)
            default:
                guard let word = LiteralWord(startingWith: first) else { throw Self.unexpected(in: bytes, at: at) }
                at = try word.end(in: bytes, at: at)
            }
            while nesting.depth > 0 {
                let next = bytes.byte(at: at)
                if next == UInt8(ascii: ",") {
                    at &+= 1
                    continue value
                }
                guard next == nesting.closer else { throw Self.unexpected(in: bytes, at: at) }
                at &+= 1
                close(&nesting)
            }
            position = at
            return
        }
    }

    /// Where in the arrays and objects of one value the scanner is.
    private struct Nesting {
        var depth = 0
        /// A bit for each container around the current one: 1 for objects, the innermost one's lowest.
        var outerObjects: UInt64 = 0
        /// Likewise: whether the last key of that object contains escapes.
        var outerEscapes: UInt64 = 0
        var isObject = false
        /// The inside of the current object's last key; the end is negative while there is none.
        var keyStart = 0
        var keyEnd = -1
        var keyHasEscapes = false

        var closer: UInt8 {
            @inline(__always) get { isObject ? UInt8(ascii: "}") : UInt8(ascii: "]") }
        }
    }

    @inline(__always)
    private mutating func open(
        _ nesting: inout Nesting, isObject: Bool, room: Int, at offset: Int
    ) throws(JSONError) {
        if nesting.depth >= room { throw JSONError(.depthExceeded, at: offset) }
        savedKeyStarts[nesting.depth] = nesting.keyStart
        savedKeyEnds[nesting.depth] = nesting.keyEnd
        nesting.outerObjects = nesting.outerObjects &<< 1 | (nesting.isObject ? 1 : 0)
        nesting.outerEscapes = nesting.outerEscapes &<< 1 | (nesting.keyHasEscapes ? 1 : 0)
        nesting.depth &+= 1
        nesting.isObject = isObject
        nesting.keyEnd = -1
    }

    @inline(__always)
    private func close(_ nesting: inout Nesting) {
        nesting.depth &-= 1
        nesting.keyStart = savedKeyStarts[nesting.depth]
        nesting.keyEnd = savedKeyEnds[nesting.depth]
        nesting.isObject = nesting.outerObjects & 1 == 1
        nesting.keyHasEscapes = nesting.outerEscapes & 1 == 1
        nesting.outerObjects &>>= 1
        nesting.outerEscapes &>>= 1
    }

    /// Checks the key at `start` and its place among the others; answers where its value begins.
    @inline(__always)
    private static func memberValueStart(
        in bytes: Span<UInt8>, at start: Int, of nesting: inout Nesting
    ) throws(JSONError) -> Int {
        guard bytes.byte(at: start) == UInt8(ascii: "\"") else { throw unexpected(in: bytes, at: start) }
        var escapes = false
        let end = try stringEnd(in: bytes, at: start, escapes: &escapes)
        let key = start &+ 1..<end &- 1
        if nesting.keyEnd >= 0 {
            let previous = nesting.keyStart..<nesting.keyEnd
            // Most keys differ from the one before in their first byte already.
            let isLessAtOnce = bytes[previous.lowerBound] < bytes[key.lowerBound] && bytes[key.lowerBound] < 0xEE
            if escapes || nesting.keyHasEscapes || key.isEmpty || !isLessAtOnce {
                try checkOrder(of: previous, key, escapes: escapes || nesting.keyHasEscapes, in: bytes)
            }
        }
        nesting.keyStart = key.lowerBound
        nesting.keyEnd = key.upperBound
        nesting.keyHasEscapes = escapes
        guard bytes.byte(at: end) == UInt8(ascii: ":") else { throw unexpected(in: bytes, at: end) }
        return end &+ 1
    }

    @inline(never)
    private static func checkOrder(
        of previous: Range<Int>, _ key: Range<Int>, escapes: Bool, in bytes: Span<UInt8>
    ) throws(JSONError) {
        switch escapes
            ? KeyOrder.compareEscaped(previous, key, in: bytes) : KeyOrder.comparePlain(previous, key, in: bytes)
        {
        case .less: return
        case .equal: throw JSONError(.duplicateKey, at: key.lowerBound - 1)
        case .greater: throw JSONError(.notCanonicalOrder, at: key.lowerBound - 1)
        }
    }
}
