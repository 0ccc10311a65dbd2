import ArgumentParser
import CanonicalJSON
import Ledger
import LedgerFormat

struct AssociateSignCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sign",
        abstract: "Sign a request, on the machine where the key is; no ledger is needed.",
        discussion: """
            What is signed is shown on stderr, and the request with the signature printed. Where the ledger is at hand, it is told too what \
            will refuse the request, and where the constitution comes from that a release names. A key is made with bulla actor keygen.

            Example:
              bulla associate sign request --associate-key ada.key > signed
            """)

    @Argument(help: ArgumentHelp("The request's file, or - for stdin.", valueName: "file"))
    var file: String

    @Option(help: ArgumentHelp("The associate's private key (may be repeated).", valueName: "file"))
    var associateKey: [String]

    @OptionGroup var options: LedgerOptions

    func run() throws {
        var request = try RequestFile(file).request()
        guard Environment.system.now() <= request.expires else {
            throw LedgerError(.refused, "\(AssociateObjection.expired(request.expires)); nothing was signed")
        }
        if let objection = request.objectionToText { throw LedgerError(.refused, "\(objection); nothing was signed") }
        for file in associateKey { request.sign(with: try ActorKeyFile(file).read()) }
        if !options.json {
            let remarks = try LedgerRemarks(on: request, options).lines
            for line in request.summary { Output.error(Printable.text("bulla: signed: \(line)")) }
            for line in remarks { Output.error(Printable.text("bulla: \(line)")) }
        }
        Output.line(request.json.canonicalText)
    }
}
