import CanonicalJSON
import Ledger
import LedgerFormat

/// What of a ledger a constitution is about.
struct ConstitutionHouse {
    let actors: ActorRoster
    let ledger: LedgerID
    /// Of the last entry, if that can be read.
    let time: Timestamp?
    /// What is said of the alert, if it is raised.
    let locked: LedgerError?

    init(_ options: LedgerOptions) throws(LedgerError) {
        (actors, ledger, time, locked) = try LedgerView.asking(try options.storage()) { view throws(LedgerError) in
            // It was read a moment ago, or reading who is enrolled fails.
            let actors = try view.actors()
            guard let ledger = view.ledger else { preconditionFailure("a ledger whose actors are known has a first entry") }
            let locked = view.validHead?.alert == true ? LedgerError(locked: view.storage) : nil
            return (actors, ledger, view.lastTime(.system), locked)
        }
    }

    /// Whoever is to write looks first: damage may keep him from reading as far as where a writer is refused.
    ///
    /// - Throws: `locked` in alert.
    func checkOpen() throws(LedgerError) { if let locked { throw locked } }

    /// Those who may be asked to sign now.
    ///
    /// - Throws: `refused` where there are none, `locked` where only the alert's release is to be signed.
    func associates() throws(LedgerError) -> Associates {
        try checkOpen()
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

    /// What may be adopted, and is hardly meant.
    var warnings: [String] {
        ["log.line", "log.dropped"].compactMap { action in
            guard let (pillar, _) = articles.pillar(of: action), pillar != .integrity else { return nil }
            let how = action == "log.line" ? "; `bulla ingest` records it with --pillar \(pillar.rawValue)" : ""
            return
                "by it \(action) is justified by \(pillar.rawValue) alone, and the loggers of Swift programs (BullaLogging) record it as "
                + "integrity: they would be refused\(how)"
        }
    }
}

/// The file that holds a proposal.
struct ProposalFile {
    let path: String

    /// - Parameter path: nil for the one in the ledger's directory.
    init(_ path: String?, _ options: LedgerOptions) { self.path = path ?? options.path + "/constitution.toml" }

    var exists: Bool { LogFile.status(of: path) != nil }

    func read() throws(LedgerError) -> Proposal {
        if path != "-" {
            guard let status = LogFile.status(of: path) else {
                throw LedgerError(
                    .usage, "there is no proposal at \(path); `bulla constitution template > \(Checkup.word(path))` writes one")
            }
            guard status.isRegular || status.isDirectory else {
                throw LedgerError(.usage, "\(path) is no regular file, as a proposal is; - reads one from stdin")
            }
        }
        let bytes = try InputFile(path).all(upTo: 1 << 20)
        do throws(ProposalError) { return try Proposal(bytes) } catch {
            throw LedgerError(.usage, "\(path == "-" ? "stdin" : path), \(error)")
        }
    }
}
