import DurableFiles
import Ledger
import LedgerFormat
import Synchronization
import SystemPackage
import TestSupport
import Testing

/// Random schedules of processes that write, fail, are killed and lose power, checked against what they acknowledged.
@Suite("Crash model")
struct CrashModelTests {
    /// What happened over all schedules, so that a harmless model shows.
    struct Tally: Sendable {
        var schedules = 0
        var acknowledged = 0
        var powerCuts = 0
        var kills = 0
        var tornTails = 0
        var syncFailures = 0
        var otherFaults = 0
        var rolls = 0
        var repetitions = 0
        var crash = CrashTally()

        static func += (sum: inout Tally, more: Tally) {
            sum.schedules += more.schedules
            sum.acknowledged += more.acknowledged
            sum.powerCuts += more.powerCuts
            sum.kills += more.kills
            sum.tornTails += more.tornTails
            sum.syncFailures += more.syncFailures
            sum.otherFaults += more.otherFaults
            sum.rolls += more.rolls
            sum.repetitions += more.repetitions
            sum.crash += more.crash
        }
    }

    private static let rounds = 50

    @Test("whatever was acknowledged is there after any crash", arguments: 0..<64 as Range<UInt64>)
    func schedules(seed: UInt64) async throws {
        var tally = Tally()
        for round in 0..<Self.rounds {
            var schedule = try Schedule(seed: seed * 1000 + UInt64(round))
            try await schedule.run()
            #expect(schedule.complaints.isEmpty, "schedule \(seed * 1000 + UInt64(round))")
            tally += schedule.tally
        }
        let sum = Self.total.withLock { total in
            total += tally
            return total
        }
        if sum.schedules == 64 * Self.rounds {
            print("crash model: \(sum)")
            #expect(sum.powerCuts > 1000 && sum.kills > 500 && sum.tornTails > 100 && sum.crash.losses > 1500, "\(sum)")
            #expect(sum.syncFailures > 100 && sum.rolls > 500 && sum.repetitions > 100, "\(sum)")
        }
    }

    private static let total = Mutex(Tally())

    @Test("the model notices a disk that lies", arguments: Lie.allCases)
    func canary(lie: Lie) async throws {
        var caught = 0
        for seed in 0..<400 as Range<UInt64> where caught == 0 {
            var schedule = try Schedule(seed: seed, lie: lie)
            try await schedule.run()
            if !schedule.complaints.isEmpty { caught += 1 }
        }
        #expect(caught > 0)
    }
}

/// A fault of the engine that the model must notice.
enum Lie: String, CaseIterable, Sendable {
    /// Nothing is made durable.
    case filesAreNeverSynchronised
    /// A new segment's name is not.
    case directoriesAreNeverSynchronised
    /// Reading gives another byte now and then.
    case bytesChangeAtRest
}

/// One run of several processes, one after the other, on one machine.
private struct Schedule {
    private var random: SeededGenerator
    private let seed: UInt64
    private let lie: Lie?
    private var machine: Machine
    private var nextNumber = 0
    /// All that a caller was told is recorded, by seq.
    private var acknowledged: [UInt64: Receipt] = [:]
    /// Drafts with an id whose fate the caller does not know, and those that were recorded.
    private var unknown: [Draft] = []
    private var known: [(draft: Draft, receipt: Receipt)] = []
    var complaints: [String] = []
    var tally = CrashModelTests.Tally()

    init(seed: UInt64, lie: Lie? = nil) throws {
        self.seed = seed
        self.lie = lie
        random = SeededGenerator(seed: seed)
        var settings = WriterSettings()
        settings.segmentByteCount = [1500, 4000, 20_000, 1 << 20][random.below(4)]
        settings.preallocationByteCountMax = random.coin() ? 0 : 1 << 16
        settings.headCommitCount = 1 + random.below(6)
        settings.headByteCount = 1000 + random.below(20_000)
        machine = try Machine(seed: seed, settings: settings)
        tally.schedules = 1
    }

    mutating func run() async throws {
        for _ in 0..<2 + random.below(5) {
            runProcess()
            if !complaints.isEmpty { return }
            if random.below(3) > 0 { try await cutPower() }
            if !complaints.isEmpty { return }
        }
        try await check(machine, "at the end")
    }

    /// A process that opens, commits some decisions and ends, or is killed at a random operation, or has faults.
    private mutating func runProcess() {
        guard let plain = try? machine.storage() else { return complain("no storage") }
        let storage = FaultInjectingStorage(lie.map { LyingStorage(plain, $0) } ?? plain, plan())
        defer { plain.releaseLocks() }
        var session = WriterSession(storage, machine.environment, machine.settings)
        do throws(LedgerError) {
            try session.acquire()
        } catch {
            // Whatever fails: that is no tampering.
            if storage.fired.isEmpty || ![.inputOutput, .unverifiable].contains(error.code) {
                complain("opening: \(error)")
            }
            return count(storage)
        }
        tally.tornTails += session.takeNotices().count { $0.contains("torn") }
        for _ in 0..<1 + random.below(8) {
            commit(&session)
            session.replaceHeadIfDue()
        }
        session.release()
        count(storage)
        if storage.isCrashed { tally.kills += 1 }
    }

    private mutating func plan() -> FaultPlan {
        let number = 3 + random.below(120)
        switch random.below(8) {
        case 0: return .none
        case 1: return .at([number: .crash([.nothing, .everything, .bytes(random.below(3000))][random.below(3)])])
        case 2, 3:
            let progress: Fault.Progress = random.coin() ? .everything : .bytes(random.below(3000))
            return crash(at: random.below(25), progress) { $0.kind.isChange }
        case 4:
            return crash(at: random.below(6), .nothing) { $0.kind == .synchronize && $0.path?.directory == "ledger" }
        case 5: return .random(seed: random.next(), probability: 0.05, [.failSynchronize])
        case 6:
            return .random(
                seed: random.next(), probability: 0.03,
                [.fail(.noSpace), .shortWrite(bytes: random.below(2000), .noSpace), .fail(.ioError)])
        default:
            return .at([number: .failSynchronize, number + 20 + random.below(30): .crash(.bytes(random.below(3000)))])
        }
    }

    /// A crash in the n-th operation of a kind, where most is at stake.
    private func crash(
        at number: Int, _ progress: Fault.Progress, _ concerns: @escaping @Sendable (FaultOperation) -> Bool
    ) -> FaultPlan {
        let count = Mutex(0)
        return .rule { _, operation in
            guard concerns(operation) else { return nil }
            return count.withLock { count in
                count += 1
                return count == number + 1 ? .crash(progress) : nil
            }
        }
    }

    private mutating func count(_ storage: FaultInjectingStorage) {
        for fired in storage.fired {
            switch fired.fault {
            case .failSynchronize: tally.syncFailures += 1
            case .fail, .shortWrite: tally.otherFaults += 1
            case .crash: break
            }
        }
    }

    private mutating func commit(_ session: inout WriterSession) {
        var decisions: [[Draft]] = []
        for _ in 0..<1 + random.below(3) {
            switch random.below(8) {
            case 0 where !unknown.isEmpty: decisions.append([unknown.removeLast()])
            case 1 where !known.isEmpty:
                let (draft, receipt) = known[random.below(known.count)]
                decisions.append([draft])
                acknowledged[receipt.seq] = receipt
            case 2: decisions.append((0...random.below(4)).map { _ in draft(id: false) })
            default: decisions.append([draft(id: random.below(3) == 0)])
            }
        }
        let answers = session.commit(decisions)
        for (drafts, answer) in zip(decisions, answers) {
            switch answer {
            case .success(let answer):
                if answer.receipts.count != drafts.count { complain("\(answer.receipts.count) receipts") }
                for (draft, receipt) in zip(drafts, answer.receipts) {
                    acknowledge(draft, receipt, answer.isRepetition)
                }
            case .failure(let error):
                if error.code != .inputOutput { complain("\(error)") }
                unknown += drafts.filter { draft in draft.id != nil && !known.contains { $0.draft == draft } }
            }
        }
    }

    private mutating func acknowledge(_ draft: Draft, _ receipt: Receipt, _ isRepetition: Bool) {
        if let other = acknowledged[receipt.seq], other != receipt {
            complain("seq \(receipt.seq) was acknowledged twice")
        }
        acknowledged[receipt.seq] = receipt
        tally.acknowledged += 1
        if draft.id == nil { return }
        if let earlier = known.first(where: { $0.draft == draft }) {
            if !isRepetition || earlier.receipt != receipt { complain("\(draft.id ?? "") was recorded twice") }
            tally.repetitions += 1
        } else {
            known.append((draft, receipt))
        }
    }

    private mutating func draft(id: Bool) -> Draft {
        nextNumber += 1
        return TestLedger.draft(
            nextNumber, id: id ? "id-\(nextNumber)" : nil, size: [20, 20, 400, 1500][random.below(4)])
    }

    /// The machine loses power; the disk that is left is verified, opened by nobody, and goes on.
    private mutating func cutPower() async throws {
        let disk = machine.disk.crashImage(using: &random)
        tally.powerCuts += 1
        tally.crash += disk.crashTally
        machine = Machine(machine, disk)
        if lie == .bytesChangeAtRest, random.below(3) == 0 { changeByte() }
        let report = try await machine.audit()
        if report.verdict != .intact && report.verdict != .torn { complain("after a crash: \(report.verdictLine)") }
        expectAcknowledged(try allEntries(upTo: report), "after a crash")
    }

    private mutating func changeByte() {
        guard let segment = machine.segments.randomElement(using: &random) else { return }
        var bytes = machine.segment(segment)
        guard !bytes.isEmpty else { return }
        bytes[random.below(bytes.count)] ^= 1
        machine.setSegment(segment, bytes)
    }

    /// A last opening without faults, and a full audit.
    private mutating func check(_ machine: Machine, _ when: String) async throws {
        var session = try machine.session()
        do throws(LedgerError) {
            try session.acquire()
            _ = session.commit([[TestLedger.draft(999_999)]])
            session.release()
        } catch {
            return complain("\(when): \(error)")
        }
        let report = try await machine.audit()
        if report.verdict != .intact { complain("\(when): \(report.verdictLine)") }
        let entries = try machine.entries()
        expectAcknowledged(entries, when)
        if entries.map(\.seq) != Array(1...UInt64(entries.count)) { complain("\(when): gaps") }
        var ids: Set<String> = []
        for entry in entries where entry.action == "test.event" {
            if let id = entry.id, !ids.insert(id).inserted { complain("\(when): id \(id) was recorded twice") }
        }
        if machine.evidence.keys.contains(where: { !$0.hasSuffix(".bin") && !$0.hasSuffix(".new") }) {
            complain("\(when): evidence is pending: \(machine.evidence.keys.sorted())")
        }
        let cuts = entries.count { $0.action == "ledger.tail_cut" }
        if cuts != machine.evidence.keys.count(where: { $0.hasSuffix(".bin") }) {
            complain("\(when): \(cuts) cuts, \(machine.evidence.count) kept")
        }
        tally.rolls += machine.segments.count - 1
    }

    private func allEntries(upTo report: AuditReport) throws -> [Entry] {
        report.verdict == .intact || report.verdict == .torn ? try machine.entries() : []
    }

    private mutating func expectAcknowledged(_ entries: [Entry], _ when: String) {
        var hashes: [UInt64: Digest] = [:]
        for entry in entries { hashes[entry.seq] = entry.hash }
        for (seq, receipt) in acknowledged where hashes[seq] != receipt.hash {
            complain("\(when): seq \(seq) was acknowledged and is \(hashes[seq] == nil ? "lost" : "another")")
        }
    }

    private mutating func complain(_ what: String) { complaints.append(what) }
}

/// A storage that does not do what it says.
private final class LyingStorage: Storage {
    private let wrapped: any Storage
    private let lie: Lie

    init(_ wrapped: any Storage, _ lie: Lie) {
        self.wrapped = wrapped
        self.lie = lie
    }

    var basePath: String { wrapped.basePath }
    var owner: UInt32 { wrapped.owner }
    var user: UInt32 { wrapped.user }

    func open(_ path: StoragePath, _ access: FileAccess) throws(StorageError) -> any StorageFile {
        let file = try wrapped.open(path, access)
        return lie == .filesAreNeverSynchronised ? LyingFile(file) : file
    }

    func synchronize(directory: StoragePath?) throws(StorageError) {
        if lie != .directoriesAreNeverSynchronised { try wrapped.synchronize(directory: directory) }
    }

    func status(of path: StoragePath) throws(StorageError) -> FileStatus? { try wrapped.status(of: path) }
    func names(in directory: StoragePath) throws(StorageError) -> [String] { try wrapped.names(in: directory) }
    func makeDirectory(_ path: StoragePath) throws(StorageError) { try wrapped.makeDirectory(path) }
    func rename(_ path: StoragePath, to target: StoragePath) throws(StorageError) {
        try wrapped.rename(path, to: target)
    }
    func remove(_ path: StoragePath) throws(StorageError) { try wrapped.remove(path) }
    func publish() throws(StorageError) { try wrapped.publish() }
    func reopened() throws(StorageError) -> any Storage { LyingStorage(try wrapped.reopened(), lie) }
    func checkBase() throws(StorageError) { try wrapped.checkBase() }
    func tryLock(_ lock: StorageLock) throws(StorageError) -> Bool { try wrapped.tryLock(lock) }
    func unlock(_ lock: StorageLock) { wrapped.unlock(lock) }
    func gateIsTaken() throws(StorageError) -> Bool { try wrapped.gateIsTaken() }
    func holder(of lock: StorageLock) -> LockHolder? { wrapped.holder(of: lock) }
}

private final class LyingFile: StorageFile {
    private let wrapped: any StorageFile

    init(_ wrapped: any StorageFile) { self.wrapped = wrapped }

    var path: StoragePath { wrapped.path }
    func status() throws(StorageError) -> FileStatus { try wrapped.status() }
    func read(into buffer: inout [UInt8], from start: Int, at offset: Int) throws(StorageError) -> Int {
        try wrapped.read(into: &buffer, from: start, at: offset)
    }
    func write(_ bytes: Span<UInt8>, at offset: Int) throws(StorageError) { try wrapped.write(bytes, at: offset) }
    func truncate(to size: Int) throws(StorageError) { try wrapped.truncate(to: size) }
    func synchronize() throws(StorageError) {}
}
