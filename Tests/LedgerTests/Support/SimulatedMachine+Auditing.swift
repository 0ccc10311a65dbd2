import DurableFiles
import Ledger
import LedgerFormat
import TestSupport

extension SimulatedMachine {
    /// A policy whose budget is counted in reads: the simulated clock ticks a microsecond a look.
    static func reads(_ count: Int64, _ policy: AuditPolicy = .deep) -> AuditPolicy { policy.budgeted(count) }

    /// One `bulla audit`: the walk, and what follows it under the lock.
    @discardableResult
    func auditOnce(
        _ policy: AuditPolicy = .deep, fromStart: Bool = false, between: () throws -> Void = {}
    ) async throws -> (finding: AuditFinding, receipt: Receipt?) {
        var auditor = Auditor(policy, environment)
        auditor.ignoresPosition = fromStart
        var finding = try await auditor.walk(storage())
        try between()
        guard finding.reaction != .none else { return (finding, nil) }
        var session = try session()
        try session.acquire()
        defer { session.release() }
        let receipt = try session.record(&finding)
        return (finding, receipt)
    }

    var position: [UInt8]? { disk.bytes(of: Layout.audit) }

    func progress() throws -> AuditProgress {
        try AuditProgress(file: position ?? [], ledger: head().ledger, key: key())
    }

    /// 4 MB in several segments, in decisions of five entries. Each has a clock of its own: time is what a budget is spent of.
    static func large() throws -> SimulatedMachine {
        var settings = WriterSettings()
        settings.segmentByteCount = 1_500_000
        let machine = try SimulatedMachine(settings: settings)
        try machine.write { session in
            for number in 1...8 {
                try session.decide((0..<5).map { TestLedger.draft(number * 10 + $0, size: 100_000) })
                session.replaceHeadIfDue()
            }
        }
        return machine
    }
}
