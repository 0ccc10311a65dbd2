import ArgumentParser
import CanonicalJSON
import Ledger
import LedgerFormat

struct ConstitutionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        .constitution,
        abstract: "Lay down the house's rules: classes, pillars, thresholds, handbooks, retention.",
        discussion: """
            The file constitution.toml in the ledger's directory is a proposal and no more. What M associates sign is adopted: its text \
            stands in the ledger, and holds from there on. Without one the standard articles hold.

            Examples:
              bulla constitution template > .bulla/constitution.toml
              bulla constitution check
              bulla constitution adopt --reason "trade needs sovereignty" > request
              bulla constitution adopt --signed ada.json --signed bob.json
            """,
        subcommands: [
            ConstitutionTemplateCommand.self, ConstitutionCheckCommand.self, ConstitutionAdoptCommand.self,
            ConstitutionShowCommand.self,
        ])
}

struct ConstitutionTemplateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "template",
        abstract: "Print a proposal with what holds now, and a word on each article.",
        discussion: """
            Example:
              bulla constitution template > .bulla/constitution.toml
            """)

    @OptionGroup var options: LedgerOptions

    func run() throws {
        let house = try ConstitutionHouse(options)
        let text = ConstitutionTemplate(house.actors.articles, threshold: house.actors.associates?.threshold ?? 1).text
        Output.write(Array(options.json ? (Printable.json(["text": .string(text)]) + "\n").utf8 : text.utf8))
    }
}

struct ConstitutionCheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Read a proposal, and show what it lays down and what it would change.",
        discussion: """
            Each line that begins with - holds now, each with + would hold instead. What cannot be adopted is refused, with the reason.

            Example:
              bulla constitution check
            """)

    @Argument(help: ArgumentHelp("The proposal (default: constitution.toml in the ledger's directory).", valueName: "file"))
    var file: String?

    @OptionGroup var options: LedgerOptions

    func run() throws {
        let proposal = try ProposalFile(file, options).read()
        let house = try ConstitutionHouse(options)
        let now = ArticleList(house.actors.articles, threshold: house.actors.associates?.threshold)
        let proposed = ArticleList(proposal.articles, threshold: proposal.threshold)
        if options.json {
            Output.line(
                Printable.json([
                    "articles": proposal.articles.json, "changes": .array(proposed.changes(from: now).map { .string($0) }),
                    "objection": house.objection(to: proposal).map { .string($0.description) } ?? .null,
                    "threshold": .number(Double(proposal.threshold)),
                    "warnings": .array(proposal.warnings.map { .string($0) }),
                ]))
        } else {
            proposed.lines(changedFrom: now).forEach { Output.line(Printable.text($0)) }
        }
        if let objection = house.objection(to: proposal) { throw LedgerError(.refused, "it cannot be adopted: \(objection)") }
        if let count = house.actors.associates?.signers.count, count > 1, proposal.threshold == count {
            Output.error("bulla: all \(count) must sign by it: if one of the keys is lost, nobody opens a locked house any more")
        }
        for warning in proposal.warnings { Output.error("bulla: \(warning)") }
        if !options.json {
            let command = "bulla constitution adopt"
            Output.error(
                "bulla: "
                    + (proposed.changes(from: now).isEmpty
                        ? "it says what holds now" : "it can be adopted, with the signatures of \(house.signers): \(command)"))
        }
    }
}
