import DurableFiles
import LedgerFormat
import TestSupport
import Testing

@Suite("Ids of signed drafts: each counts once")
struct SignedIDsTests {
    private static let distance = ActorRoster.baseDistanceMax

    /// An entry in a decision of its own, behind its base.
    private static func use(_ id: String, _ base: UInt64, _ seq: UInt64, actor: String = "user:ada") -> SignedIDs.Use {
        SignedIDs.Use(actor: actor, id: id, base: base, seq: seq, before: seq - 1)
    }

    /// What is wrong with the last of these, in whose front nothing is.
    private static func objection(_ uses: SignedIDs.Use...) -> ActorObjection? {
        var ids = SignedIDs()
        for (index, use) in uses.enumerated() {
            do throws(ActorObjection) {
                try ids.take([use])
            } catch {
                #expect(index == uses.count - 1)
                return error
            }
        }
        return nil
    }

    @Test("an id is spent behind a base once, by each actor, and may be used again by who saw that")
    func once() {
        #expect(Self.objection(Self.use("a", 3, 5), Self.use("a", 3, 6)) == .repeated("user:ada", as: 5))
        #expect(Self.objection(Self.use("a", 3, 5), Self.use("a", 4, 9)) == .repeated("user:ada", as: 5))
        #expect(Self.objection(Self.use("a", 3, 5), Self.use("a", 5, 9)) == nil)
        #expect(Self.objection(Self.use("a", 3, 5), Self.use("a", 5, 9), Self.use("a", 8, 12)) == .repeated("user:ada", as: 9))
        #expect(Self.objection(Self.use("a", 3, 5), Self.use("b", 3, 6)) == nil)
        #expect(Self.objection(Self.use("a", 3, 5), Self.use("a", 3, 6, actor: "user:bob")) == nil)
        #expect(Self.objection(Self.use("é", 3, 5), Self.use("e\u{301}", 3, 6)) == nil, "texts are their bytes")
    }

    @Test("as far back as a base may lie, whatever came between, an id is known; what may be forgotten is refused")
    func distance() {
        let first = Self.use("a", 1, 2)
        let between = (0..<50).map { Self.use("x", 201 + $0 * 199, 202 + $0 * 199) }
        for last in [5_000, Self.distance, Self.distance + 1] as [UInt64] {
            var ids = SignedIDs()
            let uses = [first] + between.filter { $0.seq < last }
            for use in uses { #expect(throws: Never.self) { try ids.take([use]) } }
            #expect(throws: ActorObjection.repeated("user:ada", as: 2)) { try ids.take([Self.use("a", 1, last + 1)]) }
        }
        // The base of a repeat that says it is older than it is lies further back than what was signed since.
        let far = Self.use("b", 30_000, 30_001)
        #expect(Self.objection(first, far, Self.use("a", 1, 2)) == .base("user:ada", 1, before: 30_000))
        let near = Self.use("b", 10_001, 10_002)
        #expect(Self.objection(near, Self.use("a", 1, 10_003)) == nil)
        #expect(Self.objection(Self.use("b", 10_002, 10_003), Self.use("a", 1, 10_003)) == .base("user:ada", 1, before: 10_002))
    }

    @Test("memory is that of twice the distance, however long the ledger is")
    func memory() throws {
        var ids = SignedIDs()
        var greatest = 0
        for seq in 2...100_000 as ClosedRange<UInt64> {
            try ids.take([Self.use("id \(seq)", seq - 1, seq)])
            greatest = max(greatest, ids.count)
        }
        #expect(greatest <= 2 * Int(Self.distance) + 1)
        #expect(throws: ActorObjection.repeated("user:ada", as: 95_000)) { try ids.take([Self.use("id 95000", 94_000, 100_001)]) }
    }

    @Test("of two that one entry brings, none is spent if one is refused: it may be looked at again")
    func together() throws {
        var ids = SignedIDs()
        try ids.take([Self.use("a", 1, 2)])
        for _ in 0..<2 {
            #expect(throws: ActorObjection.repeated("user:ada", as: 2)) {
                try ids.take([Self.use("b", 2, 5), Self.use("a", 1, 4)])
            }
        }
        try ids.take([Self.use("b", 2, 5)])
        #expect(throws: ActorObjection.repeated("user:ada", as: 6)) { try ids.take([Self.use("c", 2, 6), Self.use("c", 2, 4)]) }
        try ids.take([Self.use("c", 2, 7)])
    }

    /// Takes all it can; nil if one is refused.
    private func ids(_ uses: some Sequence<SignedIDs.Use>) -> SignedIDs? {
        var ids = SignedIDs()
        for use in uses { guard (try? ids.take([use])) != nil else { return nil } }
        return ids
    }

    @Test(
        "cut into three pieces anywhere, however they are joined, they are refused if the whole is",
        arguments: 0..<60 as Range<UInt64>)
    func pieces(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var uses: [SignedIDs.Use] = []
        var tip: UInt64 = 1
        for _ in 0..<40 {
            tip += 1 + UInt64(random.below(random.below(8) == 0 ? 6000 : 40))
            let back = UInt64(random.below(Int(min(tip - 1, [3, 300, 10_000][random.below(3)]))))
            var (id, base) = ("\(tip)", tip - 1 - back)
            if random.below(12) == 0, let old = uses.randomElement(using: &random) { id = old.id }
            if random.below(40) == 0, let old = uses.randomElement(using: &random) { (id, base) = (old.id, old.base) }
            guard base >= 1, tip - 1 - base <= Self.distance else { continue }
            uses.append(Self.use(id, base, tip))
        }
        let isWhole = ids(uses) != nil
        for first in 0...uses.count {
            for second in Set([first, (first + uses.count) / 2, uses.count]) {
                let (a, b, c) = (ids(uses[..<first]), ids(uses[first..<second]), ids(uses[second...]))
                let left = a.flatMap { a in b.flatMap { a.joined(with: $0) } }.flatMap { ab in c.flatMap { ab.joined(with: $0) } }
                let right = b.flatMap { b in c.flatMap { b.joined(with: $0) } }.flatMap { bc in a?.joined(with: bc) }
                #expect((left != nil) == isWhole && (right != nil) == isWhole, "seed \(seed), cut at \(first) and \(second)")
            }
        }
    }

    @Test("pieces in the wrong order, and one whose ids are forgotten by the one before, are not joined")
    func misfits() throws {
        let (a, b) = (try #require(ids([Self.use("a", 1, 5)])), try #require(ids([Self.use("b", 3, 7)])))
        #expect(a.joined(with: b) != nil && b.joined(with: a) == nil)
        #expect(a.joined(with: SignedIDs()) != nil && SignedIDs().joined(with: a) != nil)
        let late = try #require(ids([Self.use("c", 20_000, 20_001)]))
        let old = try #require(ids([SignedIDs.Use(actor: "user:ada", id: "a", base: 1, seq: 20_002, before: 6)]))
        #expect(late.joined(with: old) == nil)
    }
}
