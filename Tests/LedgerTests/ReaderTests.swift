import DurableFiles
import Ledger
import LedgerFormat
import TestSupport
import Testing

@Suite("Reading")
struct ReaderTests {
    /// Several segments with entries of very different sizes.
    private func varied() throws -> SimulatedMachine {
        var settings = WriterSettings()
        settings.segmentByteCount = 2 << 20
        let machine = try SimulatedMachine(settings: settings)
        var random = SeededGenerator(seed: 5)
        try machine.write { session in
            for number in 1...300 {
                let size = number % 50 == 7 ? 900 << 10 : [20, 200, 3000, 70_000][random.below(4)]
                try session.record(TestLedger.draft(number, size: size))
            }
        }
        return machine
    }

    @Test("every entry of a ledger with segments and entries of all sizes is found")
    func locate() throws {
        let machine = try varied()
        #expect(machine.segments.count > 4)
        let reader = try SegmentReader(machine.storage())
        let view = try LedgerView(machine.storage())
        let all = try machine.entries()
        #expect(all.count == 301)
        for seq in 1...301 as ClosedRange<UInt64> {
            let place = try #require(try reader.locate(seq))
            #expect(place.seq <= seq && place.segment == reader.segments.last { $0 <= seq })
            let entry = try EntryReader(view, machine.environment).entry(seq)
            #expect(entry.seq == seq && entry.hash == all[Int(seq) - 1].hash)
        }
        #expect(try EntryReader(view, machine.environment).lastSeq() == 301)
    }

    @Test("locating reads little, whatever the size")
    func cost() throws {
        let machine = try varied()
        let storage = try machine.faulty()
        let reader = try SegmentReader(storage)
        for seq in stride(from: 1 as UInt64, through: 301, by: 13) {
            let before = storage.trace.count
            _ = try reader.locate(seq)
            #expect(storage.trace[before...].count { $0.kind == .read } < 60)
        }
    }

    @Test(
        "ranges", arguments: [(1, 301), (1, 1), (301, 301), (17, 90), (299, 1000), (302, 400), (500, 600)] as [(UInt64, UInt64)])
    func ranges(first: UInt64, last: UInt64) throws {
        let machine = try varied()
        var seqs: [UInt64] = []
        let next = try EntryReader(LedgerView(machine.storage()), machine.environment).read(from: first, through: last) {
            frame, _ in
            seqs.append(frame.seq)
            return true
        }.next
        #expect(seqs == (first > 301 ? [] : Array(first...min(last, 301))))
        #expect(next == (seqs.last.map { $0 + 1 } ?? first))
    }

    @Test(
        "an entry that is not there is a mistake of the asker, not damage", arguments: [0, 7, 9_007_199_254_740_991, UInt64.max])
    func absent(seq: UInt64) throws {
        let machine = try SimulatedMachine(count: 5)
        let reader = try EntryReader(LedgerView(machine.storage()), machine.environment)
        let error = ledgerError { () throws(LedgerError) in _ = try reader.entry(seq) }
        #expect(error?.code == .usage && error?.message.contains("the last one is 6") == true)
    }

    @Test("the visitor stops the reading")
    func stopping() throws {
        let machine = try SimulatedMachine(count: 9)
        var seqs: [UInt64] = []
        try EntryReader(LedgerView(machine.storage()), machine.environment).read(from: 3) { frame, _ in
            seqs.append(frame.seq)
            return frame.seq < 5
        }
        #expect(seqs == [3, 4, 5])
    }

    @Test("damage ends the reading behind the verified prefix")
    func damage() throws {
        let machine = try SimulatedMachine(count: 9)
        let place = try machine.place(6)
        var bytes = machine.segment()
        bytes[place.offset + 40] ^= 1
        machine.setSegment(1, bytes)
        var seqs: [UInt64] = []
        let reader = try EntryReader(LedgerView(machine.storage()), machine.environment)
        let error = ledgerError { () throws(LedgerError) in
            try reader.read(from: 1) { frame, _ in
                seqs.append(frame.seq)
                return true
            }
        }
        #expect(error?.code == .tampered && error?.place == place)
        #expect(seqs == [1, 2, 3, 4, 5])
    }

    @Test("the first frame names the ledger, however long it is, if it is whole", arguments: [20, 9000, 900_000])
    func genesis(size: Int) throws {
        let machine = try SimulatedMachine()
        let ledger = try machine.head().ledger
        var writer = FrameWriter(
            after: ChainTip(emptyLedger: ledger, key: try machine.key().id), synced: 0, key: try machine.key())
        try writer.append(TestLedger.draft(1, size: size), at: machine.environment.now())
        for missing in [0, 1, writer.block.count / 2] {
            machine.setSegment(1, Array(writer.block.dropLast(missing)))
            #expect(try LedgerView(machine.storage()).genesis?.ledger == (missing == 0 ? ledger : nil))
        }
    }

    @Test("what HEAD does not cover is unsettled")
    func unsettled() throws {
        let machine = try SimulatedMachine(count: 3)
        try machine.appendUnvouched(4...6)
        let view = try LedgerView(machine.storage())
        #expect((1...7).map { view.isSettled($0) } == [true, true, true, true, false, false, false])
        #expect(try EntryReader(view, machine.environment).lastSeq() == 7)
        try machine.append(7...7)
        #expect(try LedgerView(machine.storage()).isSettled(8))
    }

    @Test("HEAD that moves while a reader is at it is looked at again, and then a torn tail is known for one")
    func movingHead() throws {
        var settings = WriterSettings()
        settings.segmentByteCount = 3000
        let machine = try SimulatedMachine(count: 3, settings: settings)
        // By the HEAD of this view, more than a segment back, nothing counts as torn any more.
        let reader = try EntryReader(LedgerView(machine.storage()), machine.environment)
        try machine.append(4...20)
        try machine.appendUnvouched(21...21)
        #expect(machine.segments.count > 3)
        let last = try #require(machine.segments.last)
        machine.setSegment(last, Array(machine.segment(last)[..<(machine.dataEnd(last) - 10)]))
        var seqs: [UInt64] = []
        try reader.read(from: 1) { frame, _ in
            seqs.append(frame.seq)
            return true
        }
        #expect(seqs == Array(1...21))
    }

    @Test("where no ledger begins, and where its segment goes away, nothing is read: tampered", arguments: [true, false])
    func gone(whileReading: Bool) throws {
        let machine = try SimulatedMachine(count: 5)
        if !whileReading { machine.setSegment(1, Array("no frame\n".utf8)) }
        let reader = try EntryReader(LedgerView(machine.storage()), machine.environment)
        if whileReading { machine.disk.delete(SegmentReader.path(ofSegment: 1)) }
        let error = ledgerError { () throws(LedgerError) in _ = try reader.entry(3) }
        #expect(error?.code == .tampered && error?.place == Place(segment: 1, offset: 0, seq: whileReading ? 3 : 1))
    }
}
