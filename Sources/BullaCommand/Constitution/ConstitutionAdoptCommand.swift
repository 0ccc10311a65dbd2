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
            it is what holds before.

            Examples:
              bulla constitution adopt --reason "trade needs sovereignty" > request
              bulla constitution adopt --signed ada.json --signed bob.json
            """)

    @Argument(help: ArgumentHelp("The proposal (default: constitution.toml in the ledger's directory).", valueName: "file"))
    var file: String?

    @Option(help: ArgumentHelp("Why.", valueName: "text"))
    var reason = "a constitution is adopted"

    @OptionGroup var requests: RequestOptions
    @OptionGroup var writer: WriterOptions
    @OptionGroup var options: LedgerOptions

    func run() throws {
        let proposal = try ProposalFile(file, options).read()
        let house = try ConstitutionHouse(options)
        let associates = try house.associates()
        let request = try requests.request { () throws(LedgerError) in
            // What could not be carried out, nobody needs to sign.
            if let objection = house.objection(to: proposal) { throw LedgerError(.refused, "\(objection)") }
            return try requests.new(.adopt, proposal.arguments(reason: reason), associates, in: house.ledger, behind: house.time)
        }
        if let objection = request.objection(as: .adopt) { throw LedgerError(.refused, "\(objection); nothing was recorded") }
        guard requests.isSigned else {
            requests.ask(request, associates, options, for: "bulla constitution adopt")
            return
        }
        // Whoever carries it out says once more what it is about.
        guard request.arguments["text"] == .string(proposal.text) else {
            throw LedgerError(
                .refused,
                "the request was signed for another text than that of \(ProposalFile(file, options).path); nothing was recorded")
        }
        let receipt = try carryOut(request)
        if options.json {
            Output.line(Printable.json(["articles": proposal.articles.json, "receipt": receipt.json]))
        } else {
            Output.line(
                "the constitution holds, signed by \(request.signatures.count); from now on \(proposal.threshold) must sign")
            Output.line(receipt.line)
        }
    }

    private func carryOut(_ request: SignedRequest) throws -> Receipt {
        var session = WriterSession(try options.storage(), .system, writer.settings, anchor: options.anchor)
        let result = Result { () throws(LedgerError) in
            try session.acquire()
            defer { session.release() }
            return try session.carryOut(request, as: .adopt)
        }
        session.sayNotices()
        return try result.get()
    }
}
