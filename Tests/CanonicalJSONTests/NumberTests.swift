import CanonicalJSON
import Testing

@Suite("Numbers")
struct NumberTests {
    @Test(
        "doubles are written as in RFC 8785, appendix B",
        arguments: [
            (0x0000_0000_0000_0000, "0"),
            (0x8000_0000_0000_0000, "0"),
            (0x0000_0000_0000_0001, "5e-324"),
            (0x8000_0000_0000_0001, "-5e-324"),
            (0x7FEF_FFFF_FFFF_FFFF, "1.7976931348623157e+308"),
            (0xFFEF_FFFF_FFFF_FFFF, "-1.7976931348623157e+308"),
            (0x4340_0000_0000_0000, "9007199254740992"),
            (0xC340_0000_0000_0000, "-9007199254740992"),
            (0x4430_0000_0000_0000, "295147905179352830000"),
            (0x44B5_2D02_C7E1_4AF5, "9.999999999999997e+22"),
            (0x44B5_2D02_C7E1_4AF6, "1e+23"),
            (0x44B5_2D02_C7E1_4AF7, "1.0000000000000001e+23"),
            (0x444B_1AE4_D6E2_EF4E, "999999999999999700000"),
            (0x444B_1AE4_D6E2_EF4F, "999999999999999900000"),
            (0x444B_1AE4_D6E2_EF50, "1e+21"),
            (0x3EB0_C6F7_A0B5_ED8C, "9.999999999999997e-7"),
            (0x3EB0_C6F7_A0B5_ED8D, "0.000001"),
            (0x41B3_DE43_5555_5553, "333333333.3333332"),
            (0x41B3_DE43_5555_5554, "333333333.33333325"),
            (0x41B3_DE43_5555_5555, "333333333.3333333"),
            (0x41B3_DE43_5555_5556, "333333333.3333334"),
            (0x41B3_DE43_5555_5557, "333333333.33333343"),
            (0xBECB_F647_612F_3696, "-0.0000033333333333333333"),
            (0x4314_3FF3_C1CB_0959, "1424953923781206.2"),
        ] as [(UInt64, String)])
    func appendixB(bits: UInt64, text: String) throws {
        let value = Double(bitPattern: bits)
        #expect(JSON.number(value).canonicalText == text)
        #expect(try JSON(parsing: bytes(text)).number == value)
        #expect(canonicalFault(bytes(text)) == nil)
    }

    @Test("NaN and the infinities of appendix B stop the writer")
    func notFinite() async {
        await #expect(processExitsWith: .failure) {
            _ = JSON.number(Double(bitPattern: 0x7FFF_FFFF_FFFF_FFFF)).canonicalBytes()
        }
        await #expect(processExitsWith: .failure) {
            _ = JSON.number(Double(bitPattern: 0x7FF0_0000_0000_0000)).canonicalBytes()
        }
        await #expect(processExitsWith: .failure) { _ = JSON.number(-.infinity).canonicalBytes() }
    }

    @Test(
        "an integer is accepted if a double holds it, or if it is the shortest name of its double",
        arguments: [
            "9007199254740992", "9007199254740994", "-9007199254740992", "295147905179352825856",
            "295147905179352830000", "1e23", "1e+23", "99999999999999991611392", "1152921504606846976",
            "1152921504606847000", "1e22", "10000000000000000000000", "100000000000000000000000", "1e308",
            "0e999999999999",
            "1000000000000000000000000000000e-29", "-0", "0.0", "1.5e1", "18446744073709551616",
            "340282366920938463463374607431768211456",
        ])
    func exactIntegers(text: String) throws {
        #expect(try JSON(parsing: bytes(text)).number == Double(text))
    }

    @Test(
        "an integer between doubles is refused, with its place",
        arguments: [
            "9007199254740993", "-9007199254740993", "295147905179352830001", "295147905179352825857",
            "9007199254740993.0",
            "90071992547409931e3", "123456789012345678901234567890", "1152921504606846977", "99999999999999991611393",
            "18446744073709551615", "340282366920938463463374607431768211455", "9007199254740992.5e1",
        ])
    func inexactIntegers(text: String) {
        #expect(parseFault(bytes("[1, \(text)]")) == JSONError(.numberNotExact, at: 4))
    }

    @Test("the largest integers are compared digit by digit")
    func largestIntegers() throws {
        // 2^1023 in full; one more in the last place is another number.
        var digits: [UInt8] = [1]
        for _ in 0..<1023 {
            var carry: UInt8 = 0
            for index in digits.indices.reversed() {
                (carry, digits[index]) = (digits[index] * 2 + carry).quotientAndRemainder(dividingBy: 10)
            }
            if carry > 0 { digits.insert(carry, at: 0) }
        }
        var text = digits.map { $0 + UInt8(ascii: "0") }
        #expect(text.count == 308)
        #expect(try JSON(parsing: text).number == 0x1p1023)
        text[text.count - 1] += 1
        #expect(parseFault(text) == JSONError(.numberNotExact, at: 0))
        text[text.count - 1] -= 1
        #expect(parseFault(text + bytes("0")) == JSONError(.numberOutOfRange, at: 0))
    }

    @Test(
        "what overflows a double is refused",
        arguments: ["1e309", "-1e309", "1.7976931348623159e308", "1e999999999999999999999999", "10e400"])
    func overflow(text: String) {
        #expect(parseFault(bytes(text)) == JSONError(.numberOutOfRange, at: 0))
    }

    @Test("fractions are rounded to the nearest double")
    func fractions() throws {
        let texts = [
            "0.1", "1e-400", "-1e-999999999999999999", "4.9e-324", "2.4703282292062327e-324", "2.4703282292062328e-324",
            "0.30000000000000004", "1.7976931348623157e308", "9007199254740992.5", "9007199254740993.5",
            "0.1000000000000000055511151231257827021181583404541015625",
        ]
        for text in texts {
            #expect(try JSON(parsing: bytes(text)).number == Double(text), "\(text)")
        }
    }

    @Test("a digit far behind the point decides which way a tie is rounded")
    func stickyDigit() throws {
        let tie = "1.00000000000000011102230246251565404236316680908203125"
        let zeros = String(repeating: "0", count: 2000)
        #expect(try JSON(parsing: bytes(tie + zeros)).number == 1)
        #expect(try JSON(parsing: bytes(tie + zeros + "1")).number == 1.0.nextUp)
    }

    @Test("megabytes of digits are read in one pass", .timeLimit(.minutes(1)))
    func hugeLiterals() throws {
        let zeros = String(repeating: "0", count: 3_000_000)
        let nines = String(repeating: "9", count: 3_000_000)
        #expect(try JSON(parsing: bytes("0.\(zeros)1")).number == 0)
        #expect(try JSON(parsing: bytes("0.\(zeros)1e3000001")).number == 1)
        #expect(try JSON(parsing: bytes("1\(zeros)e-3000000")).number == 1)
        #expect(try JSON(parsing: bytes("1.\(zeros)")).number == 1)
        #expect(try JSON(parsing: bytes("0.\(nines)")).number == 1)
        #expect(parseFault(bytes("1\(zeros)")) == JSONError(.numberOutOfRange, at: 0))
        #expect(parseFault(bytes("\(nines)")) == JSONError(.numberOutOfRange, at: 0))
        #expect(parseFault(bytes("1e\(nines)")) == JSONError(.numberOutOfRange, at: 0))
        #expect(canonicalFault(bytes("1\(zeros)")) == JSONError(.notCanonicalNumber, at: 0))
        #expect(canonicalFault(bytes("1e-\(nines)")) == JSONError(.notCanonicalNumber, at: 0))
    }

    @Test(
        "a number in another form than ECMAScript's is not canonical",
        arguments: [
            "-0", "1.0", "1.50", "0.10", "1e1", "1E21", "1e21", "1e+020", "1e-6", "0.0000001",
            "100000000000000000000000",
            "-0.0", "0e0", "1e-07", "10e-8", "1.10e-9", "295147905179352825856", "0.1000000000000000055", "1e-400",
            "333333333.33333329", "9.999999999999997e-07", "1000000000000000000000", "0.00000012", "123e+20",
            "5.0e-324", "4.9e-324", "3e-324",
        ])
    func otherForms(text: String) {
        #expect(canonicalFault(bytes("[\(text)]")) == JSONError(.notCanonicalNumber, at: 1))
        #expect(!survivesRoundTrip(bytes(text)))
    }

    @Test("every double is read back from its text, and the checker knows the text", arguments: 0..<8 as Range<UInt64>)
    func bitPatterns(seed: UInt64) throws {
        var random = RandomDocuments(seed: seed)
        for _ in 0..<5000 {
            let value = random.generator.chance(4) ? random.number() : random.anyFinite()
            let text = JSON.number(value).canonicalBytes()
            #expect(try JSON(parsing: text).number == value, "seed \(seed), bits \(value.bitPattern)")
            #expect(canonicalFault(text) == nil, "seed \(seed), bits \(value.bitPattern)")
        }
    }

    @Test("parser and checker agree about random number texts", arguments: 0..<8 as Range<UInt64>)
    func randomTexts(seed: UInt64) throws {
        var generator = SplitMix64(seed: seed)
        for _ in 0..<20_000 {
            var text: [UInt8] = []
            for _ in 0..<Int.random(in: 1...24, using: &generator) {
                text.append("0011234567899900009999-+.e".utf8.randomElement(using: &generator)!)
            }
            let expected = Double(String(decoding: text, as: UTF8.self))
            if let read = try? JSON(parsing: text).number { #expect(read == expected, "seed \(seed), \(text)") }
            let agrees = (canonicalFault(text) == nil) == survivesRoundTrip(text)
            #expect(agrees, "seed \(seed), \(String(decoding: text, as: UTF8.self))")
        }
    }

    @Test("integers come out only if they are whole and fit")
    func integers() {
        #expect(JSON.number(-3).integer == -3)
        #expect(JSON.number(0.5).integer == nil)
        #expect(JSON.number(0x1p62).integer == 1 << 62)
        #expect(JSON.number(-0x1p63).integer == .min)
        #expect(JSON.number(0x1p63).integer == nil)
        #expect(JSON.number(.nan).integer == nil)
        #expect(JSON(exactly: (1 << 53) + 1) == nil)
        #expect(JSON(exactly: UInt64(1) << 63)?.number == 0x1p63)
    }
}
