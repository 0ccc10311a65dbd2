import CanonicalJSON
import DurableFiles
import Kernel
import Ledger
import LedgerFormat
import TestSupport
import Testing

@Suite("An archive, and how long a constitution keeps entries")
struct ArchiveRetentionTests {
    private func adoption(days: Int, _ machine: SimulatedMachine) throws -> SignedRequest {
        let proposal = try Proposal(Array("[thresholds]\nsignatures = 1\n[retention]\ndays = \(days)".utf8))
        let view = try LedgerView(machine.storage())
        let associates = try #require(try view.actors().associates)
        var request = SignedRequest(
            .adopt, SignedRequest.adoption(of: proposal.articles, text: proposal.text, threshold: 1, reason: "test"),
            in: try #require(view.ledger), base: associates.act.hash, nonce: String(repeating: "0", count: 32),
            expires: Timestamp(microseconds: machine.environment.now().microseconds + 1_000_000_000))
        request.sign(with: TestActors.ada)
        return request
    }

    @Test("what is too young stays, also if that is adopted while it is copied; what is old enough goes")
    func young() throws {
        var settings = WriterSettings()
        settings.segmentByteCount = 4000
        let machine = try SimulatedMachine(seed: 1, count: 40, settings: settings, founders: ([TestActors.ada.key], 1))
        let disk = MemoryDisk()
        let storage = try MemoryStorage(constructing: disk)
        try storage.makeDirectory(Layout.ledger)
        try storage.publish()
        func archive(
            _ machine: SimulatedMachine, _ meanwhile: () throws(LedgerError) -> Void = { () throws(LedgerError) in }
        ) throws -> Decider.Archived {
            var decider = try machine.decider()
            return try decider.archive(
                .seq(20), keeping: [], to: MemoryStorage(disk.copy()), named: PathText(Array("/archive".utf8)), reason: "test",
                members: { _, _ throws(LedgerError) in
                    try meanwhile()
                    return [:]
                })
        }
        let request = try adoption(days: 1, machine)
        let late = machine.copy()
        let error = #expect(throws: LedgerError.self) {
            try archive(late) { () throws(LedgerError) in
                var session = WriterSession(
                    try doing("test") { () throws(StorageError) in try MemoryStorage(late.disk) }, late.environment, settings)
                try session.acquire()
                defer { session.release() }
                _ = try session.carryOut(request, as: .adopt)
            }
        }
        #expect(error?.code == .refused && error?.message.contains("keeps entries in the ledger for 1 day") == true)
        try machine.write { session in _ = try session.carryOut(request, as: .adopt) }
        let (early, count) = (machine.copy(), machine.segments.count)
        let refusal = #expect(throws: LedgerError.self) { try archive(early) }
        #expect(refusal?.code == .refused && early.segments.count == count)
        // Two days later.
        var environment = machine.environment
        let now = environment.now
        environment.now = { Timestamp(microseconds: now().microseconds + 2 * 86_400_000_000) }
        let old = SimulatedMachine(machine, machine.disk, environment)
        #expect(try archive(old).statement.last < 20)
    }
}
