import DurableFiles
import LedgerFormat
import TestSupport
import Testing

@Suite("Seals that are checked together")
struct SealBatchTests {
    /// Frames in one buffer: the first 64 bytes of ENTRY are one of `beginnings` texts, and the rest has any length.
    private struct Batch {
        var bytes: [UInt8] = []
        var views: [FrameView] = []

        init(count: Int, beginnings: Int, spread: Int, seed: UInt64, sealedOtherwise: (Int) -> Bool = { _ in false }) {
            var random = SeededGenerator(seed: seed)
            let tip = TestLedger.frames(count: 1).tip
            for index in 0..<count {
                let forge = Forge(after: tip) {
                    // Up to the actor's end ENTRY has more than a block.
                    $0.actor = "process:\(1000 + (index < beginnings ? index : random.below(beginnings)))" + Self.longName
                    $0.body = #"{"text":"\#(String(repeating: "x", count: random.below(spread)))"}"#
                    $0.seq = String(index + 2)
                }
                bytes += forge.frame(sealedOtherwise(index) ? SealBatchTests.otherKey : TestLedger.key)
            }
            var start = 0
            while start < bytes.count, case .frame(let view) = FrameView.find(in: bytes.span, at: start) {
                views.append(view)
                start = view.frame.upperBound
            }
        }

        private static let longName = String(repeating: "n", count: 40)

        func firstFault(_ key: SealingKey? = TestLedger.key) -> (index: Int, fault: SealEngine.Fault)? {
            SealEngine.firstFault(in: views, of: bytes.span, key: key)
        }
    }

    fileprivate static let otherKey = SealingKey(bytes: [UInt8](repeating: 9, count: 32))
    private static var shapes: [(count: Int, beginnings: Int)] {
        [1, 7, 8, 15, 16, 17, 33, 100, 255, 256, 257, 300].flatMap { count in
            [1, 2, 7, 8, 15, 16, 17, 40].filter { $0 <= count }.map { (count, $0) }
        }
    }

    @Test("batches of any size, of entries that begin alike or not", arguments: shapes)
    func honest(count: Int, beginnings: Int) {
        for spread in [1, 70, 700] {
            let batch = Batch(count: count, beginnings: beginnings, spread: spread, seed: UInt64(count * 1000 + beginnings))
            #expect(batch.views.count == count)
            #expect(batch.firstFault() == nil, "spread \(spread)")
            #expect(batch.firstFault(nil) == nil, "spread \(spread)")
        }
    }

    @Test("one wrong byte at every place of a batch", arguments: [(40, 1), (40, 3), (40, 16), (40, 17), (270, 4)])
    func wrongByte(count: Int, beginnings: Int) {
        var batch = Batch(count: count, beginnings: beginnings, spread: 200, seed: 7)
        for index in 0..<count {
            let view = batch.views[index]
            // In what others begin with too, right behind that, at the end of ENTRY, in HASH and in SIG.
            let (start, end) = (view.entry.lowerBound, view.entry.upperBound)
            for place in [start, start + 30, start + 63, start + 64, end - 1, end + 9, end + 72, end + 82, end + 145] {
                let byte = batch.bytes[place]
                // Another digit, where digits are looked for.
                batch.bytes[place] = byte == UInt8(ascii: "0") ? UInt8(ascii: "1") : UInt8(ascii: "0")
                for key in [TestLedger.key, nil] {
                    let found = batch.firstFault(key)
                    #expect(found?.index == index && found?.fault == .hash, "byte \(place - start) of entry \(index)")
                }
                batch.bytes[place] = byte
            }
        }
        #expect(batch.firstFault() == nil)
    }

    @Test("a frame sealed under another key, at every place of a batch", arguments: [1, 3, 17])
    func otherKey(beginnings: Int) {
        for index in 0..<35 {
            let batch = Batch(count: 35, beginnings: beginnings, spread: 200, seed: 7) { $0 == index || $0 == 34 }
            let found = batch.firstFault()
            #expect(found?.index == index && found?.fault == .signature)
            #expect(batch.firstFault(nil) == nil, "HASH says nothing of keys")
        }
    }
}
