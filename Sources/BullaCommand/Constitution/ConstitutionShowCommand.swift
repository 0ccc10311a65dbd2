import ArgumentParser
import CanonicalJSON
import Ledger
import LedgerFormat

struct ConstitutionShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Print the text that was adopted, or the articles that hold.",
        discussion: """
            Of a ledger without a constitution the standard articles are shown. The digest on stderr is that of the articles, by which a \
            release names them: SHA-256 of their canonical JSON.

            Examples:
              bulla constitution show > constitution.toml
              bulla constitution show --articles
            """)

    @Flag(help: "Print what it lays down, an article a line.")
    var articles = false

    @OptionGroup var archives: ArchiveOptions
    @OptionGroup var options: LedgerOptions

    func run() async throws {
        let house = try ConstitutionHouse(options)
        guard let associates = house.actors.associates, let constitution = associates.constitution else {
            show(house.actors.articles, house.actors.associates?.threshold, nil, nil)
            if !options.json { Output.error("bulla: no constitution was adopted: these are the standard articles") }
            return
        }
        let act = constitution.act
        if articles {
            show(constitution.articles, associates.threshold, act, nil)
            if !options.json { tell(constitution, constitution.account(try options.storage())) }
            return
        }
        let (text, account) = try await archives.reading(options) { storage throws(LedgerError) in
            let text = try LedgerView.asking(storage) { view throws(LedgerError) in try constitution.text(in: view, .system) }
            return (text, constitution.account(storage))
        }
        if options.json { return show(constitution.articles, associates.threshold, act, text) }
        var lines = Printable.lines(text)
        if lines.last == "" { lines.removeLast() }
        lines.forEach { Output.line($0) }
        tell(constitution, account)
    }

    private func tell(_ constitution: Constitution, _ account: String) {
        Output.error(Printable.text("bulla: \(account); its digest is \(constitution.articles.digest)"))
    }

    private func show(_ articles: Articles, _ threshold: Int?, _ act: Associates.Act?, _ text: String?) {
        guard options.json else {
            return ArticleList(articles, threshold: threshold).lines.forEach { Output.line(Printable.text($0)) }
        }
        Output.line(
            Printable.json([
                "articles": articles.json, "digest": .string(articles.digest.description),
                "hash": act.map { .string($0.hash.description) } ?? .null,
                "seq": act.map { .number(Double($0.seq)) } ?? .null, "text": text.map { .string($0) } ?? .null,
                "threshold": threshold.map { .number(Double($0)) } ?? .null,
            ]))
    }
}
