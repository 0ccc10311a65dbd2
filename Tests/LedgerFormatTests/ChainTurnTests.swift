import DurableFiles
import LedgerFormat
import TestSupport
import Testing

private let keys = ForgedChain.keys
private let allKeys = ForgedChain.keys(0..<6)

/// The first failure in a chain, which must be its last entry, or nil.
private func reason(
    _ chain: ForgedChain, keys: [KeyID: SealingKey] = allKeys, head: Head? = nil, seq: UInt64? = nil,
    _ source: SourceLocation = #_sourceLocation
) -> ChainFailure.Reason? {
    guard let found = firstFailure(chain.segments, keys: keys, head: head) else { return nil }
    var place = chain.entries[chain.entries.count - 1].start
    if let seq { place.seq = seq }
    #expect(found.place == place, sourceLocation: source)
    return found.reason
}

/// Verifies the whole chain.
private func verifier(_ chain: ForgedChain, keys: [KeyID: SealingKey] = allKeys) -> ChainVerifier {
    var verifier = ChainVerifier(keys: keys)
    #expect(throws: Never.self) {
        for segment in chain.segments {
            try verifier.beginSegment(firstSeq: segment.firstSeq, isLast: false)
            #expect(verifier.feed(segment.bytes.span, isEnd: true) == .wantsMore(consumed: segment.bytes.count, atLeast: 1))
        }
    }
    return verifier
}

@Suite("The keys of a chain")
struct ChainTurnTests {
    /// Two entries under each of the first keys.
    fileprivate func rotated(_ count: Int) -> ForgedChain {
        var chain = ForgedChain()
        for number in 1...count {
            chain.rotate(to: keys[number])
            chain.append()
        }
        return chain
    }

    /// What a last entry behind two rotations is refused for.
    private func refusal(by key: SealingKey? = nil, _ change: (inout Forge) -> Void) -> ChainFailure.Reason? {
        var chain = rotated(2)
        chain.append(by: key, change)
        return reason(chain)
    }

    /// What the introduction of a key is refused for, with these members in its body.
    private func introduction(_ members: String) -> ChainFailure.Reason? {
        refusal {
            $0.action = ChainTurn.rotated
            $0.body = "{\(members)}"
        }
    }

    @Test("several rotations: with all keys nothing is left to check; without some, these are named")
    func honest() {
        let chain = rotated(4)
        for number in 0..<32 {
            let present = (0..<5).filter { number >> $0 & 1 == 1 }
            let verifier = verifier(chain, keys: ForgedChain.keys(present))
            #expect(verifier.entryCount == 9 && verifier.tip == chain.tip)
            let absent = Set((0..<5).filter { !present.contains($0) }.map { keys[$0].id })
            #expect(verifier.absentKeys == absent)
        }
    }

    @Test("behind a rotation only the new key is called for, by name and by seal")
    func oldKey() {
        #expect(refusal { _ in } == nil)
        #expect(refusal { $0.key = keys[1].id.description } == .key(found: keys[1].id))
        #expect(refusal { $0.key = keys[0].id.description } == .key(found: keys[0].id))
        #expect(refusal(by: keys[2]) { $0.key = keys[1].id.description } == .key(found: keys[1].id))
        #expect(refusal(by: keys[1]) { _ in } == .signature)
        #expect(refusal(by: keys[3]) { $0.key = keys[3].id.description } == .key(found: keys[3].id))
    }

    @Test("a rotation by a key that was rotated away, or by the new key itself")
    func foreignRotation() {
        for key in [keys[0], keys[1], keys[3]] {
            var chain = rotated(2)
            let proof = keys[3].proof(in: chain.tip.ledger, after: key.id)
            chain.append {
                $0.action = ChainTurn.rotated
                $0.key = key.id.description
                $0.body = #"{"key":"\#(keys[3].id)","proof":"\#(proof)"}"#
            }
            #expect(reason(chain) == .key(found: key.id))
        }
    }

    @Test("no key comes a second time")
    func secondTime() {
        for number in 0...2 {
            var chain = rotated(2)
            chain.rotate(to: keys[number])
            #expect(reason(chain) == .turn(action: ChainTurn.rotated))
            #expect(reason(chain, keys: [:]) == .turn(action: ChainTurn.rotated), "that needs no key")
        }
        var chain = ForgedChain()
        chain.rotate(to: keys[0])
        #expect(reason(chain) == .turn(action: ChainTurn.rotated), "the first entry introduced it")
    }

    @Test("a key that does not prove itself, for this ledger and behind this key")
    func proof() {
        func reason(_ proof: Digest, with present: [KeyID: SealingKey] = allKeys) -> ChainFailure.Reason? {
            var chain = rotated(2)
            chain.rotate(to: keys[3], proof: proof.description)
            return LedgerFormatTests.reason(chain, keys: present)
        }
        let ledger = ForgedChain().tip.ledger
        let unproven = ChainFailure.Reason.keyProof(of: keys[3].id)
        #expect(reason(keys[3].proof(in: ledger, after: keys[2].id)) == nil)
        #expect(reason(keys[2].proof(in: ledger, after: keys[2].id)) == unproven)
        #expect(reason(keys[3].proof(in: ledger, after: keys[1].id)) == unproven)
        #expect(reason(keys[3].proof(in: LedgerID(1, 2), after: keys[2].id)) == unproven)
        #expect(reason(.zero) == unproven)
        #expect(reason(.zero, with: ForgedChain.keys(0..<3)) == nil, "without the new key nobody can say")
    }

    @Test("bodies that have not the form")
    func bodies() {
        let proof = keys[3].proof(in: ForgedChain().tip.ledger, after: keys[2].id)
        let (key, proven) = (#""key":"\#(keys[3].id)""#, #""proof":"\#(proof)""#)
        #expect(introduction("\(key),\(proven)") == nil)
        #expect(introduction(#"\#(key),\#(proven),"z":1"#) == nil, "others are allowed")
        for members in [
            "", key, proven, #"\#(key),"proof":"""#, #"\#(key),"proof":1"#, #"\#(key),"proof":"\#(proof)0""#,
            #""key":"\#(keys[3].id)0",\#(proven)"#, #""key":"ABCDEFABCDEFABCD",\#(proven)"#, #""key":null,\#(proven)"#,
        ] {
            #expect(introduction(members) == .turn(action: ChainTurn.rotated), "\(members)")
        }
        for body in ["{}", #"{"key":1}"#, #"{"key":"3d442c1707a0ad5"}"#, #"{"key":"\#(keys[2].id)"}"#] {
            let found = refusal {
                $0.action = ChainTurn.retired
                $0.body = body
            }
            #expect(found == .turn(action: ChainTurn.retired), "\(body)")
        }
        for gap in [
            "1", "null", "{}", #"{"first":6}"#, #"{"first":0,"last":6}"#, #"{"first":7,"last":6}"#,
            #"{"first":6,"last":6.5}"#, #"{"first":6,"last":7,"more":1}"#, #"{"first":6,"last":9007199254740992}"#,
        ] {
            let found = refusal {
                $0.action = ChainTurn.repaired
                $0.body = #"{"gap":\#(gap)}"#
            }
            #expect(found == .turn(action: ChainTurn.repaired), "\(gap)")
        }
        for action in ["key.rotate", "key.rotated.x", "key.retiree", "ledger.repairer", "key_rotated"] {
            #expect(refusal { $0.action = action } == nil, "\(action) is an action like any")
        }
    }
}

extension ChainTurnTests {
    @Test("a retired key is needed no more, if the entry that retires it was verified or is vouched for by a later one")
    func retirement() {
        var chain = rotated(3)
        func absent(_ present: [Int]) -> Set<KeyID> { verifier(chain, keys: ForgedChain.keys(present)).absentKeys }
        func ids(_ numbers: Int...) -> Set<KeyID> { Set(numbers.map { keys[$0].id }) }
        chain.retire(keys[1])
        #expect(absent([0, 2, 3]) == [] && absent([2, 3]) == ids(0))
        #expect(absent([0, 2]) == ids(1, 3), "the entry that retires it was not verified")
        // What key 3 retired is vouched for by whoever retires key 3.
        chain.rotate(to: keys[4])
        chain.retire(keys[3])
        #expect(absent([0, 2, 4]) == [] && absent([0, 2]) == ids(1, 3, 4))
        chain.retire(keys[0])
        chain.retire(keys[2])
        #expect(absent([4]) == [])
        #expect(absent([3]) == ids(0, 2, 4), "key 4 is not here, and so is nobody for what it says")
    }

    @Test("two keys that retire each other vouch for nothing")
    func circle() {
        var chain = ForgedChain()
        chain.retire(keys[1])
        chain.rotate(to: keys[1])
        chain.retire(keys[0])
        chain.rotate(to: keys[2])
        #expect(verifier(chain, keys: ForgedChain.keys([2])).absentKeys == [keys[0].id, keys[1].id])
        #expect(verifier(chain, keys: ForgedChain.keys([1, 2])).absentKeys == [])
    }

    @Test("HEAD names the key that is called for behind its entry")
    func heads() {
        let chain = rotated(2)
        // Entries: genesis, rotation, one, rotation, one.
        for (index, key) in zip(0..<5, [0, 1, 1, 2, 2]) {
            let head = chain.head(index)
            #expect(head.key == keys[key].id)
            #expect(firstFailure(chain.segments, keys: allKeys, head: head) == nil)
            for wrong in 0..<4 where wrong != key {
                var forged = head
                forged.key = keys[wrong].id
                let found = firstFailure(chain.segments, keys: allKeys, head: forged)
                #expect(found == ChainFailure(.headMismatch, at: chain.entries[index].start), "entry \(index), key \(wrong)")
            }
        }
    }

    @Test("verifying from any entry on, with the key that is called for behind it")
    func fromTheMidst() {
        let chain = rotated(3)
        for (index, entry) in chain.entries.enumerated() {
            let rest = Array(chain.bytes[entry.start.offset...])
            for key in [nil, entry.tip.key, keys[5].id, keys[0].id] {
                var verifier = ChainVerifier(at: entry.start, of: chain.tip.ledger, key: key, keys: allKeys)
                let outcome = verifier.feed(rest.span, isEnd: true)
                // At the first rotation its own key does as well: there the comparison with HEAD says what is called for behind it.
                let isRight = key == nil || key == entry.tip.key || index == 1 && key == keys[0].id
                #expect((outcome == .wantsMore(consumed: rest.count, atLeast: 1)) == isRight, "entry \(index)")
                if isRight { #expect(verifier.tip == chain.tip) }
            }
        }
    }

    @Test("resync finds what is sealed under any key that is here, and by HASH alone where none is")
    func finding() {
        let chain = rotated(2)
        func count(_ present: [Int]) -> Int {
            let finder = FrameFinder(ledger: chain.tip.ledger, keys: ForgedChain.keys(present))
            var (start, count) = (0, 0)
            while let frame = finder.next(in: chain.bytes.span, from: start) {
                start = frame.frame.upperBound
                count += 1
            }
            return count
        }
        #expect(count([0, 1, 2]) == 5 && count([0]) == 2 && count([1]) == 2 && count([2]) == 1 && count([0, 2]) == 3)
        #expect(count([]) == 5 && count([5]) == 0)
    }

    @Test("which keys tell a torn tail's frames: all, or none where the one called for is absent")
    func keysBehind() {
        let chain = rotated(2)
        #expect(verifier(chain).keysBehind.count == 6)
        #expect(verifier(chain, keys: ForgedChain.keys([0, 1])).keysBehind.isEmpty)
        #expect(verifier(chain, keys: ForgedChain.keys([2])).keysBehind.count == 1)
    }
}

@Suite("Gaps that a repair leaves")
struct ChainGapTests {
    /// Three entries, and a repair behind them that names a gap.
    private func repaired(gap: (first: UInt64, last: UInt64)?, seq: UInt64? = nil) -> ForgedChain {
        var chain = ForgedChain()
        chain.append()
        chain.append()
        chain.repair(gap: gap, seq: seq)
        return chain
    }

    @Test("a gap begins at the seq that is expected and ends before the entry that names it; nothing else leaves one")
    func bounds() {
        #expect(reason(repaired(gap: nil)) == nil)
        for last in [4, 5, 900, Limits.seq - 1] as [UInt64] { #expect(reason(repaired(gap: (4, last))) == nil) }
        #expect(reason(repaired(gap: (3, 6)), seq: 4) == .seq(found: 7), "it overlaps what is there")
        #expect(reason(repaired(gap: (5, 6)), seq: 4) == .seq(found: 7), "entry 4 is missing and not named")
        #expect(reason(repaired(gap: (4, 6), seq: 6)) == .seq(found: 6), "too large")
        #expect(reason(repaired(gap: (4, 6), seq: 8)) == .seq(found: 8), "too small")
        #expect(reason(repaired(gap: (4, 6), seq: 4)) == .seq(found: 4))
        #expect(reason(repaired(gap: nil, seq: 5)) == .seq(found: 5))
        var chain = ForgedChain()
        chain.append { $0.seq = "3" }
        #expect(reason(chain, seq: 2) == .seq(found: 3), "no repair says so")
    }

    @Test("behind a gap the chain goes on, and another may follow")
    func goingOn() {
        var chain = repaired(gap: (4, 9))
        chain.append()
        chain.repair(gap: (12, 12))
        chain.rotate(to: keys[1])
        chain.append()
        #expect(reason(chain) == nil && chain.tip.seq == 15)
        #expect(verifier(chain).entryCount == 8)
        var unlinked = repaired(gap: nil)
        unlinked.append {
            $0.action = ChainTurn.repaired
            $0.body = #"{"gap":{"first":5,"last":6}}"#
            $0.seq = "7"
            $0.previousHash = String(repeating: "0", count: 64)
        }
        #expect(firstFailure(unlinked.segments)?.reason == .link)
    }

    @Test("nothing of the beginning survived: the repair is the first entry")
    func first() {
        var chain = ForgedChain(begins: false)
        chain.repair(gap: (1, 7))
        chain.append()
        #expect(reason(chain) == nil && chain.tip.seq == 9)
        #expect(verifier(chain, keys: [:]).absentKeys == [keys[0].id])
        for (gap, seq) in [((2, 7), 8), ((1, 7), 7)] as [((UInt64, UInt64), UInt64)] {
            var wrong = ForgedChain(begins: false)
            wrong.repair(gap: gap, seq: seq)
            #expect(reason(wrong, seq: 1) == .seq(found: seq))
        }
        var headless = ForgedChain(begins: false)
        headless.repair(gap: nil)
        #expect(reason(headless) == .genesisExpected)
        chain.rotate(to: keys[0])
        #expect(reason(chain) == .turn(action: ChainTurn.rotated), "the repair's key is the first one")
    }

    @Test("a segment is named by the seq that was expected at its start")
    func segments() {
        for (name, isRight) in [(4, true), (10, false), (5, false)] as [(UInt64, Bool)] {
            var chain = ForgedChain()
            chain.append()
            chain.append()
            let end = chain.entries[2].end
            chain.roll(firstSeq: name)
            chain.repair(gap: (4, 9))
            chain.append()
            let found = firstFailure(chain.segments)
            #expect(found == (isRight ? nil : ChainFailure(.segmentName(found: name), at: end)))
        }
    }

    @Test("a HEAD whose seq lies in a gap vouches for nothing that is there")
    func heads() {
        var chain = repaired(gap: (4, 9))
        chain.append()
        #expect(firstFailure(chain.segments, head: chain.head(3)) == nil)
        #expect(firstFailure(chain.segments, head: chain.head()) == nil)
        for seq in 4...9 as ClosedRange<UInt64> {
            for index in 2...3 {
                var head = chain.head(index)
                head.seq = seq
                #expect(firstFailure(chain.segments, head: head) == ChainFailure(.headMismatch, at: chain.entries[3].start.at(4)))
            }
        }
    }
}

extension Place {
    fileprivate func at(_ seq: UInt64) -> Place { Place(segment: segment, offset: offset, seq: seq) }
}

@Suite("Pieces of a chain with rotations and gaps")
struct ChainTurnPieceTests {
    private let chain: ForgedChain = {
        var chain = ForgedChain()
        chain.append()
        chain.rotate(to: keys[1])
        chain.append()
        chain.repair(gap: (5, 20))
        chain.rotate(to: keys[2])
        chain.retire(keys[0])
        chain.repair(gap: (24, 24))
        chain.repair(gap: (26, 30))
        chain.append()
        chain.rotate(to: keys[3])
        chain.retire(keys[2])
        return chain
    }()

    /// A verifier over the entries with these indices, begun in the midst.
    private func piece(
        _ range: Range<Int>, of chain: ForgedChain, keys: [KeyID: SealingKey] = allKeys, head: Head? = nil
    ) -> ChainVerifier {
        let (first, last) = (chain.entries[range.lowerBound], chain.entries[range.upperBound - 1])
        var verifier =
            range.lowerBound == 0
            ? ChainVerifier(keys: keys, head: head)
            : ChainVerifier(
                at: first.start.at(first.tip.seq), of: chain.tip.ledger, key: nil, keys: keys, head: head)
        let bytes = Array(chain.bytes[first.start.offset..<last.end.offset])
        #expect(verifier.feed(bytes.span, isEnd: true) == .wantsMore(consumed: bytes.count, atLeast: 1))
        return verifier
    }

    @Test("cut into two or three anywhere, with any keys, they are what the whole is")
    func joining() throws {
        let count = chain.entries.count
        for number in 0..<16 {
            let present = ForgedChain.keys((0..<4).filter { number >> $0 & 1 == 1 })
            let whole = piece(0..<count, of: chain, keys: present)
            for first in 1..<count {
                for second in first...count {
                    var joined = try #require(
                        piece(0..<first, of: chain, keys: present).joined(
                            with: piece(first..<max(second, first + 1), of: chain, keys: present)))
                    let end = max(second, first + 1)
                    if end < count {
                        joined = try #require(joined.joined(with: piece(end..<count, of: chain, keys: present)))
                    }
                    #expect(joined.tip == whole.tip && joined.position == whole.position)
                    #expect(joined.entryCount == UInt64(count) && joined.absentKeys == whole.absentKeys)
                }
            }
        }
    }

    @Test("a key that comes again in a later piece, a piece under an old key, a gap that does not fit")
    func refused() {
        func joins(_ chain: ForgedChain, at index: Int) -> Bool {
            piece(0..<index, of: chain).joined(with: piece(index..<chain.entries.count, of: chain)) != nil
        }
        var again = ForgedChain()
        again.rotate(to: keys[1])
        again.rotate(to: keys[2])
        again.append()
        again.rotate(to: keys[1])
        #expect(!joins(again, at: 3), "the first piece introduced it too")
        var old = ForgedChain()
        old.rotate(to: keys[1])
        old.append { $0.key = keys[0].id.description }
        #expect(!joins(old, at: 2))
        for gap in [(4, 6), (2, 6)] as [(UInt64, UInt64)] {
            var misfit = ForgedChain()
            misfit.append()
            misfit.repair(gap: gap)
            #expect(!joins(misfit, at: 2))
        }
        var fitting = ForgedChain()
        fitting.append()
        fitting.repair(gap: (3, 6))
        #expect(joins(fitting, at: 2))
        var head = fitting.head()
        head.seq = 5
        #expect(piece(0..<2, of: fitting, head: head).joined(with: piece(2..<3, of: fitting)) == nil, "HEAD lies in the gap")
    }

    @Test("the result does not depend on how the bytes come", arguments: 0..<16 as Range<UInt64>)
    func splits(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<8 {
            var bytes = chain.bytes
            if random.coin() { bytes[random.below(bytes.count)] ^= 1 << UInt8(random.below(8)) }
            var whole = ChainVerifier(keys: allKeys)
            let expected = whole.feed(bytes.span, isEnd: true)
            var split = ChainVerifier(keys: allKeys)
            var (buffer, given): ([UInt8], Int) = ([], 0)
            var found: ChainVerifier.Outcome
            repeat {
                let more = min(bytes.count - given, 1 + random.below(900))
                buffer += bytes[given..<given + more]
                given += more
                found = split.feed(buffer.span, isEnd: given == bytes.count)
                if case .wantsMore(let consumed, _) = found { buffer.removeFirst(consumed) } else { break }
            } while given < bytes.count
            if case .failed = expected { #expect(found == expected, "seed \(seed)") }
            #expect(split.tip == whole.tip && split.position == whole.position, "seed \(seed)")
            #expect(split.entryCount == whole.entryCount && split.absentKeys == whole.absentKeys, "seed \(seed)")
        }
    }
}
