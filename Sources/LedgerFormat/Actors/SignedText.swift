import CanonicalJSON

/// What an actor signs (FORMAT.md §4.7): a label, the ledger, and the draft with its context less what others write into it.
enum SignedText {
    private static let label = "bulla/1/draft\n"

    /// Members that are not the actor's: the signature itself, the place in a decision, and who brought it over a socket.
    private static let omitted = ["part", "peer", "sign"]

    /// Where a draft's parts stand in a text; of names what is between the quotation marks, of the reason too.
    struct Parts {
        var action: Range<Int>
        var actor: Range<Int>
        var body: Range<Int>
        var pillar: Justification.Pillar
        var reason: Range<Int>
    }

    static func bytes(of parts: Parts, in text: Span<UInt8>, context: JSONObject, _ ledger: LedgerID) -> [UInt8] {
        var context = context
        for name in omitted { context.removeValue(forKey: name) }
        var bytes = Array("\(label)\(ledger)\n{\"action\":\"".utf8)
        bytes.append(copying: text.extracting(parts.action))
        bytes += "\",\"actor\":\"".utf8
        bytes.append(copying: text.extracting(parts.actor))
        bytes += "\",\"body\":".utf8
        bytes.append(copying: text.extracting(parts.body))
        bytes += ",\"context\":".utf8
        bytes += JSON.object(context).canonicalBytes()
        bytes += ",\"justification\":{\"pillar\":\"\(parts.pillar.rawValue)\",\"reason\":\"".utf8
        bytes.append(copying: text.extracting(parts.reason))
        bytes += "\"}}".utf8
        return bytes
    }
}
