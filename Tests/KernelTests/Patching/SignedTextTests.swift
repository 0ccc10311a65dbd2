import CanonicalJSON
import DurableFiles
import Kernel
import Ledger
import LedgerFormat
import TestSupport
import Testing

@Suite("What associates signed last for a handbook") struct SignedTextTests {
    private static let third = "# Third\n"
    private static let scribble = Array("# Scribbled\n".utf8)

    @Test("a flood of proposals makes patches forgotten, and never what was signed last: that alone is put back")
    func flood() throws {
        let house = try HandbookHouse()
        let name = try HandbookName(HandbookHouse.name)
        let first = try house.apply(HandbookHouse.proposal())
        let second = try house.apply(HandbookHouse.proposal(HandbookHouse.edited, Self.third))
        try house.revert(second)
        let older = try house.kept(name)
        try house.revert(first)
        for number in 0..<Patches.countMax {
            let seq = try house.propose(HandbookHouse.proposal(HandbookHouse.text, "\(number)\n"), as: "user:\(number % 4)")
            try house.reject(#require(seq))
        }
        #expect(try house.patches()[first] == nil && house.patches()[second] == nil)
        house.books.setBytes(of: HandbookHouse.path, to: Self.scribble)
        var decider = try house.machine.decider()
        let error = ledgerError { () throws(LedgerError) in
            _ = try decider.restoreHandbook(to: older, as: "user:nobody", .test, house.shelf())
        }
        #expect(error?.message.contains("associates signed another text") == true, "\(error?.message ?? "it was put back")")
        let last = try house.kept(name)
        #expect(last.handbook.text == HandbookHouse.text)
        // Of a patch that is forgotten: stuck, given up, and put back.
        let failing = house.shelf(.rule { _, operation in operation.kind == .create ? .crash(.nothing) : nil })
        #expect(throws: LedgerError.self) { try decider.restoreHandbook(to: last, as: "user:ada", .test, failing) }
        #expect(try house.patches().pending.map(\.act.proposal) == [first])
        try house.reject(first)
        #expect(try house.patches().pending.isEmpty)
        #expect(try decider.restoreHandbook(to: last, as: "user:ada", .test, house.shelf()) != nil)
        #expect(house.handbook == HandbookHouse.text)
    }

    @Test("so many texts are known, and all of it fits into an entry; of a handbook that is forgotten nothing is put back")
    func bounded() throws {
        let house = try HandbookHouse()
        var names: [HandbookName] = []
        var decider = try house.machine.decider()
        for number in 0...Patches.textCountMax {
            let folders = ["\(number)" + String(repeating: "\"", count: 236), String(repeating: "\"", count: 240)]
            let name = try HandbookName((["agents"] + folders + ["AGENT.md"]).joined(separator: "/"))
            let storage = try MemoryStorage(house.books)
            let path = StoragePath(StoragePath(folders[0], folders[1]), "AGENT.md")
            try storage.makeDirectory(StoragePath(folders[0]))
            try storage.makeDirectory(StoragePath(folders[0], folders[1]))
            try storage.create(path, Array(HandbookHouse.text.utf8).span)
            house.books.setMode(0o644, of: path)
            let (old, new) = (
                try Handbook(name, Array(HandbookHouse.text.utf8)), try Handbook(name, Array(HandbookHouse.edited.utf8))
            )
            let proposal = PatchProposal(old, to: new, UnifiedDiff(from: old.bytes, to: new.bytes), evidence: [])
            let decided = try decider.decide(on: Patches.self, as: "user:ada", reading: { $0.ranks }) {
                patches, ranks, moment throws(LedgerError) in
                try patches.propose(proposal, evidence: [], .test, moment, ranks)
            }
            let change = proposal.change(try #require(decided.receipts.last).seq)
            _ = try decider.carryOut(house.request(.approvePatch, change), as: .approvePatch, house.shelf())
            names.append(name)
        }
        let patches = try house.patches()
        #expect(patches.text(of: names[0]) == nil && names.dropFirst().allSatisfy { patches.text(of: $0) != nil })
        let kept = try house.kept(names[0])
        #expect(throws: LedgerError.self) { try decider.restoreHandbook(to: kept, as: "user:ada", .test, house.shelf()) }
        var fold = Fold<Patches>()
        try fold.advance(in: LedgerView(house.machine.storage()), house.machine.environment)
        let bytes = try Snapshot(ledger: house.machine.tip().ledger, mark: try #require(fold.mark), state: patches)
            .sealed(with: house.machine.key())
        // As many patches again with as long names, and those texts.
        #expect(bytes.count < 500 << 10, "\(bytes.count)")
    }

    @Test("what is no text, or a long one, is put back too; where nothing can be put, nothing is recorded")
    func scribbles() throws {
        let house = try HandbookHouse()
        let name = try HandbookName(HandbookHouse.name)
        try house.apply(HandbookHouse.proposal())
        var decider = try house.machine.decider()
        for bytes in [[0xFF, 0xFE], Array(repeating: UInt8(ascii: "a"), count: Handbook.byteCountMax * 2 + 7), Self.scribble] {
            house.books.setBytes(of: HandbookHouse.path, to: bytes)
            // A crash leaves it pending.
            let failing = house.shelf(.rule { _, operation in operation.kind == .rename ? .crash(.nothing) : nil })
            #expect(throws: LedgerError.self) {
                try decider.restoreHandbook(to: house.kept(name), as: "user:ada", .test, failing)
            }
            #expect(try house.finish().map(\.obstacle) == [nil] && house.handbook == HandbookHouse.edited)
            let entry = try #require(try house.machine.entries().last { $0.action == "patch.restored" })
            let body = try JSON(parsing: entry.body)
            #expect(body["found"]?.string == Digest(sha256: bytes.span).description)
            #expect(body["before"]?.string == (bytes == Self.scribble ? String(decoding: bytes, as: UTF8.self) : nil))
        }
        let before = house.machine.files
        let gone = HandbookHouse(house.machine, MemoryDisk.withEmptyBase())
        let kept = try gone.kept(name)
        let error = ledgerError { () throws(LedgerError) in
            _ = try decider.restoreHandbook(to: kept, as: "user:ada", .test, gone.shelf())
        }
        #expect(error?.code == .refused && error?.message.contains("is not there: make it first") == true)
        #expect(house.machine.files == before)
    }
}
