import CanonicalJSON
import DurableFiles
import Ledger
import LedgerFormat
import TestSupport
import Testing

@Suite("A constitution's text")
struct ProposalTests {
    @Test("what a full text says, and what is left out holds as it does without one")
    func reads() throws {
        let text = """
            # The house's rules
            classes = [ "security-sentinel", 'operator', # in one line or in several
              "*", "worker", ]

            [pillars]
            sovereignty = ["trade.", "payment.order"]
            "integrity" = ["trade.report"]
            [thresholds]
            signatures = 2
            request_hours = +1_2
            [handbooks]\r
            folders = ["/srv/agents", "studio/\\u00e9"]
            [ retention ]
            days = 0
            """
        let proposal = try Proposal(Array(text.utf8))
        #expect(proposal.text == text && proposal.threshold == 2)
        let articles = proposal.articles
        #expect(articles.classes == ["security-sentinel", "operator", "*", "worker"])
        #expect(articles.pillars == [.sovereignty: ["trade", "payment.order"], .integrity: ["trade.report"]])
        #expect(articles.requestHours == 12 && articles.recurrences == Articles.standard.recurrences)
        #expect(articles.handbookFolders == ["/srv/agents", "studio/é"] && articles.retentionDays == 0)
        #expect(Articles(articles.json) == articles)
        var least = Articles.standard
        #expect(try Proposal(Array("[thresholds]\nsignatures=1".utf8)).articles == least)
        least.retentionDays = 1
        #expect(try Proposal(Array("[thresholds]\nsignatures=1".utf8)).articles != least)
    }

    @Test("a rule stands for its action and all below it, and the nearest one counts")
    func rules() {
        var articles = Articles.standard
        articles.pillars = [.sovereignty: ["trade"], .integrity: ["trade.report"]]
        #expect(articles.pillar(of: "trade")?.pillar == .sovereignty && articles.pillar(of: "trade.order")?.rule == "trade")
        #expect(articles.pillar(of: "trade.report.daily")?.pillar == .integrity)
        #expect(articles.pillar(of: "trader.order") == nil && articles.pillar(of: "tra") == nil)
        articles.classes = ["security-sentinel"]
        #expect(articles.allows(class: "security_sentinel") && !articles.allows(class: "worker"))
        articles.classes.append("*")
        #expect(articles.allows(class: "worker"))
    }

    /// Each with the place and some words of what is said.
    private static let refused: [(text: String, line: Int, column: Int, words: String)] = [
        ("", 1, 1, "how many associates must sign"), ("classes = []", 1, 11, "nobody could be enrolled"),
        ("classes = [\"a\", \"\"]", 1, 17, "an empty text"), ("classes = [\"a\",\n \"A\"]", 2, 2, "\"A\" is no class"),
        ("classes = [\"a_b\", \"a-b\"]", 1, 19, "is named twice"), ("classes = \"a\"", 1, 11, "takes a list"),
        ("classes = [1]", 1, 12, "in quotation marks"), ("classes = [[\"a\"]]", 1, 12, "lists in lists"),
        ("classes = [\(Array(repeating: "\"a\"", count: 65).joined(separator: ","))]", 1, 11, "65 items"),
        ("class = [\"a\"]", 1, 1, "no article \"class\" before the first table, only classes"),
        ("[thresholds]\nsignature = 1", 2, 1, "no article \"signature\" in [thresholds]"),
        ("[treshold]", 1, 2, "no article [treshold]"),
        ("[pillars]\npower = [\"a\"]", 2, 1, "no pillar \"power\""),
        ("[pillars]\nintegrity = [\"trade..\"]", 2, 14, "begins no action"),
        ("[pillars]\nintegrity = [\".\"]", 2, 14, "begins no action"),
        ("[pillars]\nintegrity = [\"é\"]", 2, 14, "begins no action"),
        ("[pillars]\nintegrity = [\"a\",\n  \"key.\"]", 3, 3, "lock it out of its own ledger"),
        ("[pillars]\nevolution = [\"constitution.adopted\"]", 2, 14, "the house's own"),
        ("[pillars]\nintegrity = [\"a.\"]\nevolution = [\"a\"]", 3, 14, "justified by integrity already"),
        ("[pillars]\nintegrity = [\"a\", \"a.\"]", 2, 19, "is named twice"),
        ("[thresholds]\nsignatures = 0", 2, 14, "from 1 to 64, and not 0"),
        ("[thresholds]\nsignatures = 65", 2, 14, "and not 65"),
        ("[thresholds]\nsignatures = \"2\"", 2, 14, "takes a whole number"),
        ("[thresholds]\nsignatures = 1.5", 2, 14, "and not 1.5"),
        ("[thresholds]\nrequest_hours = 0", 2, 17, "from 1 to 8784"), ("[thresholds]\nrecurrences = 0", 2, 15, "from 1 to"),
        ("[thresholds]\nsignatures = 01", 2, 14, "and not 01"), ("[thresholds]\nsignatures = 1__0", 2, 14, "and not 1__0"),
        ("[thresholds]\nsignatures = 99999999999999999999", 2, 14, "and not 99999999999999999999"),
        ("[retention]\ndays = -1", 2, 8, "from 0 to 36525, and not -1"), ("[retention]\ndays = nan", 2, 8, "and not nan"),
        ("[retention]\ndays = inf", 2, 8, "and not inf"), ("[retention]\ndays = 36526", 2, 8, "and not 36526"),
        ("[retention]\ndays = true", 2, 8, "and not true"), ("[retention]\ndays = 2026-01-31", 2, 8, "and not 2026-01-31"),
        ("[handbooks]\nfolders = [\"a/../../b\"]", 2, 12, "leads out"),
        ("[handbooks]\nfolders = [\"/\"]", 2, 12, "the whole machine"),
        ("[handbooks]\nfolders = [\"a\\n\"]", 2, 12, "without control characters"),
        ("[handbooks]\nfolders = [\"a\", \"a\"]", 2, 17, "a handbook has one name"),
        ("[handbooks]\nfolders = [\"a/b\", \"a\"]", 2, 19, "a handbook has one name"),
        ("[handbooks]\nfolders = [\"a\", \"a/b\"]", 2, 17, "a handbook has one name"),
        ("[handbooks]\nfolders = [\"a/\"]", 2, 12, "name the folder plainly"),
        ("[handbooks]\nfolders = [\"./a\"]", 2, 12, "name the folder plainly"),
        ("[handbooks]\nfolders = [\"~/a\"]", 2, 12, "name the folder plainly"),
        ("[handbooks]\nfolders = [\"a/\u{301}../b/../c\"]", 2, 12, "leads out"),
        ("[handbooks]\nfolders = [\"a\u{E0100}\"]", 2, 12, "nobody sees"),
        ("classes = [\"a\"", 1, 11, "has no end"), ("classes = [\"a\" \"b\"]", 1, 16, "\",\" is expected"),
        ("classes = \"a", 1, 11, "this text has no end"), ("classes = [\"\\q\"]", 1, 13, "a backslash stands before"),
        ("classes = [\"\\ud800\"]", 1, 13, "no character"), ("classes = [\"\\u12\"]", 1, 13, "no character"),
        ("classes = [\"\"\"a\"\"\"]", 1, 12, "over several lines"), ("classes = {a = 1}", 1, 11, "in braces"),
        ("classes =", 1, 10, "a value is expected"),
        ("classes", 1, 8, "\"=\" is expected"), ("= 1", 1, 1, "a key or a [table]"), ("a.b = 1", 1, 1, "keys with dots"),
        ("[[classes]]", 1, 2, "lists of tables"), ("[a.b]", 1, 3, "tables in tables"), ("[pillars", 1, 9, "\"]\" is expected"),
        ("[pillars]\n[pillars]", 2, 2, "already"), ("[\"pillars\"] x", 1, 13, "the line should end"),
        ("[retention]\ndays = 1\ndays = 1", 3, 1, "stands here twice"),
        ("classes = [\"a\"] classes = [\"b\"]", 1, 17, "should end here"),
        ("# \u{7}", 1, 3, "control character"), ("# a\rb", 1, 4, "control character"), ("# \u{7F}", 1, 3, "control character"),
        // A quotation mark is two bytes in an entry.
        (
            "[handbooks]\nfolders = [" + (0..<9).map { "'\($0)\(String(repeating: "\"", count: 1000))'" }.joined(separator: ",\n")
                + "]\n[thresholds]\nsignatures = 2", 12, 15, "the articles have more than 16384 bytes"
        ),
        ("# \(String(repeating: "x", count: Articles.byteCountMax))", 1, Articles.byteCountMax + 1, "are allowed"),
    ]

    @Test("what is none is refused with its place", arguments: refused.indices)
    func refuses(number: Int) {
        let (text, line, column, words) = Self.refused[number]
        let error = #expect(throws: ProposalError.self) { try Proposal(Array(text.utf8)) }
        #expect(error?.location == .init(line: line, column: column), "\(text): \(String(describing: error))")
        #expect(error?.reason.contains(words) == true, "\(text): \(String(describing: error))")
    }

    @Test("bytes that are no UTF-8 are refused where they stand")
    func bytes() {
        let error = #expect(throws: ProposalError.self) { try Proposal(Array("classes = [\"é".utf8) + [0xFF, 0x22, 0x5D]) }
        #expect(error?.location == .init(line: 1, column: 14) && error?.reason.contains("UTF-8") == true)
    }

    @Test(
        "any text that is taken says the same to Python's reader of TOML", .enabled(if: hasPeer),
        arguments: [1, 2, 3] as [UInt64])
    func peer(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var taken: [(text: String, articles: JSON)] = []
        for _ in 0..<3000 {
            let text = Self.text(&random)
            guard let proposal = try? Proposal(Array(text.utf8)) else { continue }
            taken.append((text, ["articles": proposal.articles.json, "signatures": .number(Double(proposal.threshold))]))
        }
        #expect(taken.count > 100, "seed \(seed)")
        let lines = taken.map { JSON.string($0.text).canonicalText }.joined(separator: "\n")
        let result = try Program("/usr/bin/env", ["python3", "-c", Self.peerProgram]).run(input: Array(lines.utf8))
        let answers = result.output.split(separator: "\n")
        try #require(result.code == 0 && answers.count == taken.count, "seed \(seed): \(result.error)")
        for (answer, (text, articles)) in zip(answers, taken) {
            #expect(try JSON(parsing: Array(answer.utf8)) == articles, "seed \(seed): \(text)")
        }
    }

    private static let hasPeer =
        (try? Program("/usr/bin/env", ["python3", "-c", "import tomllib"]).run().code) == 0

    private static let peerProgram = """
        import json, sys, tomllib
        for line in sys.stdin:
            text = json.loads(line)
            said = tomllib.loads(text)
            thresholds = said.get("thresholds", {})
            pillars = {x: [a.removesuffix(".") for a in y] for x, y in said.get("pillars", {}).items() if y}
            print(json.dumps({"articles": {
                "classes": said.get("classes", \(JSON.array(Articles.standard.classes.map { .string($0) }).canonicalText)),
                "handbooks": {"folders": said.get("handbooks", {}).get("folders", [])}, "pillars": pillars,
                "retention": {"days": said.get("retention", {}).get("days", 0)},
                "thresholds": {"recurrences": thresholds.get("recurrences", 3), "request_hours": thresholds.get("request_hours", 168)},
            }, "signatures": thresholds["signatures"]}))
        """

    /// Pieces of a proposal, put together at random, and perhaps with a byte changed.
    private static func text(_ random: inout SeededGenerator) -> String {
        let pieces = [
            "classes = ['a', \"b\\u002dc\"]\n", "classes = [\n \"x\", # y\n\t\"*\"\n]\n", "[pillars]\n",
            "integrity = [\"trade.\"]\n",
            "'evolution' = [ 'a.b' , ]\n", "[thresholds]\nsignatures = 1\n", "[thresholds]\r\nsignatures = +2 # two\r\n",
            "recurrences = 1_0\n",
            "request_hours = 24\n", "[retention]\n", "days = 3\n", "days = -0\n", "[handbooks]\n",
            "folders = ['\\a', \"\\\\b\\\"\"]\n", "folders = []\n",
            "# a comment \"'[\n", "\n", "  \t", "\"days\" = 1\n", "[ 'pillars' ]\n",
        ]
        var text = ""
        for _ in 0..<Int.random(in: 1...7, using: &random) { text += pieces[Int.random(in: 0..<pieces.count, using: &random)] }
        if !text.contains("signatures"), Bool.random(using: &random) { text += "[thresholds]\nsignatures = 1" }
        guard Int.random(in: 0..<3, using: &random) == 0 else { return text }
        var bytes = Array(text.utf8)
        let marks = Array("\"'[]=#.,\\_-+ \n\ta1\r".utf8)
        bytes[Int.random(in: 0..<bytes.count, using: &random)] = marks[Int.random(in: 0..<marks.count, using: &random)]
        return String(decoding: bytes, as: UTF8.self)
    }
}
