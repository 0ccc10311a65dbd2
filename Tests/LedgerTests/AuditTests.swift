import DurableFiles
import Ledger
import LedgerFormat
import Synchronization
import TestSupport
import Testing

@Suite("Audits")
struct AuditTests {
    /// 50 MiB in three segments, so that a parallel scan has pieces; made once.
    private static let large = Result {
        var settings = WriterSettings()
        settings.segmentByteCount = 22 << 20
        let machine = try SimulatedMachine(settings: settings)
        try machine.write { session in
            for number in 1...70 {
                try session.decide((0..<9).map { TestLedger.draft(number * 10 + $0, size: $0 % 2 == 0 ? 100_000 : 60_000) })
                session.replaceHeadIfDue()
            }
        }
        return machine
    }

    @Test("many threads find what one finds: intact")
    func intact() async throws {
        let machine = try Self.large.get()
        let one = try await machine.audit()
        #expect(one.verdict == .intact && one.entryCount == 631 && machine.segments.count == 3)
        for threads in [2, 3, 8] { #expect(try await machine.audit { $0.threadCount = threads } == one) }
    }

    @Test("many threads find what one finds: damage of every kind, anywhere", arguments: 0..<14 as Range<UInt64>)
    func damaged(seed: UInt64) async throws {
        let machine = try Self.large.get().copy()
        var random = SeededGenerator(seed: seed)
        let segment = try #require(machine.segments.randomElement(using: &random))
        var bytes = machine.segment(segment)
        let end = machine.dataEnd(segment)
        switch seed % 7 {
        case 0, 1: bytes[random.below(end)] ^= 1 << UInt8(random.below(8))
        case 2: bytes.removeSubrange(random.below(end)...)
        case 3: bytes[random.below(end)] = 0
        case 4:
            let at = random.below(end - 100_000)
            bytes.removeSubrange(at..<at + 1 + random.below(100_000))
        case 5: bytes = Array(bytes[..<end]) + [0, 1]
        default: machine.disk.delete(SegmentReader.path(ofSegment: segment))
        }
        if seed % 7 < 6 { machine.setSegment(segment, bytes) }
        let one = try await machine.audit()
        #expect(one.verdict == .tampered)
        #expect(try await machine.audit { $0.threadCount = 4 } == one)
        let keyless = try await machine.audit({ $0.threadCount = 4 }, keyring: Keyring())
        #expect(keyless.verdict == .tampered && keyless.place == one.place)
    }

    @Test("a budget that runs out: partial, and resumable until the end")
    func budget() async throws {
        let machine = try Self.large.get()
        var next: UInt64? = 1
        var rounds = 0
        var entryCount: UInt64 = 0
        while let seq = next, rounds < 100 {
            rounds += 1
            // The clock ticks a microsecond a look, and each read is a look.
            let report = try await machine.audit {
                $0.budget = 12
                $0.firstSeq = seq
            }
            entryCount += report.entryCount
            if report.verdict == .partial {
                #expect(report.exitCode == 12 && report.resumeSeq.map { $0 > seq } == true)
                #expect(report.place.seq + 1 == report.resumeSeq)
            } else {
                #expect(report.verdict == .intact)
            }
            next = report.resumeSeq
        }
        #expect(rounds > 2 && rounds < 100 && entryCount >= 631)
    }

    @Test("damage that lies behind the point of resuming is found from there")
    func resumed() async throws {
        let machine = try SimulatedMachine(count: 30)
        let place = try machine.place(20)
        var bytes = machine.segment()
        bytes[place.offset + 70] ^= 1
        machine.setSegment(1, bytes)
        for first in [1, 5, 20] as [UInt64] {
            let report = try await machine.audit { $0.firstSeq = first }
            #expect(report.verdict == .tampered && report.place == place)
        }
    }

    @Test("progress goes up to the size")
    func progress() async throws {
        let machine = try Self.large.get()
        let seen = Mutex<[Int]>([])
        _ = try await machine.audit { audit in
            audit.progress = { done, total in seen.withLock { $0.append(done * 100 / total) } }
        }
        let percents = seen.withLock { $0 }
        #expect(percents.count > 20 && percents == percents.sorted() && percents.last! > 90)
    }

    @Test("receipts that are there")
    func receipts() async throws {
        let machine = try SimulatedMachine(count: 5)
        let receipts = try machine.entries().map(\.receipt)
        let report = try await machine.audit { $0.receipts = receipts }
        #expect(report.verdict == .intact && report.receipts.count == 6 && report.receipts.allSatisfy { $0.failure == nil })
    }

    @Test("a rollback: the receipt's entry is not there")
    func rollback() async throws {
        let machine = try SimulatedMachine(count: 3)
        let old = machine.copy()
        let receipt = try machine.append(4...4)[0]
        #expect(try await old.audit().verdict == .intact, "nothing in the directory shows it")
        let report = try await old.audit { $0.receipts = [receipt] }
        #expect(report.verdict == .tampered && report.place.seq == receipt.seq && report.exitCode == 10)
        #expect(report.receipts[0].failure?.contains("not there") == true)
    }

    @Test("a fork: the receipt's entry is another")
    func fork() async throws {
        let machine = try SimulatedMachine(count: 3)
        let copy = machine.copy()
        let receipt = try machine.append(4...4)[0]
        try copy.append(5...6)
        let report = try await copy.audit { $0.receipts = [receipt] }
        #expect(report.verdict == .tampered && report.reason?.contains("another history") == true)
        let both = try await machine.audit { $0.receipts = [receipt] }
        #expect(both.verdict == .intact)
    }

    @Test("a receipt of another ledger")
    func otherLedger() async throws {
        let machine = try SimulatedMachine(count: 3)
        let other = try SimulatedMachine(seed: 2, count: 3)
        let receipt = try other.entries()[2].receipt
        let report = try await machine.audit { $0.receipts = [receipt] }
        #expect(report.verdict == .tampered && report.reason?.contains("another ledger") == true)
    }

    @Test("receipts and a budget: what was not reached yet is no rollback")
    func receiptsAndBudget() async throws {
        let machine = try Self.large.get()
        let receipt = try EntryReader(LedgerView(machine.storage()), machine.environment).entry(600).receipt
        let report = try await machine.audit {
            $0.budget = 12
            $0.receipts = [receipt]
        }
        #expect(report.verdict == .partial)
    }

    @Test("without the key: unverifiable, unless something is wrong that needs none")
    func keyless() async throws {
        let machine = try SimulatedMachine(count: 5)
        let report = try await machine.audit(keyring: Keyring())
        #expect(report.verdict == .unverifiable && report.exitCode == 11)
        #expect(report.place == Place(segment: 1, offset: machine.dataEnd(), seq: 6))
        var bytes = machine.segment()
        bytes[try machine.place(4).offset + 60] ^= 1
        machine.setSegment(1, bytes)
        let damaged = try await machine.audit(keyring: Keyring())
        #expect(try damaged.verdict == .tampered && damaged.place == machine.place(4))
    }

    @Test("a forger without the key is caught by who has it, a forger of the whole tail too")
    func forger() async throws {
        let machine = try SimulatedMachine(count: 5)
        let forger = SealingKey(bytes: [UInt8](repeating: 8, count: 32))
        let place = try machine.place(6)
        // Entry 6 rewritten, with a right HASH and somebody else's SIG.
        var verifier = ChainVerifier(keys: [:])
        _ = verifier.feed(Array(machine.segment()[..<place.offset]).span, isEnd: false)
        let forged = Forge(after: try #require(verifier.tip)) { $0.body = #"{"innocent":true}"# }.frame(forger)
        machine.setSegment(1, Array(machine.segment()[..<place.offset]) + forged)
        let report = try await machine.audit()
        #expect(report.verdict == .tampered && report.place == place)
    }

    @Test("a ledger that a writer is at right now is intact, with something unsettled behind it")
    func busy() async throws {
        let machine = try SimulatedMachine(count: 3)
        let storage = try machine.storage()
        var session = try machine.session(storage)
        try session.acquire()
        // Half of a frame, as it stands in the midst of a write.
        let half = Forge(after: try machine.tip()).frame(try machine.key()).prefix(200)
        var bytes = machine.segment()
        let end = machine.dataEnd()
        bytes.replaceSubrange(end..<end + 200, with: half)
        machine.setSegment(1, bytes)
        let report = try await machine.audit()
        #expect(report.verdict == .intact && report.isUnsettledBehind && report.place.seq == 4)
        storage.releaseLocks()
        #expect(try await machine.audit().verdict == .torn)
    }

    @Test("every bit of a ledger below HEAD: a flip is tampering, at its entry")
    func bits() async throws {
        let machine = try SimulatedMachine(count: 6)
        let bytes = machine.segment()
        let end = machine.dataEnd()
        let places = try (1...7).map { try machine.place($0) }
        for bit in stride(from: 0, to: end * 8, by: 41) {
            var flipped = bytes
            flipped[bit / 8] ^= 1 << (bit % 8)
            machine.setSegment(1, flipped)
            let report = try await machine.audit()
            #expect(report.verdict == .tampered && report.place == places.last { $0.offset <= bit / 8 }, "bit \(bit)")
        }
    }

    @Test("a receipt that was forged in its time alone")
    func forgedTime() async throws {
        let machine = try SimulatedMachine(count: 5)
        var receipt = try machine.entries()[2].receipt
        receipt.time = Timestamp(microseconds: receipt.time.microseconds + 1)
        let forged = receipt
        let report = try await machine.audit { $0.receipts = [forged] }
        #expect(report.verdict == .tampered && report.place.seq == 3)
        #expect(report.reason?.contains("the receipt says \(forged.time)") == true)
    }

    @Test("a receipt whose entry is damaged, before the point of resuming")
    func damagedReceipt() async throws {
        let machine = try Self.large.get().copy()
        let receipt = try EntryReader(LedgerView(machine.storage()), machine.environment).entry(3).receipt
        var bytes = machine.segment()
        bytes[try machine.place(3).offset + 40] ^= 1
        machine.setSegment(1, bytes)
        #expect(try await machine.audit { $0.firstSeq = 600 }.verdict == .intact, "the damage lies before it")
        let report = try await machine.audit {
            $0.firstSeq = 600
            $0.receipts = [receipt]
        }
        #expect(report.verdict == .tampered && report.reason?.contains("cannot be read") == true)
    }
}
