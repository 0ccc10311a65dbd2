import CanonicalJSON
import Dispatch
import DurableFiles
import Ledger
import LedgerFormat
import Synchronization
import SystemPackage
import TestSupport
import Testing

@Suite("Submitting: the next block is sealed while the disk is busy with the one before")
struct SubmitTests {
    private typealias Answers = [Result<WriterSession.Answer, LedgerError>]

    private static let segment = SegmentReader.path(ofSegment: 1)

    /// A machine whose segment is written by blocks only.
    private func machine(count: Int = 0, _ change: (inout WriterSettings) -> Void = { _ in }) throws -> SimulatedMachine {
        var settings = WriterSettings()
        settings.preallocationByteCountMax = 0
        change(&settings)
        let machine = try SimulatedMachine(count: count, settings: settings)
        machine.setSegment(1, Array(machine.segment()[..<machine.dataEnd()]))
        return machine
    }

    private func decisions(_ numbers: ClosedRange<Int>, id: Bool = false, size: Int = 20) -> [[Draft]] {
        numbers.map { [TestLedger.draft($0, id: id ? "id-\($0)" : nil, size: size)] }
    }

    private func seqs(_ answers: Answers) throws -> [UInt64] { try answers.flatMap { try $0.get().receipts.map(\.seq) } }

    private func codes(_ answers: Answers) -> [ErrorCode?] {
        answers.map { answer in ledgerError { () throws(LedgerError) in _ = try answer.get() }?.code }
    }

    private func message(_ answer: Result<WriterSession.Answer, LedgerError>) -> String {
        ledgerError { () throws(LedgerError) in _ = try answer.get() }?.message ?? ""
    }

    /// Fails the n-th operation of a kind on a path, the first is 1; with `andLater` those after it too.
    private func failing(
        _ kind: FaultOperation.Kind, _ numbers: ClosedRange<Int>, on path: StoragePath = segment, _ fault: Fault
    ) -> FaultPlan {
        let count = Mutex(0)
        return .rule { _, operation in
            guard operation.kind == kind, operation.path == path else { return nil }
            return count.withLock { count in
                count += 1
                return numbers.contains(count) ? fault : nil
            }
        }
    }

    @Test("an answer is given when its block is durable, in order, and no call waits for its own block")
    func durable() throws {
        let machine = try machine()
        let gate = DispatchSemaphore(value: 0)
        let storage = try machine.faulty(
            .rule { _, operation in
                if operation.kind == .write, operation.path == SegmentReader.path(ofSegment: 1) { gate.wait() }
                return nil
            })
        func durableCount() throws -> Int { try SimulatedMachine(machine, machine.disk.durableImage()).entries().count }
        var session = try machine.session(storage)
        try session.acquire()
        #expect(try seqs(session.submit(decisions(1...2))) == [], "the disk has not begun")
        #expect(try durableCount() == 1)
        for number in 1...5 {
            gate.signal()
            let answers = try seqs(session.submit(decisions(2 * number + 1...2 * number + 2)))
            #expect(answers == [UInt64(2 * number), UInt64(2 * number + 1)])
            #expect(try durableCount() == 2 * number + 1, "the block behind is still held up")
            #expect(session.tip?.seq == UInt64(2 * number + 1))
        }
        gate.signal()
        #expect(try seqs(session.settle()) == [12, 13])
        #expect(try durableCount() == 13)
        #expect(session.settle().isEmpty, "nothing is owed any more")
        session.release()
        #expect(try machine.entries().dropFirst().map { try JSON(parsing: $0.body)["n"]?.integer } == (1...12).map(Int64.init))
    }

    @Test("batches of any size, then a settling; whatever is answered is durable at once", arguments: 0..<12 as Range<UInt64>)
    func batches(seed: UInt64) async throws {
        var random = SeededGenerator(seed: seed)
        let machine = try machine { settings in
            settings.segmentByteCount = [3000, 20_000, 1 << 20][random.below(3)]
            settings.headCommitCount = 1 + random.below(4)
            settings.preallocationByteCountMax = random.coin() ? 0 : 1 << 16
        }
        var session = try machine.session()
        try session.acquire()
        var next = 1
        var receipts: [Receipt] = []
        for _ in 0..<15 {
            let batch = (0..<random.below(5)).map { _ in
                (0...random.below(3)).map { _ in
                    defer { next += 1 }
                    return TestLedger.draft(next, id: random.coin() ? "id-\(next)" : nil, size: 20 + random.below(800))
                }
            }
            let answers = random.below(5) == 0 ? session.submit(batch) + session.settle() : session.submit(batch)
            for answer in answers { receipts += try answer.get().receipts }
            let durable = try SimulatedMachine(machine, machine.disk.durableImage()).entries()
            #expect(receipts.allSatisfy { receipt in durable.contains { $0.receipt == receipt } }, "seed \(seed)")
        }
        for answer in session.settle() { receipts += try answer.get().receipts }
        session.release()
        #expect(receipts.map(\.seq) == (2..<UInt64(next) + 1).map { $0 }, "seed \(seed)")
        #expect(try machine.entries().dropFirst().map(\.receipt) == receipts)
        #expect(try await machine.audit().verdict == .intact)
        #expect(try machine.head().seq == UInt64(next))
    }

    @Test("a refused draft stops everything behind it, in its batch; what is before it is durable", arguments: [true, false])
    func refused(isBehindAnother: Bool) async throws {
        let machine = try machine()
        var session = try machine.session()
        try session.acquire()
        var answers: Answers = []
        if isBehindAnother { answers += session.submit(decisions(1...2)) }
        let large = [TestLedger.draft(0, size: 1 << 20)]
        answers += session.submit(decisions(3...4) + [large] + decisions(5...6))
        if isBehindAnother { #expect(try seqs(Array(answers[..<2])) == [2, 3]) }
        let own = Array(answers.dropFirst(isBehindAnother ? 2 : 0))
        #expect(codes(own) == [nil, nil, .usage, .inputOutput, .inputOutput], "all of them, at once")
        #expect(message(own[2]).contains("bytes") && message(own[4]).contains("not reached"))
        #expect(session.settle().isEmpty)
        let end = UInt64(isBehindAnother ? 5 : 3)
        #expect(try machine.entries().last?.seq == end)
        #expect(try seqs(session.submit(decisions(7...7)) + session.settle()) == [end + 1], "the session goes on")
        session.release()
        #expect(try await machine.audit().verdict == .intact)
    }

    @Test(
        "no room for the n-th block: it and what was sealed behind it fail, the length is restored, and there is a next time",
        arguments: 1...3, [0, 1, 700])
    func diskFull(failing number: Int, written: Int) async throws {
        let machine = try machine(count: 1)
        let storage = try machine.faulty()
        var session = try machine.session(storage)
        try session.acquire()
        storage.setPlan(failing(.write, number...number, .shortWrite(bytes: written, .noSpace)))
        var answers: Answers = []
        for batch in 1...number { answers += session.submit(decisions(10 * batch...10 * batch + 1, size: 300)) }
        #expect(answers.count == 2 * (number - 1))
        let end = machine.segment()
        answers += session.submit(decisions(90...92))
        #expect(codes(answers) == Array(repeating: nil, count: 2 * (number - 1)) + Array(repeating: .inputOutput, count: 5))
        #expect(answers.suffix(5).allSatisfy { message($0).contains("nothing was recorded") })
        #expect(session.settle().isEmpty)
        #expect(machine.segment().count <= end.count && machine.segment() == Array(end[..<machine.segment().count]))
        #expect(try machine.entries().count == 2 * number)
        #expect(SimulatedMachine(machine, machine.disk.durableImage()).segment() == machine.segment())
        #expect(try await machine.audit().verdict == .intact)
        let seq = UInt64(2 * number + 1)
        #expect(try seqs(session.submit(decisions(10 * number...10 * number + 1)) + session.settle()) == [seq, seq + 1])
        session.release()
        #expect(try await machine.audit().verdict == .intact)
    }

    @Test(
        "what was sealed behind a block that failed never reaches the disk, whenever its sealing learns of that",
        arguments: [Fault.fail(.noSpace), .shortWrite(bytes: 200, .noSpace), .failSynchronize])
    func void(fault: Fault) async throws {
        // The first id of a session is compared with entries that are read: the block under way must land before.
        for plain in 0...3 {
            let machine = try machine(count: 1)
            let storage = try machine.faulty()
            var session = try machine.session(storage)
            try session.acquire()
            storage.setPlan(failing(fault == .failSynchronize ? .synchronize : .write, 1...1, fault))
            var answers = session.submit(decisions(1...2))
            let behind = (plain > 0 ? decisions(3...2 + plain) : []) + decisions(10...10, id: true) + decisions(11...11)
            answers += session.submit(behind)
            #expect(codes(answers) == Array(repeating: .inputOutput, count: 4 + plain), "\(plain) before the id")
            #expect(session.settle().isEmpty)
            if fault == .failSynchronize {
                let before = machine.files
                #expect(codes(session.submit(decisions(20...20))) == [.inputOutput])
                session.release()
                #expect(machine.files == before, "a latched session changes nothing")
            } else {
                #expect(try machine.entries().count == 2)
                #expect(try seqs(session.submit(decisions(20...20, id: true)) + session.settle()) == [3])
                session.release()
            }
            #expect(try await machine.audit().verdict == .intact, "\(plain) before the id")
            try machine.append(30...30)
            #expect(try await machine.audit().verdict == .intact)
            #expect(try machine.count("test.event") == (fault == .failSynchronize ? 4 : 3))
        }
    }

    @Test("a failed sync latches: that block and what is behind it fail, and so does everything later", arguments: 1...3)
    func failedSync(number: Int) async throws {
        let machine = try machine(count: 1)
        let storage = try machine.faulty()
        var session = try machine.session(storage)
        try session.acquire()
        storage.setPlan(failing(.synchronize, number...number, .failSynchronize))
        var answers: Answers = []
        for batch in 1...number { answers += session.submit(decisions(10 * batch...10 * batch + 1)) }
        answers += session.submit(decisions(90...92))
        #expect(codes(answers) == Array(repeating: nil, count: 2 * (number - 1)) + Array(repeating: .inputOutput, count: 5))
        #expect(answers.suffix(5).allSatisfy { message($0).contains("unknown") })
        let count = storage.trace.count
        #expect(codes(session.submit(decisions(93...94))) == [.inputOutput, .inputOutput])
        #expect(session.settle().isEmpty)
        session.replaceHeadIfDue()
        session.release()
        #expect(storage.trace[count...].allSatisfy { !$0.kind.isChange })
        #expect(ledgerError { () throws(LedgerError) in try session.acquire() }?.code == .inputOutput, "it stays latched")
        let acknowledged = try answers.prefix(2 * (number - 1)).map { try $0.get().receipts[0] }
        for disk in [machine.disk.copy(), machine.disk.durableImage()] {
            let next = SimulatedMachine(machine, disk)
            try next.append(95...95)
            let receipts = try next.entries().map(\.receipt)
            #expect(acknowledged.allSatisfy { receipts.contains($0) })
            #expect(try await next.audit().verdict == .intact)
        }
    }

    @Test("an id again: in one batch, behind a batch under way, in the next session")
    func repetitions() throws {
        let machine = try machine()
        let storage = try machine.faulty()
        var session = try machine.session(storage)
        try session.acquire()
        let (a, b) = (decisions(1...1, id: true), decisions(2...2, id: true))
        var answers = session.submit(a + a + b)
        answers += session.submit(b + a + decisions(3...3, id: true))
        answers += session.submit(a)
        answers += session.submit([])
        answers += session.settle()
        #expect(try seqs(answers) == [2, 2, 3, 3, 2, 4, 2])
        #expect(try answers.map { try $0.get().isRepetition } == [false, true, false, true, true, false, true])
        session.release()
        try session.acquire()
        #expect(try seqs(session.submit(a + b) + session.settle()) == [2, 3])
        session.release()
        var other = try machine.session()
        try other.acquire()
        let again = other.submit(b + decisions(4...4) + a) + other.settle()
        #expect(try seqs(again) == [3, 5, 2] && again.map { try $0.get().isRepetition } == [true, false, true])
        other.release()
        #expect(try machine.entries().count == 5)
    }

    @Test("an id with other content conflicts and stops: in one batch, behind a batch under way, in the next session")
    func conflicts() async throws {
        let machine = try machine()
        var session = try machine.session()
        try session.acquire()
        let a = decisions(1...1, id: true)
        let other = [[TestLedger.draft(9, id: "id-1")]]
        #expect(codes(session.submit(a + other + decisions(2...2))) == [nil, .conflict, .inputOutput])
        var answers = session.submit(decisions(3...3, id: true))
        answers += session.submit(decisions(4...4) + [[TestLedger.draft(8, id: "id-3")]] + decisions(5...5))
        #expect(codes(answers) == [nil, nil, .conflict, .inputOutput])
        session.release()
        var next = try machine.session()
        try next.acquire()
        #expect(codes(next.submit(other + decisions(6...6))) == [.conflict, .inputOutput])
        #expect(next.settle().isEmpty)
        next.release()
        #expect(try machine.entries().dropFirst().map { try JSON(parsing: $0.body)["n"]?.integer } == [1, 3, 4])
        #expect(try await machine.audit().verdict == .intact)
    }

    @Test("a repetition of what was under way and failed is not acknowledged, and is recorded the next time")
    func failedRepetition() throws {
        let machine = try machine()
        let storage = try machine.faulty()
        var session = try machine.session(storage)
        try session.acquire()
        storage.setPlan(failing(.write, 1...1, .fail(.noSpace)))
        let a = decisions(1...1, id: true)
        var answers = session.submit(a)
        answers += session.submit(a)
        #expect(codes(answers) == [.inputOutput, .inputOutput])
        answers = session.submit(a) + session.settle()
        #expect(try seqs(answers) == [2] && answers.allSatisfy { try !$0.get().isRepetition })
        session.release()
    }

    @Test("a batch of more than 8 MiB is durable in pieces, also behind a batch under way")
    func large() async throws {
        let machine = try machine()
        let storage = try machine.faulty()
        var session = try machine.session(storage)
        try session.acquire()
        let opened = storage.trace.count
        var answers = session.submit(decisions(1...2))
        answers += session.submit(decisions(3...22, size: 900_000))
        answers += session.submit(decisions(23...23))
        answers += session.settle()
        #expect(try seqs(answers) == Array(2...24))
        session.release()
        #expect(storage.trace[opened...].count { $0.kind == .synchronize && $0.path == Self.segment } == 5)
        #expect(try await machine.audit().verdict == .intact)
    }

    @Test("of a batch of more than 8 MiB what fails is its piece and all behind it, and what it lay behind", arguments: 1...3)
    func largeFails(number: Int) async throws {
        let machine = try machine()
        let storage = try machine.faulty()
        var session = try machine.session(storage)
        try session.acquire()
        storage.setPlan(failing(.write, number...number, .shortWrite(bytes: 5000, .noSpace)))
        var answers = session.submit(decisions(1...2))
        answers += session.submit(decisions(3...22, size: 900_000))
        answers += session.settle()
        let count = [0, 2, 11][number - 1]
        #expect(codes(answers) == Array(repeating: nil, count: count) + Array(repeating: .inputOutput, count: 22 - count))
        #expect(try machine.entries().count == count + 1)
        #expect(try seqs(session.submit(decisions(30...30)) + session.settle()) == [UInt64(count + 2)])
        session.release()
        #expect(try await machine.audit().verdict == .intact)
    }

    @Test("segments roll and HEAD is replaced between blocks, behind what is durable", arguments: [600, 1500, 5000])
    func rolling(size: Int) async throws {
        let machine = try machine { settings in
            settings.segmentByteCount = size
            settings.headCommitCount = 2
        }
        let storage = try machine.faulty()
        var session = try machine.session(storage)
        try session.acquire()
        var answers: Answers = []
        for number in 1...20 {
            answers += session.submit(decisions(2 * number...2 * number + 1, id: number % 3 == 0, size: 20 * number))
            let head = try machine.head()
            #expect(head.seq <= session.tip?.seq ?? 0)
            #expect(try SimulatedMachine(machine, machine.disk.durableImage()).head() == head, "HEAD is durable itself")
        }
        answers += session.settle()
        #expect(try seqs(answers) == Array(2...41))
        session.release()
        #expect(machine.segments.count > (size == 5000 ? 3 : 9))
        #expect(storage.trace.count { $0.kind == .rename } >= 10)
        #expect(try await machine.audit().verdict == .intact)
        #expect(try machine.head().seq == 41)
    }

    @Test("a HEAD that somebody changed is noticed between blocks: what was sealed behind is not written any more")
    func changedHead() throws {
        let machine = try machine { $0.headCommitCount = 1 }
        let storage = try machine.faulty()
        var session = try machine.session(storage)
        try session.acquire()
        var answers = session.submit(decisions(1...2))
        machine.disk.setBytes(of: Layout.head, to: [1, 2])
        answers += session.submit(decisions(3...4))
        #expect(codes(answers) == [nil, nil, .tampered, .tampered])
        #expect(session.settle().isEmpty)
        #expect(storage.trace.count { $0.kind == .write && $0.path == Self.segment } == 1)
        #expect(codes(session.submit(decisions(5...5))) == [.tampered])
        session.release()
        #expect(try machine.tip().seq == 3 && machine.headBytes == [1, 2])
    }

    @Test("while something is under way the lock is not given back, and nothing else is committed")
    func preconditions() async {
        await #expect(processExitsWith: .failure) {
            var session = try SimulatedMachine().session()
            try session.acquire()
            _ = session.submit([[TestLedger.draft(1)]])
            session.release()
        }
        await #expect(processExitsWith: .failure) {
            var session = try SimulatedMachine().session()
            try session.acquire()
            _ = session.submit([[TestLedger.draft(1)]])
            _ = session.commit([[TestLedger.draft(2)]])
        }
        await #expect(processExitsWith: .success) {
            var session = try SimulatedMachine().session()
            try session.acquire()
            _ = session.submit([[TestLedger.draft(1)]])
            _ = session.settle()
            _ = session.commit([[TestLedger.draft(2)]])
            session.release()
        }
    }
}
