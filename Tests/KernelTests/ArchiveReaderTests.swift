import CanonicalJSON
import DurableFiles
import Kernel
import Ledger
import LedgerFormat
import TestSupport
import Testing

@Suite("Readers beside an archive")
struct ArchiveReaderTests {
    /// Reads a ledger out of which everything goes at one operation of the reader: at each in turn.
    ///
    /// - Returns: how many operations there were.
    private func overtaken(_ read: (any Storage, House) async throws -> Void) async throws -> Int {
        let house = try House(count: 10)
        for number in 0... {
            let copy = house.copy()
            let storage = try copy.machine.faulty(
                .rule { index, _ in
                    if index == number { _ = try? copy.archive(before: Limits.seq) }
                    return nil
                })
            try await read(storage, copy)
            if copy.machine.segments.min() == 1 { return number }
        }
        return 0
    }

    @Test("an audit finds the ledger intact, whenever segments go", arguments: [1, 2])
    func audit(threads: Int) async throws {
        let count = try await overtaken { storage, house in
            var audit = Audit(house.machine.environment)
            audit.threadCount = threads
            let report = try await audit.run(storage)
            #expect(report.verdict == .intact, "\(report.verdictLine)")
        }
        #expect(count > 10)
    }

    @Test("a repair's plan finds nothing to mend")
    func plan() async throws {
        let count = try await overtaken { storage, house in
            guard case .mend(let plan) = try Repair(house.machine.environment, house.machine.settings).prospect(storage) else {
                Issue.record("nothing was interrupted")
                return
            }
            #expect(!plan.isNeeded && plan.trustsBase)
        }
        #expect(count > 10)
    }

    @Test("who reads entries gets all of them, or is told that they were archived; who asks once more gets what is left")
    func entries() async throws {
        let count = try await overtaken { storage, house in
            let environment = house.machine.environment
            var seqs: [UInt64] = []
            do throws(LedgerError) {
                let view = try LedgerView(storage)
                try EntryReader(view, environment).read(from: view.firstSeq) { frame, _ in
                    seqs.append(frame.seq)
                    return true
                }
            } catch {
                #expect(error.code == .inputOutput && error.cause == .overtaken, "\(error)")
            }
            for (one, next) in zip(seqs, seqs.dropFirst()) { #expect(next == one + 1) }
            let last = try LedgerView.asking(storage) { view throws(LedgerError) in
                _ = try EntryReader(view, environment).explanation()
                return try EntryReader(view, environment).lastSeq()
            }
            #expect(last >= 11)
        }
        #expect(count > 5)
    }

    @Test("who shows entries begins again if none was shown yet, and never shows one twice")
    func showing() async throws {
        let count = try await overtaken { storage, house in
            var seqs: [UInt64] = []
            do throws(LedgerError) {
                _ = try LedgerView.showing(storage) { view, hasShown throws(LedgerError) in
                    try EntryReader(view, house.machine.environment).read(from: view.firstSeq) { frame, _ in
                        hasShown = true
                        seqs.append(frame.seq)
                        return true
                    }
                }
            } catch {
                #expect(error.cause == .overtaken && !seqs.isEmpty, "\(error)")
            }
            for (one, next) in zip(seqs, seqs.dropFirst()) { #expect(next == one + 1) }
        }
        #expect(count > 5)
    }

    @Test("a decider goes on, though the entry that its state stands at was archived")
    func decider() throws {
        let house = try House(count: 6)
        var decider = try house.machine.decider()
        _ = try decider.set("/a", 1)
        _ = try house.machine.append(1...2)
        try house.archive(before: Limits.seq)
        _ = try decider.set("/b", 2)
        #expect(try house.state(house.machine.storage()).root["a"] == 1)
    }
}
