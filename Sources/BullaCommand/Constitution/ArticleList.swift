import CanonicalJSON
import LedgerFormat

/// Articles as people read them: one line each.
struct ArticleList {
    private let articles: [(name: String, value: String)]

    /// - Parameter threshold: nil where there is nobody who signs.
    init(_ articles: Articles, threshold: Int?) {
        let rules = Justification.Pillar.allCases.map { pillar in
            let names = articles.pillars[pillar] ?? []
            return (pillar.rawValue, names.isEmpty ? "any action" : "alone justifies " + names.joined(separator: ", "))
        }
        self.articles =
            [("classes", articles.classes.joined(separator: " > "))] + rules + [
                ("signatures", threshold.map(String.init) ?? "nobody signs"),
                ("request_hours", String(articles.requestHours)), ("recurrences", String(articles.recurrences)),
                ("folders", articles.handbookFolders.isEmpty ? "none" : articles.handbookFolders.joined(separator: ", ")),
                ("days", articles.retentionDays == 0 ? "0: entries may go at once" : String(articles.retentionDays)),
            ]
    }

    var lines: [String] { articles.map { "  \(Self.line($0))" } }

    /// All, where what differs stands twice: as it was, and as it is here.
    func lines(changedFrom old: ArticleList) -> [String] {
        zip(old.articles, articles).flatMap { old, new in
            old == new ? ["  \(Self.line(new))"] : ["- \(Self.line(old))", "+ \(Self.line(new))"]
        }
    }

    /// The names of what differs.
    func changes(from old: ArticleList) -> [String] { zip(old.articles, articles).filter { $0 != $1 }.map(\.1.name) }

    private static func line(_ article: (name: String, value: String)) -> String {
        article.name + String(repeating: " ", count: 15 - article.name.utf8.count) + article.value
    }
}
