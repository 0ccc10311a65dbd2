import CanonicalJSON
import Dispatch
import DurableFiles
import Ledger
import LedgerFormat
import Synchronization
import SystemPackage
import TestSupport
import Testing

@Suite("Submitting, and the power cut")
struct SubmitPowerCutTests {
    @Test("whatever was answered is there after any power cut", arguments: 0..<40 as Range<UInt64>)
    func powerCuts(seed: UInt64) async throws {
        var (crashes, acknowledged) = (0, 0)
        for round in 0..<10 as Range<UInt64> {
            var run = try SubmitRun(seed: seed * 1000 + round)
            try await run.run()
            #expect(run.complaints.isEmpty, "run \(seed * 1000 + round): \(run.complaints)")
            crashes += run.hasCrashed ? 1 : 0
            acknowledged += run.acknowledged.count
        }
        #expect(crashes > 1 && acknowledged > 30, "seed \(seed): \(crashes), \(acknowledged)")
    }
}

/// One process that submits until it fails or the power is cut, and what a later one finds.
private struct SubmitRun {
    private var random: SeededGenerator
    private let machine: SimulatedMachine
    private let drafts: [Draft]
    private let hasIds: Bool
    private let storage: FaultInjectingStorage
    private(set) var acknowledged: [Receipt] = []
    private(set) var complaints: [String] = []
    var hasCrashed: Bool { storage.isCrashed }

    init(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var settings = WriterSettings()
        settings.segmentByteCount = [1500, 6000, 1 << 20][random.below(3)]
        settings.preallocationByteCountMax = random.coin() ? 0 : 1 << 16
        settings.headCommitCount = 1 + random.below(5)
        machine = try SimulatedMachine(seed: seed, settings: settings)
        let hasIds = random.below(3) > 0
        self.hasIds = hasIds
        drafts = (1...60).map { number in
            // Without ids for all, some have one: the first of them makes the block under way land.
            let id = hasIds || random.below(8) == 0 ? "id-\(number)" : nil
            return TestLedger.draft(number, id: id, size: [20, 20, 300, 1200][random.below(4)])
        }
        storage = try machine.faulty(Self.plan(&random))
        self.random = random
    }

    /// The power goes in the n-th change, or the disk has no room then, or a sync fails.
    private static func plan(_ random: inout SeededGenerator) -> FaultPlan {
        let number = 1 + random.below(50)
        let bytes = random.below(3000)
        let fault: Fault =
            switch random.below(10) {
            case 0: .failSynchronize
            case 1: .shortWrite(bytes: bytes, .noSpace)
            case 2: .fail(.ioError)
            case 3, 4: .crash(.everything)
            case 5, 6: .crash(.nothing)
            default: .crash(.bytes(bytes))
            }
        let count = Mutex(0)
        return .rule { _, operation in
            guard operation.kind.isChange else { return nil }
            return count.withLock { count in
                count += 1
                return count == number ? fault : nil
            }
        }
    }

    mutating func run() async throws {
        var session = try machine.session(storage)
        guard (try? session.acquire()) != nil else { return try await check() }
        submitAll(&session, from: 0)
        if session.isHolding { session.release() }
        try await check()
    }

    private mutating func submitAll(_ session: inout WriterSession, from start: Int) {
        var next = start
        var answered = start
        while next < drafts.count, !storage.isCrashed {
            let count = min(1 + random.below(6), drafts.count - next)
            let answers = session.submit(drafts[next..<next + count].map { [$0] })
            next += count
            guard take(answers, &answered) else { return finish(&session) }
        }
        _ = take(session.settle(), &answered)
    }

    private mutating func finish(_ session: inout WriterSession) {
        if !session.settle().isEmpty { complaints.append("answers behind a failure") }
    }

    /// False when one of them is a failure; nothing may succeed behind it.
    private mutating func take(_ answers: [Result<WriterSession.Answer, LedgerError>], _ answered: inout Int) -> Bool {
        var hasFailed = false
        for answer in answers {
            switch answer {
            case .success(let answer):
                if hasFailed { complaints.append("a success behind a failure") }
                if answer.receipts.count != 1 { complaints.append("\(answer.receipts.count) receipts") }
                if let last = acknowledged.last, answer.receipts[0].seq != last.seq + 1 {
                    complaints.append("a gap behind \(last.seq)")
                }
                acknowledged += answer.receipts
                answered += 1
            case .failure(let error):
                if error.code != .inputOutput { complaints.append("\(error)") }
                hasFailed = true
            }
        }
        return !hasFailed
    }

    /// The disk as a power cut leaves it, and as it is.
    private mutating func check() async throws {
        for disk in [machine.disk.crashImage(using: &random), machine.disk.durableImage(), machine.disk.copy()] {
            let next = SimulatedMachine(machine, disk)
            if let error = try next.openingError() {
                complaints.append("opening: \(error)")
                continue
            }
            let receipts = Set(try next.entries().map(\.receipt.line))
            for receipt in acknowledged where !receipts.contains(receipt.line) { complaints.append("seq \(receipt.seq) is lost") }
            if try await next.audit().verdict != .intact { complaints.append("not intact") }
            guard hasIds else { continue }
            let answers = try next.write { session in
                session.submit(drafts[..<30].map { [$0] }) + session.submit(drafts[30...].map { [$0] }) + session.settle()
            }
            let repeated = try answers.prefix(acknowledged.count).map { try $0.get().receipts[0] }
            if repeated != acknowledged { complaints.append("other receipts the second time") }
            let numbers = try next.entries().filter { $0.action == "test.event" }.map { try JSON(parsing: $0.body)["n"]?.integer }
            if numbers != (1...60).map({ Int64($0) }) { complaints.append("recorded: \(numbers)") }
        }
    }
}
