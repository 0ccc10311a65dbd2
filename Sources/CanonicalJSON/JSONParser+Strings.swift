extension JSONParser {
    /// Reads the string whose opening quote is at `position`.
    mutating func string(in bytes: Span<UInt8>) throws(JSONError) -> String {
        let start = position + 1
        let end = try StringScan.plainEnd(in: bytes, from: start)
        if bytes[end] == UInt8(ascii: "\"") {
            position = end + 1
            return try Self.text(bytes.extracting(start..<end), at: start)
        }
        return try escapedString(in: bytes, from: start, firstEscape: end)
    }

    private mutating func escapedString(
        in bytes: Span<UInt8>, from start: Int, firstEscape: Int
    ) throws(JSONError) -> String {
        unescaped.removeAll(keepingCapacity: true)
        var runStart = start
        var runEnd = firstEscape
        while true {
            unescaped.append(copying: bytes.extracting(runStart..<runEnd))
            position = runEnd
            if bytes[runEnd] == UInt8(ascii: "\"") { break }
            try escape(in: bytes)
            runStart = position
            runEnd = try StringScan.plainEnd(in: bytes, from: runStart)
        }
        position += 1
        return try Self.text(unescaped.span, at: start)
    }

    /// Checks once more, as the standard library does it: a `String` of bad bytes would endanger memory.
    private static func text(_ bytes: Span<UInt8>, at offset: Int) throws(JSONError) -> String {
        guard let valid = try? UTF8Span(validating: bytes) else { throw JSONError(.invalidUTF8, at: offset) }
        return String(copying: valid)
    }

    /// Reads the escape at `position` into `unescaped`.
    private mutating func escape(in bytes: Span<UInt8>) throws(JSONError) {
        let letter = bytes.byte(at: position + 1)
        if let byte = letter == UInt8(ascii: "/") ? letter : CanonicalEscape.byte(forLetter: letter) {
            unescaped.append(byte)
            position += 2
            return
        }
        let scalar = try unicodeEscape(in: bytes)
        unescaped.append(contentsOf: scalar.utf8)
    }

    /// Reads `\uXXXX`, or two of them for a pair of surrogates.
    private mutating func unicodeEscape(in bytes: Span<UInt8>) throws(JSONError) -> Unicode.Scalar {
        let start = position
        let unit = try unicodeUnit(in: bytes)
        if let scalar = Unicode.Scalar(unit) { return scalar }
        guard unit < 0xDC00, bytes.byte(at: position) == UInt8(ascii: "\\"),
            bytes.byte(at: position + 1) == UInt8(ascii: "u")
        else { throw JSONError(.loneSurrogate, at: start) }
        let low = try unicodeUnit(in: bytes)
        guard 0xDC00...0xDFFF ~= low,
            let scalar = Unicode.Scalar(0x10000 + (UInt32(unit) - 0xD800) << 10 + (UInt32(low) - 0xDC00))
        else { throw JSONError(.loneSurrogate, at: start) }
        return scalar
    }

    private mutating func unicodeUnit(in bytes: Span<UInt8>) throws(JSONError) -> UInt16 {
        guard bytes.byte(at: position + 1) == UInt8(ascii: "u"),
            let unit = Hexadecimal.unit(in: bytes, at: position + 2)
        else {
            throw bytes.escapeIsCutShort(at: position)
                ? JSONError(.unexpectedEnd, at: bytes.count) : JSONError(.invalidEscape, at: position)
        }
        position += 6
        return unit
    }
}

extension Span where Element == UInt8 {
    /// Whether the bytes end inside an escape at `offset` that is no error so far.
    func escapeIsCutShort(at offset: Int) -> Bool {
        if offset + 1 >= count { return true }
        guard self[offset + 1] == UInt8(ascii: "u"), offset + 6 > count else { return false }
        for index in offset + 2..<count where Hexadecimal.digit(self[index]) == nil { return false }
        return true
    }
}
