import DurableFiles
import Ledger
import LedgerFormat
import TestSupport
import Testing

/// A writer that had to look at damaged entries went on, and recorded an id again that stood behind the damage.
@Suite("Damage among the entries whose ids a writer reads")
struct DamagedIdsTests {
    @Test("it is met: nothing is recorded, the alert is raised, and the entry is named", arguments: [false, true])
    func flipped(isMissing: Bool) throws {
        var settings = WriterSettings()
        settings.segmentByteCount = 2000
        let machine = try SimulatedMachine(settings: settings)
        try machine.write { session in
            for number in 1...8 { try session.record(TestLedger.draft(number, id: "i\(number)")) }
        }
        let bad = try machine.place(2)
        if isMissing {
            machine.disk.delete(SegmentReader.path(ofSegment: 1))
        } else {
            machine.disk.flip(1, at: bad.offset + 300, of: SegmentReader.path(ofSegment: bad.segment))
        }
        let before = machine.files
        var session = try machine.session()
        // A one-shot verb does not look so far back.
        try session.acquire()
        let answers = session.commit([[TestLedger.draft(99)], [TestLedger.draft(7, id: "i7")], [TestLedger.draft(98)]])
        for answer in answers {
            guard case .failure(let error) = answer else {
                Issue.record("recorded: \(answer)")
                continue
            }
            #expect(error.code == .tampered && error.place?.seq == (isMissing ? 1 : 2), "\(error)")
        }
        session.release()
        #expect(try machine.openingError()?.code == .locked)
        #expect(machine.files.besidesAlert == before.besidesAlert)
    }
}
