/// The forms that an actor's and an action's name must have (FORMAT.md §4).
package enum Names {
    /// Names in a draft are at most this long; a ledger may hold longer ones.
    package static let draftByteCount = 256

    /// Dotted verb: `[a-z0-9_]+(\.[a-z0-9_]+)*`.
    package static func isAction(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        var inPart = false
        for index in range {
            let byte = bytes[index]
            if isWordByte(byte) {
                inPart = true
            } else {
                guard byte == UInt8(ascii: "."), inPart else { return false }
                inPart = false
            }
        }
        return inPart
    }

    /// `kind:name`; the kind is a word, the name holds no control, no quotation mark and no backslash.
    package static func isActor(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        var index = range.lowerBound
        while index < range.upperBound, isWordByte(bytes[index]) { index += 1 }
        guard index > range.lowerBound, index < range.upperBound - 1, bytes[index] == UInt8(ascii: ":") else { return false }
        index += 1
        while index < range.upperBound {
            let byte = bytes[index]
            guard byte >= 0x20, byte != 0x7F, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") else { return false }
            index += 1
        }
        return true
    }

    package static func isAction(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        return isAction(bytes.span, 0..<bytes.count)
    }

    package static func isActor(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        return isActor(bytes.span, 0..<bytes.count)
    }

    private static func isWordByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x61...0x7A, 0x30...0x39, 0x5F: true
        default: false
        }
    }
}

/// Why something was done, as every entry must say.
package struct Justification: Sendable, Equatable {
    package enum Pillar: String, Sendable, CaseIterable {
        case sovereignty, integrity, resilience, evolution
    }

    package var pillar: Pillar
    package var reason: String

    package init(_ pillar: Pillar, _ reason: String) {
        self.pillar = pillar
        self.reason = reason
    }

    /// Texts are the same if their bytes are, not by Swift's canonical equivalence.
    package static func == (a: Justification, b: Justification) -> Bool {
        a.pillar == b.pillar && a.reason.utf8.elementsEqual(b.reason.utf8)
    }
}
