import CanonicalJSON
package import LedgerFormat

extension Constitution {
    /// What was adopted, as it was signed: it stands in the adoption, or in the repair that took that over.
    package func text(in view: LedgerView, _ environment: Environment) throws(LedgerError) -> String {
        let entry = try EntryReader(view, environment).fate(of: act.seq)?.entry
        let body = entry.flatMap { $0.hash == act.hash ? try? JSON(parsing: $0.body) : nil }
        let acts = body?["acts"]?.array?.compactMap { $0["request"] } ?? []
        let requests = ([body?["request"]] + acts).compactMap { $0.flatMap(SignedRequest.init(_:)) }
        guard let text = requests.last(where: { $0.verb == .adopt })?.arguments["text"]?.string else {
            throw LedgerError(
                .refused,
                "entry \(act.seq), which held the text that was adopted, is lost; `bulla constitution show --articles` says what holds"
            )
        }
        return text
    }
}
