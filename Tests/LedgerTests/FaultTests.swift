import DurableFiles
import Ledger
import LedgerFormat
import SystemPackage
import TestSupport
import Testing

@Suite("Faults of the disk")
struct FaultTests {
    private static let segment = SegmentReader.path(ofSegment: 1)

    /// Fails operations of one kind on a path.
    private func failing(_ kind: FaultOperation.Kind, on path: StoragePath?, _ fault: Fault) -> FaultPlan {
        .rule { _, operation in operation.kind == kind && operation.path == path ? fault : nil }
    }

    @Test("EIO on sync: not acknowledged, outcome unknown, latched; never tried again")
    func failedSync() async throws {
        let machine = try SimulatedMachine(count: 3)
        let storage = try machine.faulty()
        var session = try machine.session(storage)
        try session.acquire()
        try session.record(TestLedger.draft(4))
        storage.setPlan(failing(.synchronize, on: Self.segment, .failSynchronize))
        let draft = TestLedger.draft(5, id: "five")
        let error = ledgerError { () throws(LedgerError) in try session.record(draft) }
        #expect(error?.code == .inputOutput && error?.message.contains("unknown") == true)
        storage.setPlan(.none)
        let count = storage.trace.count
        #expect(ledgerError { () throws(LedgerError) in try session.record(TestLedger.draft(6)) } == error)
        session.replaceHeadIfDue()
        session.release()
        #expect(storage.trace[count...].allSatisfy { !$0.kind.isChange }, "a latched session changes nothing")
        #expect(ledgerError { () throws(LedgerError) in try session.acquire() } == error, "it stays latched")

        // The page cache shows the entry, and the disk does not have it.
        #expect(try machine.entries().count == 6)
        #expect(SimulatedMachine(machine, machine.disk.durableImage()).dataEnd() < machine.dataEnd())
        // The next session writes it again before it answers.
        try machine.writeAndDie { session in
            let answer = try session.decide([draft])
            #expect(answer.isRepetition && answer.receipts[0].seq == 6)
        }
        let durable = SimulatedMachine(machine, machine.disk.durableImage())
        #expect(durable.dataEnd() == machine.dataEnd())
        #expect(try durable.entries().count == 6)
        #expect(try await durable.audit().verdict == .intact)
    }

    @Test("what a failed sync lost, and the cache forgot, is torn and cut; the id makes the repetition safe")
    func evicted() async throws {
        let machine = try SimulatedMachine(count: 3)
        let storage = try machine.faulty()
        var session = try machine.session(storage)
        try session.acquire()
        storage.setPlan(failing(.synchronize, on: Self.segment, .failSynchronize))
        let draft = TestLedger.draft(4, id: "four", size: 3000)
        #expect(ledgerError { () throws(LedgerError) in try session.record(draft) }?.code == .inputOutput)
        storage.crash()
        machine.disk.evictLostPages()
        try machine.write { session throws in #expect(try !session.decide([draft]).isRepetition) }
        #expect(try machine.entries().count { $0.id == "four" } == 1)
        #expect(try await machine.audit().verdict == .intact)
    }

    @Test(
        "disk full: not acknowledged, the length restored, HEAD as it was; it goes on when there is room",
        arguments: [0, 1, 300, 700])
    func diskFull(written: Int) async throws {
        var machine = try SimulatedMachine(count: 3)
        machine.settings.preallocationByteCountMax = 0
        machine.setSegment(1, Array(machine.segment()[..<machine.dataEnd()]))
        let before = machine.files
        let storage = try machine.faulty()
        var session = try machine.session(storage)
        try session.acquire()
        storage.setPlan(failing(.write, on: Self.segment, .shortWrite(bytes: written, .noSpace)))
        for _ in 0..<3 {
            let error = ledgerError { () throws(LedgerError) in try session.record(TestLedger.draft(4)) }
            #expect(error?.code == .inputOutput && error?.message.contains("nothing was recorded") == true)
            #expect(machine.files == before)
            #expect(SimulatedMachine(machine, machine.disk.durableImage()).files == before)
        }
        #expect(try await machine.audit().verdict == .intact, "reading goes on")
        storage.setPlan(.none)
        #expect(try session.record(TestLedger.draft(4)).seq == 5)
        session.release()
        #expect(try await machine.audit().verdict == .intact)
    }

    @Test("no room to preallocate: done without")
    func noPreallocation() throws {
        let machine = try SimulatedMachine()
        let storage = try machine.faulty()
        var session = try machine.session(storage)
        try session.acquire()
        let failed = Once()
        storage.setPlan(
            .rule { _, operation in operation.kind == .write && failed.isFirst ? .shortWrite(bytes: 99, .noSpace) : nil
            })
        #expect(try session.record(TestLedger.draft(1)).seq == 2)
        session.release()
        #expect(storage.fired.count == 1)
        #expect(machine.segment().count == machine.dataEnd())
    }

    @Test("disk full and the length cannot be restored: latched")
    func notRestored() async throws {
        let machine = try SimulatedMachine(count: 3)
        let storage = try machine.faulty()
        var session = try machine.session(storage)
        try session.acquire()
        storage.setPlan(
            .rule { _, operation in
                switch operation.kind {
                case .write: .shortWrite(bytes: 300, .noSpace)
                case .truncate: .fail(.ioError)
                default: nil
                }
            })
        #expect(ledgerError { () throws(LedgerError) in try session.record(TestLedger.draft(4)) }?.code == .inputOutput)
        storage.setPlan(.none)
        #expect(ledgerError { () throws(LedgerError) in try session.record(TestLedger.draft(4)) }?.code == .inputOutput)
        session.release()
        #expect(try machine.openingError() == nil)
        #expect(try machine.append(5...5)[0].seq <= 6)
        #expect(try await machine.audit().verdict == .intact)
    }

    @Test(
        "any failure while a segment rolls leaves a ledger that goes on",
        arguments: [Fault.fail(.noSpace), .fail(.ioError), .failSynchronize])
    func rolling(fault: Fault) async throws {
        var machine = try SimulatedMachine(count: 3)
        machine.settings.segmentByteCount = 4000
        machine.settings.preallocationByteCountMax = 0
        var fired = 0
        for number in 0..<40 {
            let copy = machine.copy()
            let storage = try copy.faulty()
            var session = try copy.session(storage)
            try session.acquire()
            let start = storage.trace.count
            storage.setPlan(.at([start + number: fault]))
            // Large enough to roll; the ones behind it would fit into the old segment.
            var recorded = (try? session.record(TestLedger.draft(4, size: 3000))) == nil ? 0 : 1
            if storage.fired.isEmpty { continue }
            fired += 1
            for number in 5...6 where (try? session.record(TestLedger.draft(number))) != nil { recorded += 1 }
            session.release()
            for disk in [copy.disk.copy()] + copy.disk.crashImages(0..<4) {
                let next = SimulatedMachine(copy, disk)
                #expect(try next.openingError() == nil, "\(storage.fired)")
                try next.append(7...7)
                #expect(try await next.audit().verdict == .intact, "\(storage.fired)")
                #expect(try next.count("test.event") >= recorded + 4, "\(storage.fired)")
            }
        }
        #expect(fired > (fault == .failSynchronize ? 3 : 20))
    }

    @Test("HEAD cannot be written: it lags, and that is a notice")
    func headLags() async throws {
        var machine = try SimulatedMachine(count: 1)
        machine.settings.headCommitCount = 2
        let head = try machine.head()
        let storage = try machine.faulty()
        var session = try machine.session(storage)
        try session.acquire()
        storage.setPlan(failing(.create, on: StoragePath("HEAD.new"), .fail(.noSpace)))
        for number in 2...5 {
            #expect(try session.record(TestLedger.draft(number)).seq == UInt64(number + 1))
            session.replaceHeadIfDue()
        }
        session.release()
        let notices = session.takeNotices()
        #expect(notices.count >= 3 && notices.allSatisfy { $0.contains("lags") }, "\(notices)")
        #expect(try machine.head() == head)
        #expect(try await machine.audit().verdict == .intact)
        try machine.append(6...6)
        #expect(try machine.head().seq == 7)
    }

    @Test("HEAD cannot be made durable at one try, then at another: neither is drift", arguments: [1, 2, 3])
    func headTriedTwice(failures: Int) async throws {
        var machine = try SimulatedMachine(count: 1)
        machine.settings.headCommitCount = 1
        let storage = try machine.faulty()
        var session = try machine.session(storage)
        try session.acquire()
        // The renaming happens, and its durability is unknown; the next try fails before it.
        for try_ in 0..<failures {
            storage.setPlan(
                try_ % 2 == 0
                    ? failing(.synchronizeDirectory, on: nil, .fail(.ioError))
                    : failing(.create, on: StoragePath("HEAD.new"), .fail(.noSpace)))
            try session.record(TestLedger.draft(2 + try_))
            session.replaceHeadIfDue()
        }
        storage.setPlan(.none)
        try session.record(TestLedger.draft(9))
        session.replaceHeadIfDue()
        #expect(session.takeNotices().count == failures)
        session.release()
        #expect(session.takeNotices() == [])
        #expect(try machine.head().seq == UInt64(failures + 3))
        #expect(try !machine.head().alert)
        #expect(try await machine.audit().verdict == .intact)
    }

    @Test("HEAD never lags by more than 8 MiB: then nothing more is recorded")
    func headLagsTooFar() async throws {
        let machine = try SimulatedMachine(count: 1)
        let storage = try machine.faulty()
        var session = try machine.session(storage)
        try session.acquire()
        storage.setPlan(failing(.rename, on: StoragePath("HEAD.new"), .fail(.ioError)))
        var recorded = 0
        var refused = 0
        for number in 2...14 {
            let draft = TestLedger.draft(number, size: 900_000)
            if let error = ledgerError({ () throws(LedgerError) in try session.record(draft) }) {
                #expect(error.code == .inputOutput)
                refused += 1
            } else {
                recorded += 1
            }
            session.replaceHeadIfDue()
            #expect(machine.dataEnd() - (try machine.head().end) <= Limits.headLag)
        }
        #expect(recorded == 9 && refused == 4)
        storage.setPlan(.none)
        try session.record(TestLedger.draft(20))
        session.release()
        #expect(try await machine.audit().verdict == .intact)
        #expect(try machine.head().seq == 12)
    }

    @Test("opening that fails half-way holds nothing, and can be tried again")
    func failedOpening() throws {
        let torn = try SimulatedMachine(count: 4)
        try torn.appendUnvouched(5...6)
        torn.setSegment(1, Array(torn.segment()[..<(torn.dataEnd() - 20)]))
        var failures = 0
        for number in 0... {
            let machine = torn.copy()
            let storage = try machine.faulty(.at([number: .fail(.ioError)]))
            var session = try machine.session(storage)
            let error = ledgerError { () throws(LedgerError) in try session.acquire() }
            if storage.fired.isEmpty { break }
            if error != nil {
                failures += 1
                #expect(!session.isHolding && machine.lockIsFree, "\(storage.fired)")
            } else {
                session.release()
            }
            guard machine.lockIsFree else { continue }
            var second = try machine.session()
            #expect(ledgerError { () throws(LedgerError) in try second.acquire() } == nil, "\(storage.fired)")
            second.release()
            #expect(try machine.count("ledger.tail_cut") == 1)
        }
        #expect(failures > 20)
    }

    @Test("init that fails or dies at any operation leaves nothing, or a whole ledger")
    func initialization() async throws {
        for fault in [Fault.fail(.noSpace), .crash(.everything), .crash(.nothing), .crash(.bytes(1))] {
            for number in 0... {
                let disk = MemoryDisk()
                let environment = TestLedger.environment()
                let storage = FaultInjectingStorage(try MemoryStorage(constructing: disk), .at([number: fault]))
                _ = try? Initialization.run(storage, environment)
                if storage.fired.isEmpty { break }
                for disk in [disk.copy()] + disk.crashImages(0..<5) {
                    guard let survivor = try? MemoryStorage(disk) else { continue }
                    let report = try await Audit(environment).run(survivor)
                    #expect(report.verdict == .intact, "\(storage.fired)")
                }
            }
        }
    }
}

extension SimulatedMachine {
    var lockIsFree: Bool { (try? storage().holder(of: .writer)) == nil }
}
