import CanonicalJSON
import DurableFiles
import Kernel
import Ledger
import LedgerFormat
import TestSupport
import Testing

@Suite("Patches of which damage took an entry, or which were given up") struct LostPatchTests {
    private static let third = "# Third\n"

    @Test("an act shows that those before it were carried out, also where the entries that said so are lost")
    func applied() throws {
        let house = try HandbookHouse()
        let first = try house.apply(HandbookHouse.proposal())
        try house.carryOut(house.request(.revertPatch, try #require(try house.patches()[first]).reversal))
        let reverted = try house.patches(without: ["patch.applied": 0])
        #expect(reverted.pending.isEmpty && reverted[first]?.stage == .reverted)
        #expect(try house.patches(without: ["patch.applied": 1]).pending.count == 1)
        // Another patch, and a handbook that was put back before.
        let second = try house.apply(HandbookHouse.proposal())
        let name = try HandbookName(HandbookHouse.name)
        house.books.setBytes(of: HandbookHouse.path, to: Array("# Scribbled\n".utf8))
        var decider = try house.machine.decider()
        #expect(try decider.restoreHandbook(to: house.kept(name), as: "user:ada", .test, house.shelf()) != nil)
        #expect(try house.patches(without: ["patch.applied": 2])[second]?.stage == .applied)
        #expect(try house.patches(without: ["patch.applied": 3]).pending.first?.restoring != nil)
        let third = try house.apply(HandbookHouse.proposal(HandbookHouse.edited, Self.third))
        for lost in 1...3 {
            let patches = try house.patches(without: ["patch.applied": lost])
            #expect(patches.pending.isEmpty && patches[second]?.stage == .applied, "without \(lost)")
            #expect(patches.text(of: name)?.act.proposal == third)
        }
    }

    @Test("nothing else is signed for a handbook while an act of it is stuck, and what was signed so before comes over it")
    func stuck() throws {
        let house = try HandbookHouse()
        let first = try #require(try house.propose(HandbookHouse.proposal()))
        try house.stick(first, "# Other\n")
        let second = try #require(try house.propose(HandbookHouse.proposal("# Other\n", Self.third)))
        let request = try house.request(.approvePatch, try #require(try house.patches()[second]).change)
        let refusal = try house.refusal(of: request)
        #expect(refusal?.contains("patch \(first) is signed, and its handbook is not changed yet") == true, "\(refusal ?? "")")
        let other = HandbookHouse(house.machine.copy(), house.books.copy())
        try house.reject(first)
        try house.carryOut(request)
        #expect(house.handbook == Self.third)
        // An earlier build has carried it out.
        try other.machine.write { session in
            _ = try session.carryOut(
                request, as: .approvePatch, .evolution, ["after": .string(Self.third), "before": .string("# Other\n")])
        }
        #expect(try other.patches().pending.map(\.act.proposal) == [second])
        #expect(try other.finish().map(\.act.proposal) == [second] && other.handbook == Self.third)
    }

    @Test("what was given up is not what a handbook was: the text before is shown, and put back")
    func givenUp() throws {
        let house = try HandbookHouse()
        let name = try HandbookName(HandbookHouse.name)
        let kept = { try house.kept(name, upTo: $0) }
        let none = try #require(try house.propose(HandbookHouse.proposal()))
        try house.stick(none, HandbookHouse.text)
        try house.reject(none)
        #expect(try kept(.tip).handbook.text == HandbookHouse.text && kept(.tip).isFound)
        try house.apply(HandbookHouse.proposal())
        let patch = try #require(try house.propose(HandbookHouse.proposal(HandbookHouse.edited, Self.third)))
        try house.stick(patch, "# Other\n")
        let act = try #require(try house.patches()[patch]?.act)
        #expect(try kept(.tip).handbook.text == Self.third)
        try house.reject(patch)
        for end in [FoldEnd.tip, FoldEnd(seq: act)] {
            #expect(try kept(end).handbook.text == HandbookHouse.edited && !kept(end).isFound)
        }
        var decider = try house.machine.decider()
        #expect(try decider.restoreHandbook(to: kept(.tip), as: "user:ada", .test, house.shelf()) != nil)
        #expect(house.handbook == HandbookHouse.edited)
    }

    @Test(
        "nobody puts back what was signed before an act that is lost, whether a repair holds its request or not",
        arguments: [true, false])
    func lost(isDone: Bool) throws {
        let house = try HandbookHouse()
        let name = try HandbookName(HandbookHouse.name)
        let patch = try house.apply(HandbookHouse.proposal())
        let approved = try house.kept(name)
        try house.carryOut(house.request(.revertPatch, try #require(try house.patches()[patch]).reversal))
        let seqs = try house.machine.entries().filter { $0.action == "patch.applied" || $0.action == "patch.reverted" }.map(\.seq)
        // The approval is known to be carried out, or not even that.
        let damaged = isDone ? [seqs[1]] : Array(seqs[..<2])
        for place in try damaged.map({ try house.machine.place($0) }) {
            house.machine.disk.flip(1, at: place.offset + 40, of: SegmentReader.path(ofSegment: place.segment))
        }
        _ = try Repair(house.machine.environment, house.machine.settings).run(house.machine.storage())
        let associates = try #require(try LedgerView(house.machine.storage()).actors().associates)
        let arguments = SignedRequest.release(of: associates, behind: try house.machine.tip().hash, reason: "test")
        var release = SignedRequest(
            .release, arguments, in: try house.machine.tip().ledger, base: associates.act.hash,
            nonce: String(repeating: "0e", count: 16),
            expires: Timestamp(microseconds: house.machine.environment.now().microseconds + 1_000_000_000))
        for signer in [TestActors.ada, TestActors.bob] { release.sign(with: signer) }
        _ = try AlertRelease(house.machine.environment, house.machine.settings).run(house.machine.storage(), release)
        let patches = try house.patches()
        #expect(try patches.standing(of: patches.known(patch)) == (isDone ? .applied : .unknown))
        #expect(try house.finish().isEmpty)
        var decider = try house.machine.decider()
        let error = ledgerError { () throws(LedgerError) in
            _ = try decider.restoreHandbook(to: approved, as: "user:nobody", .test, house.shelf())
        }
        #expect(error?.code == .refused && error?.message.contains("or may have been, as entry \(patches.lossSeq)") == true)
        #expect(house.handbook == HandbookHouse.text)
        // Until they sign another one.
        if !isDone { try house.reject(patch) }
        try house.apply(HandbookHouse.proposal(HandbookHouse.text, Self.third))
        house.books.setBytes(of: HandbookHouse.path, to: Array("# Scribbled\n".utf8))
        #expect(try decider.restoreHandbook(to: house.kept(name), as: "user:ada", .test, house.shelf()) != nil)
        #expect(house.handbook == Self.third)
    }

    @Test(
        "what no property calls hidden, and nobody sees either",
        arguments: ["\u{1D159}", "\u{16FE4}", "\u{E000}", "\u{F0000}", "\u{0378}"])
    func hidden(text: String) throws {
        #expect(throws: HandbookFault.self) { try UnifiedDiff(from: [], to: Array("a\(text)b\n".utf8)).checkVisible() }
        try UnifiedDiff(from: [], to: Array("a\u{1D15E} é \u{1F600}\n".utf8)).checkVisible()
    }
}

extension HandbookHouse {
    /// Signs a patch, and leaves its handbook another text.
    fileprivate func stick(_ seq: UInt64, _ text: String) throws {
        let failing = shelf(.rule { _, operation in operation.kind == .create ? .crash(.nothing) : nil })
        #expect(
            try carryOut(request(.approvePatch, try #require(try patches()[seq]).change), on: failing).receipt == nil)
        books.setBytes(of: Self.path, to: Array(text.utf8))
    }

    /// Folded without one entry of each of these actions.
    fileprivate func patches(without lost: [String: Int]) throws -> Patches {
        var (patches, mark) = (Patches(), Mark?.none)
        var counts: [String: Int] = [:]
        try FactReader(LedgerView(machine.storage()), of: Patches.namespaces, machine.environment).read(after: &mark) { fact in
            let count = counts[fact.action, default: 0]
            counts[fact.action] = count + 1
            if lost[fact.action] != count { patches.apply(fact) }
        }
        return patches
    }
}
