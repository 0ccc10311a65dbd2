import PlantedDefects

/// A strict recursive parser; the bytes are handed to every call because a struct cannot hold a `Span` yet.
struct JSONParser {
    var position = 0
    let maximumDepth: Int
    /// Where the keys of all objects that are still open begin, the innermost object's last.
    private var keyOffsets: [Int] = []
    /// Where the last key that was read begins.
    private var keyOffset = 0
    /// Reused for every string that contains escapes.
    var unescaped: [UInt8] = []

    init(maximumDepth: Int) {
        self.maximumDepth = maximumDepth
    }

    mutating func skipSpace(in bytes: Span<UInt8>) {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x09, 0x0A, 0x0D: position += 1
            default: return
            }
        }
    }

    /// Reads the value at `position`, which lies inside `depth` arrays and objects.
    mutating func value(in bytes: Span<UInt8>, depth: Int) throws(JSONError) -> JSON {
        switch bytes.byte(at: position) {
        case UInt8(ascii: "\""): return .string(try string(in: bytes))
        case UInt8(ascii: "{"): return .object(try object(in: bytes, depth: depth + 1))
        case UInt8(ascii: "["): return .array(try array(in: bytes, depth: depth + 1))
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            let literal = try NumberLiteral(in: bytes, at: position)
            position = literal.range.upperBound
            return .number(try literal.value(in: bytes))
        case let first:
            guard let word = LiteralWord(startingWith: first) else { throw .unexpected(in: bytes, at: position) }
            position = try word.end(in: bytes, at: position)
            return word.value
        }
    }

    private mutating func open(depth: Int, in bytes: Span<UInt8>) throws(JSONError) {
        if depth > maximumDepth, !planted(.depthUnbounded) { throw JSONError(.depthExceeded, at: position) }
        position += 1
        skipSpace(in: bytes)
    }

    /// Reads what follows an element: true after a comma, false after `closer`.
    private mutating func hasNext(in bytes: Span<UInt8>, closer: UInt8) throws(JSONError) -> Bool {
        skipSpace(in: bytes)
        let byte = bytes.byte(at: position)
        guard byte == UInt8(ascii: ",") || byte == closer else { throw .unexpected(in: bytes, at: position) }
        position += 1
        if byte == closer { return false }
        skipSpace(in: bytes)
        return true
    }

    private mutating func array(in bytes: Span<UInt8>, depth: Int) throws(JSONError) -> [JSON] {
        var elements: [JSON] = []
        try self.elements(in: bytes, depth: depth) { (parser, bytes) throws(JSONError) in
            elements.append(try parser.value(in: bytes, depth: depth))
        }
        return elements
    }

    /// Calls `read` at each element of the array at `position`, which it must read; the array lies inside `depth - 1` others.
    @inline(__always)
    mutating func elements(
        in bytes: Span<UInt8>, depth: Int, _ read: (inout JSONParser, Span<UInt8>) throws(JSONError) -> Void
    ) throws(JSONError) {
        try open(depth: depth, in: bytes)
        if bytes.byte(at: position) == UInt8(ascii: "]") {
            position += 1
            return
        }
        repeat {
            try read(&self, bytes)
        } while try hasNext(in: bytes, closer: UInt8(ascii: "]"))
    }

    private mutating func object(in bytes: Span<UInt8>, depth: Int) throws(JSONError) -> JSONObject {
        var members: [JSONObject.Member] = []
        let outerKeys = keyOffsets.count
        try self.members(in: bytes, depth: depth) { (parser, key, bytes) throws(JSONError) in
            parser.keyOffsets.append(parser.keyOffset)
            members.append(JSONObject.Member(key: key, value: try parser.value(in: bytes, depth: depth)))
        }
        let object = try sorted(members, keyOffsets: keyOffsets[outerKeys...])
        keyOffsets.removeSubrange(outerKeys...)
        return object
    }

    /// Calls `read` at the value of each member of the object at `position`, with its key; it must read the value.
    ///
    /// Keys come as they stand, also doubled ones. The object lies inside `depth - 1` others.
    @inline(__always)
    mutating func members(
        in bytes: Span<UInt8>, depth: Int, _ read: (inout JSONParser, String, Span<UInt8>) throws(JSONError) -> Void
    ) throws(JSONError) {
        try open(depth: depth, in: bytes)
        if bytes.byte(at: position) == UInt8(ascii: "}") {
            position += 1
            return
        }
        repeat {
            guard bytes.byte(at: position) == UInt8(ascii: "\"") else { throw .unexpected(in: bytes, at: position) }
            keyOffset = position
            let key = try string(in: bytes)
            skipSpace(in: bytes)
            guard bytes.byte(at: position) == UInt8(ascii: ":") else { throw .unexpected(in: bytes, at: position) }
            position += 1
            skipSpace(in: bytes)
            try read(&self, key, bytes)
        } while try hasNext(in: bytes, closer: UInt8(ascii: "}"))
    }

    /// Brings an object's members into order; the error names the earliest key that repeats another.
    private func sorted(
        _ members: [JSONObject.Member], keyOffsets: ArraySlice<Int>
    ) throws(JSONError) -> JSONObject {
        if JSONObject.isAscending(members) { return JSONObject(ascending: members) }
        let order = JSONObject.canonicalOrder(of: members)
        var earliest: Int?
        for (before, index) in zip(order, order.dropFirst())
        where members[before].key.hasSameBytes(as: members[index].key) {
            let offset = keyOffsets[keyOffsets.startIndex + index]
            earliest = min(earliest ?? offset, offset)
        }
        if let earliest, !planted(.duplicateKeysAccepted) { throw JSONError(.duplicateKey, at: earliest) }
        return JSONObject(ascending: order.map { members[$0] })
    }
}
