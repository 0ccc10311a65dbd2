/// Rewrites JSON text in canonical form (RFC 8785) without building a tree.
///
/// It knows the usual forms: white space, members in any order, strings and numbers that are canonical in themselves. The
/// rest it leaves to the parser, which also says what is wrong: so both always agree.
package struct Canonicalizer: Sendable {
    /// The canonical text of the last value.
    package private(set) var bytes: [UInt8] = []

    private var position = 0
    /// What was read from here on, up to the position, is still to be copied.
    private var runStart = 0
    /// The members of all objects that are open, the innermost object's last.
    private var members: [Member] = []

    /// A member in the output: from its key's quotation mark to the end of its value.
    private struct Member {
        var range: Range<Int>
        /// The key between its quotation marks.
        var key: Range<Int>
        var keyHasEscapes: Bool
    }

    package init() {}

    /// Reads exactly one value; `bytes` is its canonical form then.
    package mutating func rewrite(_ text: Span<UInt8>, maximumDepth: Int = 64) throws(JSONError) {
        bytes.removeAll(keepingCapacity: true)
        members.removeAll(keepingCapacity: true)
        position = 0
        runStart = 0
        if skipValue(text, room: maximumDepth), skipSpace(text), position == text.count {
            flush(text)
        } else {
            bytes = try JSON(parsing: text, maximumDepth: maximumDepth).canonicalBytes()
        }
    }

    /// Where in the output the position is.
    private var outputPosition: Int { bytes.count + position - runStart }

    /// Copies what was read since the last flush.
    private mutating func flush(_ text: Span<UInt8>) {
        bytes.append(copying: text.extracting(runStart..<position))
        runStart = position
    }

    /// Leaves white space out; always true, to stand in a chain.
    private mutating func skipSpace(_ text: Span<UInt8>) -> Bool {
        guard Self.isSpace(text.byte(at: position)), position < text.count else { return true }
        flush(text)
        while position < text.count, Self.isSpace(text.byte(at: position)) { position += 1 }
        runStart = position
        return true
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D }

    // Each of these moves behind what it names; false is for whatever the parser must see.

    private mutating func skipValue(_ text: Span<UInt8>, room: Int) -> Bool {
        _ = skipSpace(text)
        let first = text.byte(at: position)
        do throws(JSONError) {
            switch first {
            case UInt8(ascii: "\""):
                var escapes = false
                position = try CanonicalScanner.stringEnd(in: text, at: position, escapes: &escapes)
            case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
                position = try CanonicalScanner.numberEnd(in: text, at: position)
            case UInt8(ascii: "{"):
                return room > 0 && skipObject(text, room: room - 1)
            case UInt8(ascii: "["):
                return room > 0 && skipArray(text, room: room - 1)
            default:
                guard let word = LiteralWord(startingWith: first) else { return false }
                position = try word.end(in: text, at: position)
            }
            return true
        } catch {
            return false
        }
    }

    private mutating func skip(_ byte: UInt8, _ text: Span<UInt8>) -> Bool {
        _ = skipSpace(text)
        guard text.byte(at: position) == byte else { return false }
        position += 1
        return true
    }

    private mutating func skipArray(_ text: Span<UInt8>, room: Int) -> Bool {
        position += 1
        if skip(UInt8(ascii: "]"), text) { return true }
        repeat {
            guard skipValue(text, room: room) else { return false }
        } while skip(UInt8(ascii: ","), text)
        return skip(UInt8(ascii: "]"), text)
    }

    private mutating func skipObject(_ text: Span<UInt8>, room: Int) -> Bool {
        position += 1
        if skip(UInt8(ascii: "}"), text) { return true }
        let first = members.count
        var isAscending = true
        repeat {
            guard skipMember(text, room: room) else { return false }
            if members.count > first + 1, order(members.count - 2, members.count - 1, text) != .less { isAscending = false }
        } while skip(UInt8(ascii: ","), text)
        if !isAscending {
            flush(text)
            guard sortMembers(from: first) else { return false }
        }
        members.removeLast(members.count - first)
        return skip(UInt8(ascii: "}"), text)
    }

    private mutating func skipMember(_ text: Span<UInt8>, room: Int) -> Bool {
        _ = skipSpace(text)
        guard text.byte(at: position) == UInt8(ascii: "\"") else { return false }
        let start = outputPosition
        var escapes = false
        do throws(JSONError) {
            position = try CanonicalScanner.stringEnd(in: text, at: position, escapes: &escapes)
        } catch {
            return false
        }
        let key = start + 1..<outputPosition - 1
        guard skip(UInt8(ascii: ":"), text), skipValue(text, room: room) else { return false }
        members.append(Member(range: start..<outputPosition, key: key, keyHasEscapes: escapes))
        return true
    }

    /// Keys that are not all copied yet are looked at after they were.
    private mutating func order(_ left: Int, _ right: Int, _ text: Span<UInt8>) -> KeyOrder {
        if members[right].key.upperBound > bytes.count { flush(text) }
        return order(members[left], members[right])
    }

    private func order(_ left: Member, _ right: Member) -> KeyOrder {
        left.keyHasEscapes || right.keyHasEscapes
            ? KeyOrder.compareEscaped(left.key, right.key, in: bytes.span)
            : KeyOrder.comparePlain(left.key, right.key, in: bytes.span)
    }

    /// Brings an object's members into canonical order; false if a key stands twice.
    private mutating func sortMembers(from first: Int) -> Bool {
        let inOrder = members[first...].sorted { order($0, $1) == .less }
        for (left, right) in zip(inOrder, inOrder.dropFirst()) where order(left, right) == .equal { return false }
        var sorted: [UInt8] = []
        for member in inOrder {
            if !sorted.isEmpty { sorted.append(UInt8(ascii: ",")) }
            sorted += bytes[member.range]
        }
        bytes.removeLast(bytes.count - members[first].range.lowerBound)
        bytes += sorted
        return true
    }
}
