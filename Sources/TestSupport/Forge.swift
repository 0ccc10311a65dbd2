import CanonicalJSON
package import LedgerFormat

/// An entry spelt out by hand, so that anything about it can be made wrong and it is still sealed.
package struct Forge: Sendable {
    package var action = "test.event"
    package var actor = "process:test"
    /// Raw JSON from here on.
    package var body = "{}"
    package var context = "{}"
    package var justification = #"{"pillar":"integrity","reason":"forged"}"#
    package var key: String
    package var ledger: String
    package var previousHash: String
    package var seq: String
    package var synced: String
    package var time: String
    package var version = "1"
    /// What stands behind `v`.
    package var more = ""

    /// An honest entry behind `tip`, which knows it as durable.
    package init(after tip: ChainTip) {
        key = tip.key.description
        ledger = tip.ledger.description
        previousHash = tip.hash.description
        seq = String(tip.seq + 1)
        synced = String(tip.seq)
        time = "2026-02-01T00:00:00.000000Z"
    }

    package init(after tip: ChainTip, _ change: (inout Forge) -> Void) {
        self.init(after: tip)
        change(&self)
    }

    package var entry: String {
        #"{"action":"\#(action)","actor":"\#(actor)","body":\#(body),"context":\#(context),"#
            + #""justification":\#(justification),"key":"\#(key)","ledger":"\#(ledger)","#
            + #""prev_hash":"\#(previousHash)","seq":\#(seq),"synced":\#(synced),"time":"\#(time)","v":\#(version)\#(more)}"#
    }

    /// The entry's seal under a key.
    package func seal(_ key: SealingKey = TestLedger.key) -> (sig: Digest, hash: Digest) {
        let bytes = Array(entry.utf8)
        return SealEngine.seal(bytes.span, with: key)
    }

    /// The frame, sealed.
    package func frame(_ key: SealingKey = TestLedger.key) -> [UInt8] {
        let (sig, hash) = seal(key)
        return Self.frame(payload: #"{"entry":\#(entry),"hash":"\#(hash)","sig":"\#(sig)"}"#)
    }

    /// A frame around any payload.
    package static func frame(payload: String) -> [UInt8] { Array("\(payload.utf8.count):\(payload)\n".utf8) }

    /// A whole file HEAD with these members, in their order, and a right MAC.
    package static func head(_ members: [(String, String)], _ key: SealingKey = TestLedger.key) -> [UInt8] {
        func object(_ members: [(String, String)]) -> String {
            "{" + members.map { "\"\($0.0)\":\($0.1)" }.joined(separator: ",") + "}"
        }
        let mac = key.authenticate(label: "bulla/1/head\n", Array(object(members).utf8))
        let at = members.firstIndex { $0.0 > "mac" } ?? members.count
        var sealed = members
        sealed.insert(("mac", "\"\(mac)\""), at: at)
        return Array(object(sealed).utf8)
    }
}
