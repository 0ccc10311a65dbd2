/// The path to one value inside a document (RFC 6901).
package struct JSONPointer: Sendable {
    /// Unescaped member names and array indices, outermost first; none for the whole document.
    package var tokens: [String]

    package init(tokens: [String] = []) {
        self.tokens = tokens
    }

    /// Why a text is no pointer.
    package enum SyntaxError: Error, Equatable, Sendable {
        /// The text is neither empty nor does it begin with a slash.
        case noLeadingSlash
        /// A tilde, at this byte, is followed by neither 0 nor 1.
        case badEscape(offset: Int)
    }

    /// Reads the string form (RFC 6901, section 3).
    package init(parsing text: String) throws(SyntaxError) {
        tokens = []
        guard !text.isEmpty else { return }
        guard text.utf8.first == UInt8(ascii: "/") else { throw .noLeadingSlash }
        if let plain = Self.plainTokens(text.utf8Span.span) {
            tokens = plain
            return
        }
        var token: [UInt8] = []
        var offset = 0
        var afterTilde = false
        for byte in text.utf8.dropFirst() {
            offset += 1
            switch (afterTilde, byte) {
            case (true, UInt8(ascii: "0")): token.append(UInt8(ascii: "~"))
            case (true, UInt8(ascii: "1")): token.append(UInt8(ascii: "/"))
            case (true, _): throw .badEscape(offset: offset - 1)
            case (false, UInt8(ascii: "/")):
                tokens.append(String(decoding: token, as: UTF8.self))
                token.removeAll(keepingCapacity: true)
            case (false, UInt8(ascii: "~")): break
            case (false, _): token.append(byte)
            }
            afterTilde = !afterTilde && byte == UInt8(ascii: "~")
        }
        if afterTilde { throw .badEscape(offset: offset) }
        tokens.append(String(decoding: token, as: UTF8.self))
    }

    /// What stands behind slashes, the first of which begins the text; nil if anything is escaped.
    private static func plainTokens(_ text: Span<UInt8>) -> [String]? {
        var tokens: [String] = []
        var start = 1
        for index in 1..<text.count {
            switch text[index] {
            case UInt8(ascii: "~"): return nil
            case UInt8(ascii: "/"):
                tokens.append(token(text.extracting(start..<index)))
                start = index + 1
            default: break
            }
        }
        tokens.append(token(text.extracting(start..<text.count)))
        return tokens
    }

    private static func token(_ bytes: Span<UInt8>) -> String {
        guard let text = try? UTF8Span(validating: bytes) else { preconditionFailure("a slash is no part of a character") }
        return String(copying: text)
    }

    package func appending(_ token: String) -> JSONPointer {
        JSONPointer(tokens: tokens + [token])
    }

    /// Whether `other` names the same value or one inside it.
    package func isPrefix(of other: JSONPointer) -> Bool {
        tokens.count <= other.tokens.count && zip(tokens, other.tokens).allSatisfy { $0.hasSameBytes(as: $1) }
    }
}

extension JSONPointer: Equatable {
    /// Compares by code points, as JSON compares keys.
    package static func == (left: JSONPointer, right: JSONPointer) -> Bool {
        left.tokens.count == right.tokens.count && left.isPrefix(of: right)
    }
}

extension JSONPointer: CustomStringConvertible {
    /// The string form (RFC 6901, section 3).
    package var description: String {
        var bytes: [UInt8] = []
        for token in tokens {
            bytes.append(UInt8(ascii: "/"))
            for byte in token.utf8 {
                switch byte {
                case UInt8(ascii: "~"): bytes += [UInt8(ascii: "~"), UInt8(ascii: "0")]
                case UInt8(ascii: "/"): bytes += [UInt8(ascii: "~"), UInt8(ascii: "1")]
                default: bytes.append(byte)
                }
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension JSONPointer.SyntaxError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .noLeadingSlash: "a JSON Pointer must be empty or begin with a slash"
        case .badEscape(let offset): "a JSON Pointer has a tilde without 0 or 1 behind it at byte \(offset)"
        }
    }
}

extension JSONPointer {
    /// For messages: the beginning of one that is too long for a sentence.
    var shortened: String {
        let text = description.unicodeScalars
        return text.count > 200 ? String(String.UnicodeScalarView(text.prefix(200))) + "…" : description
    }
}
