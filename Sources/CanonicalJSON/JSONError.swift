/// Why some bytes are not the JSON that was asked for, and where.
package struct JSONError: Error, Equatable, Sendable {
    package enum Kind: Equatable, Sendable, CaseIterable {
        /// A byte that JSON's grammar does not allow there.
        case unexpectedByte
        /// The bytes end inside a value.
        case unexpectedEnd
        /// Bytes follow the one value.
        case trailingBytes
        /// The text begins with a byte order mark (RFC 8259, section 8.1).
        case byteOrderMark
        /// A string has bytes that are not UTF-8: overlong, surrogate, beyond U+10FFFF, or cut short.
        case invalidUTF8
        /// A string has a control character that is not escaped.
        case controlCharacter
        /// A backslash is followed by something that is no escape.
        case invalidEscape
        /// An escape names half of a surrogate pair (RFC 7493, section 2.1).
        case loneSurrogate
        /// An object has the same key twice (RFC 7493, section 2.3).
        case duplicateKey
        /// Arrays and objects are nested more deeply than allowed.
        case depthExceeded
        /// An integer that no double holds or names (RFC 7493, section 2.2).
        case numberNotExact
        /// A number beyond the largest double.
        case numberOutOfRange
        /// White space between tokens.
        case notCanonicalSpace
        /// A key that belongs before the one in front of it.
        case notCanonicalOrder
        /// An escape where the plain character, or another escape, is the canonical form.
        case notCanonicalEscape
        /// A number that ECMAScript would write otherwise.
        case notCanonicalNumber
    }

    package var kind: Kind
    /// In bytes from the start of what was read. For numbers, escapes and keys it is where these begin.
    package var offset: Int

    package init(_ kind: Kind, at offset: Int) {
        self.kind = kind
        self.offset = offset
    }
}

extension JSONError {
    /// The error for a `byte` that does not fit at `offset`: at the end of the bytes it is their end that is wrong.
    @inline(never)
    static func unexpected(in bytes: Span<UInt8>, at offset: Int) -> JSONError {
        JSONError(offset < bytes.count ? .unexpectedByte : .unexpectedEnd, at: min(offset, bytes.count))
    }
}

extension JSONError: CustomStringConvertible {
    package var description: String {
        "\(kind.sentence) at byte \(offset)"
    }
}

extension JSONError.Kind {
    fileprivate var sentence: String {
        switch self {
        case .unexpectedByte: "JSON does not allow the byte found"
        case .unexpectedEnd: "the JSON text ends too early"
        case .trailingBytes: "something follows the JSON value"
        case .byteOrderMark: "the JSON text begins with a byte order mark"
        case .invalidUTF8: "a string is not valid UTF-8"
        case .controlCharacter: "a string contains an unescaped control character"
        case .invalidEscape: "a string contains an unknown escape"
        case .loneSurrogate: "a string contains half of a surrogate pair"
        case .duplicateKey: "an object repeats a key"
        case .depthExceeded: "arrays and objects are nested too deeply"
        case .numberNotExact: "an integer cannot be held exactly by a double"
        case .numberOutOfRange: "a number is too large for a double"
        case .notCanonicalSpace: "canonical JSON has no white space between tokens"
        case .notCanonicalOrder: "a key is out of canonical order"
        case .notCanonicalEscape: "an escape is not the canonical form of its character"
        case .notCanonicalNumber: "a number is not written in canonical form"
        }
    }
}
