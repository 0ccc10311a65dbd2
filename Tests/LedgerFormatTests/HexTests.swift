import DurableFiles
import LedgerFormat
import Testing

@Suite("Hexadecimal, words at a time")
struct HexTests {
    @Test("a word is written and read as digit by digit", arguments: 0..<8 as Range<UInt64>)
    func words(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<2000 {
            let word = random.coin() ? random.next() : random.next() >> UInt64(random.below(64))
            let plain = String(word, radix: 16)
            let expected = Array((String(repeating: "0", count: 16 - plain.count) + plain).utf8)
            var text: [UInt8] = []
            Hex.append(word, to: &text)
            #expect(text == expected, "seed \(seed)")
            #expect(Hex.word(text.span, at: 0) == word, "seed \(seed)")
            let shifted = [0x66] + text + [0x30]
            #expect(Hex.word(shifted.span, at: 1) == word, "seed \(seed)")
            #expect(Hex.word(shifted.span, at: 3) == nil, "too few digits")
        }
    }

    @Test("any other byte at any place is refused", arguments: 0..<16)
    func otherBytes(place: Int) {
        for byte in 0...255 as ClosedRange<UInt8> {
            var text = Array("0123456789abcdef".utf8)
            text[place] = byte
            let digit = Array("0123456789abcdef".utf8).firstIndex(of: byte)
            let word = digit.map { digit in
                let shift = UInt64(4 * (15 - place))
                return 0x0123_4567_89AB_CDEF & ~(0xF << shift) | UInt64(digit) << shift
            }
            #expect(Hex.word(text.span, at: 0) == word, "byte \(byte)")
        }
    }
}
