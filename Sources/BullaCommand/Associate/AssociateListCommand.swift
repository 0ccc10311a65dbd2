import ArgumentParser
import CanonicalJSON
import Ledger
import LedgerFormat

struct AssociateListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Show whose signatures release the house, and how many of them must sign.",
        discussion: """
            Example:
              bulla associate list
            """)

    @OptionGroup var options: LedgerOptions

    func run() throws {
        let actors = try LedgerView.asking(try options.storage()) { view throws(LedgerError) in try view.actors() }
        guard let associates = actors.associates else {
            if options.json {
                Output.line(Printable.json(["keys": [], "threshold": 0]))
            } else {
                Output.line("the ledger has no associates: a completed repair releases its alert")
            }
            return
        }
        if options.json {
            Output.line(Printable.json(associates.json))
            return
        }
        Output.line("\(associates.threshold) of \(associates.signers.count) must sign")
        for key in associates.keys {
            Output.line("\(key)\(associates.withdrawn.contains(key) ? "  withdrawn: what removed it was lost in a repair" : "")")
        }
        if associates.isSuspended {
            Output.line("suspended by the repair in entry \(associates.act.seq), until they sign `bulla alert release`")
        } else {
            Output.line("the last act is entry \(associates.act.seq)")
        }
    }
}
