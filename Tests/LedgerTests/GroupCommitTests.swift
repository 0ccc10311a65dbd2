import Dispatch
import DurableFiles
import Ledger
import LedgerFormat
import SystemPackage
import TestSupport
import Testing

@Suite("Group commit")
struct GroupCommitTests {
    private static let segment = SegmentReader.path(ofSegment: 1)

    private func syncCount(_ storage: FaultInjectingStorage) -> Int {
        storage.trace.count { $0.kind == .synchronize && $0.path?.directory == "ledger" }
    }

    @Test("runs of several tasks: each in its order; what follows one that fails is not recorded, others are not touched")
    func runs() async throws {
        let machine = try SimulatedMachine()
        let committer = GroupCommitter(try machine.storage(), machine.environment, machine.settings)
        _ = try await committer.append([TestLedger.draft(0, actor: "process:p3", id: "taken")])
        let answers = await withTaskGroup(of: (Int, [Result<WriterSession.Answer, LedgerError>]).self) { group in
            for task in 0..<8 {
                group.addTask {
                    let run = (1...10).map { number in
                        let isTaken = task == 3 && number == 5
                        return [TestLedger.draft(task * 100 + number, actor: "process:p\(task)", id: isTaken ? "taken" : nil)]
                    }
                    return (task, await committer.append(inOrder: run))
                }
            }
            return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
        for (task, answers) in answers {
            let receipts = answers.compactMap { try? $0.get().receipts[0] }
            #expect(answers.count == 10 && receipts.count == (task == 3 ? 4 : 10), "task \(task)")
            #expect(receipts.map(\.seq) == receipts.map(\.seq).sorted())
            guard task == 3 else { continue }
            guard case .failure(let conflict) = answers[4], case .failure(let unreached) = answers[5] else {
                Issue.record("the taken id is a conflict")
                continue
            }
            #expect(conflict.code == .conflict && unreached.code == .inputOutput)
        }
        #expect(try machine.entries().count == 2 + 7 * 10 + 4)
    }

    @Test("64 tasks: all are acknowledged, in the order of their seqs")
    func many() async throws {
        let machine = try SimulatedMachine()
        let committer = GroupCommitter(try machine.storage(), machine.environment, machine.settings)
        let receipts = try await withThrowingTaskGroup(of: [Receipt].self) { group in
            for task in 0..<64 {
                group.addTask {
                    var receipts: [Receipt] = []
                    for number in 0..<20 {
                        let draft = TestLedger.draft(task * 100 + number, actor: "process:p\(task)")
                        receipts += try await committer.append([draft]).receipts
                    }
                    return receipts
                }
            }
            var all: [Receipt] = []
            for try await receipts in group {
                #expect(receipts.map(\.seq) == receipts.map(\.seq).sorted(), "a task's entries stand in its order")
                all += receipts
            }
            return all
        }
        #expect(Set(receipts.map(\.seq)) == Set(2...1281))
        let entries = try machine.entries()
        for receipt in receipts { #expect(entries[Int(receipt.seq) - 1].receipt == receipt) }
        #expect(try await machine.audit().verdict == .intact)
    }

    @Test("what comes while somebody is at work shares a sync")
    func shared() async throws {
        let machine = try SimulatedMachine()
        let storage = try machine.faulty()
        let committer = GroupCommitter(storage, machine.environment, machine.settings)
        // Somebody has the ledger until all are there; he waits on a thread that no task needs.
        let (began, beginning) = AsyncStream.makeStream(of: Void.self)
        let arrivals = DispatchSemaphore(value: 0)
        async let visit: Void = committer.withSession { _ in
            beginning.finish()
            for _ in 0..<64 { arrivals.wait() }
        }
        for await _ in began {}
        let syncsBefore = syncCount(storage)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for task in 0..<64 {
                group.addTask {
                    arrivals.signal()
                    _ = try await committer.append([TestLedger.draft(task)])
                }
            }
            try await group.waitForAll()
        }
        try await visit
        // Who came last may come too late for the first block.
        #expect((1...2).contains(syncCount(storage) - syncsBefore), "\(syncCount(storage) - syncsBefore) syncs")
        #expect(try machine.entries().count == 65)
    }

    @Test("an append that is alone is made durable by its caller, and an idle lock goes to whoever wants it")
    func alone() async throws {
        let machine = try SimulatedMachine()
        let storage = try machine.faulty()
        let committer = GroupCommitter(storage, machine.environment, machine.settings)
        for number in 1...20 {
            let receipt = try await committer.append([TestLedger.draft(number)]).receipts[0]
            // Each waited for a sync of its own.
            #expect(receipt.seq == UInt64(number + 1) && syncCount(storage) >= number)
        }
        var other = try machine.session()
        // The simulated clock runs ahead of the real one, by which the committer is idle: hence more than one try.
        while !other.isHolding {
            do throws(LedgerError) { try other.acquire() } catch { #expect(error.code == .busy) }
            await Task.yield()
        }
        #expect(other.tip?.seq == 21 && other.head?.seq == 21, "the committer wrote HEAD before it let go")
        other.release()
        #expect(try await committer.append([TestLedger.draft(30)]).receipts[0].seq == 22)
    }

    @Test("decisions stay together among others")
    func decisions() async throws {
        let machine = try SimulatedMachine()
        let committer = GroupCommitter(try machine.storage(), machine.environment, machine.settings)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for task in 0..<30 {
                group.addTask {
                    let drafts = (0...task % 4).map { TestLedger.draft(task * 10 + $0) }
                    let seqs = try await committer.append(drafts).receipts.map(\.seq)
                    #expect(seqs == Array(seqs[0]..<seqs[0] + UInt64(drafts.count)))
                }
            }
            try await group.waitForAll()
        }
        #expect(try await machine.audit().verdict == .intact)
    }

    @Test("a failed sync reaches all who wait for it, and nobody who was answered before")
    func failure() async throws {
        let machine = try SimulatedMachine()
        let storage = try machine.faulty()
        let committer = GroupCommitter(storage, machine.environment, machine.settings)
        let first = try await committer.append([TestLedger.draft(1)]).receipts[0]
        storage.setPlan(
            .rule { _, operation in
                operation.kind == .synchronize && operation.path == Self.segment ? .failSynchronize : nil
            })
        let errors = await withTaskGroup(of: LedgerError?.self) { group in
            for number in 2..<34 {
                group.addTask {
                    do throws(LedgerError) {
                        _ = try await committer.append([TestLedger.draft(number)])
                        return nil
                    } catch {
                        return error
                    }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(errors.count == 32 && errors.allSatisfy { $0?.code == .inputOutput })
        let durable = SimulatedMachine(machine, machine.disk.durableImage())
        #expect(try durable.entries().contains { $0.receipt == first })
        storage.crash()
        #expect(try machine.openingError() == nil)
    }

    @Test("a disk that is full answers each with the failure, and works again when there is room")
    func diskFull() async throws {
        let machine = try SimulatedMachine()
        let storage = try machine.faulty(
            .rule { _, operation in
                operation.kind == .write && operation.path == Self.segment ? .fail(.noSpace) : nil
            })
        let committer = GroupCommitter(storage, machine.environment, machine.settings)
        for number in 1...3 {
            await #expect(throws: LedgerError.self) { try await committer.append([TestLedger.draft(number)]) }
        }
        storage.setPlan(.none)
        #expect(try await committer.append([TestLedger.draft(4)]).receipts[0].seq == 2)
    }

    @Test("opening that fails is answered to all; the next try opens anew")
    func failedOpening() async throws {
        let machine = try SimulatedMachine(count: 2)
        try machine.appendUnvouched(3...4)
        machine.setSegment(1, Array(machine.segment()[..<(machine.dataEnd() - 9)]))
        // The tail is cut, and then there is no room for the entry about it.
        let storage = try machine.faulty(
            .rule { _, operation in
                operation.kind == .write && operation.path == Self.segment ? .fail(.noSpace) : nil
            })
        let committer = GroupCommitter(storage, machine.environment, machine.settings)
        for number in 5...7 {
            await #expect(throws: LedgerError.self) { try await committer.append([TestLedger.draft(number)]) }
            #expect(machine.lockIsFree)
        }
        storage.setPlan(.none)
        #expect(try await committer.append([TestLedger.draft(8)]).receipts[0].seq == 6)
        #expect(try machine.count("ledger.tail_cut") == 1)
        #expect(try await machine.audit().verdict == .intact)
    }

    @Test("two committers on one ledger give way to each other")
    func twoProcesses() async throws {
        let machine = try SimulatedMachine()
        // They wait for each other in real time.
        let committers = try (0..<2).map { _ in
            GroupCommitter(try machine.storage(), .system, machine.settings)
        }
        let seqs = try await withThrowingTaskGroup(of: [UInt64].self) { group in
            for task in 0..<16 {
                group.addTask {
                    var seqs: [UInt64] = []
                    for number in 0..<10 {
                        seqs += try await committers[task % 2].append([TestLedger.draft(task * 100 + number)]).receipts.map(\.seq)
                    }
                    return seqs
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(seqs.sorted() == Array(2...161))
        #expect(try await machine.audit().verdict == .intact)
    }
}
