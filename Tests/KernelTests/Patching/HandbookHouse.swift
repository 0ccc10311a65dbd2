import CanonicalJSON
import DurableFiles
import Kernel
import Ledger
import LedgerFormat
import TestSupport
import Testing

/// A house of Ada, Bob and Carol, two of whom must sign, and one handbook on a disk of its own.
struct HandbookHouse: Sendable {
    var machine: SimulatedMachine
    var books: MemoryDisk

    static let name = "agents/builder/AGENT.md"
    static let path = StoragePath("builder", "AGENT.md")
    static let text = "# Builder\n\nBuild.\n\n- be quick\n"
    static let edited = "# Builder\n\nBuild.\n\n- be careful\n"

    init() throws {
        machine = try SimulatedMachine(
            count: 2, founders: ([TestActors.ada, TestActors.bob, TestActors.carol].map(\.key), 2))
        books = MemoryDisk.withEmptyBase()
        let storage = try MemoryStorage(books)
        try storage.makeDirectory(StoragePath("builder"))
        try storage.synchronize(directory: nil)
        try storage.create(Self.path, Array(Self.text.utf8).span)
        books.setMode(0o644, of: Self.path)
    }

    init(_ machine: SimulatedMachine, _ books: MemoryDisk) { (self.machine, self.books) = (machine, books) }

    /// The shelf with that folder, on a disk that perhaps fails.
    func shelf(_ plan: FaultPlan = .none, in folders: [String] = ["agents"]) -> Shelf {
        Shelf(folders) { [books] _ throws(StorageError) in FaultInjectingStorage(try MemoryStorage(books), plan) }
    }

    var handbook: String? { books.bytes(of: Self.path).map { String(decoding: $0, as: UTF8.self) } }

    func patches() throws -> Patches {
        var fold = Fold<Patches>()
        try fold.advance(in: LedgerView(machine.storage()), machine.environment)
        return fold.state
    }

    static func proposal(_ old: String = text, _ new: String = edited, _ signature: Signature? = nil) throws -> PatchProposal {
        let name = try HandbookName(name)
        let (base, changed) = (try Handbook(name, Array(old.utf8)), try Handbook(name, Array(new.utf8)))
        return PatchProposal(
            base, to: changed, UnifiedDiff(from: base.bytes, to: changed.bytes), evidence: [2], signature: signature)
    }

    @discardableResult
    func propose(_ proposal: PatchProposal, as actor: String = "user:ada") throws -> UInt64? {
        var decider = try machine.decider()
        return try decider.decide(on: Patches.self, as: actor, reading: { $0.ranks }) {
            patches, ranks, moment throws(LedgerError) in
            try patches.propose(proposal, evidence: [], .test, moment, ranks)
        }.receipts.last?.seq
    }

    /// Proposes, signs and applies.
    @discardableResult
    func apply(_ proposal: PatchProposal) throws -> UInt64 {
        let seq = try #require(try propose(proposal))
        try carryOut(request(.approvePatch, try #require(try patches()[seq]).change))
        #expect(try patches()[seq]?.stage == .applied)
        return seq
    }

    func revert(_ seq: UInt64) throws { try carryOut(request(.revertPatch, try #require(try patches()[seq]).reversal)) }

    func kept(_ name: HandbookName, upTo end: FoldEnd = .tip) throws -> KeptHandbook {
        try KeptHandbook(name, upTo: end, in: LedgerView(machine.storage()), machine.environment)
    }

    func reject(_ seq: UInt64) throws {
        var decider = try machine.decider()
        _ = try decider.decide(on: Patches.self, as: "user:ada") { patches, moment throws(LedgerError) in
            try patches.reject(seq, .test, moment)
        }
    }

    func request(
        _ verb: SignedRequest.Verb, _ change: HandbookChange, by signers: [ActorSigner] = [TestActors.ada, TestActors.bob],
        life: Int64 = 1_000_000_000
    ) throws -> SignedRequest {
        let associates = try #require(try LedgerView(machine.storage()).actors().associates)
        var request = SignedRequest(
            verb, change.arguments(reason: "test"), in: try machine.tip().ledger, base: associates.act.hash,
            nonce: String(repeating: "0f", count: 16),
            expires: Timestamp(microseconds: machine.environment.now().microseconds + life))
        for signer in signers { request.sign(with: signer) }
        return request
    }

    @discardableResult
    func carryOut(_ request: SignedRequest, on shelf: Shelf? = nil, _ storage: (any Storage)? = nil) throws -> Decider.PatchEnd {
        var decider = try machine.decider(storage)
        return try decider.carryOut(request, as: request.verb, shelf ?? self.shelf()).end
    }

    @discardableResult
    func finish(_ shelf: Shelf? = nil) throws -> [Decider.PatchEnd] {
        var decider = try machine.decider()
        return try decider.finishPatches(shelf ?? self.shelf())
    }

    /// What is said against it; nil if it was carried out.
    func refusal(of request: SignedRequest, as verb: SignedRequest.Verb? = nil, on shelf: Shelf? = nil) throws -> String? {
        let before = machine.files
        var decider = try machine.decider()
        do {
            _ = try decider.carryOut(request, as: verb ?? request.verb, shelf ?? self.shelf())
            return nil
        } catch {
            #expect(error.code == .refused && machine.files == before, "\(error)")
            return error.message
        }
    }
}
