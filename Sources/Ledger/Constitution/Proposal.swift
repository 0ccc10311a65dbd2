import CanonicalJSON
package import LedgerFormat

/// A constitution's text, read: what `constitution.toml` proposes, and what associates sign.
package struct Proposal: Sendable {
    package let text: String
    package private(set) var articles = Articles.standard
    /// How many associates must sign from then on.
    package private(set) var threshold = 0

    /// - Throws: the first thing that is wrong with it, and where.
    package init(_ bytes: [UInt8]) throws(ProposalError) {
        guard bytes.count <= Articles.byteCountMax else {
            throw ProposalError(
                "the text has \(bytes.count) bytes, and each segment and request would hold it: \(Articles.byteCountMax) are allowed",
                at: Articles.byteCountMax, in: bytes)
        }
        var reader = TOMLReader(bytes)
        let document = try reader.document()
        text = String(decoding: bytes, as: UTF8.self)
        let reading = ProposalReader(bytes)
        for table in document.tables {
            switch table.name {
            case "": try root(table, reading)
            case "pillars": articles.pillars = try reading.pillars(table)
            case "thresholds": try thresholds(table, reading)
            case "handbooks":
                try reading.members(of: table, among: ["folders"]) { _, value throws(ProposalError) in
                    articles.handbookFolders = try reading.folders(value)
                }
            case "retention":
                try reading.members(of: table, among: ["days"]) { key, value throws(ProposalError) in
                    articles.retentionDays = try reading.number(key, value, Articles.retentionDayRange)
                }
            default:
                throw reading.error(
                    "there is no article [\(table.name)]: pillars, thresholds, handbooks and retention are tables",
                    at: table.offset)
            }
        }
        guard threshold > 0 else {
            throw reading.error(
                "it is not said how many associates must sign: [thresholds] needs a line such as signatures = 2", at: bytes.count)
        }
        guard articles.json.canonicalBytes().count <= Articles.byteCountMax else {
            throw reading.error(
                "the articles have more than \(Articles.byteCountMax) bytes: each segment would hold them", at: bytes.count)
        }
        precondition(Articles(articles.json) == articles, "what was read can be read from an entry")
    }

    private mutating func root(_ table: TOMLDocument.Table, _ reading: ProposalReader) throws(ProposalError) {
        try reading.members(of: table, among: ["classes"]) { _, value throws(ProposalError) in
            articles.classes = try reading.classes(value)
        }
    }

    private mutating func thresholds(_ table: TOMLDocument.Table, _ reading: ProposalReader) throws(ProposalError) {
        try reading.members(of: table, among: ["signatures", "request_hours", "recurrences"]) {
            key, value throws(ProposalError) in
            switch key {
            case "signatures": threshold = try reading.number(key, value, 1...Associates.countMax)
            case "request_hours": articles.requestHours = try reading.number(key, value, Articles.requestHourRange)
            default: articles.recurrences = try reading.number(key, value, Articles.recurrenceRange)
            }
        }
    }
}
