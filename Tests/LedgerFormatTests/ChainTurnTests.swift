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
    private func rotated(_ count: Int) -> ForgedChain {
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
