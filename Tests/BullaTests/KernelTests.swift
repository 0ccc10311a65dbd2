import Bulla
import TestSupport
import Testing

@Suite("The library: decide and project")
struct LibraryKernelTests {
    private struct Counter: Projection {
        static let name = "counter"
        static let version = 1
        static let namespaces = ["count"]
        private(set) var sum = 0
        private(set) var seqs: [UInt64] = []

        mutating func apply(_ event: RecordedEvent) {
            sum += 1
            seqs.append(event.seq)
        }
    }

    private func ledger(_ directory: TemporaryDirectory) throws -> LedgerDirectory {
        let ledger = LedgerDirectory(directory.path + "/ledger", stateFolder: .at(directory.path + "/state"))
        try ledger.create()
        return ledger
    }

    @Test("40 tasks over two kernels and a writer: each decision saw all before it")
    func together() async throws {
        let directory = TemporaryDirectory()
        let ledger = try ledger(directory)
        let kernels = [try ledger.openKernel(), try ledger.openKernel()]
        let writer = try ledger.openWriter()
        let seen = try await withThrowingTaskGroup(of: Int?.self) { group in
            for task in 0..<40 {
                group.addTask {
                    if task % 4 == 0 {
                        try await writer.append(
                            Event(action: "other.step", actor: "process:test", pillar: .integrity, reason: "a test"))
                        return nil
                    }
                    let decided = try await kernels[task % 2].decide(on: Counter.self, as: "process:test") {
                        state, moment throws(LedgerFailure) in
                        Decision(
                            [try Event(action: "count.one", actor: moment.actor, pillar: .integrity, reason: "a test")],
                            reply: state.sum)
                    }
                    return decided.reply
                }
            }
            var seen: [Int] = []
            for try await count in group { if let count { seen.append(count) } }
            return seen
        }
        #expect(seen.sorted() == Array(0..<30))
        let state = try await kernels[0].project(Counter.self)
        #expect(state.sum == 30 && state.seqs == state.seqs.sorted())
        #expect(try await ledger.verify().verdict == .intact)
    }

    @Test("a rule's refusal is the caller's, and nothing is written")
    func refused() async throws {
        let directory = TemporaryDirectory()
        let ledger = try ledger(directory)
        let kernel = try ledger.openKernel()
        await #expect(throws: LedgerFailure(code: .refused, message: "no")) {
            try await kernel.decide(on: Counter.self, as: "process:test") { _, _ throws(LedgerFailure) -> Decision<Void> in
                throw LedgerFailure(code: .refused, message: "no")
            }
        }
        #expect(try await ledger.verify().entryCount == 1)
    }
}
