/// Reads TOML line by line.
struct TOMLReader {
    let bytes: [UInt8]
    var offset = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func document() throws(ProposalError) -> TOMLDocument {
        try checkText()
        var document = TOMLDocument(tables: [TOMLDocument.Table(name: "", offset: 0)])
        while true {
            skipSpace()
            switch current {
            case nil: return document
            case UInt8(ascii: "["): try header(&document)
            case UInt8(ascii: "#"), UInt8(ascii: "\n"), UInt8(ascii: "\r"): break
            default: try member(&document.tables[document.tables.count - 1])
            }
            try endLine()
        }
    }

    private mutating func header(_ document: inout TOMLDocument) throws(ProposalError) {
        offset += 1
        guard current != UInt8(ascii: "[") else { throw error("lists of tables [[…]] are not used in a constitution") }
        skipSpace()
        let start = offset
        let name = try key()
        skipSpace()
        guard current != UInt8(ascii: ".") else { throw error("tables in tables are not used in a constitution") }
        try take("]", behind: "the table's name")
        guard !document.tables.contains(where: { $0.name == name && $0.offset > 0 }) else {
            throw error("there is a table [\(name)] already", at: start)
        }
        document.tables.append(TOMLDocument.Table(name: name, offset: start))
    }

    private mutating func member(_ table: inout TOMLDocument.Table) throws(ProposalError) {
        let start = offset
        let name = try key()
        skipSpace()
        guard current != UInt8(ascii: ".") else {
            throw error("keys with dots are not used in a constitution: write a table [\(name)]", at: start)
        }
        try take("=", behind: "the key \(name)")
        skipSpace()
        guard !table.members.contains(where: { $0.key.utf8.elementsEqual(name.utf8) }) else {
            throw error("the key \(name) stands here twice", at: start)
        }
        table.members.append(TOMLDocument.Member(key: name, offset: start, value: try value(inList: false)))
    }

    /// Bare, or in quotation marks.
    private mutating func key() throws(ProposalError) -> String {
        if current == UInt8(ascii: "\"") || current == UInt8(ascii: "'") { return try text() }
        let start = offset
        while let byte = current, Self.isKeyByte(byte) { offset += 1 }
        guard offset > start else { throw error("a key or a [table] is expected here, and not \(currentText)") }
        return String(decoding: bytes[start..<offset], as: UTF8.self)
    }

    private mutating func value(inList: Bool) throws(ProposalError) -> TOMLDocument.Value {
        let start = offset
        let content: TOMLDocument.Content
        switch current {
        case UInt8(ascii: "\""), UInt8(ascii: "'"): content = .text(try text())
        case UInt8(ascii: "["):
            guard !inList else { throw error("lists in lists are not used in a constitution") }
            content = .list(try list())
        case UInt8(ascii: "{"): throw error("tables in braces are not used in a constitution: write a [table]")
        default: content = try word()
        }
        return TOMLDocument.Value(offset: start, content: content)
    }

    private mutating func list() throws(ProposalError) -> [TOMLDocument.Value] {
        let start = offset
        offset += 1
        var items: [TOMLDocument.Value] = []
        while true {
            try skipLines()
            if current == UInt8(ascii: "]") { break }
            guard current != nil else { throw error("this list has no end: ] is missing", at: start) }
            items.append(try value(inList: true))
            try skipLines()
            if current == UInt8(ascii: "]") { break }
            guard current != nil else { throw error("this list has no end: ] is missing", at: start) }
            try take(",", behind: "an item of the list")
        }
        offset += 1
        return items
    }

    /// A number, or what no article takes.
    private mutating func word() throws(ProposalError) -> TOMLDocument.Content {
        let start = offset
        while let byte = current, Self.isKeyByte(byte) || [0x2B, 0x2E, 0x3A].contains(byte) { offset += 1 }
        guard offset > start else {
            throw error("a value is expected here, and not \(currentText): texts stand in quotation marks")
        }
        let text = String(decoding: bytes[start..<offset], as: UTF8.self)
        return Self.integer(text).map { .integer($0) } ?? .other(text)
    }

    /// Decimal digits, with a sign and with single underscores between them; no zero in front.
    private static func integer(_ text: String) -> Int64? {
        var digits = text[...]
        if let sign = digits.first, "+-".contains(sign) { digits.removeFirst() }
        let parts = digits.split(separator: "_", omittingEmptySubsequences: false)
        guard parts.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }) else { return nil }
        guard digits == "0" || digits.first != "0" else { return nil }
        return Int64(text.filter { $0 != "_" })
    }
}

// Lines
extension TOMLReader {
    var current: UInt8? { offset < bytes.count ? bytes[offset] : nil }

    mutating func skipSpace() {
        while current == 0x20 || current == 0x09 { offset += 1 }
    }

    /// Space, comments and ends of lines.
    private mutating func skipLines() throws(ProposalError) {
        while true {
            skipSpace()
            switch current {
            case UInt8(ascii: "#"), UInt8(ascii: "\n"), UInt8(ascii: "\r"): try endLine()
            default: return
            }
        }
    }

    /// To the beginning of the next line; only a comment may stand before it.
    private mutating func endLine() throws(ProposalError) {
        skipSpace()
        if current == UInt8(ascii: "#") {
            while let byte = current, byte != UInt8(ascii: "\n"), byte != UInt8(ascii: "\r") { offset += 1 }
        }
        if current == UInt8(ascii: "\r") { offset += 1 }
        guard let byte = current else { return }
        guard byte == UInt8(ascii: "\n") else { throw error("the line should end here, and not go on with \(currentText)") }
        offset += 1
    }

    /// The whole text is UTF-8 without characters that nobody sees.
    private func checkText() throws(ProposalError) {
        do throws(UTF8.ValidationError) {
            _ = try UTF8Span(validating: bytes.span)
        } catch {
            throw self.error("this is no UTF-8", at: error.byteOffsets.lowerBound)
        }
        for (place, byte) in bytes.enumerated() where byte < 0x20 || byte == 0x7F {
            let isEnd = byte == 0x0A || byte == 0x0D && bytes.indices.contains(place + 1) && bytes[place + 1] == 0x0A
            guard byte == 0x09 || isEnd else { throw error("this control character cannot stand in a text", at: place) }
        }
    }

    private mutating func take(_ character: Unicode.Scalar, behind what: String) throws(ProposalError) {
        skipSpace()
        guard current == UInt8(ascii: character) else {
            throw error("\"\(character)\" is expected behind \(what), and not \(currentText)")
        }
        offset += 1
    }

    private static func isKeyByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x5F, 0x2D: true
        default: false
        }
    }
}

// What is wrong
extension TOMLReader {
    func error(_ reason: String, at place: Int? = nil) -> ProposalError {
        ProposalError(reason, at: place ?? offset, in: bytes)
    }

    private var currentText: String {
        switch current {
        case nil: return "the end of the text"
        case UInt8(ascii: "\n"), UInt8(ascii: "\r"): return "the end of the line"
        default:
            let scalars = String(decoding: bytes[offset...].prefix(4), as: UTF8.self).unicodeScalars
            return scalars.first.map { "\"\($0)\"" } ?? ""
        }
    }
}
