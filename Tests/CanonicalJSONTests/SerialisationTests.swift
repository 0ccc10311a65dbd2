import CanonicalJSON
import Testing

@Suite("Canonical form")
struct SerialisationTests {
    private static let sample = #"""
        {
          "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
          "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
          "literals": [null, true, false]
        }
        """#

    @Test("the sample of RFC 8785, section 3.2.2, comes out as in section 3.2.3")
    func sampleDocument() throws {
        let canonical = #"""
            {"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}
            """#
        #expect(try JSON(parsing: bytes(Self.sample)).canonicalText == canonical)
        #expect(canonicalFault(bytes(canonical)) == nil)
    }

    @Test("the sample's bytes are those of RFC 8785, section 3.2.4")
    func sampleBytes() throws {
        let hex = """
            7b 22 6c 69 74 65 72 61 6c 73 22 3a 5b 6e 75 6c 6c 2c 74 72 75 65 2c 66 61 6c 73 65 5d 2c 22 6e 75 6d 62 65 72 \
            73 22 3a 5b 33 33 33 33 33 33 33 33 33 2e 33 33 33 33 33 33 33 2c 31 65 2b 33 30 2c 34 2e 35 2c 30 2e 30 30 32 \
            2c 31 65 2d 32 37 5d 2c 22 73 74 72 69 6e 67 22 3a 22 e2 82 ac 24 5c 75 30 30 30 66 5c 6e 41 27 42 5c 22 5c 5c \
            5c 5c 5c 22 2f 22 7d
            """
        let expected = hex.split(separator: " ").map { UInt8($0, radix: 16)! }
        #expect(try JSON(parsing: bytes(Self.sample)).canonicalBytes() == expected)
    }

    @Test("keys are sorted as in RFC 8785, section 3.2.3")
    func sorting() throws {
        let document = #"""
            {
              "\u20ac": "Euro Sign",
              "\r": "Carriage Return",
              "\ufb33": "Hebrew Letter Dalet With Dagesh",
              "1": "One",
              "\ud83d\ude00": "Emoji: Grinning Face",
              "\u0080": "Control",
              "\u00f6": "Latin Small Letter O With Diaeresis"
            }
            """#
        let object = try #require(try JSON(parsing: bytes(document)).object)
        #expect(
            object.members.map(\.value.string) == [
                "Carriage Return", "One", "Control", "Latin Small Letter O With Diaeresis", "Euro Sign",
                "Emoji: Grinning Face", "Hebrew Letter Dalet With Dagesh",
            ])
        #expect(canonicalFault(JSON.object(object).canonicalBytes()) == nil)
    }

    @Test("only what JSON demands is escaped, in the shortest form")
    func escapes() {
        let all = String(String.UnicodeScalarView((0...0x24).map { Unicode.Scalar(UInt8($0)) })) + "/\\\u{7F}\u{2028}"
        let expected =
            #""\u0000\u0001\u0002\u0003\u0004\u0005\u0006\u0007\b\t\n\u000b\f\r\u000e\u000f"#
            + #"\u0010\u0011\u0012\u0013\u0014\u0015\u0016\u0017\u0018\u0019\u001a\u001b\u001c\u001d\u001e\u001f"#
            + " !\\\"#$/\\\\\u{7F}\u{2028}\""
        #expect(JSON.string(all).canonicalText == expected)
        #expect(canonicalFault(bytes(expected)) == nil)
    }

    @Test("keys are ordered as their UTF-16 forms are", arguments: 0..<8 as Range<UInt64>)
    func keyOrder(seed: UInt64) {
        var random = RandomDocuments(seed: seed)
        for _ in 0..<300 {
            let object = random.object(depth: 1)
            let units = object.keys.map { Array($0.utf16) }
            let sorted = units.sorted { $0.lexicographicallyPrecedes($1) }
            #expect(units == sorted, "seed \(seed)")
        }
    }
}
