import DurableFiles
import LedgerFormat
import TestSupport
import Testing

/// Chains in which signed drafts come twice, here and there, whole and in pieces.
@Suite("Signed drafts that come twice")
struct SignedDraftTests {
    /// One chain, and what its signed entries spend.
    private struct Scene {
        var chain = ForgedChain()
        var roster = ActorRoster()
        /// With the index of the entry that brings it.
        var uses: [(index: Int, use: SignedIDs.Use)] = []
        /// What can be played again: the index of an entry, its payload, and what it spends.
        private var signed: [(index: Int?, payload: String, use: SignedIDs.Use)] = []
        private static let actors = [("user:ada", TestActors.ada), ("user:bob", TestActors.bob)]

        init(_ random: inout SeededGenerator) {
            for (name, signer) in Self.actors { chain.enroll(name, signer, in: &roster) }
            let isForged = random.coin()
            for _ in 0..<24 { step(random.below(isForged ? 12 : 9), &random) }
        }

        private mutating func step(_ kind: Int, _ random: inout SeededGenerator) {
            let old = signed.isEmpty ? nil : signed[signed.count - 1 - random.below(min(signed.count, 4))]
            switch kind {
            case 0...2: sign(&random)
            case 3: chain.append()
            case 4: leaveGap(1 + random.below(random.coin() ? 20 : 6000))
            case 5:
                // Lost, and found by the repair.
                let before = self
                sign(&random)
                guard let lost = signed.last else { return }
                self = before
                leaveGap(1 + random.below(9))
                readmit(lost)
            case 6:
                // Who saw the first one may use its id again.
                sign(&random, id: old?.use.id)
            case 7: if let old { chain.readmit(old.payload, isProven: false) }
            case 8:
                let next = 1 + (ForgedChain.keys.firstIndex { $0.id == chain.tip.key } ?? 5)
                if next < ForgedChain.keys.count { chain.rotate(to: ForgedChain.keys[next]) }
            case 9: if let old { readmit(old) }
            case 10: sign(&random, id: old?.use.id, base: old?.use.base)
            default:
                guard let old, let index = old.index else { return }
                chain.replay(index)
                spend(old.use.actor, old.use.id, old.use.base)
            }
        }

        private mutating func leaveGap(_ count: Int) {
            chain.repair(gap: (chain.tip.seq + 1, chain.tip.seq + UInt64(count)))
        }

        private mutating func sign(_ random: inout SeededGenerator, id: String? = nil, base: UInt64? = nil) {
            let (actor, signer) = Self.actors[random.below(2)]
            let tip = chain.tip.seq
            let base = base ?? tip - UInt64(random.below(Int(min(tip, id == nil ? 10_001 : 2))))
            let id = id ?? "\(tip)"
            chain.sign(actor, signer, base: base, id: id)
            spend(actor, id, base)
        }

        private mutating func spend(_ actor: String, _ id: String, _ base: UInt64) {
            let (index, seq) = (chain.entries.count - 1, chain.tip.seq)
            let use = SignedIDs.Use(actor: actor, id: id, base: base, seq: seq, before: seq - 1)
            uses.append((index, use))
            signed.append((index, chain.payload(index), use))
        }

        private mutating func readmit(_ old: (index: Int?, payload: String, use: SignedIDs.Use)) {
            chain.readmit(old.payload)
            uses.append((chain.entries.count - 1, old.use))
            signed.append((nil, old.payload, old.use))
        }

        /// The first entry that FORMAT.md §4.7 forbids, told without any bounds of memory.
        var failure: Int? {
            for (number, (index, use)) in uses.enumerated() {
                let earlier = uses[..<number].map(\.use)
                let isNear = { (before: UInt64) in before < use.base || before - use.base <= 10_000 }
                let isSpent = earlier.contains { ($0.actor, $0.id) == (use.actor, use.id) && $0.seq > use.base }
                if use.base > use.before || !isNear(use.before) || isSpent || !earlier.allSatisfy({ isNear($0.before) }) {
                    return index
                }
            }
            return nil
        }
    }

    private static let keys = ForgedChain.keys(0..<6)

    /// Goes on to the end of the last segment, in which the verifier stands.
    private func failure(_ verifier: ChainVerifier, _ chain: ForgedChain) -> ChainFailure? {
        var verifier = verifier
        let bytes = Array(chain.segments[chain.segments.count - 1].bytes.dropFirst(verifier.position.offset))
        if case .failed(let failure) = verifier.feed(bytes.span, isEnd: true) { return failure }
        return nil
    }

    /// A verifier that stands at the start of the last segment.
    private func start(_ chain: ForgedChain) throws -> ChainVerifier {
        var verifier = ChainVerifier(keys: Self.keys)
        for (index, segment) in chain.segments.enumerated() {
            try verifier.beginSegment(firstSeq: segment.firstSeq, isLast: index == chain.segments.count - 1)
            if index < chain.segments.count - 1 {
                #expect(verifier.feed(segment.bytes.span, isEnd: true) == .wantsMore(consumed: segment.bytes.count, atLeast: 1))
            }
        }
        return verifier
    }

    /// The entries of the last segment from one to another, verified for themselves; nil if one fails.
    ///
    /// - Parameter start: a verifier that stands where the segment begins, if the first of them does.
    private func piece(_ range: Range<Int>, of chain: ForgedChain, _ roster: ActorRoster, _ start: ChainVerifier?)
        -> ChainVerifier?
    {
        let entries = chain.entries
        let (from, to) = (entries[range.lowerBound], entries[range.upperBound - 1].end.offset)
        var place = from.start
        place.seq = from.tip.seq
        var verifier = start ?? ChainVerifier(at: place, of: chain.tip.ledger, key: nil, keys: Self.keys)
        if start == nil { verifier.actors = roster }
        let bytes = Array(chain.segments[chain.segments.count - 1].bytes[from.start.offset..<to])
        guard case .wantsMore = verifier.feed(bytes.span, isEnd: true) else { return nil }
        return verifier
    }

    @Test(
        "the first that counts twice is found at its place, in one piece and in any number", arguments: 0..<200 as Range<UInt64>)
    func anywhere(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let scene = Scene(&random)
        let entries = scene.chain.entries
        let start = try start(scene.chain)
        let whole = failure(start, scene.chain)
        let expected = scene.failure.map { entries[$0].start }
        #expect(
            whole?.place.offset == expected?.offset && whole?.place.segment == expected?.segment, "\(String(describing: whole))")
        if case .actor = whole?.reason {} else { #expect(whole == nil) }
        let first = try #require(entries.firstIndex { $0.start.segment == start.position.segment })
        for _ in 0..<20 {
            var places: Set<Int> = [entries.count]
            for _ in 0...random.below(5) { places.insert(first + 1 + random.below(entries.count - first - 1)) }
            let cuts = places.sorted()
            var (joined, from) = (start, first)
            for cut in cuts {
                guard let piece = piece(from..<cut, of: scene.chain, scene.roster, from == first ? start : nil),
                    let longer = from == first ? piece : joined.joined(with: piece)
                else { break }
                (joined, from) = (longer, cut)
            }
            #expect(
                from < entries.count || whole == nil, "the pieces up to \(cuts) are joined, and the whole fails: \(scene.uses)")
            #expect(failure(joined, scene.chain) == whole, "cut at \(cuts)")
        }
    }

    @Test("pieces of a chain in which nothing comes twice are joined, and need no second look")
    func honest() throws {
        var chain = ForgedChain()
        var roster = ActorRoster()
        chain.enroll("user:ada", TestActors.ada, in: &roster)
        for number in 0..<30 { chain.sign("user:ada", TestActors.ada, base: chain.tip.seq - UInt64(number % 3)) }
        let start = try start(chain)
        for cut in 2..<chain.entries.count {
            let one = try #require(piece(1..<cut, of: chain, roster, start))
            let other = try #require(piece(cut..<chain.entries.count, of: chain, roster, nil))
            #expect(one.joined(with: other)?.entryCount == UInt64(chain.entries.count), "cut at \(cut)")
        }
    }

    @Test("a verifier that met a repeat meets it again, and nothing else, when it looks again")
    func again() throws {
        var chain = ForgedChain()
        var roster = ActorRoster()
        chain.enroll("user:ada", TestActors.ada, in: &roster)
        chain.sign("user:ada", TestActors.ada)
        let honest = chain
        chain.replay(2)
        var verifier = try start(honest)
        let segments = (honest.segments[1].bytes, chain.segments[1].bytes)
        _ = verifier.feed(segments.1.span, isEnd: true)
        #expect(verifier.tip == honest.tip)
        let bytes = Array(segments.1[verifier.position.offset...])
        for _ in 0..<2 {
            #expect(
                verifier.feed(bytes.span, isEnd: true)
                    == .failed(ChainFailure(.actor(.repeated("user:ada", as: 3)), at: chain.entries[3].start)))
        }
        // It was overwritten meanwhile by an honest entry.
        var other = honest
        other.sign("user:ada", TestActors.ada)
        let behind = Array(other.segments[1].bytes[verifier.position.offset...])
        #expect(verifier.feed(behind.span, isEnd: true) == .wantsMore(consumed: behind.count, atLeast: 1))
    }
}
