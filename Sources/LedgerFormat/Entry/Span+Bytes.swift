import CanonicalJSON

extension Span where Element == UInt8 {
    /// Whether the literal's bytes stand at `offset`.
    ///
    /// The only place that reads a literal through its pointer: it lives as long as the program.
    @inline(__always)
    func holds(_ literal: StaticString, at offset: Int) -> Bool {
        let count = literal.utf8CodeUnitCount
        guard offset >= 0, offset <= self.count - count else { return false }
        let text = unsafe UnsafeRawPointer(literal.utf8Start)
        var index = 0
        while index + 8 <= count {
            let word = unsafe UInt64(littleEndian: text.loadUnaligned(fromByteOffset: index, as: UInt64.self))
            if fullWord(at: offset + index) != word { return false }
            index += 8
        }
        while index < count {
            if unsafe self[offset + index] != text.load(fromByteOffset: index, as: UInt8.self) { return false }
            index += 1
        }
        return true
    }

    /// Reads a whole number from 0 to 2^53 − 1 in its canonical form, and says where it ends.
    func plainInteger(at offset: Int) -> (value: UInt64, end: Int)? {
        var position = offset
        var value: UInt64 = 0
        while position < count {
            let digit = self[position] &- 0x30
            if digit > 9 { break }
            value = value * 10 + UInt64(digit)
            position += 1
            if position - offset > 16 { return nil }
        }
        guard position > offset, value <= Limits.seq, self[offset] != 0x30 || position == offset + 1 else { return nil }
        // A fraction or an exponent would make it another number.
        if position < count, self[position] == UInt8(ascii: ".") || self[position] | 0x20 == UInt8(ascii: "e") { return nil }
        return (value, position)
    }

    /// The bytes of a range, copied.
    package func copy(_ range: Range<Int>) -> [UInt8] {
        var copy: [UInt8] = []
        copy.append(copying: extracting(range))
        return copy
    }

    /// The bytes of a range as text.
    package func text(_ range: Range<Int>) -> String { String(decoding: copy(range), as: UTF8.self) }
}
