import CanonicalJSON
import DurableFiles
import Kernel
import Ledger
import LedgerFormat
import Synchronization
import TestSupport
import Testing

/// Audits of ledgers that begin behind an archive, and others who are at work meanwhile.
@Suite("Archives, and who else is at work")
struct ArchiveAuditTests {
    /// 2 MB in several segments.
    private func machine() throws -> SimulatedMachine {
        var settings = WriterSettings()
        settings.segmentByteCount = 400_000
        settings.preallocationByteCountMax = 0
        let machine = try SimulatedMachine(settings: settings)
        try machine.append(1...20, size: 60_000)
        return machine
    }

    private func archiveDisk() throws -> MemoryDisk {
        let disk = MemoryDisk()
        let storage = try MemoryStorage(constructing: disk)
        try storage.makeDirectory(Layout.ledger)
        try storage.publish()
        return disk
    }

    private static let place = PathText(Array("/archive".utf8))

    @discardableResult
    private static func archive(
        _ machine: SimulatedMachine, before seq: UInt64, to disk: MemoryDisk, storage: (any Storage)? = nil,
        target: (any Storage)? = nil
    ) throws(LedgerError) -> Decider.Archived {
        do {
            var decider = try machine.decider(storage)
            return try decider.archive(
                .seq(seq), keeping: [Documents.self, Effects.self], to: target ?? MemoryStorage(disk), named: place,
                reason: "test")
        } catch let error as LedgerError {
            throw error
        } catch {
            throw LedgerError(.inputOutput, "\(error)")
        }
    }

    private func record(_ finding: inout AuditFinding, _ machine: SimulatedMachine) throws(LedgerError) {
        var session = WriterSession(try! machine.storage(), machine.environment, machine.settings)
        try session.acquire()
        defer { session.release() }
        try session.record(&finding)
    }

    @Test("an audit in slices knows over all of them what the first entry builds on", arguments: [true, false])
    func slices(isExplained: Bool) async throws {
        let machine = try machine()
        let second = machine.segments.sorted()[1]
        if isExplained {
            try Self.archive(machine, before: second, to: archiveDisk())
        } else {
            machine.disk.delete(SegmentReader.path(ofSegment: 1))
        }
        var progress: AuditProgress?
        var kept = 0
        for slice in 0... {
            var auditor = Auditor(AuditPolicy.deep.budgeted(1), machine.environment)
            auditor.progress = progress
            var finding = try await auditor.walk(machine.storage())
            try #require(slice < 100)
            if finding.report.verdict == .tampered {
                #expect(!isExplained && kept > 2, "\(finding.report.verdictLine)")
                #expect(finding.report.place == Place(segment: 1, offset: 0, seq: 1), "\(finding.report.verdictLine)")
                let error = ledgerError { () throws(LedgerError) in try record(&finding, machine) }
                #expect(error?.code == .tampered)
                let isAlert = try machine.head().alert
                #expect(isAlert)
                return
            }
            try record(&finding, machine)
            progress = finding.progress
            // The file says the same.
            if let bytes = machine.disk.bytes(of: Layout.audit) {
                #expect(try AuditProgress(file: bytes, ledger: machine.head().ledger, key: machine.key()) == progress)
            }
            if finding.isFull { break }
            if progress?.pass?.base?.seq == second { kept += 1 }
        }
        #expect(isExplained && kept > 2)
    }

    @Test("an archive that overtakes a walk raises no alarm")
    func overtaken() async throws {
        for policy in [AuditPolicy.boot, .deep.budgeted(3)] {
            let machine = try machine()
            let disk = try archiveDisk()
            var finding = try await Auditor(policy, machine.environment).walk(machine.storage())
            try Self.archive(machine, before: Limits.seq, to: disk)
            try record(&finding, machine)
            let isAlert = try machine.head().alert
            #expect(finding.report.verdict != .tampered && !isAlert)
            // What the position says lies in the archive.
            var next = try await Auditor(.boot, machine.environment).walk(machine.storage())
            try record(&next, machine)
            #expect(next.report.verdict == .intact && next.firstSeq == machine.segments.min())
        }
    }

    @Test("segments that go while they are read: the walk begins again with what is left")
    func vanished() async throws {
        let machine = try machine()
        let disk = try archiveDisk()
        let isDone = Mutex(false)
        let path = SegmentReader.path(ofSegment: machine.segments.sorted()[1])
        let storage = try machine.faulty(
            .rule { [machine] _, operation in
                guard operation.kind == .open, operation.path == path, isDone.withLock({ !$0 }) else { return nil }
                isDone.withLock { $0 = true }
                try! Self.archive(machine, before: Limits.seq, to: disk)
                return nil
            })
        let report = try await Audit(machine.environment).run(storage)
        #expect(isDone.withLock { $0 })
        #expect(report.verdict == .intact && report.firstSeq == machine.segments.min(), "\(report.verdictLine)")
    }

    @Test("who archives the same meanwhile is quicker: nothing is removed twice")
    func race() async throws {
        let machine = try machine()
        let (disk, other) = (try archiveDisk(), try archiveDisk())
        let isDone = Mutex(false)
        let target = try FaultInjectingStorage(
            MemoryStorage(disk),
            .rule { [machine] _, operation in
                guard operation.kind == .rename, isDone.withLock({ !$0 }) else { return nil }
                isDone.withLock { $0 = true }
                try! Self.archive(machine, before: 8, to: other)
                return nil
            })
        let error = ledgerError { () throws(LedgerError) in
            try Self.archive(machine, before: 15, to: disk, target: target)
        }
        #expect(error != nil && error?.code != .tampered, "\(String(describing: error))")
        let report = try await Audit(machine.environment).run(machine.storage())
        #expect(report.verdict == .intact && report.archivedBy == 22, "\(report.verdictLine)")
    }

    @Test("without HEAD, or without a key, nothing is archived")
    func unverifiable() throws {
        let machine = try machine()
        let copy = machine.copy()
        copy.disk.delete(Layout.head)
        #expect(ledgerError { () throws(LedgerError) in try Self.archive(copy, before: 15, to: archive()) }?.code == .tampered)
        let old = try machine.key()
        try machine.write { session in _ = try session.rotateKey(reason: "test") }
        try machine.append(21...40, size: 100_000)
        machine.disk.delete(StoragePath(Layout.keys.name, SealingKey.fileName(old.id)))
        let segments = machine.segments
        let error = ledgerError { () throws(LedgerError) in try Self.archive(machine, before: 15, to: archive()) }
        #expect(error?.code == .unverifiable && machine.segments == segments, "\(String(describing: error))")

        func archive() throws(LedgerError) -> MemoryDisk {
            do { return try archiveDisk() } catch { throw LedgerError(.inputOutput, "\(error)") }
        }
    }

    @Test("threads verify it in pieces as one does", arguments: [true, false])
    func pieces(isExplained: Bool) async throws {
        var settings = WriterSettings()
        settings.segmentByteCount = 9 << 20
        settings.preallocationByteCountMax = 0
        let machine = try SimulatedMachine(settings: settings)
        try machine.write { session in
            for number in 1...29 { try session.decide([TestLedger.draft(number, size: 900_000)]) }
        }
        let second = machine.segments.sorted()[1]
        if isExplained {
            try Self.archive(machine, before: second, to: archiveDisk())
        } else {
            machine.disk.delete(SegmentReader.path(ofSegment: 1))
        }
        let (one, many) = (try await machine.audit(), try await machine.audit { $0.threadCount = 3 })
        #expect(one == many && one.verdict == (isExplained ? .intact : .tampered), "\(many.verdictLine)")
        #expect((one.archivedBy != nil) == isExplained)
    }
}
