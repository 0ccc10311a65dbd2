import DurableFiles
import Ledger
import LedgerFormat
import Synchronization
import SystemPackage
import TestSupport
import Testing

/// A process cuts the segment, and ends before the cut is durable; the next one writes where the old bytes may still stand.
@Suite("A cut that was seen and never synchronised")
struct UnsynchronizedCutTests {
    private static let segment = SegmentReader.path(ofSegment: 1)

    /// What cuts the segment: an opening that finds a torn tail, or a writer whose block found no room.
    enum Cutter: CaseIterable, Sendable {
        case opening, writer
    }

    @Test(
        "after any power cut the next one's block is whole or torn: what was cut does not come back between its sectors",
        arguments: Cutter.allCases, [Fault.crash(.nothing), .failSynchronize, .fail(.ioError)])
    func nextBlock(cutter: Cutter, fault: Fault) async throws {
        let cut = try cut(by: cutter, fault)
        for number in 0..<5 {
            let machine = cut.copy()
            let storage = try machine.faulty(failing(synchronization: number, .crash(.nothing)))
            var session = try machine.session(storage)
            var acknowledged: [Receipt] = []
            if (try? session.acquire()) != nil {
                acknowledged = (try? session.decide((20...23).map { TestLedger.draft($0) }).receipts) ?? []
                session.release()
            }
            for seed in 0..<60 as Range<UInt64> {
                let survivor = SimulatedMachine(machine, machine.disk.crashImage(seed: seed))
                let report = try await survivor.audit()
                #expect(
                    report.verdict == .intact || report.verdict == .torn,
                    "sync \(number), seed \(seed): \(report.verdictLine)")
                #expect(try survivor.openingError() == nil, "sync \(number), seed \(seed)")
                let receipts = Set(try survivor.entries().map(\.receipt.line))
                #expect(acknowledged.allSatisfy { receipts.contains($0.line) }, "sync \(number), seed \(seed)")
            }
        }
    }

    @Test("a segment that goes on in NULs was not cut since they were synchronised: it is not touched")
    func preallocated() throws {
        let machine = try SimulatedMachine(count: 4)
        #expect(machine.segment().count > machine.dataEnd())
        let storage = try machine.faulty()
        var session = try machine.session(storage)
        try session.acquire()
        session.release()
        #expect(storage.trace.allSatisfy { !$0.kind.isChange })
    }

    /// A machine on which a segment was cut, and the cut's sync met the fault.
    private func cut(by cutter: Cutter, _ fault: Fault) throws -> SimulatedMachine {
        var settings = WriterSettings()
        settings.preallocationByteCountMax = 0
        let machine = try SimulatedMachine(count: 4, settings: settings)
        let end = machine.dataEnd()
        let storage = try machine.faulty()
        var session = try machine.session(storage)
        switch cutter {
        case .opening:
            try machine.appendUnvouched(5...5, size: 3000)
            machine.setSegment(1, Array(machine.segment()[..<(end + 2500)]))
            storage.setPlan(failing(synchronization: 0, fault))
            #expect(throws: LedgerError.self) { try session.acquire() }
        case .writer:
            try session.acquire()
            let plan = failing(synchronization: 0, fault)
            storage.setPlan(
                .rule { number, operation in
                    if operation.kind == .write { return .shortWrite(bytes: 2500, .noSpace) }
                    guard case .rule(let rule) = plan else { return nil }
                    return rule(number, operation)
                })
            #expect(throws: LedgerError.self) { try session.record(TestLedger.draft(5, size: 3000)) }
            if !storage.isCrashed { session.release() }
        }
        #expect(storage.fired.last?.fault == fault && storage.fired.last?.operation.path == Self.segment)
        #expect(machine.segment().count == end, "everybody sees it cut")
        storage.crash()
        return machine
    }

    /// A fault in the n-th synchronisation of the segment.
    private func failing(synchronization number: Int, _ fault: Fault) -> FaultPlan {
        let count = Mutex(0)
        return .rule { _, operation in
            guard operation.kind == .synchronize, operation.path == Self.segment else { return nil }
            return count.withLock { count in
                count += 1
                return count == number + 1 ? fault : nil
            }
        }
    }
}
