import ArgumentParser
import CanonicalJSON
import Ledger
import LedgerFormat

struct ConstitutionAdoptCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "adopt",
        abstract: "Let a proposal hold, with the signatures of M associates.",
        discussion: """
            Prints the request that associates sign, with the whole text in it; with their signatures it is carried out. How many must sign \
            it is what holds before. A signed request holds the text: then no file is needed, but one that is there must be the same.

            Examples:
              bulla constitution adopt --reason "trade needs sovereignty" > request
              bulla constitution adopt --signed ada.json --signed bob.json
            """)

    @Argument(help: ArgumentHelp("The proposal (default: constitution.toml in the ledger's directory).", valueName: "file"))
    var file: String?

    @Option(help: ArgumentHelp("Why.", valueName: "text"))
    var reason = "a constitution is adopted"

    @OptionGroup var signing: SignedVerbOptions

    func run() throws {
        let options = signing.options
        let file = ProposalFile(file, options)
        let isAlone = self.file == nil && !signing.requests.signed.isEmpty && !file.exists
        let proposed = isAlone ? nil : try file.read()
        let house = try ConstitutionHouse(options)
        let asked = try signing.requests.signed(.adopt, house, options, for: "bulla constitution adopt") {
            _ throws(LedgerError) in
            let proposal = if let proposed { proposed } else { try file.read() }
            if let objection = house.objection(to: proposal) { throw LedgerError(.refused, "\(objection)") }
            for warning in proposal.warnings { Output.error("bulla: \(warning)") }
            return proposal.arguments(reason: reason)
        }
        guard let request = asked else { return }
        // Whoever carries it out says once more what it is about, if he has the text.
        guard proposed.map({ request.arguments["text"] == .string($0.text) }) ?? true else {
            throw LedgerError(
                .refused, "the request was signed for another text than that of \(file.path); nothing was recorded")
        }
        let receipt = try signing.carryOut(request)
        if options.json {
            Output.line(Printable.json(["articles": request.articles?.json ?? .null, "receipt": receipt.json]))
        } else {
            let threshold = request.arguments["threshold"]?.integer ?? 0
            Output.line("the constitution holds, signed by \(request.signatures.count); from now on \(threshold) must sign")
            Output.line(receipt.line)
        }
    }
}
