import DurableFiles
import Ledger
import LedgerFormat
import TestSupport
import Testing

/// Readers have no lock: a repair may end while they read, and then HEAD and the segments are not of one ledger.
@Suite("Readers that a repair overtakes")
struct RepairReaderTests {
    /// In one segment, or in several; an entry before HEAD's is damaged.
    private func damaged(_ segmentByteCount: Int) throws -> SimulatedMachine {
        let machine = try SimulatedMachine.segmented(count: 12, segmentByteCount: segmentByteCount)
        let place = try machine.place(6)
        machine.disk.flip(1, at: place.offset + 40, of: SegmentReader.path(ofSegment: place.segment))
        return machine
    }

    /// Reads a ledger that is repaired at one operation of the reader: at each in turn, until there are no more.
    private func overtaken(_ read: (any Storage, SimulatedMachine, Comment) async throws -> Void) async throws {
        for segmentByteCount in [3000, 60_000] {
            let machine = try damaged(segmentByteCount)
            for number in 0... {
                let copy = machine.copy()
                let storage = try copy.faulty(
                    .rule { index, _ in
                        if index == number { _ = try? copy.repair() }
                        return nil
                    })
                try await read(storage, copy, "operation \(number), segments of \(segmentByteCount) bytes")
                if copy.headBytes == machine.headBytes {
                    #expect(number > 5)
                    break
                }
            }
        }
    }

    @Test("an audit finds the ledger mended, or says what was wrong before", arguments: [1, 2])
    func audit(threads: Int) async throws {
        let before = try await [damaged(3000).audit(), damaged(60_000).audit()].map(\.verdictLine)
        try await overtaken { storage, machine, note in
            var audit = Audit(machine.environment)
            audit.threadCount = threads
            let report = try await audit.run(storage)
            #expect(report.verdict == .intact || before.contains(report.verdictLine), "\(note): \(report.verdictLine)")
        }
    }

    @Test("a repair's plan finds nothing to mend, or what there was")
    func plan() async throws {
        try await overtaken { storage, machine, note in
            guard case .mend(let plan) = try Repair(machine.environment, machine.settings).prospect(storage) else {
                Issue.record("nothing was interrupted: \(note)")
                return
            }
            let isOfBefore = plan.lostCount == 1 && plan.damages.count == 1 && plan.prefix.seq == 5
            #expect(!plan.isNeeded || isOfBefore, note)
        }
    }

    @Test("a glance at it sees no damage but what there was, and nothing behind HEAD")
    func status() async throws {
        // Of one segment it reads all, and of several the last ones.
        let before = try [damaged(3000), damaged(60_000)].map {
            LedgerStatus(try LedgerView($0.storage()), $0.environment).damage
        }
        try await overtaken { storage, machine, note in
            let status = try LedgerView.asking(storage) { view throws(LedgerError) in LedgerStatus(view, machine.environment) }
            let isSound = status.damage == nil && status.tip != nil && status.unsettledCount == 0
            let isOfBefore = status.damage != nil && before.contains { $0?.message == status.damage?.message }
            #expect(isSound || isOfBefore, note)
        }
    }
}
