import DurableFiles
import Ledger
import LedgerFormat
import TestSupport
import Testing

@Suite("An audit that leaves the tail to who has the lock")
struct AuditBehindHeadTests {
    @Test("where HEAD moved far on meanwhile, the walk goes on up to it")
    func moved() async throws {
        let machine = try SimulatedMachine.segmented(count: 10, segmentByteCount: 4000)
        let storage = try machine.faulty()
        let once = Once()
        // Behind the look at HEAD, which comes first.
        storage.setPlan(
            .rule { _, operation in
                if operation.kind == .read, operation.path?.directory == "ledger", once.isFirst {
                    _ = try? machine.append(11...60)
                }
                return nil
            })
        let finding = try await Auditor(.boot, machine.environment).walk(storage)
        #expect(!once.isFirst)
        #expect(finding.report.verdict == .intact && finding.report.tip?.seq == 61, "\(finding.report.verdictLine)")
    }
}
