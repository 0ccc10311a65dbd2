import CanonicalJSON
import DurableFiles
import Kernel
import Ledger
import LedgerFormat
import Synchronization
import TestSupport
import Testing

@Suite("Patches") struct PatchTests {
    @Test("proposed, signed, applied, taken back: the handbook and the state say so, with its permissions kept")
    func whole() throws {
        let house = try HandbookHouse()
        let seq = try #require(try house.propose(HandbookHouse.proposal()))
        #expect(try house.patches()[seq]?.stage == .proposed && house.handbook == HandbookHouse.text)
        let change = try #require(try house.patches()[seq]).change
        let end = try house.carryOut(house.request(.approvePatch, change))
        #expect(end.obstacle == nil && house.handbook == HandbookHouse.edited)
        let applied = try #require(try house.patches()[seq])
        #expect(applied.stage == .applied)
        #expect(try MemoryStorage(house.books).status(of: HandbookHouse.path)?.mode == 0o644)
        #expect(try house.finish().isEmpty)
        try house.carryOut(house.request(.revertPatch, applied.reversal))
        #expect(try house.patches()[seq]?.stage == .reverted && house.handbook == HandbookHouse.text)
        // Both texts stand in the acts.
        let acts = try house.machine.entries().filter { $0.action == "patch.approved" || $0.action == "patch.reverted" }
        let texts = try acts.map { entry in
            let body = try JSON(parsing: entry.body)
            return [body["before"]?.string, body["after"]?.string]
        }
        #expect(texts == [[HandbookHouse.text, HandbookHouse.edited], [HandbookHouse.edited, HandbookHouse.text]])
    }

    @Test("attacks on an approval: each is refused with its own words, and nothing changes")
    func attacks() throws {
        let house = try HandbookHouse()
        let seq = try #require(try house.propose(HandbookHouse.proposal()))
        let change = try #require(try house.patches()[seq]).change
        let (ada, bob, eve) = (TestActors.ada, TestActors.bob, TestActors.eve)
        #expect(try house.refusal(of: house.request(.approvePatch, change, by: [ada]))?.contains("1 of 2 signatures") == true)
        #expect(
            try house.refusal(of: house.request(.approvePatch, change, by: [ada, eve]))?.contains("is no associate's") == true)
        #expect(try house.refusal(of: house.request(.approvePatch, change, life: 1))?.contains("expired at") == true)
        #expect(
            try house.refusal(of: house.request(.revertPatch, change), as: .approvePatch)?.contains("was signed for patch.revert")
                == true)
        let elsewhere = try HandbookHouse().request(.approvePatch, change)
        #expect(try house.refusal(of: elsewhere.inOtherLedger)?.contains("is for another ledger") == true)
        for other in change.others {
            #expect(try house.refusal(of: house.request(.approvePatch, other))?.contains("was signed for another patch") == true)
        }
        #expect(try house.refusal(of: house.request(.approvePatch, change.of(999)))?.contains("there is no patch 999") == true)
        #expect(try house.refusal(of: house.request(.revertPatch, change))?.contains("nobody has signed it yet") == true)
        #expect(
            try house.refusal(of: house.request(.approvePatch, change), on: house.shelf(in: []))?
                .contains("no constitution says") == true)
        #expect(
            try house.refusal(of: house.request(.approvePatch, change), on: house.shelf(in: ["other"]))?
                .contains("lies outside the handbook folders") == true)
        #expect(house.handbook == HandbookHouse.text)
        // It works once, also when the handbook is put back by hand.
        let request = try house.request(.approvePatch, change)
        try house.carryOut(request)
        house.books.setBytes(of: HandbookHouse.path, to: Array(HandbookHouse.text.utf8))
        #expect(try house.refusal(of: request)?.contains("it was carried out before") == true)
        #expect(try house.refusal(of: house.request(.approvePatch, change))?.contains("is applied already") == true)
        let reversal = try #require(try house.patches()[seq]).reversal
        #expect(try house.refusal(of: house.request(.revertPatch, reversal, by: [bob, ada]))?.contains("has changed") == true)
    }

    @Test("a handbook that changed, or is none: nothing is signed for it")
    func bases() throws {
        let house = try HandbookHouse()
        let seq = try #require(try house.propose(HandbookHouse.proposal()))
        let request = try house.request(.approvePatch, try #require(try house.patches()[seq]).change)
        let obstacles: [(String, (MemoryDisk) -> Void)] = [
            ("has changed", { $0.setBytes(of: HandbookHouse.path, to: Array("# Other\n".utf8)) }),
            ("no text in UTF-8", { $0.setBytes(of: HandbookHouse.path, to: [0xFF]) }),
            ("more than 65536 bytes", { $0.setBytes(of: HandbookHouse.path, to: Array(repeating: 0x61, count: 65537)) }),
            ("there is no handbook", { $0.delete(HandbookHouse.path) }),
            ("symbolic link", { $0.plant(.symbolicLink, at: HandbookHouse.path) }),
            ("symbolic link", { $0.plant(.symbolicLink, at: StoragePath("builder")) }),
            ("hard links", { $0.link(HandbookHouse.path, as: StoragePath("builder", "other")) }),
            ("not a regular file", { $0.plant(.fifo, at: HandbookHouse.path) }),
            ("belongs to user 7", { $0.setOwner(7, of: HandbookHouse.path) }),
        ]
        for (word, tamper) in obstacles {
            let attacked = HandbookHouse(house.machine, house.books.copy())
            tamper(attacked.books)
            #expect(try attacked.refusal(of: request)?.contains(word) == true, "\(word)")
        }
        try house.carryOut(request)
        #expect(house.handbook == HandbookHouse.edited)
    }

    @Test("paths that lead elsewhere are no handbooks")
    func names() {
        let bad: [(String, HandbookFault)] = [
            ("agents/../AGENT.md", .steps("agents/../AGENT.md")),
            // To Swift the slash and the mark behind it are one character.
            ("agents/../\u{301}a/AGENT.md", .steps("agents/../\u{301}a/AGENT.md")),
            ("a\u{E0100}/AGENT.md", .hidden), ("a\u{3164}/AGENT.md", .hidden), ("agents/./AGENT.md", .steps("agents/./AGENT.md")),
            ("agents//AGENT.md", .steps("agents//AGENT.md")), ("agents/a/AGENT.md/", .steps("agents/a/AGENT.md/")),
            ("agents/a/agent.md", .fileName("agents/a/agent.md")), ("agents/a/README.md", .fileName("agents/a/README.md")),
            ("", .long), ("agents/\u{202E}a/AGENT.md", .hidden), ("agents/a\n/AGENT.md", .hidden),
            (String(repeating: "a/", count: 300) + "AGENT.md", .long),
        ]
        for (text, fault) in bad { #expect(throws: fault) { try HandbookName(text) } }
        #expect(HandbookName(of: "..", in: "agents") == nil && HandbookName(of: "a/b", in: "agents") == nil)
        #expect(HandbookName(of: "x/\u{301}y", in: "agents") == nil)
    }

    @Test("what nobody sees is not added, and what was there may stay")
    func hidden() throws {
        let (old, new) = (Array("a\u{200B}\n".utf8), Array("a\u{200B}\nb\u{202E}\n".utf8))
        #expect(throws: HandbookFault.self) { try UnifiedDiff(from: old, to: new).checkVisible() }
        try UnifiedDiff(from: old, to: Array("a\u{200B}\n\tb é\n".utf8)).checkVisible()
    }

    @Test(
        "a power cut at any operation of the ledger or the handbook: signed and done, or not signed; whoever comes next finishes")
    func crashes() throws {
        let start = try HandbookHouse()
        let seq = try #require(try start.propose(HandbookHouse.proposal()))
        let request = try start.request(.approvePatch, try #require(try start.patches()[seq]).change)
        /// Both disks at each moment.
        let moments = Mutex<[(MemoryDisk, MemoryDisk)]>([])
        let (ledger, books) = (start.machine.disk, start.books)
        let plan = FaultPlan.rule { _, operation in
            if operation.kind.isChange { moments.withLock { $0.append((ledger.copy(), books.copy())) } }
            return nil
        }
        try start.carryOut(request, on: start.shelf(plan), start.machine.faulty(plan))
        moments.withLock { $0.append((ledger.copy(), books.copy())) }
        var finishedCount = 0
        for (number, (ledger, books)) in moments.withLock({ $0 }).enumerated() {
            for seed in 1..<8 as Range<UInt64> {
                let house = HandbookHouse(
                    SimulatedMachine(start.machine, ledger.crashImage(seed: seed)), books.crashImage(seed: seed + 100))
                try house.machine.append(50...50)
                let isSigned = try house.machine.count("patch.approved") == 1
                let isTold = try house.machine.count("patch.applied") == 1
                let text = try #require(house.handbook, "a handbook is there, moment \(number), seed \(seed)")
                #expect(text == HandbookHouse.edited || text == HandbookHouse.text && !isTold, "moment \(number), seed \(seed)")
                #expect(isSigned || text == HandbookHouse.text, "moment \(number), seed \(seed)")
                let ends = try house.finish()
                #expect(ends.count == (isSigned && !isTold ? 1 : 0) && ends.allSatisfy { $0.obstacle == nil })
                finishedCount += ends.count
                #expect(
                    house.handbook == (isSigned ? HandbookHouse.edited : HandbookHouse.text), "moment \(number), seed \(seed)")
                #expect(try house.patches()[seq]?.stage == (isSigned ? .applied : .proposed))
                #expect(try house.finish().isEmpty)
            }
        }
        #expect(finishedCount > 20)
    }

    @Test("a handbook that changed between the signature and the text is left alone, loudly, until the patch is given up")
    func stuck() throws {
        let house = try HandbookHouse()
        let seq = try #require(try house.propose(HandbookHouse.proposal()))
        let request = try house.request(.approvePatch, try #require(try house.patches()[seq]).change)
        let end = try house.carryOut(
            request,
            on: house.shelf(
                .rule { _, operation in
                    operation.kind == .create ? .crash(.nothing) : nil
                }))
        #expect(end.receipt == nil && end.obstacle?.contains("stopped in open") == true)
        house.books.setBytes(of: HandbookHouse.path, to: Array("# Other\n".utf8))
        #expect(try house.finish().first?.obstacle?.contains("somebody changed it meanwhile") == true)
        #expect(house.handbook == "# Other\n")
        try house.reject(seq)
        #expect(try house.finish().isEmpty && house.patches()[seq]?.stage == .rejected)
    }

    @Test("a reversal that is given up leaves the patch applied, and it can be taken back later")
    func givenUp() throws {
        let house = try HandbookHouse()
        let seq = try #require(try house.propose(HandbookHouse.proposal()))
        try house.carryOut(house.request(.approvePatch, try #require(try house.patches()[seq]).change))
        let applied = try #require(try house.patches()[seq])
        let failing = house.shelf(.rule { _, operation in operation.kind == .create ? .crash(.nothing) : nil })
        #expect(try house.carryOut(house.request(.revertPatch, applied.reversal), on: failing).receipt == nil)
        house.books.setBytes(of: HandbookHouse.path, to: Array("# Other\n".utf8))
        try house.reject(seq)
        let left = try #require(try house.patches()[seq])
        #expect(left.stage == .applied && left.act == applied.act)
        house.books.setBytes(of: HandbookHouse.path, to: Array(HandbookHouse.edited.utf8))
        try house.carryOut(house.request(.revertPatch, left.reversal))
        #expect(try house.patches()[seq]?.stage == .reverted && house.handbook == HandbookHouse.text)
    }

    @Test("what associates signed last is put back over anything, also behind a crash; what they signed before is not")
    func restored() throws {
        let house = try HandbookHouse()
        let seq = try #require(try house.propose(HandbookHouse.proposal()))
        try house.carryOut(house.request(.approvePatch, try #require(try house.patches()[seq]).change))
        let name = try HandbookName(HandbookHouse.name)
        let kept = try KeptHandbook(name, upTo: .tip, in: LedgerView(house.machine.storage()), house.machine.environment)
        #expect(kept.handbook.text == HandbookHouse.edited && !kept.isFound)
        let first = try KeptHandbook(
            name, upTo: FoldEnd(seq: seq), in: LedgerView(house.machine.storage()), house.machine.environment)
        #expect(first.handbook.text == HandbookHouse.text && first.isFound && first.act == kept.act)
        house.books.setBytes(of: HandbookHouse.path, to: Array("# Scribbled\n".utf8))
        let failing = house.shelf(.rule { _, operation in operation.kind == .rename ? .crash(.nothing) : nil })
        var decider = try house.machine.decider()
        #expect(throws: LedgerError.self) { try decider.restoreHandbook(to: kept, as: "user:ada", .test, failing) }
        let stuck = try house.patches()
        #expect(stuck.pending.map(\.act.proposal) == [seq] && house.handbook == "# Scribbled\n")
        #expect(try stuck.standing(of: stuck.known(seq)) == .restoring)
        #expect(try house.finish().count == 1 && house.handbook == HandbookHouse.edited)
        #expect(try house.patches()[seq]?.stage == .applied && house.patches().pending.isEmpty)
        house.books.delete(HandbookHouse.path)
        #expect(try decider.restoreHandbook(to: kept, as: "user:ada", .test, house.shelf()) != nil)
        #expect(try decider.restoreHandbook(to: kept, as: "user:ada", .test, house.shelf()) == nil)
        #expect(house.handbook == HandbookHouse.edited)
        try house.carryOut(house.request(.revertPatch, try #require(try house.patches()[seq]).reversal))
        let error = ledgerError { () throws(LedgerError) in
            _ = try decider.restoreHandbook(to: kept, as: "user:ada", .test, house.shelf())
        }
        #expect(error?.code == .refused && error?.message.contains("signed another text") == true)
    }

    @Test(
        "any proposals: those that are done with are forgotten first, more than can be looked at are refused, and all fits into an entry"
    )
    func bounded() throws {
        let house = try HandbookHouse()
        var first: UInt64?
        for number in 0..<Patches.countMax + 20 {
            let worst = String(repeating: "\"", count: 90) + "\(number)"
            let seq = try house.propose(
                HandbookHouse.proposal(HandbookHouse.text, "\(number)\n", Signature(worst)), as: "user:\(number % 4)")
            first = first ?? seq
            if let seq, number > 0, number < Patches.countMax { try house.reject(seq) }
        }
        let patches = try house.patches()
        #expect(patches.patches.count == Patches.countMax && patches.forgottenCount == 20 && patches[first ?? 0] != nil)
        let view = try LedgerView(house.machine.storage())
        var fold = Fold<Patches>()
        try fold.advance(in: view, house.machine.environment)
        let bytes = try Snapshot(ledger: house.machine.tip().ledger, mark: try #require(fold.mark), state: patches)
            .sealed(with: house.machine.key())
        #expect(bytes.count < 900 << 10)
        for number in 0..<Patches.openCountMax - 21 {
            try house.propose(HandbookHouse.proposal(HandbookHouse.text, "more \(number)\n"), as: "user:more\(number % 4)")
        }
        #expect(throws: LedgerError.self) { try house.propose(HandbookHouse.proposal(HandbookHouse.text, "too many\n")) }
    }

    @Test("a flood of proposals: nobody has all the room, and what nobody signed gives way to a higher class, oldest first")
    func flooded() throws {
        let house = try HandbookHouse()
        // Longer than what a list keeps of other texts.
        let longName = String(repeating: "w", count: 200)
        try house.machine.write { session in
            for (name, role, signer) in [("operator", "operator", TestActors.ada), (longName, "worker", TestActors.bob)] {
                _ = try session.enroll("user:\(name)", as: role, signer.key, reason: "test")
            }
        }
        let proposal = { (text: String) in try HandbookHouse.proposal(HandbookHouse.text, "\(text)\n") }
        let propose = { (name: String, signer: ActorSigner) in
            try HandbookHouse(house.machine.signing(signer), house.books).propose(proposal(name), as: "user:\(name)")
        }
        let worker = try #require(try propose(longName, TestActors.bob))
        var flood: [UInt64] = []
        for number in 0..<Patches.unsignedCountMax {
            flood.append(try #require(try house.propose(proposal("\(number)"), as: "user:flood")))
        }
        #expect(throws: LedgerError.self) { try house.propose(proposal("more"), as: "user:flood") }
        var number = 0
        while try house.patches().openCount < Patches.openCountMax {
            try house.propose(proposal("other \(number)"), as: "user:flood\(number % 8)")
            number += 1
        }
        #expect(throws: LedgerError.self) { try house.propose(proposal("honest"), as: "user:honest") }
        // A review, and whoever is enrolled in a higher class.
        var decider = try house.machine.decider()
        let drafted = try decider.decide(on: Patches.self, as: ActorRoster.house, reading: { $0.ranks }) {
            patches, ranks, moment throws(LedgerError) in
            let review = try? HandbookHouse.proposal(HandbookHouse.text, "review\n", Signature("told/x"))
            return try patches.propose(review!, evidence: [], .test, moment, ranks)
        }
        #expect(drafted.receipts.count == 2 && drafted.reply?.seq == flood[0])
        #expect(try propose(longName, TestActors.bob) != nil && propose("operator", TestActors.ada) != nil)
        let patches = try house.patches()
        #expect(flood.prefix(4).map { patches[$0]?.stage } == [.rejected, .rejected, .rejected, .proposed])
        #expect(patches[worker]?.stage == .proposed && patches.openCount == Patches.openCountMax)
    }
}

extension HandbookChange {
    /// Changes that differ in one thing each.
    fileprivate var others: [HandbookChange] {
        let other = Digest(sha256: [1].span)
        return [
            HandbookChange(proposal: proposal, handbook: "agents/other/AGENT.md", base: base, result: result, diff: diff),
            HandbookChange(proposal: proposal, handbook: handbook, base: other, result: result, diff: diff),
            HandbookChange(proposal: proposal, handbook: handbook, base: base, result: other, diff: diff),
            HandbookChange(proposal: proposal, handbook: handbook, base: base, result: result, diff: other),
        ]
    }

    fileprivate func of(_ proposal: UInt64) -> HandbookChange {
        HandbookChange(proposal: proposal, handbook: handbook, base: base, result: result, diff: diff)
    }
}

extension SignedRequest {
    fileprivate var inOtherLedger: SignedRequest {
        var request = SignedRequest(verb, arguments, in: LedgerID(7, 7), base: base, nonce: nonce, expires: expires)
        for signer in [TestActors.ada, TestActors.bob] { request.sign(with: signer) }
        return request
    }
}
