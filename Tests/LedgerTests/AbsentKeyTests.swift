import DurableFiles
import Ledger
import LedgerFormat
import TestSupport
import Testing

/// A key that is not there now, was not there earlier in a pass, or came meanwhile.
@Suite("Keys that come and go")
struct AbsentKeyTests {
    /// Several segments under one key, and as many under the next.
    private func rotated() throws -> (machine: SimulatedMachine, old: KeyID) {
        let machine = try SimulatedMachine.large()
        let old = try machine.rotateKey().old
        try machine.append(1000...1040, size: 100_000)
        return (machine, old)
    }

    private func path(_ key: KeyID) -> StoragePath { StoragePath(Layout.keys.name, SealingKey.fileName(key)) }

    /// Audits in slices until one is not partial.
    private func slices(_ machine: SimulatedMachine) async throws -> (last: AuditFinding, count: Int) {
        for count in 1...200 {
            let finding = try await machine.auditOnce(SimulatedMachine.reads(2)).finding
            if finding.report.verdict != .partial || finding.isFull { return (finding, count) }
        }
        throw TooManySlices()
    }

    private struct TooManySlices: Error {}

    @Test("slices that had not an earlier key are no full audit, until it is there again")
    func forgotten() async throws {
        let (machine, old) = try rotated()
        let aside = StoragePath(Layout.keys.name, "aside")
        try machine.storage().rename(path(old), to: aside)
        for _ in 0..<2 {
            let (finding, _) = try await slices(machine)
            #expect(finding.report.verdict == .unverifiable && finding.exitCode == 11 && !finding.isFull)
            #expect(finding.report.reason?.contains("\(old).key is missing") == true, "\(finding.report.reason ?? "")")
        }
        let progress = try #require(try FoundProgress(LedgerView(machine.storage()), now: machine.environment.now()).progress)
        #expect(progress.full == nil && progress.pass?.absences.keys.contains(old) == true)
        try machine.storage().rename(aside, to: path(old))
        let (finding, count) = try await slices(machine)
        #expect(finding.isFull && finding.exitCode == 0 && count > 2, "it begins at the first entry again")
    }

    @Test("a key that an entry in a later slice retires is needed no more")
    func retired() async throws {
        let (machine, old) = try rotated()
        _ = try machine.write { try $0.retireKey(old, reason: "test", destroying: true) }
        let (finding, count) = try await slices(machine)
        #expect(finding.isFull && finding.report.verdict == .intact && count > 2)
    }

    /// Reads a ledger whose key changes, and seals an entry, at one operation of the reader: at each in turn.
    private func beside(_ read: (any Storage, SimulatedMachine) async throws -> Void) async throws -> Int {
        let machine = try SimulatedMachine(count: 4)
        for number in 0... {
            let copy = machine.copy()
            let storage = try copy.faulty(
                .rule { index, _ in
                    if index == number {
                        _ = try? copy.rotateKey()
                        _ = try? copy.append(1...1)
                    }
                    return nil
                })
            try await read(storage, copy)
            if try copy.count(ChainTurn.rotated) == 0 { return number }
        }
        return 0
    }

    @Test("a rotation beside an audit is no missing key")
    func auditBeside() async throws {
        let count = try await beside { storage, machine in
            let report = try await Audit(machine.environment).run(storage)
            #expect(report.verdict == .intact, "\(report.verdictLine)")
            let finding = try await Auditor(.deep.budgeted(1_000_000), machine.environment).walk(storage)
            #expect(finding.report.verdict == .intact, "\(finding.report.verdictLine)")
        }
        #expect(count > 10)
    }

    @Test("a rotation beside a slice that is cut short is no missing key")
    func sliceBeside() async throws {
        let count = try await beside { storage, machine in
            let finding = try await Auditor(SimulatedMachine.reads(2), machine.environment).walk(storage)
            #expect([.intact, .partial].contains(finding.report.verdict), "\(finding.report.verdictLine)")
            #expect(finding.reaction != .none)
        }
        #expect(count > 10)
    }

    @Test("a rotation beside a repair's plan or a reader is no missing key")
    func askingBeside() async throws {
        let count = try await beside { storage, machine in
            guard case .mend(let plan) = try Repair(machine.environment, machine.settings).prospect(storage) else {
                Issue.record("nothing was interrupted")
                return
            }
            #expect(!plan.isNeeded && plan.absentKeys.isEmpty)
            let absence = try LedgerView.asking(storage) { view throws(LedgerError) in
                try EntryReader(view, machine.environment).read(from: 1).keyAbsence
            }
            #expect(absence == nil, "\(absence ?? "")")
        }
        #expect(count > 10)
    }
}
