import LedgerFormat

/// A proposal that says what given articles say, with a word on each.
struct ConstitutionTemplate {
    private let articles: Articles
    private let threshold: Int

    init(_ articles: Articles, threshold: Int) {
        self.articles = articles
        self.threshold = threshold
    }

    var text: String {
        """
        # A proposal. It counts when associates have signed it (bulla constitution adopt), and not before.

        # Classes of actors, highest first: where two say different things of one place, the higher prevails. "*" stands for all that
        # are not named; without it nobody is enrolled but as one of these.
        classes = \(list(articles.classes))

        # Which actions one pillar alone justifies: trade. stands for trade and for all below it. An action with another pillar is refused.
        [pillars]
        \(Justification.Pillar.allCases.map { "\($0.rawValue) = \(list((articles.pillars[$0] ?? []).map { $0 + "." }))" }.joined(separator: "\n"))

        [thresholds]
        # How many associates must sign.
        signatures = \(threshold)
        # How long a request lives that they sign, in hours, unless it is made for less.
        request_hours = \(articles.requestHours)
        # From how many traumas of one signature on a patch of a handbook is drafted.
        recurrences = \(articles.recurrences)

        # Where patches may change handbooks (AGENT.md): absolute, or relative to the directory that the ledger's directory stands in.
        [handbooks]
        folders = \(list(articles.handbookFolders))

        # Younger entries are not archived, in days.
        [retention]
        days = \(articles.retentionDays)

        """
    }

    private func list(_ texts: [String]) -> String { "[" + texts.map(quoted).joined(separator: ", ") + "]" }

    /// Of what articles hold, quotation marks and backslashes alone need one in front; what cannot be seen gets a number.
    private func quoted(_ text: String) -> String {
        var quoted = ""
        for scalar in text.unicodeScalars {
            if scalar == "\"" || scalar == "\\" { quoted += "\\" }
            if Printable.isUnsafe(scalar) {
                let digits = String(scalar.value, radix: 16)
                quoted += "\\U" + String(repeating: "0", count: 8 - digits.count) + digits
            } else {
                quoted.unicodeScalars.append(scalar)
            }
        }
        return "\"\(quoted)\""
    }
}
