import CanonicalJSON
import LedgerFormat
import TestSupport
import Testing

@Suite("Entries of a later version: unverifiable at best, and what needs no knowledge of them is checked")
struct LaterVersionTests {
    /// Six entries, of which the fourth is of version 2.
    private func chain() -> ForgedChain {
        var chain = ForgedChain()
        for seq in 2...6 { chain.append { if seq == 4 { $0.version = "2" } } }
        return chain
    }

    private func ledger(_ chain: ForgedChain, keys: [Int] = [0], head: Int? = nil, _ bytes: [UInt8]) throws -> CommandLedger {
        let ledger = try CommandLedger(chain, keys: keys, head: chain.head(head).sealed(with: ForgedChain.keys[0]))
        try ledger.overwrite(CommandLedger.firstSegment, bytes)
        return ledger
    }

    private func unverifiable(_ chain: ForgedChain) -> Verdict {
        let place = chain.entries[3].start
        return Verdict("unverifiable: segment \(place.segmentName), offset \(place.offset), seq 4", 11)
    }

    @Test("whole, with the key and without, with entries behind HEAD, and with a torn tail: 11, at the first such entry")
    func whole() throws {
        let chain = chain()
        for (keys, head, tail) in [([0], nil, 0), ([], nil, 0), ([0], 1, 0), ([0], 4, 20)] as [([Int], Int?, Int)] {
            let ledger = try ledger(chain, keys: keys, head: head, Array(chain.bytes.dropLast(tail)))
            #expect(try ledger.agreedVerdict() == unverifiable(chain), "\(keys) \(tail)")
            #expect(try ledger.run("audit").code == 11)
        }
        let ledger = try ledger(chain, chain.bytes)
        try ledger.directory.write(Array((Receipt(chain.entries[5].tip).line + "\n").utf8), to: "receipt")
        #expect(
            try ledger.verdict("--receipt", ledger.directory.path("receipt")) == unverifiable(chain),
            "a receipt from behind it holds")
        #expect(try ledger.verdict("--threads", "2") == unverifiable(chain))
    }

    @Test(
        "a frame that claims to be of one and is none of the chain's: the next one does not link, 10, and an audit raises the alert"
    )
    func inserted() throws {
        var chain = ForgedChain()
        chain.append()
        chain.rotate(to: ForgedChain.keys[1])
        chain.retire(ForgedChain.keys[0])
        chain.append()
        let forge = Forge(after: chain.entries[0].tip) { $0.version = "2" }
        let end = chain.entries[0].end.offset
        let frame = forge.frame(ForgedChain.keys[5])
        let ledger = try CommandLedger(chain, keys: [1])
        #expect(try ledger.agreedVerdict().code == 0)
        try ledger.overwrite(CommandLedger.firstSegment, Array(chain.bytes[..<end]) + frame + Array(chain.bytes[end...]))
        #expect(try ledger.agreedVerdict() == .tampered(offset: end + frame.count, seq: 3))
        let audited = try ledger.run("audit")
        #expect(audited.code == 10, "\(audited)")
        #expect(try ledger.append().code == 21)
    }

    @Test("damage behind a true one: 10, wherever it is")
    func damagedBehind() throws {
        let chain = chain()
        for seq in [5, 6] {
            var bytes = chain.bytes
            bytes[chain.entries[seq - 1].start.offset + 200] ^= 1
            for keys in [[0], []] as [[Int]] {
                let verdict = try ledger(chain, keys: keys, bytes).agreedVerdict()
                #expect(verdict == .tampered(offset: chain.entries[seq - 1].start.offset, seq: seq), "\(keys)")
            }
        }
        let cut = try ledger(chain, Array(chain.bytes[..<chain.entries[4].end.offset]))
        #expect(try cut.agreedVerdict() == .tampered(offset: chain.entries[4].end.offset, seq: 6))
        let headless = try ledger(chain, chain.bytes)
        try headless.directory.remove(headless.name("HEAD"))
        #expect(try headless.agreedVerdict() == .headless(seq: 6))
    }
}
