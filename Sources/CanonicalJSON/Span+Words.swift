// The only file that reads memory other than element by element. The checker inspects eight bytes at a time, which
// makes it several times as fast as a loop over single bytes; the library has no safe unaligned load yet, and its
// checked accesses test each bound twice. Every read below is guarded by one explicit comparison instead.

extension Span where Element == UInt8 {
    /// The eight bytes from `offset` on, the first one lowest; nil if they do not all lie inside.
    @inlinable @inline(__always)
    package func fullWord(at offset: Int) -> UInt64? {
        guard offset >= 0, offset <= count &- 8 else { return nil }
        // Every bit pattern is a UInt64, and the guard keeps the load inside.
        return unsafe UInt64(littleEndian: bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self))
    }

    /// The eight bytes from `offset` on, the first one lowest; bytes beyond the end read as zero.
    @inline(__always)
    func word(at offset: Int) -> UInt64 {
        fullWord(at: offset) ?? tailWord(at: offset)
    }

    /// A word that the end cuts off. Where a whole one ends there too, that is read, and what it has too much is shifted out.
    @inline(__always)
    private func tailWord(at offset: Int) -> UInt64 {
        guard offset >= 0, offset < count else { return 0 }
        if let last = fullWord(at: count &- 8) { return last &>> UInt64(8 &* (8 &- (count &- offset))) }
        return shortTail(at: offset)
    }

    /// The same of at most seven bytes in all: from both ends, where they overlap they are the same.
    @inline(__always)
    private func shortTail(at offset: Int) -> UInt64 {
        let length = count &- offset
        if length >= 4 {
            // Both lie inside, and every bit pattern is a UInt32.
            let low = unsafe UInt32(littleEndian: bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt32.self))
            let high = unsafe UInt32(
                littleEndian: bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: count &- 4, as: UInt32.self))
            return UInt64(low) | UInt64(high) &<< UInt64(8 &* (length &- 4))
        }
        let middle = length &>> 1
        return UInt64(byte(at: offset)) | UInt64(byte(at: offset &+ middle)) &<< UInt64(8 &* middle)
            | UInt64(byte(at: count &- 1)) &<< UInt64(8 &* (length &- 1))
    }

    /// The offset of the first line feed from `start` on.
    package func firstLineFeed(from start: Int) -> Int? {
        var index = start
        while let word = fullWord(at: index) {
            let feeds = EightBytes.lineFeeds(word)
            if feeds != 0 { return index &+ feeds.trailingZeroBitCount &>> 3 }
            index &+= 8
        }
        while index < count {
            if self[index] == 0x0A { return index }
            index += 1
        }
        return nil
    }

    /// The offset of the first quote, backslash or control character from `start` on; `count` if there is none.
    @inlinable @inline(__always)
    package func firstEscape(from start: Int) -> Int {
        // Most texts are short, and end in their first word.
        if let word = fullWord(at: start) {
            let marked = EightBytes.escapes(word)
            if marked != 0 { return start &+ marked.trailingZeroBitCount &>> 3 }
        }
        return laterEscape(from: start)
    }

    @usableFromInline
    package func laterEscape(from start: Int) -> Int { first(from: start, EightBytes.escapes) }

    /// The offset of the first control character or byte above 0x7F from `start` on; `count` if there is none.
    package func firstUnusual(from start: Int) -> Int { first(from: start, EightBytes.unusual) }

    @inline(__always)
    private func first(from start: Int, _ marks: (UInt64) -> UInt64) -> Int {
        var index = start
        while true {
            // Beyond the end the bytes read as zeros, which count as control characters: the loop always stops there.
            let marked = marks(word(at: index))
            if marked != 0 { return Swift.min(index &+ marked.trailingZeroBitCount &>> 3, count) }
            index &+= 8
        }
    }

    /// The byte at `offset`, or zero, which is never legal in JSON, at and beyond the end.
    @inline(__always)
    func byte(at offset: Int) -> UInt8 {
        // As unsigned numbers, negative offsets are too large as well.
        guard UInt(bitPattern: offset) < UInt(bitPattern: count) else { return 0 }
        return unsafe self[unchecked: offset]
    }
}

extension Array where Element == UInt8 {
    /// Appends the bytes of `span` in one copy.
    package mutating func append(copying span: Span<UInt8>) {
        // The pointer lives as long as the closure, and append only reads through it.
        unsafe span.withUnsafeBufferPointer { buffer in unsafe append(contentsOf: buffer) }
    }

    /// Appends the eight bytes of each word, the lowest first, in one copy.
    @inlinable
    package mutating func append<let count: Int>(littleEndian words: InlineArray<count, UInt64>) {
        let ordered = InlineArray<count, UInt64> { words[$0].littleEndian }
        // As above; a word has eight bytes and no others.
        unsafe Swift.withUnsafeBytes(of: ordered) { buffer in unsafe append(contentsOf: buffer) }
    }
}

/// Tests on all eight bytes of a word at once; bit 7 of each byte is the answer for that byte.
///
/// A borrow can spoil the answers above the lowest hit, so only the lowest one counts.
@usableFromInline
package enum EightBytes {
    @inlinable @inline(__always)
    package static var ones: UInt64 { 0x0101_0101_0101_0101 }
    @inlinable @inline(__always)
    package static var highBits: UInt64 { 0x8080_8080_8080_8080 }

    /// Marks what needs an escape: a quote, a backslash, a control character.
    @inlinable @inline(__always)
    package static func escapes(_ word: UInt64) -> UInt64 {
        candidates(word) & highBits
    }

    /// Marks what ends a run of plain ASCII: as `escapes`, and bytes above 0x7F.
    @inline(__always)
    static func stops(_ word: UInt64) -> UInt64 {
        (candidates(word) | word) & highBits
    }

    /// Marks control characters and bytes above 0x7F.
    @inline(__always)
    static func unusual(_ word: UInt64) -> UInt64 {
        (controls(word) | word) & highBits
    }

    @inline(__always)
    static func lineFeeds(_ word: UInt64) -> UInt64 {
        let feed = word ^ (ones &* 0x0A)
        return (feed &- ones) & ~feed & highBits
    }

    @inlinable @inline(__always)
    package static func candidates(_ word: UInt64) -> UInt64 {
        let quote = word ^ (ones &* 0x22)
        let backslash = word ^ (ones &* 0x5C)
        return (quote &- ones) & ~quote | (backslash &- ones) & ~backslash | controls(word)
    }

    @inlinable @inline(__always)
    package static func controls(_ word: UInt64) -> UInt64 {
        (word &- ones &* 0x20) & ~word
    }
}
