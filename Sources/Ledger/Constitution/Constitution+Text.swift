import CanonicalJSON
package import LedgerFormat

extension Constitution {
    /// What was adopted, as it was signed: it stands in the adoption, or in the repair that took that over.
    package func text(in view: LedgerView, _ environment: Environment) throws(LedgerError) -> String {
        var body: JSON?
        try EntryReader(view, environment).read(from: act.seq, through: act.seq) { frame, bytes in
            if frame.seq == act.seq, frame.hash(in: bytes) == act.hash { body = try? JSON(parsing: bytes.extracting(frame.body)) }
            return false
        }
        let acts = body?["acts"]?.array?.compactMap { $0["request"] } ?? []
        let requests = ([body?["request"]] + acts).compactMap { $0.flatMap(SignedRequest.init(_:)) }
        guard let text = requests.last(where: { $0.verb == .adopt })?.arguments["text"]?.string else {
            throw LedgerError(
                .refused,
                "entry \(act.seq), which holds the text that was adopted, is not in this ledger any more; `bulla constitution show --articles` "
                    + "says what holds")
        }
        return text
    }
}
