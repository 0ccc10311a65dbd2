import DurableFiles
import Ledger
import LedgerFormat
import TestSupport
import Testing

@Suite("How a backup stands to whoever looks at it, and to its ledger")
struct BackupStandingTests {
    private func check(
        _ backup: SimulatedMachine, user: UInt32? = nil, original: SimulatedMachine? = nil
    ) async throws -> BackupCheck.Report {
        let storage = try MemoryStorage(backup.disk, user: user)
        let base = try #require(try storage.status(of: Layout.ledger))
        let other = try original?.storage()
        return try await BackupCheck(backup.environment).run(storage, base: base, original: other, mustMatch: true)
    }

    @Test("somebody else's is whole, and not ours to restore")
    func foreign() async throws {
        let machine = try SimulatedMachine(count: 2)
        let report = try await check(machine, user: 4711)
        #expect(report.audit.verdict == .intact && report.exitCode == 20)
        #expect(report.objections.contains { $0.message.contains("we are user 4711: only its owner could write there") })
        #expect(try await check(machine).objections.isEmpty)
    }

    @Test("a directory that it lacks is named")
    func incomplete() async throws {
        let machine = try SimulatedMachine(count: 2)
        machine.disk.move(Layout.keys, to: StoragePath("elsewhere"))
        let report = try await check(machine)
        #expect(report.objections.contains { $0.message.contains("keys/ is missing") }, "\(report.objections)")
        #expect(report.exitCode == 11)
    }

    @Test("a ledger that ends before its backup does stepped back")
    func steppedBack() async throws {
        let machine = try SimulatedMachine(count: 2)
        let old = machine.copy()
        try machine.append(3...5)
        let report = try await check(machine, original: old)
        #expect(report.exitCode == 10 && report.comparison == nil)
        #expect(report.objections.map(\.code) == [.tampered])
        #expect(report.objections.first?.message.contains("the ledger stepped back") == true, "\(report.objections)")
        #expect(try await check(old, original: machine).objections.isEmpty)
    }

    @Test("an entry that the ledger lost in a repair is still in its backup, and that is no objection")
    func lost() async throws {
        let machine = try SimulatedMachine(count: 4)
        let backup = machine.copy()
        try machine.append(5...6)
        let model = try LedgerModel(machine)
        machine.flip(model.frames[4], at: 0.5)
        try machine.repair()
        let report = try await check(backup, original: machine)
        #expect(report.objections.isEmpty && report.comparison?.compared == 1...5, "\(report)")
    }
}
