import DurableFiles
import Ledger
import LedgerFormat
import TestSupport
import Testing

@Suite("Inspection: what stands around a place, whatever the bytes are")
struct InspectionTests {
    /// A ledger of a few segments, and where its frames stand.
    private struct Whole {
        let machine: SimulatedMachine
        var frames: [UInt64: [(range: Range<Int>, seq: UInt64)]] = [:]

        init(count: Int, seed: UInt64 = 1) throws {
            var settings = WriterSettings()
            settings.segmentByteCount = 12_000
            settings.preallocationByteCountMax = 0
            machine = try SimulatedMachine(seed: seed, count: count, settings: settings)
            var seq: UInt64 = 1
            for segment in machine.segments.sorted() {
                var offset = 0
                for line in machine.segment(segment).split(separator: 0x0A, omittingEmptySubsequences: false).dropLast() {
                    frames[segment, default: []].append((offset..<offset + line.count + 1, seq))
                    offset += line.count + 1
                    seq += 1
                }
            }
        }

        func inspect(_ target: InspectionTarget, around: Int = 1000) throws -> Inspection {
            try Inspector(machine.storage(), TestLedger.environment()).inspect(target, around: around)
        }

        func change(_ segment: UInt64, _ body: (inout [UInt8]) -> Void) {
            var bytes = machine.segment(segment)
            body(&bytes)
            machine.setSegment(segment, bytes)
        }

        /// The code and message of the refusal.
        func refusal(_ target: InspectionTarget) throws -> LedgerError? {
            let storage = try machine.storage()
            do throws(LedgerError) {
                _ = try Inspector(storage, TestLedger.environment()).inspect(target, around: 1)
                return nil
            } catch {
                return error
            }
        }
    }

    private func frame(_ piece: Inspection.Piece) -> InspectedFrame? {
        if case .frame(let frame) = piece.content { return frame }
        return nil
    }

    private func expectTiles(_ inspection: Inspection, _ source: SourceLocation = #_sourceLocation) {
        for (piece, next) in zip(inspection.pieces, inspection.pieces.dropFirst()) {
            #expect(piece.range.upperBound == next.range.lowerBound, sourceLocation: source)
        }
        #expect(inspection.pieces.allSatisfy { !$0.range.isEmpty }, sourceLocation: source)
        #expect(inspection.pieces.indices.contains(inspection.target), sourceLocation: source)
    }

    @Test("of a whole ledger every frame is sound, by seq and by offset, in every segment")
    func whole() throws {
        let whole = try Whole(count: 60)
        #expect(whole.frames.count > 2)
        for (segment, frames) in whole.frames {
            for (index, (range, seq)) in frames.enumerated() {
                let bySeq = try whole.inspect(.seq(seq), around: 1)
                #expect(bySeq.segment == segment && !bySeq.isSeqLost)
                #expect(bySeq.pieces.count == min(3, 2 + (index > 0 ? 1 : 0)) - (index == frames.count - 1 ? 1 : 0))
                let target = bySeq.pieces[bySeq.target]
                #expect(target.range == range)
                let found = try #require(frame(target))
                #expect(found.seq == seq && found.faults.isEmpty && found.doubts.isEmpty && found.isLinked == true)
                #expect(try bySeq.bytes(in: range) == Array(whole.machine.segment(segment)[range]))
                for offset in [range.lowerBound, range.lowerBound + 1, range.upperBound - 1] {
                    let byOffset = try whole.inspect(.offset(offset, segment: segment), around: 0)
                    #expect(byOffset.pieces.count == 1 && byOffset.pieces[0] == target)
                }
            }
            expectTiles(try whole.inspect(.seq(segment)))
        }
        let last = try #require(whole.machine.segments.max())
        let head = try whole.machine.head()
        #expect(try whole.inspect(.seq(last)).headEnd == (head.segment == last ? head.end : nil))
    }

    @Test("behind a segment without a byte everything is shown as it stands")
    func emptySegment() throws {
        let whole = try Whole(count: 60)
        let segments = whole.machine.segments.sorted()
        whole.machine.setSegment(segments[0], [])
        for target in [InspectionTarget.offset(0, segment: segments[1]), .seq(segments[1])] {
            #expect(try !whole.inspect(target).pieces.isEmpty)
        }
    }

    @Test("without HEAD, and without a key that may be used")
    func withoutHeadAndKey() throws {
        let whole = try Whole(count: 5)
        let key = try #require(whole.machine.disk.files().first { $0.directory == "keys" })
        whole.machine.disk.delete(key)
        let keyless = try whole.inspect(.seq(3))
        #expect(keyless.pieces.compactMap(frame).allSatisfy { $0.signatureHolds == nil && $0.hashHolds && $0.doubts.count == 1 })
        whole.machine.disk.delete(Layout.head)
        #expect(try whole.inspect(.seq(3)).pieces == keyless.pieces)
    }

    @Test("what is not there is said, with what is")
    func absent() throws {
        let whole = try Whole(count: 40)
        let segments = whole.machine.segments.sorted()
        let last = try #require(whole.frames[segments[segments.count - 1]]?.last)
        for (target, words) in [
            (.seq(last.seq + 1), "to \(last.seq)"), (.seq(Limits.seq), "to \(last.seq)"),
            (.offset(0, segment: nil), "--segment"), (.offset(0, segment: 2), "begin at seq 1 to"),
            (.offset(whole.machine.segment(1).count, segment: 1), "from 0 to \(whole.machine.segment(1).count - 1)"),
            (.offset(.max, segment: 1), "from 0 to"),
        ] as [(InspectionTarget, String)] {
            let error = try whole.refusal(target)
            #expect(error?.code == .usage && error?.message.contains(words) == true, "\(target): \(error?.message ?? "found")")
        }
        whole.machine.disk.delete(SegmentReader.path(ofSegment: segments[1]))
        #expect(try whole.refusal(.seq(segments[1]))?.code == .usage, "a segment that is missing")
        whole.machine.setSegment(1, [])
        #expect(try whole.refusal(.offset(0, segment: 1))?.message.contains("empty") == true)
        #expect(try whole.refusal(.seq(1))?.code == .usage)
    }

    @Test("each kind of damage is shown as what it is, and nothing else with it")
    func kinds() throws {
        func pieces(_ change: (inout [UInt8], Range<Int>) -> Void) throws -> (Inspection, Range<Int>) {
            let whole = try Whole(count: 8)
            let range = try #require(whole.frames[1]?[4].range)
            whole.change(1) { change(&$0, range) }
            let inspection = try whole.inspect(.seq(5), around: 1)
            expectTiles(inspection)
            return (inspection, range)
        }
        func damage(_ change: (inout [UInt8], Range<Int>) -> Void) throws -> String? {
            let (inspection, range) = try pieces(change)
            #expect(inspection.isSeqLost && inspection.pieces[inspection.target].range == range)
            #expect(
                inspection.pieces.count == 3 && frame(inspection.pieces[0])?.seq == 4 && frame(inspection.pieces[2])?.seq == 6)
            #expect(frame(inspection.pieces[2])?.isLinked == nil)
            if case .damage(let reason) = inspection.pieces[inspection.target].content { return reason }
            return nil
        }
        #expect(try damage { $0[$1.lowerBound] = 0x78 }?.contains("length") == true)
        #expect(try damage { $0[$1.lowerBound + 20] = 0x1B }?.contains("action") == true)
        #expect(try damage { $0[$1.upperBound - 1] = 0x20 }?.contains("line feed") == true)
        #expect(try damage { bytes, range in for index in range.dropLast() { bytes[index] = 0xFF } } != nil)

        func faults(_ change: (inout [UInt8], Range<Int>) -> Void) throws -> [String] {
            let (inspection, range) = try pieces(change)
            #expect(!inspection.isSeqLost && inspection.pieces[inspection.target].range == range)
            return frame(inspection.pieces[inspection.target])?.faults ?? []
        }
        let digit: (UInt8) -> UInt8 = { $0 == 0x30 ? 0x31 : 0x30 }
        let hash = try faults { $0[$1.upperBound - 80] = digit($0[$1.upperBound - 80]) }
        #expect(hash.count == 1 && hash[0].contains("hash"))
        let sig = try faults { $0[$1.upperBound - 4] = digit($0[$1.upperBound - 4]) }
        #expect(sig.count == 1 && sig[0].contains("hash"), "HASH goes over SIG")

        let (nuls, range) = try pieces { bytes, range in for index in range { bytes[index] = 0 } }
        #expect(nuls.pieces.contains { $0.content == .padding && $0.range == range })
    }

    @Test("frames that changed their places, and one of another ledger")
    func links() throws {
        let whole = try Whole(count: 8)
        let frames = try #require(whole.frames[1])
        whole.change(1) { bytes in
            let (a, b) = (Array(bytes[frames[3].range]), Array(bytes[frames[4].range]))
            bytes.replaceSubrange(frames[3].range.lowerBound..<frames[4].range.upperBound, with: b + a)
        }
        let swapped = try whole.inspect(.seq(4)).pieces.compactMap(frame)
        #expect(swapped.map(\.seq)[..<6] == [1, 2, 3, 5, 4, 6])
        #expect(swapped.map(\.isLinked)[..<6] == [true, true, true, false, false, false])
        #expect(swapped.allSatisfy { $0.hashHolds && $0.signatureHolds == true })
        let other = try Whole(count: 8, seed: 2)
        let stranger = Array(other.machine.segment(1)[try #require(other.frames[1]?[2].range)])
        whole.machine.setSegment(1, Array(whole.machine.segment(1)[..<frames[2].range.lowerBound]) + stranger)
        let last = try #require(try whole.inspect(.seq(3)).pieces.last.flatMap(frame))
        #expect(last.isOurs == false && last.faults.contains { $0.contains("another ledger") })
    }

    /// One random change, and the bytes that it touched, in the new segment's coordinates; nil behind `moved` all is elsewhere.
    private func corrupt(_ bytes: inout [UInt8], _ generator: inout SeededGenerator) {
        guard !bytes.isEmpty else { return }
        let at = Int.random(in: 0..<bytes.count, using: &generator)
        let end = min(bytes.count, at + Int.random(in: 1...2000, using: &generator))
        switch Int.random(in: 0..<7, using: &generator) {
        case 0: bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
        case 1: for index in at..<end { bytes[index] = 0 }
        case 2: for index in at..<end { bytes[index] = UInt8.random(in: 0...255, using: &generator) }
        case 3: bytes.removeSubrange(at..<end)
        case 4: bytes.insert(contentsOf: Array(repeating: 0, count: end - at), at: at)
        case 5: bytes.insert(contentsOf: Array("\u{1B}[31m1048576:{\"entry\":{\"action\":\"x\n9:{\"entry\":\n".utf8), at: at)
        default: bytes.insert(contentsOf: bytes[at..<end], at: at)
        }
    }

    @Test(
        "any bytes: nothing crashes, the pieces tile the segment, and every frame left whole is found", arguments: UInt64(1)...150
    )
    func random(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let whole = try Whole(count: 40, seed: seed)
        let segment = try #require(whole.machine.segments.randomElement(using: &generator))
        let original = whole.machine.segment(segment)
        var bytes = original
        for _ in 0..<Int.random(in: 1...4, using: &generator) { corrupt(&bytes, &generator) }
        whole.machine.setSegment(segment, bytes)
        guard !bytes.isEmpty else { return }
        let offset = Int.random(in: 0..<bytes.count, using: &generator)
        let all = try whole.inspect(.offset(offset, segment: segment))
        expectTiles(all)
        #expect(all.byteCount == bytes.count, "seed \(seed)")
        #expect(all.pieces.first?.range.lowerBound == 0 && all.pieces.last?.range.upperBound == bytes.count, "seed \(seed)")
        #expect(all.pieces[all.target].range.contains(offset), "seed \(seed)")
        for piece in all.pieces where piece.content == .padding {
            #expect(bytes[piece.range].allSatisfy { $0 == 0 }, "seed \(seed)")
        }
        // Each original frame that still stands somewhere, whole, is found there.
        let found = Set(all.pieces.filter { frame($0) != nil }.map(\.range))
        var standing = 0
        for (range, seq) in whole.frames[segment] ?? [] {
            let text = Array(original[range])
            for start in positions(of: text, in: bytes) {
                standing += 1
                #expect(found.contains(start..<start + text.count), "seed \(seed), seq \(seq)")
            }
        }
        let sound = all.pieces.compactMap(frame).filter { $0.hashHolds && $0.signatureHolds == true }
        #expect(sound.count == standing, "seed \(seed)")
        let around = try whole.inspect(.offset(offset, segment: segment), around: 2)
        expectTiles(around)
        let first = all.target - around.target
        #expect(
            Array(all.pieces[max(0, all.target - 2)...min(all.pieces.count - 1, all.target + 2)]) == around.pieces, "seed \(seed)"
        )
        #expect(first == max(0, all.target - 2), "seed \(seed)")
        for seq in [segment, segment + 5, 41] { _ = try whole.refusal(.seq(seq)) }
    }

    private func positions(of text: [UInt8], in bytes: [UInt8]) -> [Int] {
        guard bytes.count >= text.count else { return [] }
        return (0...bytes.count - text.count).filter { start in
            bytes[start] == text[0] && bytes[start + 4] == text[4] && bytes[start..<start + text.count].elementsEqual(text)
        }
    }
}
