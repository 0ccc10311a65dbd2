import DurableFiles
import Ledger
import LedgerFormat
import SystemPackage
import TestSupport
import Testing

@Suite("How long a sync takes")
struct SyncTimingTests {
    @Test("a sync that fails is told, and its file is taken away")
    func failure() throws {
        let machine = try SimulatedMachine(count: 1)
        let storage = try machine.faulty(.rule { _, operation in operation.kind == .synchronize ? .fail(.ioError) : nil })
        guard case .failed(let why) = SyncTiming.run(storage, machine.environment, count: 5) else {
            Issue.record("no sync was possible")
            return
        }
        #expect(why.contains("doctor.tmp"), "\(why)")
        #expect(machine.disk.bytes(of: SyncTiming.path) == nil)
    }
}
