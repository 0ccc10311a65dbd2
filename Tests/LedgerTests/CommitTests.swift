import CanonicalJSON
import DurableFiles
import Ledger
import LedgerFormat
import Synchronization
import TestSupport
import Testing

@Suite("Commits")
struct CommitTests {
    /// A machine whose wall clock shows what it is told.
    private func clocked(_ clock: Clock) throws -> SimulatedMachine {
        var machine = try SimulatedMachine()
        var environment = machine.environment
        environment.now = { clock.now }
        machine = SimulatedMachine(machine, machine.disk, environment)
        return machine
    }

    private final class Clock: Sendable {
        private let microseconds: Atomic<Int64>
        init(_ text: String) { microseconds = Atomic(Timestamp(text)!.microseconds) }
        var now: Timestamp { Timestamp(microseconds: microseconds.load(ordering: .relaxed)) }
        func set(_ text: String) { microseconds.store(Timestamp(text)!.microseconds, ordering: .relaxed) }
    }

    @Test("a clock that stepped back is recorded once, and seq orders the entries")
    func clock() async throws {
        let clock = Clock("2026-03-01T00:00:10.000000Z")
        let machine = try clocked(clock)
        try machine.append(1...2)
        clock.set("2026-03-01T00:00:07.500000Z")
        try machine.append(3...5)
        clock.set("2026-03-01T00:00:09.000000Z")
        try machine.append(6...6)
        let entries = try machine.entries()
        #expect(entries.map(\.action).filter { $0 == "ledger.clock_stepped_back" }.count == 1)
        let entry = entries[3]
        #expect(entry.action == "ledger.clock_stepped_back" && entry.time == Timestamp("2026-03-01T00:00:07.500000Z"))
        let body = try JSON(parsing: entry.body)
        #expect(
            body["from"]?.string == "2026-03-01T00:00:10.000000Z" && body["to"]?.string == "2026-03-01T00:00:07.500000Z"
        )
        #expect(body["microseconds"]?.integer == 2_500_000)
        #expect(entries.map(\.seq) == Array(1...8))
        #expect(try await machine.audit().verdict == .intact)
    }

    @Test("a clock that steps back within a batch")
    func clockInBatch() throws {
        let machine = try SimulatedMachine()
        let steps = Mutex(0)
        var environment = machine.environment
        environment.now = {
            // Every third look is an hour earlier.
            steps.withLock { steps in
                steps += 1
                return Timestamp(
                    microseconds: 1_800_000_000_000_000 + Int64(steps) - (steps % 3 == 0 ? 3_600_000_000 : 0))
            }
        }
        let stepping = SimulatedMachine(machine, machine.disk, environment)
        _ = try stepping.write { session in session.commit((1...20).map { [TestLedger.draft($0)] }) }
        let entries = try stepping.entries()
        for (before, after) in zip(entries, entries.dropFirst()) where after.time < before.time {
            #expect(after.action == "ledger.clock_stepped_back", "seq \(after.seq)")
        }
        #expect(try stepping.count("test.event") == 20)
    }

    @Test("the drafts of a decision carry their part and one time, and know the same as durable")
    func decision() throws {
        let machine = try SimulatedMachine(count: 2)
        try machine.write { session throws in
            let answer = try session.decide((1...4).map { TestLedger.draft($0, id: "id \($0)") })
            #expect(answer.receipts.map(\.seq) == [4, 5, 6, 7])
            try session.record(TestLedger.draft(5))
        }
        let entries = try machine.entries()
        for (index, entry) in entries[3...6].enumerated() {
            let context = try JSON(parsing: entry.context)
            #expect(context["part"]?.canonicalText == "[\(index + 1),4]")
            #expect(context["id"]?.string == "id \(index + 1)")
            #expect(entry.synced == 3 && entry.time == entries[3].time)
        }
        #expect(try JSON(parsing: entries[7].context).canonicalText == "{}")
        #expect(entries[7].synced == 7)
    }

    @Test("a refused draft does not touch the others of its batch")
    func refused() throws {
        let machine = try SimulatedMachine()
        try machine.write { session throws in
            let large = TestLedger.draft(2, size: 1 << 20)
            let answers = session.commit([
                [TestLedger.draft(1)], [large], [TestLedger.draft(3), large, TestLedger.draft(4)],
                [TestLedger.draft(5)],
            ])
            #expect(try answers[0].get().receipts[0].seq == 2)
            for index in 1...2 {
                let error = ledgerError { () throws(LedgerError) in _ = try answers[index].get() }
                #expect(error?.code == .usage && error?.message.contains("bytes") == true)
            }
            #expect(try answers[3].get().receipts[0].seq == 3)
        }
        let bodies = try machine.entries().dropFirst().map { try JSON(parsing: $0.body)["n"]?.integer }
        #expect(bodies == [1, 5])
    }

    @Test("nothing but refused drafts: nothing is written")
    func nothing() throws {
        let machine = try SimulatedMachine()
        let before = machine.files
        try machine.write { session in _ = session.commit([[TestLedger.draft(1, size: 1 << 20)], []]) }
        #expect(machine.files == before)
    }

    @Test("a batch of more than 8 MiB becomes durable in pieces of at most that")
    func large() async throws {
        var machine = try SimulatedMachine()
        machine.settings.preallocationByteCountMax = 0
        let storage = try machine.faulty()
        var session = try machine.session(storage)
        try session.acquire()
        let opened = storage.trace.count
        let answers = session.commit((1...20).map { [TestLedger.draft($0, size: 900_000)] })
        for (index, answer) in answers.enumerated() { #expect(try answer.get().receipts[0].seq == UInt64(index + 2)) }
        session.release()
        let segment = SegmentReader.path(ofSegment: 1)
        #expect(storage.trace[opened...].count { $0.kind == .synchronize && $0.path == segment } == 3)
        // What one block holds knew the same as durable.
        let synced = try machine.entries().dropFirst().map(\.synced)
        #expect(Set(synced).count == 3)
        #expect(try await machine.audit().verdict == .intact)
    }

    @Test("a decision of more than 8 MiB is refused, alone and among others")
    func largeDecision() throws {
        let machine = try SimulatedMachine()
        try machine.write { session throws in
            let large = (1...10).map { TestLedger.draft($0, size: 900_000) }
            let answers = session.commit([[TestLedger.draft(1)], large, [TestLedger.draft(2)]])
            #expect(try answers[0].get().receipts[0].seq == 2)
            #expect(ledgerError { () throws(LedgerError) in _ = try answers[1].get() }?.code == .usage)
            #expect(try answers[2].get().receipts[0].seq == 3)
            #expect(ledgerError { () throws(LedgerError) in try session.decide(large) }?.code == .usage)
            let fitting = (1...9).map { TestLedger.draft($0, size: 900_000) }
            #expect(try session.decide(fitting).receipts.count == 9)
        }
        #expect(try machine.entries().count == 12)
    }

    @Test(
        "segments roll before they grow over their size, and a decision stays in one",
        arguments: [600, 1500, 5000, 20_000])
    func rolling(size: Int) async throws {
        var settings = WriterSettings()
        settings.segmentByteCount = size
        settings.preallocationByteCountMax = 3000
        let machine = try SimulatedMachine(settings: settings)
        try machine.write { session throws in
            for number in 1...15 {
                try session.record(TestLedger.draft(number, size: number * 50))
                try session.decide([TestLedger.draft(number), TestLedger.draft(number)])
            }
        }
        let segments = machine.segments
        #expect(segments.count > 1 && segments == segments.sorted())
        for segment in segments.dropLast() {
            #expect(machine.dataEnd(segment) == machine.segment(segment).count, "no padding in a sealed segment")
            #expect(machine.segment(segment).count <= max(size, 1500))
        }
        #expect(try await machine.audit().verdict == .intact)
        #expect(try machine.entries().count == 46)
        #expect(try machine.head().segment == segments.last)
    }

    @Test("a ledger that is read while it is written is intact at every moment")
    func readers() async throws {
        let machine = try SimulatedMachine()
        let storage = try machine.storage()
        var session = try machine.session(storage)
        try session.acquire()
        for number in 1...30 {
            try session.record(TestLedger.draft(number, size: number * 40))
            session.replaceHeadIfDue()
            let report = try await machine.audit()
            #expect(report.verdict == .intact && report.tip?.seq == UInt64(number + 1))
        }
        let view = try LedgerView(machine.storage())
        #expect(!view.isSettled(31) && view.isSettled(1))
        session.release()
        #expect(try LedgerView(machine.storage()).isSettled(31))
    }
}
