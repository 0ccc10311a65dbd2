import CanonicalJSON
import Ledger
import LedgerFormat
import TestSupport
import Testing

@Suite("What a long-lived process does at each pulse")
struct WatchTests {
    private let receipt: Receipt
    private let boot: AuditFinding
    /// A slice that passed and is no full audit.
    private let slice: AuditFinding

    init() async throws {
        let machine = try SimulatedMachine(count: 3)
        (boot, _) = try await machine.auditOnce(.boot)
        receipt = try #require(try machine.entries().last).receipt
        var slice = try await Auditor(.fast, machine.environment).walk(machine.storage())
        slice.isFull = false
        slice.report.verdict = .partial
        self.slice = slice
    }

    private func at(_ seq: UInt64) -> Receipt {
        var receipt = receipt
        receipt.seq = seq
        return receipt
    }

    private func finding(_ policy: AuditPolicy, full: Bool = false) -> AuditFinding {
        var finding = slice
        finding.policy = policy
        finding.isFull = full
        return finding
    }

    @Test("every tenth slice is a thorough one, and there is never more than one at a time")
    func slices() {
        var watch = Watch(started: 0, seq: 1, boot: boot)
        var policies: [String] = []
        for pulse in 1...30 as ClosedRange<UInt64> {
            let policy = watch.beat(at(pulse))
            policies.append(policy?.name ?? "none")
            #expect(watch.isAuditing)
            if policy != nil, pulse != 12 { watch.add(finding(.fast)) }
            // The slice of pulse 12 takes until behind pulse 14.
            if pulse == 14 { watch.add(finding(.fast)) }
        }
        for (index, policy) in policies.enumerated() {
            let pulse = index + 1
            #expect(policy == (pulse == 13 || pulse == 14 ? "none" : pulse % 10 == 0 ? "deep" : "fast"), "pulse \(pulse)")
        }
    }

    @Test("slices that pass are told together in the next pulse; thorough ones, failures and full ones by themselves")
    func entries() {
        var watch = Watch(started: 0, seq: 1, boot: boot)
        _ = watch.beat(at(2))
        #expect(watch.verdict(on: finding(.fast)) == .summarise)
        #expect(watch.verdict(on: finding(.deep)) == .record)
        #expect(watch.verdict(on: finding(.fast, full: true)) == .record)
        var failed = finding(.fast)
        failed.report.verdict = .tampered
        #expect(watch.verdict(on: failed) == .record)
    }

    @Test("a ledger that is gone through in every slice does not fill itself with audits")
    func small() {
        var watch = Watch(started: 0, seq: 1, boot: boot)
        var recorded = 0
        for pulse in 1...100 as ClosedRange<UInt64> {
            guard let policy = watch.beat(at(pulse)) else { continue }
            let finding = finding(policy, full: true)
            if watch.verdict(on: finding) == .record { recorded += 1 }
            watch.add(finding)
        }
        // Ten thorough ones, and at most one beside each.
        #expect((10...20).contains(recorded), "\(recorded)")
    }

    @Test("a pulse says how many entries came, what was checked, and how long the process is up")
    func pulse() {
        var watch = Watch(started: 500, seq: 10, boot: boot)
        let first = watch.pulse(behind: 17, uptime: 2500)
        #expect(first["entries"] == 7 && first["uptime_microseconds"] == 2000)
        #expect(first["slices"] == ["count": 0, "checked": 0] && first["audit"] == .object(boot.summary))
        _ = watch.beat(at(18))
        let slice = finding(.fast)
        watch.add(slice)
        let second = watch.pulse(behind: 18, uptime: 3000)
        #expect(second["entries"] == 0 && second["audit"] == .object(slice.summary))
        #expect(second["slices"]?["checked"]?.integer == Int64(slice.report.entryCount) && second["slices"]?["count"] == 1)
        _ = watch.beat(at(19))
        #expect(watch.pulse(behind: 19, uptime: 4000)["slices"] == ["count": 0, "checked": 0])
        #expect(watch.progress == slice.progress)
    }
}
