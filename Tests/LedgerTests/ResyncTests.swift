import DurableFiles
import Ledger
import LedgerFormat
import TestSupport
import Testing

@Suite("Resync and decisions that are not whole")
struct ResyncDecisionTests {
    @Test("a ledger cut inside a decision: found once, and repaired", arguments: [0, 1])
    func cutInside(left: Int) async throws {
        let machine = try SimulatedMachine(count: 3)
        try machine.write { session in try session.decide((10...12).map { TestLedger.draft($0) }) }
        // The decision's last frame is gone, or its last two.
        let end = try machine.place(7 - UInt64(left)).offset
        machine.setSegment(1, Array(machine.segment()[..<end]))
        let survey = try Resync().run(LedgerView(machine.storage()))
        #expect(survey.gaveUpAt == nil && survey.damages.count == 1 && survey.runs.count == 1, "\(survey)")
        _ = try machine.repair()
        #expect(try await machine.audit().verdict == .intact)
        try machine.append(20...21)
    }
}

@Suite("Resync: what survives behind damage")
struct ResyncTests {
    /// A ledger of several segments, the place of each entry, and its length.
    private struct Whole {
        let machine: SimulatedMachine
        var places: [Place] = []
        var byteCounts: [Int] = []

        init(count: Int) throws {
            var settings = WriterSettings()
            settings.segmentByteCount = 20_000
            settings.preallocationByteCountMax = 0
            machine = try SimulatedMachine(count: count, settings: settings)
            for segment in machine.segments.sorted() {
                var offset = 0
                for line in machine.segment(segment).split(separator: 0x0A, omittingEmptySubsequences: false).dropLast() {
                    places.append(Place(segment: segment, offset: offset, seq: UInt64(places.count + 1)))
                    byteCounts.append(line.count + 1)
                    offset += line.count + 1
                }
            }
        }

        func survey(_ change: (inout Resync) -> Void = { _ in }) throws -> Survey {
            var resync = Resync()
            change(&resync)
            return try resync.run(LedgerView(machine.storage()))
        }

        /// Changes a byte of an entry, `fraction` of the way through its frame.
        func damage(_ seq: Int, at fraction: Double) {
            let place = places[seq - 1]
            var bytes = machine.segment(place.segment)
            bytes[place.offset + min(byteCounts[seq - 1] - 1, Int(fraction * Double(byteCounts[seq - 1])))] ^= 1
            machine.setSegment(place.segment, bytes)
        }
    }

    private func seqs(_ survey: Survey) -> [ClosedRange<UInt64>] {
        survey.runs.map { $0.start.seq...$0.tip.seq }
    }

    @Test("a whole ledger is one run that holds HEAD's entry")
    func whole() throws {
        let whole = try Whole(count: 100)
        let survey = try whole.survey()
        #expect(survey.damages.isEmpty && seqs(survey) == [1...101] && survey.runs[0].holdsHead)
    }

    @Test(
        "damage to one, two or twenty entries takes these and no others, wherever it lies",
        arguments: [[1], [50], [101], [1, 101], [40, 41], [2, 3, 99], Array(stride(from: 5, through: 100, by: 5))],
        [0.0, 0.005, 0.5, 0.8, 0.9, 1.0])
    func ranges(damaged: [Int], fraction: Double) throws {
        let whole = try Whole(count: 100)
        for seq in damaged { whole.damage(seq, at: fraction) }
        let survey = try whole.survey()
        let surviving = survey.runs.flatMap { Array($0.start.seq...$0.tip.seq) }
        #expect(surviving == (1...101).map(UInt64.init).filter { !damaged.contains(Int($0)) })
        #expect(survey.entryCount == UInt64(surviving.count))
        #expect(survey.runs.last?.holdsHead == !damaged.contains(101))
        // Neighbours are one range; what is not damaged is in none.
        #expect(survey.damages.reduce(0) { $0 + $1.byteCount } == damaged.reduce(0) { $0 + whole.byteCounts[$1 - 1] })
        for damage in survey.damages { #expect(damaged.contains(Int(damage.start.seq))) }
    }

    @Test("a segment that is gone: what stands before and behind it survives", arguments: [0, 1, -1])
    func segmentMissing(index: Int) throws {
        let whole = try Whole(count: 150)
        let segments = whole.machine.segments.sorted()
        let gone = index < 0 ? segments[segments.count - 1] : segments[index]
        whole.machine.disk.delete(SegmentReader.path(ofSegment: gone))
        let survey = try whole.survey()
        let lost = whole.places.filter { $0.segment == gone }.map(\.seq)
        #expect(survey.runs.flatMap { Array($0.start.seq...$0.tip.seq) } == (1...151).filter { !lost.contains($0) })
        #expect(survey.damages.allSatisfy { $0.byteCount == 0 })
        #expect(survey.damages.count == (index < 0 ? 0 : 1))
    }

    @Test("an entry that was taken out leaves a damage without bytes")
    func removed() throws {
        let whole = try Whole(count: 30)
        let place = whole.places[9]
        var bytes = whole.machine.segment(place.segment)
        bytes.removeSubrange(place.offset..<place.offset + whole.byteCounts[9])
        whole.machine.setSegment(place.segment, bytes)
        let survey = try whole.survey()
        #expect(seqs(survey) == [1...9, 11...31])
        #expect(survey.damages.map(\.byteCount) == [0] && survey.damages[0].next?.seq == 11)
    }

    @Test("an entry of another ledger, and one of this ledger that stands twice, end a run and stop nothing")
    func foreign() throws {
        let whole = try Whole(count: 30)
        let other = TestLedger.frames(count: 3)
        let place = whole.places[9]
        var bytes = whole.machine.segment(place.segment)
        let twice = Array(bytes[place.offset..<place.offset + whole.byteCounts[9]])
        bytes.insert(
            contentsOf: twice + Array(other.bytes[other.ends[0]..<other.ends[1]]), at: place.offset + whole.byteCounts[9])
        whole.machine.setSegment(place.segment, bytes)
        let survey = try whole.survey()
        #expect(seqs(survey) == [1...10, 10...10, 11...31])
    }

    @Test("without a first entry HEAD says which ledger it is; without both nothing can be found")
    func nameless() throws {
        let whole = try Whole(count: 10)
        let place = try #require(whole.machine.segment().firstRange(of: Array("\"ledger\":\"".utf8))?.lowerBound)
        // Its first entry then says that it is another ledger.
        var bytes = whole.machine.segment()
        bytes[place + 12] = bytes[place + 12] == 0x30 ? 0x31 : 0x30
        whole.machine.setSegment(1, bytes)
        let survey = try whole.survey()
        #expect(seqs(survey) == [2...11] && survey.runs[0].holdsHead)
        whole.damage(1, at: 0)
        #expect(seqs(try whole.survey()) == [2...11])
        whole.machine.disk.delete(Layout.head)
        let error = #expect(throws: LedgerError.self) { try whole.survey() }
        #expect(error?.code == .tampered && error?.message.contains("nothing can be found") == true)
    }

    @Test("more damages than are wanted: it gives up there, and says where")
    func givesUp() throws {
        let whole = try Whole(count: 100)
        for seq in stride(from: 10, through: 90, by: 10) { whole.damage(seq, at: 0.5) }
        let survey = try whole.survey { $0.skipCountMax = 3 }
        #expect(survey.damages.count == 3 && survey.gaveUpAt?.seq == 40)
        #expect(seqs(survey) == [1...9, 11...19, 21...29, 31...39])
    }

    @Test("megabytes of damage: the frame behind is found, wherever a window ends", arguments: [3_000_000, 4 << 20, 5_300_000])
    func large(byteCount: Int) throws {
        let machine = try SimulatedMachine(count: 5)
        let end = machine.dataEnd()
        var bytes = Array(machine.segment()[..<end])
        let last = try machine.place(6).offset
        // Text that looks like the beginnings of frames.
        var junk: [UInt8] = []
        while junk.count < byteCount { junk += Array("1048576:{\"entry\":".utf8) }
        bytes.insert(contentsOf: junk[..<byteCount], at: last)
        machine.setSegment(1, bytes)
        let survey = try Resync().run(LedgerView(machine.storage()))
        #expect(seqs(survey) == [1...5, 6...6])
        #expect(survey.damages.map(\.byteCount) == [byteCount])
    }
}
