import CanonicalJSON
import LedgerFormat
import TestSupport
import Testing

private let keys = ForgedChain.keys
private let allKeys = ForgedChain.keys(0..<6)

/// Three entries in each of the first three segments, the third entry of the second one a rotation; the fourth segment is begun.
private func chain() -> ForgedChain {
    var chain = ForgedChain()
    for _ in 2...3 { chain.append() }
    chain.roll()
    for _ in 4...5 { chain.append() }
    chain.rotate(to: keys[1])
    chain.roll()
    for _ in 7...9 { chain.append() }
    chain.roll()
    return chain
}

/// The first failure of a chain whose first segments are gone; nil if there is none.
private func failure(
    dropping count: Int, head: Int? = nil, keys: [KeyID: SealingKey] = allKeys, _ go: (inout ForgedChain) -> Void
) -> ChainFailure? {
    var chain = chain()
    go(&chain)
    let head = head.map { chain.head($0) }
    chain.drop(count)
    return firstFailure(chain.segments, keys: keys, head: head)
}

private func missing(_ seq: UInt64) -> ChainFailure {
    ChainFailure(.segmentName(found: seq), at: Place(segment: 1, offset: 0, seq: 1))
}

@Suite("A chain that begins behind an archive")
struct ArchiveTests {
    @Test("an entry explains any beginning behind one of the segments that it names, with and without keys")
    func explained() {
        for count in 0...3 {
            for keys in [allKeys, [:]] {
                #expect(failure(dropping: count, keys: keys) { $0.archive(3) } == nil, "\(count)")
            }
        }
        #expect(failure(dropping: 2) { $0.archive(2) } == nil)
        // The entry may come late, and another before it that tells of fewer segments.
        let late = failure(dropping: 3) {
            $0.archive(1)
            $0.append()
            $0.archive(3)
            $0.append()
        }
        #expect(late == nil)
    }

    @Test("the verifier says what the chain builds on, and which entry explains it")
    func explanation() throws {
        var chain = chain()
        chain.archive(3)
        let tip = chain.entries[8].tip
        chain.drop(3)
        var verifier = ChainVerifier(keys: allKeys)
        try verifier.beginSegment(firstSeq: 10, isLast: true)
        #expect(!verifier.isFounded)
        let bytes = chain.segments[0].bytes
        _ = verifier.feed(bytes.span, isEnd: true)
        #expect(verifier.base == ChainBase(seq: 10, previousHash: tip.hash, key: tip.key))
        #expect(verifier.explanation == 10 && verifier.isFounded && verifier.entryCount == 1)
    }

    @Test("without an explanation the first segments are missing")
    func unexplained() {
        #expect(failure(dropping: 3) { $0.append() } == missing(10))
        #expect(failure(dropping: 3) { $0.archive(2) } == missing(10), "it tells of fewer")
        #expect(failure(dropping: 3) { _ in } == missing(10), "nothing is there at all")
        #expect(failure(dropping: 1) { $0.append() } == missing(4))
    }

    @Test("what the entry says of the last archived entry must be what the first one builds on")
    func compared() {
        #expect(failure(dropping: 3) { $0.archive(3) { $0.segments[2].tip = .zero } } == missing(10))
        #expect(failure(dropping: 3) { $0.archive(3) { $0.segments[2].key = keys[0].id } } == missing(10))
        #expect(failure(dropping: 3) { $0.archive(3) { $0.segments[2].last = 8 } } == missing(10))
        #expect(failure(dropping: 2) { $0.archive(3) { $0.segments[2].tip = .zero } } == nil, "that one is there")
    }

    @Test("a broken link, a wrong seal or another seq behind the beginning is found as anywhere")
    func damaged() {
        let link = failure(dropping: 3) {
            $0.archive(3)
            $0.append { $0.previousHash = String(repeating: "0", count: 64) }
        }
        #expect(link?.reason == .link)
        #expect(failure(dropping: 3) { $0.archive(3) { _ in } } == nil)
        let seq = failure(dropping: 3) { $0.append { $0.seq = "11" } }
        #expect(seq?.reason == .seq(found: 11))
    }

    @Test("no key comes a second time, also if the first time was archived")
    func keysOnce() {
        let again = failure(dropping: 3) {
            $0.archive(3)
            $0.rotate(to: keys[0])
        }
        #expect(again?.reason == .turn(action: ChainTurn.rotated))
        let before = failure(dropping: 3) {
            $0.rotate(to: keys[0])
            $0.archive(3)
        }
        #expect(before?.reason == .turn(action: ArchiveStatement.action))
        let first = failure(dropping: 3) {
            $0.archive(3)
            $0.rotate(to: keys[1])
        }
        #expect(first?.reason == .turn(action: ChainTurn.rotated), "the first entry's own")
        // Where the rotation itself is there, the entry tells nothing new.
        #expect(failure(dropping: 1) { $0.archive(3) } == nil)
        let fresh = failure(dropping: 3) {
            $0.archive(3)
            $0.rotate(to: keys[2])
        }
        #expect(fresh == nil)
    }

    @Test("a HEAD that vouches for an archived entry is an old one, put back")
    func heads() {
        #expect(failure(dropping: 3, head: 9) { $0.archive(3) } == nil)
        for head in 0...8 {
            let found = failure(dropping: 3, head: head) { $0.archive(3) }
            #expect(found == ChainFailure(.headMismatch, at: Place(segment: 10, offset: 0, seq: 10)), "\(head)")
        }
    }

    @Test("the first entry behind an archive may be a repair with a gap")
    func gap() {
        func go(_ chain: inout ForgedChain) {
            chain.repair(gap: (10, 14))
            chain.archive(3)
        }
        #expect(failure(dropping: 3, go) == nil)
        #expect(failure(dropping: 0, go) == nil)
    }

    @Test("bodies that have not the form")
    func forms() {
        func reason(_ change: (inout JSONObject) -> Void) -> ChainFailure.Reason? {
            var chain = chain()
            var members = chain.statement(of: 3).members
            change(&members)
            chain.append {
                $0.action = ArchiveStatement.action
                $0.body = JSON.object(members).canonicalText
            }
            return firstFailure(chain.segments, keys: allKeys)?.reason
        }
        func segment(_ index: Int, _ name: String, _ value: JSON?) -> ChainFailure.Reason? {
            reason { members in
                var segments = members["segments"]?.array ?? []
                var object = segments[index].object ?? [:]
                object[name] = value
                segments[index] = .object(object)
                members["segments"] = .array(segments)
            }
        }
        func key(_ name: String, _ value: JSON?) -> ChainFailure.Reason? {
            reason { members in
                var keys = members["keys"]?.array ?? []
                var object = keys[0].object ?? [:]
                object[name] = value
                keys[0] = .object(object)
                members["keys"] = .array(keys)
            }
        }
        let wrong = ChainFailure.Reason.turn(action: ArchiveStatement.action)
        #expect(reason { $0["more"] = 1 } == nil, "others are allowed")
        #expect(reason { $0["keys"] = [] } == nil)
        for name in ["keys", "segments"] {
            for value in [nil, 1, "", [1], [[:]], [:]] as [JSON?] { #expect(reason { $0[name] = value } == wrong, "\(name)") }
        }
        #expect(reason { $0["segments"] = [] } == wrong)
        for name in ["bytes", "first", "key", "last", "sha256", "tip"] {
            for value in [nil, .null, -1, 1.5, "x"] as [JSON?] { #expect(segment(1, name, value) == wrong, "\(name)") }
        }
        #expect(segment(1, "more", 1) == wrong)
        #expect(segment(1, "first", 5) == wrong && segment(1, "last", 5) == wrong, "a hole")
        #expect(segment(0, "first", 0) == wrong && segment(0, "first", 4) == wrong && segment(2, "last", 10) == wrong)
        #expect(segment(2, "bytes", 0) == nil && segment(0, "first", 2) == nil)
        for name in ["introduced", "key", "retired"] {
            for value in [nil, .null, -1, 1.5, "x"] as [JSON?] { #expect(key(name, value) == wrong, "\(name)") }
        }
        #expect(key("more", 1) == wrong && key("introduced", 0) == wrong && key("retired", 5) == nil)
    }

    @Test("pieces are what the whole is, wherever it is cut")
    func pieces() throws {
        for explains in [true, false] {
            var whole = chain()
            for _ in 0..<3 { whole.append() }
            whole.archive(explains ? 3 : 2)
            for _ in 0..<3 { whole.append() }
            whole.drop(3)
            let entries = whole.entries.dropFirst(9)
            let bytes = whole.segments[0].bytes
            let base = ChainBase(seq: 10, previousHash: whole.entries[8].tip.hash, key: keys[1].id)
            for cut in entries.dropFirst().map(\.start) {
                var first = ChainVerifier(keys: allKeys)
                try first.beginSegment(firstSeq: 10, isLast: false)
                let (front, back) = (Array(bytes[..<cut.offset]), Array(bytes[cut.offset...]))
                _ = first.feed(front.span, isEnd: true)
                var second = ChainVerifier(at: cut, of: whole.tip.ledger, key: nil, keys: allKeys)
                second.base = base
                try second.beginSegment(firstSeq: 10, isLast: true, offset: cut.offset)
                _ = second.feed(back.span, isEnd: true)
                let joined = try #require(first.joined(with: second))
                #expect(joined.isFounded == explains && joined.entryCount == 7 && joined.tip == whole.tip)
                #expect(joined.explanation == (explains ? 13 : nil) && joined.base == base)
            }
        }
    }

    @Test("what an audit keeps of it is what it reads again")
    func progress() throws {
        var progress = AuditProgress(ledger: chain().tip.ledger, key: keys[0].id)
        let time = Timestamp(microseconds: 1_769_860_800_000_000)
        progress.pass = .init(
            began: time, goal: 12, place: Place(segment: 10, offset: 0, seq: 10), hash: .zero,
            base: ChainBase(seq: 10, previousHash: chain().tip.hash, key: keys[1].id))
        let read = try AuditProgress(file: progress.sealed(with: keys[0]), ledger: progress.ledger, key: keys[0])
        #expect(read == progress && read.pass?.base != nil)
    }
}
