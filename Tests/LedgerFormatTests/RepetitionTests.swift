import DurableFiles
import LedgerFormat
import TestSupport
import Testing

@Suite("What is read in one step is judged as if it were read byte by byte")
struct RepetitionTests {
    /// Sealed frames behind an honest ledger, each changed by one of the functions.
    private func frames(_ changes: [(inout Forge) -> Void]) -> (honest: [UInt8], frames: [[UInt8]]) {
        let ledger = TestLedger.frames(count: 3)
        var tip = ledger.tip
        var frames: [[UInt8]] = []
        for change in changes {
            let forge = Forge(after: tip, change)
            frames.append(forge.frame())
            tip.synced = tip.seq
            tip.seq += 1
            tip.hash = forge.seal().hash
        }
        return (ledger.bytes, frames)
    }

    private func failure(_ verifier: ChainVerifier, _ bytes: [UInt8]) -> ChainFailure? {
        var verifier = verifier
        if case .failed(let failure) = verifier.feed(bytes.span, isEnd: true) { return failure }
        return nil
    }

    /// Every byte of the last frame, changed to its neighbours and to what means something: with the frames before it in one buffer, and alone in its own.
    private func compare(_ changes: [(inout Forge) -> Void]) {
        let (honest, frames) = frames(changes)
        let start = ChainVerifier(keys: testKeys)
        var behind = start
        for bytes in [honest] + frames.dropLast() { _ = behind.feed(bytes.span, isEnd: false) }
        let before = honest + frames.dropLast().joined()
        var last = frames[frames.count - 1]
        #expect(failure(start, before + last) == nil && failure(behind, last) == nil)
        var different = 0
        for place in last.indices {
            let byte = last[place]
            for other in (0..<8).map({ byte ^ 1 << UInt8($0) }) + Array("\0\n\"\\,09Aae{}".utf8) where other != byte {
                last[place] = other
                let alone = failure(behind, last)
                if alone == nil || failure(start, before + last) != alone { different += 1 }
            }
            last[place] = byte
        }
        #expect(different == 0)
    }

    @Test("a frame much like the one before it, with each byte changed")
    func alike() {
        compare([{ _ in }, { $0.time = "2026-02-01T00:00:00.000001Z" }])
    }

    @Test("a frame unlike the one before it, with each byte changed")
    func unlike() {
        compare([
            { _ in },
            {
                $0.action = "test.even"
                $0.actor = "process:tes"
                $0.justification = #"{"pillar":"evolution","reason":"forge"}"#
                $0.time = "2026-02-01T00:00:01.000000Z"
            },
        ])
    }

    @Test("a text that only begins like the one before it is read to its end")
    func longer() {
        let (honest, frames) = frames([
            { _ in },
            { $0.actor = "process:test2" },
            { $0.justification = #"{"pillar":"integrity","reason":"forged\u0001"}"# },
            { $0.justification = #"{"pillar":"integrity","reason":"forged\"},\"key\":\""}"# },
        ])
        var shown: [[String]] = []
        var verifier = ChainVerifier(keys: testKeys)
        let bytes = honest + frames.joined()
        _ = verifier.feed(bytes.span, isEnd: true) { frame, bytes in
            if frame.seq > 3 { shown.append([bytes.text(frame.action), bytes.text(frame.actor), bytes.text(frame.reason)]) }
            return true
        }
        #expect(
            shown == [
                ["test.event", "process:test", "forged"], ["test.event", "process:test2", "forged"],
                ["test.event", "process:test", #"forged\u0001"#], ["test.event", "process:test", #"forged\"},\"key\":\""#],
            ])
    }

    /// All that a view says, as text.
    private func contents(_ frame: FrameView, _ bytes: Span<UInt8>) -> [String] {
        let texts = [frame.frame, frame.entry, frame.payload, frame.action, frame.actor, frame.body, frame.context, frame.reason]
        return texts.map { bytes.text($0) } + [
            "\(frame.key(in: bytes)) \(frame.ledger(in: bytes)) \(frame.previousHash(in: bytes)) \(frame.hash(in: bytes))",
            "\(frame.seq) \(frame.synced) \(frame.time) \(frame.version) \(frame.pillar) \(String(describing: frame.part))",
        ]
    }

    @Test("a view that moved over other frames says what one read alone says", arguments: 0..<8 as Range<UInt64>)
    func moved(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let changes: [(inout Forge) -> Void] = (0..<60).map { index in
            // So that a frame is longer or shorter than the one before, also in the digits of its length.
            let body = #"{"text":"\#(String(repeating: "x", count: random.below(random.coin() ? 5 : 900)))"}"#
            let (names, reason, context, later) = (random.below(4), random.below(3), random.below(3), random.coin())
            return {
                $0.body = body
                if names == 1 { $0.actor = "process:other" }
                if names == 2 { $0.action = "test.other.event" }
                if reason == 1 { $0.justification = #"{"pillar":"evolution","reason":"another, and longer"}"# }
                if context == 1 { $0.context = #"{"tool":"a"}"# }
                if later { $0.time = "2026-02-01T00:00:\(10 + index / 2).000001Z" }
            }
        }
        let (honest, frames) = frames(changes)
        let bytes = honest + frames.joined()
        var verifier = ChainVerifier(keys: testKeys)
        var shown: [[String]] = []
        _ = verifier.feed(bytes.span, isEnd: true) { frame, bytes in
            if frame.seq > 3 { shown.append(contents(frame, bytes)) }
            return true
        }
        let alone: [[String]] = frames.map { bytes in
            if case .frame(let frame) = FrameView.find(in: bytes.span, at: 0) { contents(frame, bytes.span) } else { [] }
        }
        #expect(shown == alone, "seed \(seed)")
    }

    @Test("each digit of HASH and SIG counts")
    func digits() {
        let (honest, frames) = frames([{ _ in }])
        let frame = frames[0]
        let entry = Array(frame[(frame.firstIndex(of: 0x3A)! + 10)..<frame.count - 149])
        func failure(_ frame: [UInt8]) -> ChainFailure.Reason? { firstFailure(honest + frame)?.reason }
        for place in 0..<64 {
            let (hash, sig) = (frame.count - 140 + place, frame.count - 67 + place)
            var changed = frame
            changed[hash] = frame[hash] == 0x30 ? 0x66 : 0x30
            #expect(failure(changed) == .hash)
            changed = frame
            changed[sig] = frame[sig] == 0x30 ? 0x66 : 0x30
            #expect(failure(changed) == .hash, "HASH covers SIG")
            let sealed = entry + Array("|sig:".utf8) + changed[frame.count - 67..<frame.count - 3]
            changed.replaceSubrange(
                frame.count - 140..<frame.count - 76, with: Array(Digest(sha256: sealed.span).description.utf8))
            #expect(failure(changed) == .signature)
        }
    }
}

@Suite("Digits")
struct DigitTests {
    @Test("a digest's text is 64 lower-case hexadecimal digits, at every place")
    func digests() {
        let digits = Array("0123456789abcdef".utf8)
        let text = (0..<64).map { digits[$0 % 16] }
        var wrong = 0
        for place in 0..<64 {
            var changed = text
            for byte in UInt8.min...UInt8.max {
                changed[place] = byte
                if changed.span.holdsDigest(at: 0) != digits.contains(byte) { wrong += 1 }
            }
        }
        #expect(wrong == 0)
        func holds(_ bytes: [UInt8], _ offset: Int) -> Bool { bytes.span.holdsDigest(at: offset) }
        let framed = [0x41] + text + [0x41]
        #expect(holds(framed, 1))
        for offset in [0, 2, 3, -1, .max, .min] { #expect(!holds(framed, offset)) }
        #expect(!holds(Array(text.dropLast()), 0))
    }

    /// What `plainInteger` promises, read digit by digit.
    private func plainInteger(_ bytes: ArraySlice<UInt8>) -> UInt64? {
        let digits = bytes.prefix { (0x30...0x39).contains($0) }
        guard let value = UInt64(String(decoding: digits, as: UTF8.self)), String(value).utf8.elementsEqual(digits) else {
            return nil
        }
        if let next = bytes.dropFirst(digits.count).first, ".eE".utf8.contains(next) { return nil }
        return value <= Limits.seq ? value : nil
    }

    @Test(
        "whole numbers of every length, with everything behind them",
        arguments: [
            "", "0", "00", "01", "7", "10", "1234567", "12345678", "0123456", "123456789", "9007199254740991",
            "9007199254740992", "99999999999999999", "184467440737095516159",
        ])
    func integers(text: String) {
        var wrong = 0
        for byte in UInt8.min...UInt8.max {
            for padding in [0, 1, 3, 12] {
                let bytes = [0x41] + Array(text.utf8) + [byte] + [UInt8](repeating: 0x39, count: padding)
                let found = bytes.span.plainInteger(at: 1)
                if found?.value != plainInteger(bytes.dropFirst()) { wrong += 1 }
                if let found, found.end != 1 + String(found.value).utf8.count { wrong += 1 }
            }
        }
        #expect(wrong == 0)
        let whole = Array(text.utf8)
        let found = whole.span.plainInteger(at: 0)
        #expect(found?.value == plainInteger(whole[...]))
    }

    @Test("bytes that stand at two places, and offsets that lie outside")
    func repeats() {
        func repeats(_ range: Range<Int>, _ offset: Int) -> Bool {
            let bytes = Array("abcabcab".utf8)
            return bytes.span.repeats(range, at: offset)
        }
        #expect(repeats(0..<3, 3) && repeats(0..<5, 3) && repeats(0..<0, 8))
        #expect(!repeats(0..<3, 2) && !repeats(0..<6, 3) && !repeats(0..<3, -1) && !repeats(3..<9, 0))
        #expect(!repeats(0..<1, .max) && !repeats(0..<9, 0))
    }

    @Test(
        "a time in a second that is known already",
        arguments: [
            Timestamp(microseconds: -62_135_596_800_000_000), Timestamp(microseconds: -1), Timestamp(microseconds: 0),
            Timestamp(microseconds: 1_769_860_800_123_456), Timestamp(microseconds: 253_402_300_799_999_999),
        ])
    func seconds(known: Timestamp) {
        let second = Array(known.description.utf8).prefix(20)
        for fraction in ["000000", "000001", "100000", "123456", "999999"] {
            let bytes = second + fraction.utf8 + [0x5A]
            let time = Timestamp(bytes.span, at: 0, inSecondOf: known)
            #expect(time?.description.utf8.elementsEqual(bytes) == true)
        }
        var wrong = 0
        for place in 19..<27 {
            var bytes = Array(known.description.utf8)
            for byte in UInt8.min...UInt8.max {
                bytes[place] = byte
                if Timestamp(bytes.span, at: 0, inSecondOf: known) != Timestamp(bytes.span) { wrong += 1 }
            }
        }
        #expect(wrong == 0)
        let short = Array(known.description.utf8.dropLast())
        #expect(Timestamp(short.span, at: 0, inSecondOf: known) == nil)
    }
}
