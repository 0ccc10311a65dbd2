import CanonicalJSON
import Ledger
import LedgerFormat

/// What of a ledger a constitution is about.
struct ConstitutionHouse {
    let actors: ActorRoster
    let ledger: LedgerID
    /// Of the last entry, if that can be read.
    let time: Timestamp?

    init(_ options: LedgerOptions) throws(LedgerError) {
        (actors, ledger, time) = try LedgerView.asking(try options.storage()) { view throws(LedgerError) in
            // It was read a moment ago, or reading who is enrolled fails.
            let actors = try view.actors()
            guard let ledger = view.ledger else { preconditionFailure("a ledger whose actors are known has a first entry") }
            return (actors, ledger, view.lastTime(.system))
        }
    }

    /// - Throws: `refused` where nobody can sign.
    func associates() throws(LedgerError) -> Associates {
        guard let associates = actors.associates else { throw LedgerError(.refused, "\(AssociateObjection.nobody)") }
        return associates
    }

    var signers: String {
        actors.associates.map { "\($0.threshold) of \($0.signers.count) associates" } ?? "associates"
    }

    /// Why a proposal cannot be adopted, whoever signs it.
    func objection(to proposal: Proposal) -> AssociateObjection? {
        guard let associates = actors.associates else { return .nobody }
        let request = SignedRequest(
            .adopt, proposal.arguments(reason: ""), in: ledger, base: associates.act.hash,
            nonce: String(repeating: "0", count: 32), expires: Timestamp(microseconds: 0))
        return associates.objectionToChange(of: request) ?? request.objectionToAdoption(actors)
    }
}

extension Proposal {
    func arguments(reason: String) -> JSONObject {
        SignedRequest.adoption(of: articles, text: text, threshold: threshold, reason: reason)
    }
}

/// The file that holds a proposal.
struct ProposalFile {
    let path: String

    /// - Parameter path: nil for the one in the ledger's directory.
    init(_ path: String?, _ options: LedgerOptions) { self.path = path ?? options.path + "/constitution.toml" }

    func read() throws(LedgerError) -> Proposal {
        if path != "-", LogFile.status(of: path)?.isRegular != true {
            throw LedgerError(
                .usage, "there is no proposal at \(path); `bulla constitution template > \(Checkup.word(path))` writes one")
        }
        let bytes = try InputFile(path).all(upTo: 1 << 20)
        do throws(ProposalError) { return try Proposal(bytes) } catch {
            throw LedgerError(.usage, "\(path == "-" ? "stdin" : path), \(error)")
        }
    }
}
