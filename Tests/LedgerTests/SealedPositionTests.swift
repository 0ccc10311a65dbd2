import DurableFiles
import Ledger
import LedgerFormat
import TestSupport
import Testing

@Suite("A sealed position that cannot be believed is ignored, and the audit begins at the first entry")
struct SealedPositionTests {
    /// A ledger with a pass under way.
    private static func underWay() async throws -> (machine: SimulatedMachine, progress: AuditProgress) {
        let machine = try SimulatedMachine.large()
        _ = try await machine.auditOnce(SimulatedMachine.reads(3))
        let progress = try machine.progress()
        try #require(progress.pass != nil)
        return (machine, progress)
    }

    private func expectIgnored(
        _ machine: SimulatedMachine, _ words: String?, _ source: SourceLocation = #_sourceLocation
    ) async throws {
        let finding = try await Auditor(.deep, machine.environment).walk(machine.storage())
        #expect(finding.firstSeq == 1 && finding.report.verdict == .intact && finding.isFull, sourceLocation: source)
        guard let words else {
            #expect(finding.notices.isEmpty, sourceLocation: source)
            return
        }
        #expect(finding.notices.count == 1, sourceLocation: source)
        #expect(finding.notices.first?.contains(words) == true, "\(finding.notices)", sourceLocation: source)
        // The next audit puts another one in its place.
        let (recorded, receipt) = try await machine.auditOnce()
        #expect(recorded.isFull && receipt != nil, sourceLocation: source)
        #expect(try machine.progress().full != nil, sourceLocation: source)
    }

    @Test("one that fits is used")
    func honest() async throws {
        let (machine, progress) = try await Self.underWay()
        let finding = try await Auditor(.deep, machine.environment).walk(machine.storage())
        #expect(finding.firstSeq == progress.pass?.place.seq && finding.notices.isEmpty && finding.isFull)
    }

    @Test("absent, with its directory or without, is no news")
    func absent() async throws {
        let (machine, _) = try await Self.underWay()
        let storage = try machine.storage()
        try storage.remove(Layout.audit)
        try await expectIgnored(machine, nil)
    }

    @Test("damaged")
    func damaged() async throws {
        let (machine, _) = try await Self.underWay()
        let bytes = try #require(machine.position)
        for wrong in [
            [], Array(bytes.dropLast(9)), bytes + [0], [UInt8](repeating: 0, count: 600), [UInt8](repeating: 65, count: 9999),
        ] {
            let copy = machine.copy()
            copy.disk.setBytes(of: Layout.audit, to: wrong)
            try await expectIgnored(copy, "has not the form")
        }
    }

    @Test("forged: without the key no position can be made or moved")
    func forged() async throws {
        let (machine, progress) = try await Self.underWay()
        machine.disk.setBytes(of: Layout.audit, to: progress.sealed(with: TestLedger.key))
        try await expectIgnored(machine, "mac does not match")
    }

    @Test("foreign: that of another ledger")
    func foreign() async throws {
        let (machine, _) = try await Self.underWay()
        let other = try SimulatedMachine(seed: 99, count: 3)
        try await other.auditOnce()
        machine.disk.setBytes(of: Layout.audit, to: try #require(other.position))
        try await expectIgnored(machine, "another ledger")
    }

    @Test("old: a pass that began too long ago, or lies ahead")
    func old() async throws {
        for days in [-40, 40] as [Int64] {
            let (machine, honest) = try await Self.underWay()
            var progress = honest
            let began = try #require(progress.pass?.began)
            progress.pass?.began = Timestamp(microseconds: began.microseconds + days * 86_400_000_000)
            machine.disk.setBytes(of: Layout.audit, to: progress.sealed(with: try machine.key()))
            try await expectIgnored(machine, "too long from now")
        }
    }

    @Test("one that does not match the chain: another hash, seq or place, or a segment that is not there")
    func unmatched() async throws {
        let (machine, honest) = try await Self.underWay()
        let changes: [(inout AuditProgress.Pass) -> Void] = [
            { $0.hash = .zero }, { $0.place.seq += 1 }, { $0.place.offset += 1 }, { $0.place.offset = 1 << 40 },
            { $0.place.segment += 1 }, { $0.place = Place(segment: 1, offset: 0, seq: $0.place.seq) },
        ]
        for change in changes {
            let copy = machine.copy()
            var progress = honest
            if var pass = progress.pass {
                change(&pass)
                progress.pass = pass
            }
            copy.disk.setBytes(of: Layout.audit, to: progress.sealed(with: try machine.key()))
            try await expectIgnored(copy, "does not stand where it says")
        }
    }

    @Test("a directory or a link in its place is no reason not to audit")
    func notAFile() async throws {
        let (machine, _) = try await Self.underWay()
        let storage = try machine.storage()
        try storage.remove(Layout.audit)
        try storage.makeDirectory(Layout.audit)
        let finding = try await Auditor(.deep, machine.environment).walk(machine.storage())
        #expect(finding.firstSeq == 1 && finding.isFull && finding.notices.count == 1)
        let (recorded, receipt) = try await machine.auditOnce()
        #expect(receipt != nil && recorded.notices.contains { $0.contains("could not be kept") })
    }

    @Test("a directory snapshots/ that was lost in a copy is made again")
    func noDirectory() async throws {
        let machine = try SimulatedMachine(count: 3)
        machine.disk.delete(Layout.snapshots)
        try await machine.auditOnce()
        #expect(try machine.progress().full?.seq == 4)
    }

    @Test("whatever a crash leaves, at any operation of an audit, verifies, and the next audit works")
    func crashes() async throws {
        let machine = try SimulatedMachine(count: 6)
        try await machine.auditOnce(SimulatedMachine.reads(1))
        var operation = 0
        var crashed = 0
        while operation < 400 {
            let copy = machine.copy()
            let storage = try copy.faulty(.at([operation: .crash(.nothing)]))
            var finding = try await Auditor(.deep, copy.environment).walk(copy.storage())
            var session = try copy.session(storage)
            _ = ledgerError { () throws(LedgerError) in
                try session.acquire()
                defer { session.release() }
                try session.record(&finding)
            }
            if storage.fired.isEmpty { break }
            crashed += 1
            operation += 1
            for disk in copy.disk.crashImages(0..<4) {
                let survivor = SimulatedMachine(copy, disk)
                #expect(try await survivor.audit().exitCode == 0)
                let (again, receipt) = try await survivor.auditOnce()
                #expect(receipt != nil && again.isFull)
                #expect(try await survivor.audit().verdict == .intact)
            }
        }
        #expect(crashed > 20, "\(crashed) crashes")
    }
}
