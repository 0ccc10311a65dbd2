import CanonicalJSON
import DurableFiles
import LedgerFormat
import TestSupport
import Testing

@Suite("Conflicts between classes")
struct ConflictTests {
    @Test("the order of classes: sentinel first, unnamed ones in between, and last who has no key")
    func order() throws {
        let order = ClassOrder.standard
        let ranks = ["security-sentinel", "supervisor", "operator", "specialist", "worker", "painter", "skill-utility"].map {
            order.rank(ofClass: $0)
        }
        for (higher, lower) in zip(ranks, ranks.dropFirst()) { #expect(higher > lower) }
        #expect(ranks.allSatisfy { $0 > .unauthenticated })
        #expect(order.rank(ofClass: "poet") == order.rank(ofClass: "painter"))
        #expect(order.rank(ofClass: "security_sentinel") == order.rank(ofClass: "security-sentinel"))
        #expect(ActorRanks(order, of: ActorRoster()).rank(of: "user:nobody", at: 7) == .unauthenticated)
    }

    @Test("the order that a constitution lays down: those that it does not name stand at the star, or below all")
    func constitution() {
        var articles = Articles.standard
        articles.classes = ["worker", "*", "security_sentinel"]
        let order = ClassOrder(articles)
        let ranks = ["worker", "painter", "security-sentinel"].map { order.rank(ofClass: $0) } + [.unauthenticated]
        for (higher, lower) in zip(ranks, ranks.dropFirst()) { #expect(higher > lower) }
        articles.classes = ["worker", "operator"]
        let closed = ClassOrder(articles)
        #expect(closed.rank(ofClass: "worker") > closed.rank(ofClass: "operator"))
        #expect(closed.rank(ofClass: "operator") > closed.rank(ofClass: "supervisor"))
        #expect(closed.rank(ofClass: "supervisor") > .unauthenticated)
    }

    private static let classes = ["security-sentinel", "operator", "worker", "painter", "skill-utility"]

    private func entry(_ name: String, _ actorClass: String, reads: [String] = [], _ writes: [(String, JSON)]) throws
        -> PlacedEntry
    {
        PlacedEntry(
            actor: name, rank: ClassOrder.standard.rank(ofClass: actorClass),
            reads: try reads.map { try JSONPointer(parsing: $0) },
            writes: try writes.map { PlacedValue(try JSONPointer(parsing: $0.0), .present($0.1)) })
    }

    @Test("disjoint places merge, the same value is no conflict, and another one is an equal class's that came first")
    func equals() throws {
        let first = try entry("a", "worker", [("/a/b", 1), ("/c", 2)])
        for (reads, writes) in [([], [("/a/bc", 1)]), ([], [("/a/b", 1), ("/d", 1)]), (["/e"], []), (["/a/bc"], [("/c", 2)])]
            as [([String], [(String, JSON)])]
        {
            let draft = try entry("b", "worker", reads: reads, writes)
            #expect(try ConflictManager.resolve(draft, against: [first]).isClean)
        }
        for (reads, writes) in [
            ([], [("/a/b", 2)]), ([], [("/a", ["b": 1])]), ([], [("/a/b/c", 1)]), ([], [("", 1)]), (["/a"], [("/z", 1)]),
            (["/c"], []),
        ] as [([String], [(String, JSON)])] {
            let draft = try entry("b", "worker", reads: reads, writes)
            #expect(throws: ConflictManager.Contest.self) { try ConflictManager.resolve(draft, against: [first]) }
        }
        // Who only reads what comes later stands in nobody's way.
        let reader = try entry("a", "worker", reads: ["/a"], [("/r", 1)])
        #expect(try ConflictManager.resolve(try entry("b", "worker", [("/a", 5)]), against: [reader]).isClean)
    }

    @Test("the places that meet one are found as comparing all of them would")
    func places() throws {
        var random = SeededGenerator(seed: 7)
        for _ in 0..<300 {
            let draft = try entry("d", "worker", Source.places(6, &random).map { ($0, 1) })
            for place in Source.places(6, &random) {
                let other = try entry("o", "worker", [(place, 2)])
                let meets = draft.writes.contains { $0.at.meets(other.writes[0].at) }
                let isContested = (try? ConflictManager.resolve(draft, against: [other])) == nil
                #expect(meets == isContested, "\(place) \(draft.writes.map(\.at.description))")
            }
        }
    }

    @Test(
        "between different classes the outcome is the same in whatever order they come", arguments: 1...200 as ClosedRange<UInt64>
    )
    func orders(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let entries = try Self.classes.map { actorClass in
            try entry(
                actorClass, actorClass, reads: Bool.random(using: &random) ? Source.places(1, &random) : [],
                Source.places(Int.random(in: 1...3, using: &random), &random).map {
                    ($0, .number(Double(Int.random(in: 0...2, using: &random))))
                })
        }
        let expected = try outcome(entries)
        for _ in 0..<40 {
            let arrivals = entries.shuffled(using: &random)
            #expect(try outcome(arrivals) == expected, "seed \(seed)")
        }
    }

    /// Who lost which place.
    private func outcome(_ arrivals: [PlacedEntry]) throws -> Set<String> {
        var lost: Set<String> = []
        for (index, draft) in arrivals.enumerated() {
            let resolution = try ConflictManager.resolve(draft, against: Array(arrivals[..<index]))
            for collision in resolution.lost + resolution.overrode {
                lost.insert("\(collision.loser.actor) \(collision.at)")
            }
        }
        return lost
    }

    @Test("an entry names what was lost, and of what it took as much as it has room for; of the rest it tells whose it was")
    func records() throws {
        let sentinel = try entry("process:guard", "security-sentinel", [("", 1)])
        let others = try (1...40).map { seq in
            var other = try entry(
                "process:tool", "worker", (0..<50).map { ("/\(seq)/\($0)", .string(String(repeating: "v", count: 3000))) })
            other.seq = UInt64(seq)
            return other
        }
        let taken = try ConflictManager.resolve(sentinel, against: others)
        #expect(taken.overrode.count == 2000 && ConflictManager.wins(of: sentinel, over: others) == taken.overrode)
        for room in [1000, 10_000, 100_000, 1 << 20] {
            let record = try #require(ConflictRecord.ofTree(taken, isWhole: false, within: room))
            let named = try #require(record["overrode"]?.array).compactMap { Collision($0) }
            #expect(named.map(\.at) == taken.overrode.prefix(named.count).map(\.at) && named.count <= 1000)
            let more = (record["overrode_more"]?.array ?? []).compactMap(\.integer)
            #expect(more == Set(taken.overrode[named.count...].map { Int64($0.loser.seq ?? 0) }).sorted())
            #expect(JSON.object(record).canonicalBytes().count < room + 100, "\(room)")
        }
        #expect(ConflictRecord.ofTree(taken, isWhole: false, within: 100) == nil)
        var lost = ConflictManager.Resolution()
        for other in others { lost.lost += try ConflictManager.resolve(other, against: [sentinel]).lost }
        #expect(lost.lost.count == 2000 && ConflictRecord.ofTree(lost, isWhole: false, within: 1 << 20) == nil)
        let beside = ConflictRecord.ofEvents(lost)
        #expect(beside["lost"]?.array?.count == 1000 && beside["lost_more"] == 1000 && beside["overrode"] == [])
        lost.lost.removeLast(1800)
        #expect(ConflictRecord.ofTree(lost, isWhole: true, within: 400_000) == nil)
        let whole = try #require(ConflictRecord.ofTree(lost, isWhole: true, within: 1 << 20)?["lost"]?.array)
        #expect(whole.count == 200 && whole.allSatisfy { $0["loser"]?["value"] != nil && $0["winner"]?["value"] == nil })
    }

    @Test("what a change lost is read there where it has no room for what it was meant to be")
    func unmeant() throws {
        let draft = try Draft(
            action: "state.patched", actor: "user:ada", justification: Justification(.integrity, ""),
            body: [
                "patch": [["op": "add", "path": "/b", "value": 1]],
                "lost": [["at": "/a", "loser": ["actor": "user:ada", "value": 5], "winner": ["actor": "user:bob"]]],
            ],
            context: ["writes": ["/a", "/b", "/c"]])
        let entry = try #require(PlacedEntry(draft, rank: .unauthenticated))
        #expect(entry.writes.map(\.value) == [.present(5), .present(1), .unknown])
    }

    @Test("a collision is read as it was recorded")
    func coding() throws {
        let sentinel = try entry("process:guard", "security-sentinel", [("/a", 1)])
        var other = try entry("process:tool", "skill-utility", reads: ["/a"], [("/b", "x")])
        other.seq = 7
        let resolution = try ConflictManager.resolve(sentinel, against: [other])
        let collision = try #require(resolution.overrode.first)
        #expect(resolution.overrode.count == 1 && collision.read == sentinel.writes[0].at && collision.loser.seq == 7)
        #expect(Collision(collision.json) == collision)
        #expect(Collision(["at": "no pointer", "loser": ["actor": "a"], "winner": ["actor": "b"]]) == nil)
    }
}

/// Random places that lie in each other often.
private enum Source {
    static func places(_ count: Int, _ random: inout SeededGenerator) -> [String] {
        JSONPointer.outermost(
            (0..<count).map { _ in
                JSONPointer(
                    tokens: (0..<Int.random(in: 1...3, using: &random)).map { _ in
                        ["a", "b", "é", "e\u{301}", "a/b"][Int.random(in: 0..<5, using: &random)]
                    })
            }
        ).map(\.description)
    }
}
