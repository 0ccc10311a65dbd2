import DurableFiles
import LedgerFormat
import TestSupport
import Testing

@Suite("The chain's verdict")
struct ChainTests {
    private let ledger = TestLedger.frames(count: 8)

    private var honest: [UInt8] { ledger.bytes }

    /// Eight honest entries and then a forged one, which is sealed with the right key.
    private func reason(
        keys: [KeyID: SealingKey] = testKeys, key: SealingKey = TestLedger.key, _ change: (inout Forge) -> Void
    ) -> ChainFailure.Reason? {
        let frame = Forge(after: ledger.tip, change).frame(key)
        let found = firstFailure(honest + frame, keys: keys)
        if let found { #expect(found.place == Place(segment: 1, offset: honest.count, seq: 9)) }
        return found?.reason
    }

    /// A first entry.
    private func genesisReason(_ change: (inout Forge) -> Void) -> ChainFailure.Reason? {
        var forge = Forge(after: ChainTip(emptyLedger: ledger.tip.ledger, key: ledger.tip.key))
        forge.action = "ledger.genesis"
        change(&forge)
        let found = firstFailure(forge.frame())
        if let found { #expect(found.place == Place(segment: 1, offset: 0, seq: 1)) }
        return found?.reason
    }

    private var head: Head { Head(alert: false, end: honest.count, segment: 1, tip: ledger.tip) }

    @Test("honest entries are accepted, with and without the key")
    func honestChain() {
        #expect(firstFailure(honest) == nil)
        #expect(firstFailure(honest, keys: [:]) == nil)
        #expect(firstFailure(honest, head: head) == nil)
        #expect(reason { _ in } == nil)
        #expect(genesisReason { _ in } == nil)
        #expect(firstFailure([UInt8]()) == nil, "a last segment without frames is legal")
    }

    @Test("each thing that an entry can have wrong")
    func entries() {
        let other = SealingKey(bytes: [UInt8](repeating: 7, count: 32))
        #expect(
            reason { $0.ledger = String(repeating: "a", count: 32) }
                == .foreignLedger(found: LedgerID(String(repeating: "a", count: 32))!))
        #expect(reason { $0.seq = "10" } == .seq(found: 10))
        #expect(reason { $0.seq = "8" } == .seq(found: 8))
        #expect(reason { $0.previousHash = String(repeating: "0", count: 64) } == .link)
        #expect(reason { $0.synced = "9" } == .synced(found: 9))
        #expect(reason { $0.synced = "6" } == .synced(found: 6), "it was 7 in the entry before")
        #expect(reason { $0.synced = "7" } == nil)
        #expect(reason(key: other) { $0.key = other.id.description } == .key(found: other.id))
        #expect(reason(key: other) { _ in } == .signature)
        #expect(reason { $0.version = "0" } == .frame(.member("v")))
        #expect(reason { $0.version = "2" } == .laterVersion(found: 2))
        #expect(reason { $0.version = "9007199254740991" } == .laterVersion(found: Limits.seq))
        #expect(reason { $0.body = "[]" } == .frame(.member("body")))
        #expect(reason { $0.action = "ledger.genesis" } == nil, "only the first must be one")
    }

    @Test("each thing that the first entry can have wrong")
    func genesis() {
        #expect(genesisReason { $0.seq = "2" } == .seq(found: 2))
        #expect(genesisReason { $0.seq = "0" } == .seq(found: 0))
        #expect(genesisReason { $0.previousHash = String(repeating: "1", count: 64) } == .link)
        #expect(genesisReason { $0.synced = "1" } == .synced(found: 1))
        #expect(genesisReason { $0.action = "ledger.genesi" } == .genesisExpected)
        #expect(genesisReason { $0.action = "ledger.genesis.x" } == .genesisExpected)
        #expect(genesisReason { $0.action = "test.event" } == .genesisExpected)
        #expect(genesisReason { $0.context = #"{"part":[2,2]}"# } == .part)
        #expect(genesisReason { $0.version = "3" } == .laterVersion(found: 3))
        #expect(
            genesisReason { $0.key = String(repeating: "a", count: 16) } == nil,
            "that key is not here: all else was checked")
    }

    @Test("the checks come in the order of FORMAT.md §4")
    func order() {
        let steps: [(ChainFailure.Reason, (inout Forge) -> Void)] = [
            (.frame(.member("body")), { $0.body = "[]" }),
            (.foreignLedger(found: LedgerID(0, 0)), { $0.ledger = String(repeating: "0", count: 32) }),
            (.seq(found: 99), { $0.seq = "99" }),
            (.link, { $0.previousHash = String(repeating: "0", count: 64) }),
            (.synced(found: 1), { $0.synced = "1" }),
            (.part, { $0.context = #"{"part":[2,3]}"# }),
            (.key(found: KeyID(0)), { $0.key = String(repeating: "0", count: 16) }),
        ]
        for first in steps.indices {
            let found = reason { forge in
                // Wrong in this and in all that follows, and sealed by nobody.
                for step in steps[first...] { step.1(&forge) }
                forge.version = "2"
            }
            #expect(found == steps[first].0)
        }
    }

    @Test("a changed hash or sig")
    func seals() {
        var frame = Forge(after: ledger.tip).frame()
        let hash = frame.count - 3 - 64 - 9 - 64
        frame[hash] = frame[hash] == UInt8(ascii: "0") ? UInt8(ascii: "1") : UInt8(ascii: "0")
        #expect(firstFailure(honest + frame)?.reason == .hash)
        #expect(firstFailure(honest + frame, keys: [:])?.reason == .hash)
        frame = Forge(after: ledger.tip).frame()
        frame[frame.count - 4] = frame[frame.count - 4] == UInt8(ascii: "0") ? UInt8(ascii: "1") : UInt8(ascii: "0")
        // HASH covers SIG, so that the change shows without the key too.
        #expect(firstFailure(honest + frame, keys: [:])?.reason == .hash)
    }

    @Test(
        "decisions",
        arguments: [
            ([(1, 2), (2, 2)], true), ([(1, 3), (2, 3), (3, 3), nil, (1, 2), (2, 2)], true), ([(2, 2)], false),
            ([(1, 2), nil], false),
            ([(1, 2), (1, 2)], false), ([(1, 3), (3, 3)], false), ([(1, 2), (2, 3)], false),
            ([(1, 2), (2, 2), (3, 3)], false),
        ] as [([(Int, Int)?], Bool)])
    func decisions(parts: [(Int, Int)?], isLegal: Bool) {
        var (bytes, tip) = (honest, ledger.tip)
        for part in parts {
            let forge = Forge(after: tip) { forge in
                if let part { forge.context = "{\"part\":[\(part.0),\(part.1)]}" }
            }
            bytes += forge.frame()
            tip.seq += 1
            tip.hash = forge.seal().hash
        }
        #expect((firstFailure(bytes)?.reason == nil) == isLegal)
        if !isLegal { #expect(firstFailure(bytes)?.reason == .part) }
    }

    @Test("an incomplete decision is named where it starts; the next segment cannot go on with it")
    func incompleteDecision() throws {
        let first = Forge(after: ledger.tip) { $0.context = #"{"part":[1,3]}"# }
        var tip = ledger.tip
        tip.seq += 1
        tip.hash = first.seal().hash
        let second = Forge(after: tip) { $0.context = #"{"part":[2,3]}"# }
        let bytes = honest + first.frame() + second.frame()
        let place = Place(segment: 1, offset: honest.count, seq: 9)
        #expect(firstFailure(bytes) == ChainFailure(.incompleteDecision, at: place))
        tip.seq += 1
        tip.hash = second.seal().hash
        let third = Forge(after: tip) { $0.context = #"{"part":[3,3]}"# }
        #expect(firstFailure([(1, bytes), (11, third.frame())])?.reason == .incompleteDecision)
        #expect(firstFailure(bytes + third.frame()) == nil)
    }

    @Test("the end of data")
    func padding() {
        let padded = honest + [UInt8](repeating: 0, count: 600)
        #expect(firstFailure(padded) == nil)
        #expect(firstFailure(padded, head: head) == nil)
        let place = Place(segment: 1, offset: honest.count, seq: 9)
        #expect(firstFailure(padded + [1]) == ChainFailure(.bytesAfterPadding, at: place))
        #expect(
            firstFailure(honest + [0] + Forge(after: ledger.tip).frame()) == ChainFailure(.bytesAfterPadding, at: place)
        )
        #expect(firstFailure([(1, padded), (9, [])]) == ChainFailure(.paddingInSealedSegment, at: place))
        #expect(
            firstFailure(honest + Forge(after: ledger.tip).frame().dropLast())
                == ChainFailure(.endsInsideFrame, at: place))
        #expect(firstFailure([(1, honest + [0x31]), (9, [])]) == ChainFailure(.endsInsideFrame, at: place))
        #expect(firstFailure([(1, [0])]) == nil)
    }

    @Test("segments")
    func segments() {
        let cut = ledger.ends[4]
        let (first, second) = (Array(honest[..<cut]), Array(honest[cut...]))
        #expect(firstFailure([(1, first), (6, second)]) == nil)
        #expect(firstFailure([(1, first), (6, second), (9, [])]) == nil)
        let place = Place(segment: 1, offset: cut, seq: 6)
        #expect(firstFailure([(1, first), (7, second)]) == ChainFailure(.segmentName(found: 7), at: place))
        #expect(
            firstFailure([(6, second)])
                == ChainFailure(.segmentName(found: 6), at: Place(segment: 1, offset: 0, seq: 1)))
        #expect(
            firstFailure([(1, first), (6, first)])
                == ChainFailure(.seq(found: 1), at: Place(segment: 6, offset: 0, seq: 6)))
    }

    @Test("HEAD is compared on the way")
    func heads() {
        var wrong = head
        wrong.end += 1
        let place = Place(segment: 1, offset: ledger.ends[6], seq: 8)
        #expect(firstFailure(honest, head: wrong) == ChainFailure(.headMismatch, at: place))
        wrong = head
        wrong.segment = 2
        #expect(firstFailure(honest, head: wrong)?.reason == .headMismatch)
        wrong = head
        wrong.tip = .zero
        #expect(firstFailure(honest, head: wrong) == ChainFailure(.headMismatch, at: place))
        wrong = head
        wrong.seq = 9
        #expect(
            firstFailure(honest, head: wrong)
                == ChainFailure(.shorterThanHead(vouched: 9), at: Place(segment: 1, offset: honest.count, seq: 9)))
        let first = Forge(after: ledger.tip) { $0.context = #"{"part":[1,2]}"# }
        var tip = ledger.tip
        tip.seq += 1
        tip.hash = first.seal().hash
        let second = Forge(after: tip) { $0.context = #"{"part":[2,2]}"# }
        let inside = Head(alert: false, end: honest.count + first.frame().count, segment: 1, tip: tip)
        #expect(
            firstFailure(honest + first.frame() + second.frame(), head: inside)
                == ChainFailure(.headInsideDecision, at: Place(segment: 1, offset: honest.count, seq: 9)))
    }

    @Test("without the key everything is found that needs none")
    func keyless() {
        #expect(reason(keys: [:]) { $0.seq = "10" } == .seq(found: 10))
        #expect(reason(keys: [:]) { $0.previousHash = String(repeating: "0", count: 64) } == .link)
        #expect(
            reason(keys: [:]) { $0.ledger = String(repeating: "0", count: 32) } == .foreignLedger(found: LedgerID(0, 0))
        )
        #expect(reason(keys: [:]) { $0.key = String(repeating: "0", count: 16) } == .key(found: KeyID(0)))
        // A forger without the key is caught only by who has it.
        let forger = SealingKey(bytes: [UInt8](repeating: 1, count: 32))
        #expect(reason(keys: [:], key: forger) { _ in } == nil)
        #expect(reason(key: forger) { _ in } == .signature)
        var verifier = ChainVerifier(keys: [:])
        _ = verifier.feed(honest.span, isEnd: true)
        #expect(!verifier.absentKeys.isEmpty && verifier.entryCount == 8)
    }

    @Test("entries that are swapped, left out, doubled or moved from another ledger")
    func sequence() {
        func frame(_ seq: Int) -> ArraySlice<UInt8> {
            honest[(seq == 1 ? 0 : ledger.ends[seq - 2])..<ledger.ends[seq - 1]]
        }
        func chain(_ seqs: [Int]) -> [UInt8] { seqs.flatMap { Array(frame($0)) } }
        for keys in [testKeys, [:]] {
            #expect(
                firstFailure(chain([1, 2, 4, 3]), keys: keys)
                    == ChainFailure(.seq(found: 4), at: Place(segment: 1, offset: ledger.ends[1], seq: 3)))
            #expect(firstFailure(chain([1, 2, 4, 5]), keys: keys)?.reason == .seq(found: 4))
            #expect(firstFailure(chain([1, 2, 2, 3]), keys: keys)?.reason == .seq(found: 2))
            #expect(firstFailure(chain([2, 3]), keys: keys)?.reason == .seq(found: 2))
        }
    }

    @Test("the visitor sees each entry once, and can stop")
    func visiting() {
        var seqs: [UInt64] = []
        var verifier = ChainVerifier(keys: testKeys)
        let outcome = verifier.feed(honest.span, isEnd: true) { frame, _ in
            seqs.append(frame.seq)
            return frame.seq < 5
        }
        #expect(outcome == .stopped && seqs == [1, 2, 3, 4, 5])
        #expect(verifier.position == Place(segment: 1, offset: ledger.ends[4], seq: 6))
        let rest = Array(honest[ledger.ends[4]...])
        #expect(verifier.feed(rest.span, isEnd: true) == .wantsMore(consumed: rest.count, atLeast: 1))
        #expect(verifier.entryCount == 8 && verifier.tip == ledger.tip)
    }
}

@Suite("A chain in pieces")
struct PieceTests {
    /// Feeds a segment in pieces of random sizes, as a reader with a buffer does.
    private func feed(
        _ bytes: [UInt8], _ verifier: inout ChainVerifier, _ random: inout SeededGenerator, largest: Int
    ) -> ChainVerifier.Outcome {
        var buffer: [UInt8] = []
        var given = 0
        while true {
            let more = min(bytes.count - given, 1 + random.below(largest))
            buffer += bytes[given..<given + more]
            given += more
            let outcome = verifier.feed(buffer.span, isEnd: given == bytes.count)
            guard case .wantsMore(let consumed, _) = outcome else { return outcome }
            if given == bytes.count { return outcome }
            buffer.removeFirst(consumed)
        }
    }

    @Test("the result does not depend on how the bytes come, intact or damaged", arguments: 0..<64 as Range<UInt64>)
    func splits(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let (honest, _, ends) = TestLedger.frames(count: 12)
        for _ in 0..<6 {
            var bytes = honest
            switch random.below(5) {
            case 0: break
            case 1: bytes[random.below(bytes.count)] ^= 1 << UInt8(random.below(8))
            case 2: bytes += [UInt8](repeating: 0, count: random.below(2000))
            case 3: bytes += [UInt8](repeating: 0, count: random.below(2000)) + [UInt8(1 + random.below(255))]
            default: bytes.removeLast(random.below(bytes.count - ends[0]))
            }
            let isLast = random.coin()
            var whole = ChainVerifier(keys: testKeys)
            var split = ChainVerifier(keys: testKeys)
            #expect(throws: Never.self) { try whole.beginSegment(firstSeq: 1, isLast: isLast) }
            #expect(throws: Never.self) { try split.beginSegment(firstSeq: 1, isLast: isLast) }
            let expected = whole.feed(bytes.span, isEnd: true)
            let found = feed(bytes, &split, &random, largest: [1, 10, 700, 5000][random.below(4)])
            if case .wantsMore = expected {
                guard case .wantsMore = found else {
                    Issue.record("\(found)")
                    return
                }
            } else {
                #expect(found == expected)
            }
            #expect(split.tip == whole.tip && split.position == whole.position && split.entryCount == whole.entryCount)
        }
    }

    /// A verifier over the entries from index `first` to `last`, begun in the midst.
    private func piece(_ first: Int, _ last: Int, of ledger: (bytes: [UInt8], tip: ChainTip, ends: [Int]))
        -> ChainVerifier
    {
        let start = first == 0 ? 0 : ledger.ends[first - 1]
        var verifier: ChainVerifier
        if first == 0 {
            verifier = ChainVerifier(keys: testKeys)
        } else {
            let place = Place(segment: 1, offset: start, seq: UInt64(first + 1))
            verifier = ChainVerifier(at: place, of: ledger.tip.ledger, key: ledger.tip.key, keys: testKeys)
        }
        let bytes = Array(ledger.bytes[start..<ledger.ends[last]])
        _ = verifier.feed(bytes.span, isEnd: false)
        return verifier
    }

    @Test("pieces that continue each other are joined, all others are not")
    func joining() throws {
        let ledger = TestLedger.frames(count: 9)
        let whole = piece(0, 8, of: ledger)
        for cut in 0..<8 {
            let joined = try #require(piece(0, cut, of: ledger).joined(with: piece(cut + 1, 8, of: ledger)))
            #expect(joined.tip == whole.tip && joined.position == whole.position && joined.entryCount == 9)
        }
        let (a, b, c) = (piece(0, 2, of: ledger), piece(3, 5, of: ledger), piece(6, 8, of: ledger))
        #expect(a.joined(with: b)?.joined(with: c)?.entryCount == 9)
        #expect(try #require(b.joined(with: c)).beginning?.seq == 4)
        #expect(a.joined(with: c) == nil && b.joined(with: a) == nil && a.joined(with: a) == nil)
        #expect(a.joined(with: ChainVerifier(keys: testKeys)) == nil, "nothing was verified there")
        #expect(ChainVerifier(keys: testKeys).joined(with: a) == nil)
    }

    @Test("a piece of another history does not continue this one")
    func forks() {
        let ledger = TestLedger.frames(count: 4)
        var (bytes, ends) = (ledger.bytes, ledger.ends)
        bytes.removeSubrange(ends[2]...)
        // Entry 4 of a fork: linked to another entry 3, sealed with the right key.
        let other = Forge(after: ledger.tip) {
            $0.seq = "4"
            $0.synced = "3"
            $0.previousHash = String(repeating: "0", count: 64)
        }
        ends[3] = bytes.count + other.frame().count
        let fork = (bytes: bytes + other.frame(), tip: ledger.tip, ends: ends)
        let piece3 = piece(3, 3, of: fork)
        #expect(piece3.entryCount == 1, "by itself it is sealed")
        #expect(piece(0, 2, of: ledger).joined(with: piece3) == nil)
        #expect(piece(0, 2, of: ledger).joined(with: piece(3, 3, of: ledger)) != nil)
    }

    @Test("of the first entry of a piece only what needs no link is checked")
    func unlinked() {
        let ledger = TestLedger.frames(count: 3)
        let place = Place(segment: 1, offset: 0, seq: 9)
        func outcome(_ change: (inout Forge) -> Void) -> ChainFailure.Reason? {
            let frame = Forge(after: ledger.tip) {
                $0.seq = "9"
                change(&$0)
            }.frame()
            var verifier = ChainVerifier(at: place, of: ledger.tip.ledger, key: ledger.tip.key, keys: testKeys)
            guard case .failed(let failure) = verifier.feed(frame.span, isEnd: true) else { return nil }
            return failure.reason
        }
        #expect(outcome { _ in } == nil)
        #expect(outcome { $0.previousHash = String(repeating: "a", count: 64) } == nil)
        #expect(outcome { $0.context = #"{"part":[2,2]}"# } == nil)
        #expect(outcome { $0.seq = "8" } == .seq(found: 8))
        #expect(outcome { $0.synced = "9" } == .synced(found: 9))
        #expect(outcome { $0.ledger = String(repeating: "0", count: 32) } == .foreignLedger(found: LedgerID(0, 0)))
        #expect(outcome { $0.key = String(repeating: "0", count: 16) } == .key(found: KeyID(0)))
    }

    @Test("a chain goes on with another HEAD from where it stands")
    func continued() throws {
        let ledger = TestLedger.frames(count: 6)
        let half = piece(0, 2, of: ledger)
        let head = Head(alert: false, end: ledger.bytes.count, segment: 1, tip: ledger.tip)
        var next = half
        next.compare(with: head)
        #expect(!next.reachedHead)
        let rest = Array(ledger.bytes[ledger.ends[2]...])
        #expect(next.feed(rest.span, isEnd: true) == .wantsMore(consumed: rest.count, atLeast: 1))
        #expect(next.reachedHead)
    }
}
