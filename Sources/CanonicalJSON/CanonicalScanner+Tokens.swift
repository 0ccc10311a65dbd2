extension CanonicalScanner {
    /// The offset behind the string whose opening quote is at `start`; sets `escapes` if there are any.
    @inline(__always)
    static func stringEnd(in bytes: Span<UInt8>, at start: Int, escapes: inout Bool) throws(JSONError) -> Int {
        let end = try StringScan.plainEnd(in: bytes, from: start &+ 1)
        if bytes[end] == UInt8(ascii: "\"") { return end &+ 1 }
        escapes = true
        return try escapedStringEnd(in: bytes, at: end)
    }

    @inline(never)
    private static func escapedStringEnd(in bytes: Span<UInt8>, at firstEscape: Int) throws(JSONError) -> Int {
        var position = firstEscape
        repeat {
            guard let end = CanonicalEscape.end(in: bytes, at: position) else {
                throw escapeFault(in: bytes, at: position)
            }
            position = try StringScan.plainEnd(in: bytes, from: end)
        } while bytes[position] != UInt8(ascii: "\"")
        return position + 1
    }

    /// The error for an escape that is not canonical, or none at all.
    private static func escapeFault(in bytes: Span<UInt8>, at offset: Int) -> JSONError {
        if bytes.escapeIsCutShort(at: offset) { return JSONError(.unexpectedEnd, at: bytes.count) }
        let letter = bytes.byte(at: offset + 1)
        let isEscape =
            letter == UInt8(ascii: "/")
            || letter == UInt8(ascii: "u") && Hexadecimal.unit(in: bytes, at: offset + 2) != nil
        return JSONError(isEscape ? .notCanonicalEscape : .invalidEscape, at: offset)
    }

    /// The error for a byte that no canonical value allows at `offset`.
    @inline(never)
    static func unexpected(in bytes: Span<UInt8>, at offset: Int) -> JSONError {
        switch bytes.byte(at: offset) {
        case 0x20, 0x09, 0x0A, 0x0D: JSONError(.notCanonicalSpace, at: offset)
        default: JSONError.unexpected(in: bytes, at: offset)
        }
    }
}
