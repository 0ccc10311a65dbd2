import DurableFiles
import Ledger
import LedgerFormat
import Synchronization
import SystemPackage
import TestSupport

/// One run of several processes, one after the other, on one machine.
struct Schedule {
    private var random: SeededGenerator
    private var machine: SimulatedMachine
    private var nextNumber = 0
    /// All that a caller was told is recorded, by seq.
    private var acknowledged: [UInt64: Receipt] = [:]
    /// Drafts with an id whose fate the caller does not know, and those that were recorded.
    private var unknown: [Draft] = []
    private var known: [(draft: Draft, receipt: Receipt)] = []
    private var hasFailed = false
    private(set) var tally: Tally

    init(_ generator: SeededGenerator, _ tally: Tally) throws {
        random = generator
        self.tally = tally
        var settings = WriterSettings()
        settings.segmentByteCount = [1500, 4000, 20_000, 1 << 20][random.below(4)]
        settings.preallocationByteCountMax = random.coin() ? 0 : 1 << 16
        settings.headCommitCount = 1 + random.below(6)
        settings.headByteCount = 1000 + random.below(20_000)
        machine = try SimulatedMachine(seed: random.next(), settings: settings)
    }

    mutating func run() async throws {
        for _ in 0..<2 + random.below(5) {
            runProcess()
            if hasFailed { return }
            if random.below(3) > 0 { try await cutPower() }
            if hasFailed { return }
        }
        try await check(machine, "at the end")
        // What comes on top may lock the house, so it comes last.
        if !hasFailed, random.below(4) == 0 { try await cutPowerMisdirecting() }
    }

    /// A process that opens, commits some decisions and ends, or is killed at a random operation, or has faults.
    private mutating func runProcess(_ plan: FaultPlan? = nil) {
        guard let plain = try? machine.storage() else { return complain("no storage") }
        let storage = FaultInjectingStorage(plain, plan ?? self.plan())
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
        tally.fire("torn tail", session.takeNotices().count { $0.contains("torn") })
        for _ in 0..<1 + random.below(8) {
            commit(&session, storage)
            session.replaceHeadIfDue()
        }
        session.release()
        count(storage)
        if storage.isCrashed { tally.fire("kill") }
    }

    private mutating func plan() -> FaultPlan {
        let number = 3 + random.below(120)
        switch random.below(8) {
        case 0: return .none
        case 1: return .at([number: .crash([.nothing, .everything, .bytes(random.below(3000))][random.below(3)])])
        case 2, 3:
            let progress: Fault.Progress = random.coin() ? .everything : .bytes(random.below(3000))
            return crash(at: random.below(25), progress) { $0.kind.isChange }
        case 4: return crashBeforeSync()
        case 5: return .random(seed: random.next(), probability: 0.05, [.failSynchronize])
        case 6:
            return .random(
                seed: random.next(), probability: 0.03,
                [.fail(.noSpace), .shortWrite(bytes: random.below(2000), .noSpace), .fail(.ioError)])
        default:
            return .at([number: .failSynchronize, number + 20 + random.below(30): .crash(.bytes(random.below(3000)))])
        }
    }

    /// A crash when a block was written and not synchronised.
    private mutating func crashBeforeSync() -> FaultPlan {
        crash(at: random.below(6), .nothing) { $0.kind == .synchronize && $0.path?.directory == "ledger" }
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
            case .failSynchronize: tally.fire("failed sync")
            case .fail: tally.fire("failed call")
            case .shortWrite: tally.fire("short write")
            case .crash: break
            }
        }
    }

    private mutating func commit(_ session: inout WriterSession, _ storage: FaultInjectingStorage) {
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
                if error.code != .inputOutput || storage.fired.isEmpty { complain("\(error)") }
                unknown += drafts.filter { draft in draft.id != nil && !known.contains { $0.draft == draft } }
            }
        }
    }

    private mutating func acknowledge(_ draft: Draft, _ receipt: Receipt, _ isRepetition: Bool) {
        if let other = acknowledged[receipt.seq], other != receipt {
            complain("seq \(receipt.seq) was acknowledged twice")
        }
        acknowledged[receipt.seq] = receipt
        if draft.id == nil { return }
        if let earlier = known.first(where: { $0.draft == draft }) {
            if !isRepetition || earlier.receipt != receipt { complain("\(draft.id ?? "") was recorded twice") }
            tally.fire("repeated id")
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
        tally.fire("power cut")
        tally.fire("write lost or torn", disk.crashTally.writesDropped + disk.crashTally.writesTorn)
        tally.fire("cut lost", disk.crashTally.truncatesLost)
        tally.fire("name lost", disk.crashTally.namesDropped)
        machine = SimulatedMachine(machine, disk)
        let report = try await machine.audit()
        if report.verdict != .intact && report.verdict != .torn { complain("after a crash: \(report.verdictLine)") }
        expectAcknowledged(hashes(report.entryCount), "after a crash")
    }

    /// A power cut at which sectors on their way to the disk may also land in each other's places.
    ///
    /// What is left may be no crash's work by design §3: a sector full of another's text holds no NULs, and need not be the beginning of
    /// a frame. So tampered is as right as torn, and the house may be locked for it. But no synchronised byte is touched, so all that was
    /// acknowledged must stand before the first bad place, be read, and not be written on; and where no sector went astray, nothing of this.
    private mutating func cutPowerMisdirecting() async throws {
        runProcess(crashBeforeSync())
        if hasFailed { return }
        let disk = machine.disk.crashImage(using: &random, options: CrashOptions(misdirects: true))
        tally.fire("power cut")
        tally.fire("sector misdirected", disk.crashTally.sectorsMisdirected)
        machine = SimulatedMachine(machine, disk)
        let report = try await machine.audit()
        switch report.verdict {
        case .intact, .torn: expectAcknowledged(hashes(report.entryCount), "after sectors went astray")
        case .tampered where disk.crashTally.sectorsMisdirected > 0:
            tally.fire("sector misdirected into what no crash leaves")
            expectAcknowledged(hashes(report.entryCount), "before the damage that astray sectors did")
            let files = machine.files
            if try machine.openingError()?.code != .tampered { complain("a ledger that is \(report.verdictLine) was opened") }
            for (path, bytes) in machine.files.besidesAlert where files[path] != bytes {
                complain("\(path) was written to, and the ledger is \(report.verdictLine)")
            }
        default: complain("after sectors went astray: \(report.verdictLine)")
        }
    }

    /// A last opening without faults, and a full audit.
    private mutating func check(_ machine: SimulatedMachine, _ when: String) async throws {
        var session = try machine.session()
        do throws(LedgerError) {
            try session.acquire()
            _ = try session.commit([[TestLedger.draft(999_999)]])[0].get()
            session.release()
        } catch {
            return complain("\(when): \(error)")
        }
        let report = try await machine.audit()
        if report.verdict != .intact { complain("\(when): \(report.verdictLine)") }
        let entries = try machine.entries()
        expectAcknowledged(entries.map(\.hash), when)
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
        tally.fire("roll", machine.segments.count - 1)
    }

    /// The hashes of so many first entries, which an audit has verified, as they stand in the files: found by LENGTH alone.
    private func hashes(_ count: UInt64) -> [Digest] {
        var hashes: [Digest] = []
        for segment in machine.segments.sorted() {
            let bytes = machine.segment(segment)
            var offset = 0
            while hashes.count < count, let frame = RawFrame(in: bytes, at: offset) {
                hashes.append(frame.hash)
                offset = frame.bytes.upperBound
            }
        }
        return hashes
    }

    private mutating func expectAcknowledged(_ hashes: [Digest], _ when: String) {
        for (seq, receipt) in acknowledged {
            let found = seq <= hashes.count ? hashes[Int(seq) - 1] : nil
            if found != receipt.hash {
                complain("\(when): seq \(seq) was acknowledged and is \(found == nil ? "lost" : "another")")
            }
        }
    }

    private mutating func complain(_ what: String) {
        hasFailed = true
        tally.fail(what)
    }
}
