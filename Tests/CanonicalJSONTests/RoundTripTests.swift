import CanonicalJSON
import Testing

@Suite("Round trip")
struct RoundTripTests {
    @Test("a document is the same after being written and read", arguments: 0..<16 as Range<UInt64>)
    func documents(seed: UInt64) throws {
        var random = RandomDocuments(seed: seed)
        for index in 0..<200 {
            let document = random.value()
            let text = document.canonicalBytes()
            #expect(try JSON(parsing: text) == document, "seed \(seed), document \(index)")
            #expect(canonicalFault(text) == nil, "seed \(seed), document \(index)")
        }
    }

    @Test("white space and the order of members change nothing", arguments: 0..<8 as Range<UInt64>)
    func spacing(seed: UInt64) throws {
        var random = RandomDocuments(seed: seed)
        for index in 0..<100 {
            let document = random.value()
            var loose: [UInt8] = []
            appendLoosely(document, to: &loose, &random.generator)
            #expect(try JSON(parsing: loose) == document, "seed \(seed), document \(index)")
        }
    }

    /// Writes `value` with random spaces, shuffled members and needless escapes.
    private func appendLoosely(_ value: JSON, to text: inout [UInt8], _ generator: inout SplitMix64) {
        func space(_ text: inout [UInt8]) { if generator.chance(2) { text += bytes(" \n\t\r") } }
        space(&text)
        switch value {
        case .array(let elements):
            text += bytes("[")
            for (index, element) in elements.enumerated() {
                if index > 0 { text += bytes(",") }
                appendLoosely(element, to: &text, &generator)
            }
            text += bytes("]")
        case .object(let object):
            text += bytes("{")
            for (index, member) in object.members.shuffled(using: &generator).enumerated() {
                if index > 0 { text += bytes(",") }
                appendLoosely(.string(member.key), to: &text, &generator)
                text += bytes(":")
                appendLoosely(member.value, to: &text, &generator)
            }
            text += bytes("}")
        case .string(let string) where generator.chance(2):
            text += bytes("\"")
            for unit in string.utf16 {
                let hex = String(unit, radix: 16, uppercase: generator.chance(2))
                text += bytes("\\u" + String(repeating: "0", count: 4 - hex.count) + hex)
            }
            text += bytes("\"")
        default: text += value.canonicalBytes()
        }
        space(&text)
    }

    @Test("the checker walks over values that stand one behind the other")
    func stream() throws {
        let text = bytes(#"{"a":[1]}"x"[]7,"#)
        var scanner = CanonicalScanner()
        var ends: [Int] = []
        for _ in 0..<4 {
            try scanner.skipValue(in: text.span)
            ends.append(scanner.position)
        }
        #expect(ends == [9, 12, 14, 15])
        var inner = CanonicalScanner(at: 1)
        try inner.skipString(in: text.span)
        #expect(inner.position == 4)
        #expect(throws: JSONError(.unexpectedByte, at: 4)) { try inner.skipString(in: text.span) }
    }

    @Test("texts of every length and position are scanned alike")
    func lengths() throws {
        for length in 0..<40 {
            for lead in 0..<9 {
                let text = bytes(
                    "[" + String(repeating: "1,", count: lead) + "\"" + String(repeating: "x", count: length))
                #expect(canonicalFault(text) == JSONError(.unexpectedEnd, at: text.count))
                #expect(parseFault(text) == JSONError(.unexpectedEnd, at: text.count))
                #expect(canonicalFault(text + bytes("\"]")) == nil)
                #expect(canonicalFault(text + bytes("\n\"]")) == JSONError(.controlCharacter, at: text.count))
                #expect(canonicalFault(text + bytes("é\"]")) == nil)
            }
        }
    }
}
