import DurableFiles
import Ledger
import LedgerFormat
import TestSupport
import Testing

/// A segment was begun, and nothing stands in it yet, when an older HEAD is found.
@Suite("An older HEAD in front of an empty segment")
struct EmptySegmentTests {
    @Test("The longer chain is adopted, and HEAD ends behind its last entry", arguments: [0, 40])
    func adopted(tornByteCount: Int) async throws {
        var settings = WriterSettings()
        settings.segmentByteCount = 3000
        settings.preallocationByteCountMax = 0
        let machine = try SimulatedMachine(settings: settings)
        let old = machine.headBytes
        var number = 0
        while machine.segments.count < 2 {
            number += 1
            try machine.append(number...number)
        }
        let last = try #require(machine.segments.max())
        machine.setSegment(last, Array(machine.segment(last)[..<tornByteCount]))
        // It vouches for an entry of the segment before, and not for the last one.
        machine.disk.setBytes(of: Layout.head, to: old)
        #expect(try await machine.audit().verdict == (tornByteCount == 0 ? .intact : .torn))
        _ = try machine.open()
        let report = try await machine.audit()
        #expect(report.verdict == .intact, "\(report.verdictLine)")
        #expect(report.head?.seq == report.tip?.seq)
        #expect(report.head?.alert == false)
        try machine.append(100...100)
        #expect(try await machine.audit().verdict == .intact)
    }
}
