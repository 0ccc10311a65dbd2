import CanonicalJSON
package import LedgerFormat
import PlantedDefects

extension SignedRequest {
    /// What is wrong with the text of an adoption; nil if nothing is, and for any other request.
    ///
    /// Whoever verifies a ledger later reads no text, and asks for no more than the articles: so all who sign, and who carries it out, look.
    package var objectionToText: AssociateObjection? {
        guard verb == .adopt, !planted(.articlesUncompared) else { return nil }
        guard let text = arguments["text"]?.string else { return .form }
        do throws(ProposalError) {
            let proposal = try Proposal(Array(text.utf8))
            let isSame =
                arguments["articles"] == proposal.articles.json && arguments["threshold"]?.integer == Int64(proposal.threshold)
            return isSame ? nil : .text
        } catch {
            return .proposal(error.description)
        }
    }
}
