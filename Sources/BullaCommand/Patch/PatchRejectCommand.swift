import ArgumentParser
import CanonicalJSON
import Kernel
import Ledger
import LedgerFormat

struct PatchRejectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reject",
        abstract: "Say no to a patch, or give up one that was signed and does not fit any more.",
        discussion: """
            Nobody has to sign that, for it changes no handbook.

            Example:
              bulla patch reject 57 --actor user:ada --reason "the cause was another one"
            """)

    @Argument(help: ArgumentHelp("The patch.", valueName: "patch"))
    var patch: UInt64

    @Option(help: ArgumentHelp("Who says it, as kind:name.", valueName: "kind:name"))
    var actor: String

    @Option(help: ArgumentHelp("Why.", valueName: "text"))
    var reason: String

    @OptionGroup var signing: SignerOptions
    @OptionGroup var writer: WriterOptions
    @OptionGroup var options: LedgerOptions

    func run() throws {
        let house = try ConstitutionHouse(options)
        try house.checkOpen()
        let shelf = options.shelf(house.actors.articles)
        var decider = try Decider(options, writer, signing)
        defer { decider.sayNotices() }
        try decider.finishAndTell(shelf)
        let justification = Justification(.evolution, reason)
        let decided = try decider.decide(on: Patches.self, as: actor) { patches, moment throws(LedgerError) in
            try patches.reject(patch, justification, moment)
        }
        let receipt = decided.receipts[0]
        if options.json {
            Output.line(Printable.json(["patch": .number(Double(patch)), "receipt": receipt.json]))
        } else {
            Output.line(Printable.text("patch \(patch) of \(decided.reply) is rejected"))
            Output.line(receipt.line)
        }
    }
}
