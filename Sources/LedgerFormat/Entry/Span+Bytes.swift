import CanonicalJSON

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

extension Span where Element == UInt8 {
    /// Whether the literal's bytes stand at `offset`.
    ///
    /// The only place that reads a literal through its pointer: it lives as long as the program. `memcmp` of a length that
    /// is known to the compiler becomes a few comparisons of whole words.
    @inline(__always)
    package func holds(_ literal: StaticString, at offset: Int) -> Bool {
        let length = literal.utf8CodeUnitCount
        guard offset >= 0, offset <= count - length else { return false }
        return unsafe withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return length == 0 }
            return unsafe memcmp(base + offset, literal.utf8Start, length) == 0
        }
    }

    /// Whether the bytes of `range` stand at `offset` as well.
    @inline(__always)
    package func repeats(_ range: Range<Int>, at offset: Int) -> Bool {
        // Not `count`: where the compiler knows the length, `memcmp` becomes a few comparisons here too.
        let length = range.upperBound &- range.lowerBound
        guard range.lowerBound >= 0, range.upperBound <= count, offset >= 0, offset <= count - length else { return false }
        return unsafe withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return length == 0 }
            return unsafe memcmp(base + offset, base + range.lowerBound, length) == 0
        }
    }

    /// Reads a whole number from 0 to 2^53 − 1 in its canonical form, and says where it ends.
    ///
    /// Most have at most seven digits, and so are read with what follows them in one word.
    @inline(__always)
    package func plainInteger(at offset: Int) -> (value: UInt64, end: Int)? {
        guard let word = fullWord(at: offset) else { return longInteger(at: offset) }
        let digits = DecimalDigits.count(in: word)
        guard digits < 8 else { return longInteger(at: offset) }
        guard digits > 0, digits == 1 || word & 0xFF != 0x30 else { return nil }
        let next = UInt8(truncatingIfNeeded: word &>> UInt64(8 * digits))
        if next == UInt8(ascii: ".") || next | 0x20 == UInt8(ascii: "e") { return nil }
        return (DecimalDigits.value(of: word &<< UInt64(64 - 8 * digits)), offset + digits)
    }

    @inline(never)
    private func longInteger(at offset: Int) -> (value: UInt64, end: Int)? {
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

    /// The pillar whose name begins at `offset`, and where its closing quotation mark ends.
    func pillar(at offset: Int) -> (pillar: Justification.Pillar, end: Int)? {
        if holds("sovereignty\"", at: offset) { return (.sovereignty, offset + 12) }
        if holds("integrity\"", at: offset) { return (.integrity, offset + 10) }
        if holds("resilience\"", at: offset) { return (.resilience, offset + 11) }
        if holds("evolution\"", at: offset) { return (.evolution, offset + 10) }
        return nil
    }

    /// The bytes of a range, copied.
    package func copy(_ range: Range<Int>) -> [UInt8] {
        var copy: [UInt8] = []
        copy.append(copying: extracting(range))
        return copy
    }

    /// The bytes of a range as text.
    package func text(_ range: Range<Int>) -> String {
        // The pointer lives as long as the closure, and decoding only reads through it.
        unsafe extracting(range).withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) }
    }
}
