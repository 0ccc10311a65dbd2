extension CanonicalWriter {
    package mutating func null() {
        prepareForValue()
        appendWord(.null)
    }

    package mutating func bool(_ value: Bool) {
        prepareForValue()
        appendWord(value ? .true : .false)
    }

    package mutating func string(_ value: String) {
        prepareForValue()
        _ = append(quoting: value.utf8Span.span)
    }

    /// Writes a finite number.
    package mutating func number(_ value: Double) {
        prepareForValue()
        append(NumberText(value))
    }

    /// Writes an integer that a double holds exactly; beyond 2^53 the text is that of the double.
    package mutating func integer(_ value: Int64) {
        guard let exact = Double(exactly: value) else { preconditionFailure("\(value) is not a double") }
        number(exact)
    }

    /// Writes an integer that a double holds exactly; beyond 2^53 the text is that of the double.
    package mutating func unsigned(_ value: UInt64) {
        guard let exact = Double(exactly: value) else { preconditionFailure("\(value) is not a double") }
        number(exact)
    }

    /// Writes a whole tree.
    package mutating func value(_ value: JSON) {
        switch value {
        case .null: null()
        case .bool(let bool): self.bool(bool)
        case .number(let number): self.number(number)
        case .string(let string): self.string(string)
        case .array(let elements):
            beginArray()
            for element in elements { self.value(element) }
            endArray()
        case .object(let object):
            beginObject()
            for member in object.members {
                key(member.key)
                self.value(member.value)
            }
            endObject()
        }
    }

    /// Copies one value that is known to be canonical; this is not checked.
    package mutating func canonical(_ bytes: Span<UInt8>) {
        prepareForValue()
        append(bytes)
    }

    /// Copies one value that is known to be canonical; this is not checked.
    package mutating func canonical(_ bytes: [UInt8]) {
        canonical(bytes.span)
    }

    private mutating func appendWord(_ word: LiteralWord) {
        let (letters, length) = word.letters
        for index in 0..<length { append(UInt8(truncatingIfNeeded: letters >> UInt64(8 * index))) }
    }
}

extension JSON {
    /// The RFC 8785 form; all numbers must be finite.
    package func canonicalBytes() -> [UInt8] {
        var writer = CanonicalWriter(reserving: 256)
        writer.value(self)
        return writer.finish()
    }

    /// The RFC 8785 form as text; all numbers must be finite.
    package var canonicalText: String {
        String(decoding: canonicalBytes(), as: UTF8.self)
    }
}
