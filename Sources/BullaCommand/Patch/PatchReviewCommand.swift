import ArgumentParser
import CanonicalJSON
import Kernel
import Ledger
import LedgerFormat

struct PatchReviewCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "review",
        abstract: "Draft patches from traumas that came again and that nobody has answered.",
        discussion: """
            The handbook of specialist:NAME is NAME/AGENT.md in a handbook folder. From as many traumas of one signature on as the \
            constitution says, a patch is drafted that writes the lesson into its section "Lessons": what happened, why, what was done, and \
            which entries show it. The same traumas give the same patch; no network and no model is asked. bulla run does the same \
            from time to time.

            Example:
              bulla patch review
            """)

    @OptionGroup var archives: ArchiveOptions
    @OptionGroup var writer: WriterOptions
    @OptionGroup var options: LedgerOptions

    func run() throws {
        let house = try ConstitutionHouse(options)
        try house.checkOpen()
        let articles = house.actors.articles
        let shelf = options.shelf(articles)
        var decider = try Decider(options, writer)
        decider.archives = try archives.storages(of: house.ledger)
        defer { decider.sayNotices() }
        try decider.finishAndTell(shelf)
        try shelf.checkFolders(house.actors)
        let review = try decider.review(shelf, recurrences: articles.recurrences, as: ActorRoster.house)
        for notice in review.notices { Output.error("bulla: \(Printable.text(notice))") }
        if options.json {
            let drafted = review.drafted.map { drafted -> JSON in
                [
                    "handbook": .string(drafted.handbook), "patch": .number(Double(drafted.receipt.seq)),
                    "receipt": drafted.receipt.json, "signature": .string(drafted.signature.text),
                ]
            }
            Output.line(Printable.json(["drafted": .array(drafted)]))
            return
        }
        for drafted in review.drafted { Output.line(Printable.text(drafted.told)) }
        if review.drafted.isEmpty { Output.line("no trauma wants a patch") }
    }
}

extension Review.Drafted {
    var told: String {
        "patch \(receipt.seq) is drafted for \(handbook): \(signature); look at it with `bulla patch show \(receipt.seq)`"
    }
}
