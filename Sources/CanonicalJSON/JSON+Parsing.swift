extension JSON {
    /// Reads exactly one I-JSON value (RFC 8259 and 7493), with white space around it allowed.
    ///
    /// `maximumDepth` counts nested arrays and objects (`[]` is 1) and must be 512 at most, because the parser recurses.
    package init(parsing bytes: Span<UInt8>, maximumDepth: Int = 64) throws(JSONError) {
        precondition(0...512 ~= maximumDepth, "the parser's depth is limited to 512")
        if bytes.byte(at: 0) == 0xEF, bytes.byte(at: 1) == 0xBB, bytes.byte(at: 2) == 0xBF {
            throw JSONError(.byteOrderMark, at: 0)
        }
        var parser = JSONParser(maximumDepth: maximumDepth)
        parser.skipSpace(in: bytes)
        self = try parser.value(in: bytes, depth: 0)
        parser.skipSpace(in: bytes)
        if parser.position < bytes.count { throw JSONError(.trailingBytes, at: parser.position) }
    }

    package init(parsing bytes: [UInt8], maximumDepth: Int = 64) throws(JSONError) {
        try self.init(parsing: bytes.span, maximumDepth: maximumDepth)
    }
}
