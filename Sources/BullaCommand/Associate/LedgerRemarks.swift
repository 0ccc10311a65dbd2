import CanonicalJSON
import DurableFiles
import Ledger
import LedgerFormat

/// What the ledger says of a request that is signed, where it is at hand: on another machine there is none.
struct LedgerRemarks {
    private(set) var lines: [String] = []

    /// - Throws: why a ledger cannot be read that was named; another one is only tried.
    init(on request: SignedRequest, _ options: LedgerOptions) throws(LedgerError) {
        let found: ConstitutionHouse?
        if options.ledger == nil { found = try? ConstitutionHouse(options) } else { found = try ConstitutionHouse(options) }
        guard let house = found, house.ledger == request.ledger || options.ledger != nil else { return }
        lines = house.refusals(of: request).map { "WARNING: as the ledger stands, it will be refused: \($0)" }
        guard request.verb == .release, let constitution = house.actors.associates?.constitution,
            request.arguments["constitution"]?.string == constitution.articles.digest.description
        else { return }
        let account = constitution.account(try options.storage())
        lines.append("the constitution that it names was \(account); `bulla constitution show` prints it")
    }
}

extension ConstitutionHouse {
    /// Why a request will be refused, whoever else signs it.
    fileprivate func refusals(of request: SignedRequest) -> [String] {
        let objections = objections(to: request).map(\.description)
        guard objections.isEmpty else { return objections }
        if request.verb == .release { return locked == nil ? ["the ledger is not in alert: nothing is to be released"] : [] }
        return locked.map { [$0.message] } ?? []
    }

    private func objections(to request: SignedRequest) -> [AssociateObjection] {
        guard request.ledger == ledger else { return [.ledger(request.ledger)] }
        guard let associates = actors.associates else { return [.nobody] }
        let strangers = request.signatures.map(\.key).filter { !associates.signers.contains($0) }
        let objections = strangers.map { associates.keys.contains($0) ? AssociateObjection.withdrawn($0) : .stranger($0) }
        guard request.base == associates.act.hash else { return objections + [.base(last: associates.act.seq)] }
        let objection =
            associates.objectionToChange(of: request) ?? associates.objectionToOmission(in: request)
            ?? request.objectionToAdoption(actors)
        return objections + (objection.map { [$0] } ?? [])
    }
}

extension Constitution {
    /// How it came to hold, as far as the ledger tells.
    func account(_ storage: any Storage) -> String {
        let origin = try? LedgerView.asking(storage) { view throws(LedgerError) in try self.origin(in: view, .system) }
        return origin?.description ?? "stated by entry \(act.seq), which cannot be read here"
    }
}
