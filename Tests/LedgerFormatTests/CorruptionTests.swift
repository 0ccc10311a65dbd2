import CanonicalJSON
import DurableFiles
import LedgerFormat
import TestSupport
import Testing

@Suite("Corruption")
struct CorruptionTests {
    private static let ledger = TestLedger.frames(count: 20)

    @Test("every single-bit flip of a ledger of 20 entries is detected at its entry", arguments: 1...20)
    func bitFlips(seq: Int) throws {
        let (bytes, _, ends) = Self.ledger
        let start = seq == 1 ? 0 : ends[seq - 2]
        // All before the entry is verified once; each flip is judged by what follows.
        var before = ChainVerifier(keys: testKeys)
        try before.beginSegment(firstSeq: 1, isLast: true)
        _ = before.feed(Array(bytes[..<start]).span, isEnd: false)
        var keyless = ChainVerifier(keys: [:])
        try keyless.beginSegment(firstSeq: 1, isLast: true)
        _ = keyless.feed(Array(bytes[..<start]).span, isEnd: false)
        let expected = Place(segment: 1, offset: start, seq: UInt64(seq))
        var rest = Array(bytes[start...])
        var missed = 0
        for bit in 0..<(ends[seq - 1] - start) * 8 {
            rest[bit / 8] ^= 1 << (bit % 8)
            for var verifier in [before, keyless] {
                guard case .failed(let failure) = verifier.feed(rest.span, isEnd: true), failure.place == expected
                else {
                    missed += 1
                    Issue.record("bit \(bit) of entry \(seq)")
                    continue
                }
            }
            rest[bit / 8] ^= 1 << (bit % 8)
        }
        #expect(missed == 0)
    }

    @Test("a ledger cut anywhere ends at the last whole entry, or says that a frame is not whole")
    func truncation() {
        let (bytes, _, ends) = Self.ledger
        for count in 0..<bytes.count {
            let whole = ends.filter { $0 <= count }.count
            let found = firstFailure(Array(bytes[..<count]))
            if count == 0 || ends.contains(count) {
                #expect(found == nil)
            } else {
                let place = Place(segment: 1, offset: whole == 0 ? 0 : ends[whole - 1], seq: UInt64(whole + 1))
                #expect(found == ChainFailure(.endsInsideFrame, at: place))
            }
        }
    }

    @Test("a byte put in, taken out, or two exchanged, is detected", arguments: 0..<16 as Range<UInt64>)
    func edits(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let (bytes, _, ends) = Self.ledger
        for _ in 0..<200 {
            var edited = bytes
            let at = random.below(bytes.count - 1)
            switch random.below(3) {
            case 0: edited.remove(at: at)
            case 1: edited.insert(UInt8(truncatingIfNeeded: random.next()), at: at)
            default: edited.swapAt(at, random.below(bytes.count))
            }
            if edited == bytes || ends.contains(where: { edited == Array(bytes[..<$0]) }) { continue }
            #expect(firstFailure(edited) != nil)
        }
    }
}

@Suite("Resync: frames behind damage")
struct ResyncTests {
    private let ledger = TestLedger.frames(count: 5)
    private var finder: FrameFinder { FrameFinder(ledger: ledger.tip.ledger, keys: testKeys) }

    private func found(_ bytes: [UInt8], from start: Int = 0, _ finder: FrameFinder? = nil) -> [Range<Int>] {
        var position = start
        var ranges: [Range<Int>] = []
        while let frame = (finder ?? self.finder).next(in: bytes.span, from: position) {
            ranges.append(frame.frame)
            position = frame.frame.upperBound
        }
        return ranges
    }

    private var frames: [Range<Int>] { zip([0] + ledger.ends, ledger.ends).map { $0..<$1 } }

    @Test("all frames are found, from any start")
    func whole() {
        #expect(found(ledger.bytes) == frames)
        for start in 1..<ledger.bytes.count {
            let first = found(ledger.bytes, from: start).first
            #expect(first == frames.first { $0.lowerBound >= start })
        }
    }

    @Test(
        "junk before a frame does not hide it",
        arguments: [
            "x", "1", "12", "00000000", "\0\0\0", "544:", "9:{\"entry\":", "99999999:{\"entry\":",
            ":{\"entry\":{\"action\":", "\n",
        ])
    func junk(text: String) {
        let junk = Array(text.utf8)
        #expect(found(junk + ledger.bytes) == frames.map { $0.lowerBound + junk.count..<$0.upperBound + junk.count })
        let half = ledger.bytes[..<(ledger.ends[0] / 2)]
        #expect(found(half + junk + ledger.bytes).count == 5)
    }

    @Test("a frame of which one byte is another is none; those behind it are found")
    func damage() {
        var random = SeededGenerator(seed: 3)
        for _ in 0..<500 {
            var bytes = ledger.bytes
            let at = random.below(bytes.count)
            bytes[at] ^= 1 << UInt8(random.below(8))
            #expect(found(bytes) == frames.filter { !$0.contains(at) })
        }
    }

    @Test("frames of another ledger or another key are none; without the key the HASH says")
    func foreign() {
        #expect(found(ledger.bytes, FrameFinder(ledger: LedgerID(1, 1), keys: testKeys)).isEmpty)
        let other = SealingKey(bytes: [UInt8](repeating: 5, count: 32))
        #expect(found(ledger.bytes, FrameFinder(ledger: ledger.tip.ledger, keys: [other.id: other])).isEmpty)
        let forged = Forge(after: ledger.tip).frame(other)
        #expect(found(forged).isEmpty)
        #expect(found(forged, FrameFinder(ledger: ledger.tip.ledger, keys: [:])).count == 1)
        let renamed = Forge(after: ledger.tip) { $0.key = other.id.description }.frame(TestLedger.key)
        #expect(found(renamed).isEmpty, "it names another key")
    }

    @Test("an entry that quotes a frame hides nothing and shows nothing")
    func quoted() throws {
        let quoted = String(decoding: ledger.bytes, as: UTF8.self)
        var writer = FrameWriter(after: ledger.tip, synced: 5, key: TestLedger.key)
        let draft = try Draft(
            action: "a", actor: "a:b", justification: Justification(.integrity, quoted),
            body: ["frame": .string(quoted)])
        try writer.append(draft, at: ledger.tip.time)
        #expect(found(writer.block) == [0..<writer.block.count])
        #expect(found(writer.block, from: 1) == [])
    }
}

@Suite("What a crash can leave")
struct TornTailTests {
    private let ledger = TestLedger.frames(count: 3)
    private var finder: FrameFinder { FrameFinder(ledger: ledger.tip.ledger, keys: testKeys) }

    /// An honest entry 4, and one behind it that knows what `synced` says.
    private func frames(synced: Int) -> (fourth: [UInt8], fifth: [UInt8]) {
        let fourth = Forge(after: ledger.tip)
        let fifth = Forge(after: ledger.tip) {
            $0.seq = "5"
            $0.synced = String(synced)
            $0.previousHash = fourth.seal().hash.description
        }
        return (fourth.frame(), fifth.frame())
    }

    private func objection(_ tail: [UInt8], at offset: Int = 0) -> TornTail.Objection? {
        TornTail.objection(to: tail.span, at: offset, seq: 4, finder: finder)
    }

    private func nuls(_ count: Int) -> [UInt8] { [UInt8](repeating: 0, count: count) }
    private func junk(_ count: Int) -> [UInt8] { [UInt8](repeating: 0x78, count: count) }

    @Test("damage that ends with the file")
    func ends() {
        #expect(objection([]) == nil)
        for begun in ["4", "1048576", "498:", "498:{\"entry\":"] { #expect(objection(Array(begun.utf8)) == nil, "\(begun)") }
        for other in ["x", "0", "0498:{", "49800000", ":{", "2097152:{", "3:{\"e\"", "498:{\n"] {
            #expect(objection(Array(other.utf8)) == .noTraceOfCrash(offset: 0), "\(other)")
        }
        #expect(objection(junk(5000)) == .noTraceOfCrash(offset: 0))
        #expect(objection(Array(frames(synced: 3).fourth.dropLast())) == nil)
        #expect(objection(nuls(700)) == nil)
        #expect(objection(nuls(700), at: 3) == nil)
    }

    @Test("runs of NULs end at a sector or with the file")
    func runs() {
        #expect(objection(nuls(512) + junk(10)) == nil)
        #expect(objection(nuls(511) + junk(10)) == .noTraceOfCrash(offset: 0))
        #expect(objection(nuls(511) + junk(10), at: 1) == nil)
        #expect(objection(junk(100) + nuls(412) + junk(10)) == nil)
        #expect(objection(junk(100) + nuls(411) + junk(10)) == .noTraceOfCrash(offset: 0))
        #expect(objection(junk(100) + nuls(412) + junk(100) + nuls(5)) == nil)
        #expect(objection(junk(100) + nuls(412) + junk(100) + nuls(5) + junk(1)) == .noTraceOfCrash(offset: 0))
        #expect(objection(junk(100) + nuls(412 + 512) + junk(1)) == nil)
        #expect(objection(junk(100) + nuls(1) + junk(1), at: 1000) == .noTraceOfCrash(offset: 1000))
    }

    @Test("frames behind the damage: what they knew as durable counts")
    func later() {
        let (fourth, fifth) = frames(synced: 3)
        let (_, knowing) = frames(synced: 4)
        // Entry 4 lies whole in front of damage at the end.
        #expect(objection(fourth + Array("498:{\"ent".utf8)) == nil)
        #expect(objection(fourth + junk(9)) == .noTraceOfCrash(offset: fourth.count))
        // Entry 5 lies behind a lost sector, and was sealed before 4 was durable.
        #expect(objection(nuls(1024) + fifth) == nil)
        #expect(objection(nuls(1024) + knowing) == .wasDurable(knownBy: 5))
        #expect(objection(nuls(1024) + fifth + Array("498:{\"ent".utf8)) == nil)
        #expect(objection(nuls(1024) + fifth + fifth + nuls(100)) == nil)
        #expect(objection(nuls(1024) + fifth + knowing) == .wasDurable(knownBy: 5))
    }

    @Test("damage in front of a frame, without a NUL, is no crash")
    func changed() {
        let (fourth, fifth) = frames(synced: 3)
        var flipped = fourth
        flipped[100] ^= 1
        #expect(objection(flipped + fifth) == .noTraceOfCrash(offset: 0))
        #expect(objection(flipped) == .noTraceOfCrash(offset: 0), "it is all there, and changed")
        #expect(objection(flipped + nuls(900)) == .noTraceOfCrash(offset: 0))
        #expect(objection(Array(flipped.dropLast(200)) + nuls(900)) == nil, "it may have been cut short")
        #expect(objection(junk(512) + fifth) == .noTraceOfCrash(offset: 0))
        #expect(objection(nuls(512) + fifth + junk(20) + fifth) == .noTraceOfCrash(offset: 512 + fifth.count))
        flipped[100] = 0
        #expect(objection(flipped + fifth) == .noTraceOfCrash(offset: 0), "one NUL is no sector")
    }

    @Test("a frame of another ledger is damage like any other")
    func foreign() {
        let foreign = Forge(after: ledger.tip) {
            $0.ledger = String(repeating: "0", count: 32)
            $0.synced = "3"
        }.frame()
        #expect(objection(foreign) == .noTraceOfCrash(offset: 0))
        #expect(objection(Array(foreign.dropLast(9))) == nil)
        #expect(objection(foreign + frames(synced: 3).fifth) == .noTraceOfCrash(offset: 0))
    }

    @Test("a frame of a later version counts as one")
    func laterVersion() {
        let later = Forge(after: ledger.tip) {
            $0.seq = "5"
            $0.synced = "4"
            $0.version = "2"
        }.frame()
        #expect(objection(nuls(512) + later) == .wasDurable(knownBy: 5))
    }
}
