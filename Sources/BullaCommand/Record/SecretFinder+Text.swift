extension SecretFinder {
    /// What can stand anywhere within an argument: known shapes, URLs, and names with their values.
    mutating func scanText(_ text: Int, _ reading: Reading) {
        for range in TokenShapes.ranges(in: texts[text]) { mark(range, in: text) }
        let bytes = texts[text]
        var index = 0
        while index < bytes.count {
            let before = found[text].count
            switch bytes[index] {
            case UInt8(ascii: ":"):
                if bytes.has("://".utf8, at: index) {
                    scanUserInformation(text, index, reading)
                } else {
                    scanMember(text, index, reading)
                }
            case UInt8(ascii: "="): scanField(text, index, reading)
            default: break
            }
            // Within a secret there is no further one, and to look would take the square of the length.
            index = max(index + 1, found[text].count > before ? found[text][found[text].count - 1].upperBound : 0)
        }
    }

    /// `scheme://user:password@host`; a token that stands there alone, too.
    private mutating func scanUserInformation(_ text: Int, _ index: Int, _ reading: Reading) {
        let bytes = texts[text]
        let start = index + 3
        let end = bytes.end(of: start, while: { !$0.isBlank && !$0.isQuote && !"/?#<>`".utf8.contains($0) })
        guard let at = bytes[start..<end].lastIndex(of: UInt8(ascii: "@")) else { return }
        let colon = bytes.end(of: start, before: at, while: { $0 != UInt8(ascii: ":") })
        if colon < at {
            mark((colon + 1)..<at, of: .password, in: text, reading == .script ? .script : .argument)
            return
        }
        let name = bytes[start..<at]
        let isToken = name.count >= 16 && name.contains(where: \.isDigit) && name.contains(where: \.isLetter)
        if isToken,
            bytes.text(0..<index).lowercased().hasSuffix("http")
                || bytes.text(0..<index).lowercased().hasSuffix("https")
        {
            mark(start..<at, in: text)
        }
    }

    /// `name=value`: in a query, a form, a list, a script; `name = "value"` in code.
    private mutating func scanField(_ text: Int, _ index: Int, _ reading: Reading) {
        let bytes = texts[text]
        if index > 0, "=!<>~".utf8.contains(bytes[index - 1]) || bytes.has("=".utf8, at: index + 1) { return }
        let spaced = bytes.end(of: index + 1, while: { $0 == 0x20 })
        let isCode = spaced < bytes.count && bytes[spaced].isQuote
        guard let name = name(bytes, before: index, blanks: isCode) else { return }
        let isInQuery = name.lowerBound > 0 && "?&#".utf8.contains(bytes[name.lowerBound - 1])
        var kind = SecretName.kind(bytes.text(name))
        if kind == nil, isInQuery, signatures.contains(bytes.text(name).lowercased()) { kind = .password }
        guard let kind else { return }
        let value = value(bytes, isCode ? spaced : index + 1, isInQuery: isInQuery)
        mark(value.range, of: kind, in: text, reading == .script && !value.isLiteral ? .script : .argument)
    }

    /// `name: value` of headers and YAML, `"name":"value"` of JSON.
    private mutating func scanMember(_ text: Int, _ index: Int, _ reading: Reading) {
        let bytes = texts[text]
        guard let name = name(bytes, before: index, blanks: true) else { return }
        guard let kind = SecretName.kind(bytes.text(name)) else { return }
        let start = bytes.end(of: index + 1, while: { $0 == 0x20 || $0 == 0x09 })
        let isQuotedName = name.upperBound < index && bytes[name.upperBound] != 0x20
        // `image/auth:1.2` is none.
        guard start > index + 1 || isQuotedName, start < bytes.count else { return }
        let lower = bytes.text(name).lowercased()
        if lower.hasSuffix("authorization") || lower.hasSuffix("cookie"), !bytes[start].isQuote,
            bytes[start] != UInt8(ascii: "\\")
        {
            let end = bytes.end(
                of: start, while: { !$0.isQuote && $0 != 0x0A && $0 != 0x0D && $0 != UInt8(ascii: "\\") })
            let credentials = afterScheme(text, start..<end)
            // With a scheme, a header it is; without, it may be prose.
            let isHeader = credentials.lowerBound > start
            mark(credentials, of: .password, in: text, reading == .script ? .script : isHeader ? .argument : reading)
            return
        }
        let value = value(bytes, start, isInQuery: false)
        let isQuotedValue = value.range.lowerBound > start
        let credentials = isQuotedValue && kind == .authorization ? afterScheme(text, value.range) : value.range
        let isScript = reading == .script && !value.isLiteral
        mark(credentials, of: kind, in: text, isScript ? .script : isQuotedValue ? .argument : .prose)
    }

    private var signatures: Set<String> { ["sig", "signature", "x-amz-signature", "x-goog-signature", "sid", "code"] }

    /// The name that ends before a separator, in quotes or not.
    private func name(_ bytes: [UInt8], before index: Int, blanks: Bool) -> Range<Int>? {
        var end = blanks ? bytes.start(of: index, while: { $0 == 0x20 }) : index
        if end > 0, bytes[end - 1].isQuote {
            end -= 1
            if end > 0, bytes[end - 1] == UInt8(ascii: "\\") { end -= 1 }
        }
        let start = bytes.start(of: end, while: \.isNameByte)
        return start < end ? start..<end : nil
    }

    /// A value in quotes, which may be escaped themselves, or up to what ends a word.
    private func value(_ bytes: [UInt8], _ start: Int, isInQuery: Bool) -> (range: Range<Int>, isLiteral: Bool) {
        let backslash = UInt8(ascii: "\\")
        guard start < bytes.count else { return (start..<start, false) }
        if bytes[start].isQuote {
            let end = ShellWords.closing(bytes, start, before: bytes.count)
            return ((start + 1)..<max(end, start + 1), bytes[start] == UInt8(ascii: "'"))
        }
        if bytes[start] == backslash, start + 1 < bytes.count, bytes[start + 1].isQuote {
            let quote = bytes[(start + 1)...(start + 1)]
            var end = start + 2
            while end < bytes.count, !(bytes[end] == backslash && bytes.has(quote, at: end + 1)) { end += 1 }
            return ((start + 2)..<end, false)
        }
        // `${NAME}` and `$(…)` are values in themselves.
        if bytes.has("${".utf8, at: start) || bytes.has("$(".utf8, at: start) {
            return (start..<min(bytes.end(of: start, while: { !"})".utf8.contains($0) }) + 1, bytes.count), false)
        }
        var end = start
        while end < bytes.count {
            let byte = bytes[end]
            if byte.isBlank || byte.isQuote || "&;|<>()}`".utf8.contains(byte) || isInQuery && byte == UInt8(ascii: "#") {
                break
            }
            if byte == backslash, end + 1 < bytes.count, bytes[end + 1].isQuote { break }
            if byte == UInt8(ascii: ","), startsField(bytes, end, before: bytes.count) { break }
            end += 1
        }
        return (start..<end, false)
    }
}
