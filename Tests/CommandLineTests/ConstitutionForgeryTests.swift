import CanonicalJSON
import LedgerFormat
import TestSupport
import Testing

/// Chains that were sealed with the true key, in which a constitution was abused all the same: both verifiers say where.
@Suite("Forged constitutions")
struct ConstitutionForgeryTests {
    private static let (ada, bob, carol, eve) = (TestActors.ada, TestActors.bob, TestActors.carol, TestActors.eve)

    /// Ada, Bob and Carol, two of whom must sign; the last entry is what is forged.
    private static func chain(_ last: (inout ForgedChain, inout ActorRoster) -> Void) -> ForgedChain {
        var roster = ActorRoster()
        var chain = ForgedChain(founders: [ada, bob, carol], threshold: 2, in: &roster)
        chain.append()
        last(&chain, &roster)
        return chain
    }

    /// Behind an adoption that is right.
    private static func adopted(
        threshold: Int = 2, _ last: (inout ForgedChain, inout ActorRoster) -> Void
    ) -> ForgedChain {
        chain { chain, roster in
            chain.act(chain.adoption(threshold: threshold, by: [ada, bob], roster), in: &roster)
            chain.append()
            last(&chain, &roster)
        }
    }

    /// Signed by enough, with a text and articles that may be anything.
    private static func signed(threshold: Int = 2, text: String = "", _ change: (inout JSONObject) -> Void) -> ForgedChain {
        chain { $0.act($0.adoption(text: text, threshold: threshold, by: [ada, bob], $1, change), in: &$1) }
    }

    /// An act that is right, in an entry that states associates otherwise.
    private static func stated(_ change: (String) -> String) -> ForgedChain {
        chain { $0.act($0.addition(of: eve, by: [ada, bob], $1), in: &$1, change) }
    }

    private static func with(_ member: String, _ value: JSON) -> ForgedChain {
        signed { arguments in
            guard var articles = arguments["articles"]?.object else { return }
            articles[member] = value
            arguments["articles"] = .object(articles)
        }
    }

    private static func thresholds(_ recurrences: JSON, _ hours: JSON) -> ForgedChain {
        with("thresholds", ["recurrences": recurrences, "request_hours": hours])
    }

    /// A release, in a house that has adopted the standard articles, and perhaps was repaired since.
    private static func released(isRepaired: Bool = true, _ change: (inout JSONObject) -> Void = { _ in }) -> ForgedChain {
        adopted { chain, roster in
            if isRepaired { chain.mend(&roster) }
            chain.act(chain.release(by: [ada, bob], roster, change), in: &roster)
        }
    }

    /// What a release calls articles that nobody has adopted.
    private static let other = JSON.string(Articles(classes: ["*"]).digest.description)

    private static func acts(_ requests: [SignedRequest]) -> JSON {
        .array(requests.map { ["hash": .string(String(repeating: "1", count: 64)), "request": $0.json] })
    }

    private static func names(_ count: Int) -> JSON { .array((0..<count).map { .string("a\($0)") }) }

    private static let cases: [(name: String, code: Int32, chain: ForgedChain)] = [
        ("honest", 0, adopted { chain, roster in chain.state(&roster) }),
        ("nobody reads the text later", 0, signed(text: "no TOML [ at all") { _ in }),
        ("unsigned", 10, chain { $0.act($0.adoption(by: [], $1), in: &$1) }),
        ("signed by too few", 10, chain { $0.act($0.adoption(by: [ada], $1), in: &$1) }),
        ("signed by a stranger", 10, chain { $0.act($0.adoption(by: [ada, eve], $1), in: &$1) }),
        (
            "adopted twice", 10,
            chain { chain, roster in
                let request = chain.adoption(by: [ada, bob], roster)
                chain.act(request, in: &roster)
                chain.act(request, in: &roster)
            }
        ),
        ("adopted as another verb", 10, chain { $0.act($0.adoption(by: [ada, bob], $1), in: &$1, action: "associate.added") }),
        (
            "a key added as an adoption", 10,
            chain {
                $0.act($0.addition(of: eve, by: [ada, bob], $1), in: &$1, action: "constitution.adopted")
            }
        ),
        (
            "other articles than were signed", 10,
            chain {
                $0.act($0.adoption(by: [ada, bob], $1), in: &$1) { $0.replacing("\"days\":0", with: "\"days\":1") }
            }
        ),
        (
            "another text than was signed", 10,
            chain {
                $0.act($0.adoption(text: "abc", by: [ada, bob], $1), in: &$1) {
                    $0.replacing("\"text\":\"abc\"", with: "\"text\":\"abd\"")
                }
            }
        ),
        ("all must sign", 0, signed(threshold: 3) { _ in }),
        ("more must sign than there are", 10, signed(threshold: 4) { _ in }),
        ("nobody must sign", 10, signed(threshold: 0) { _ in }),
        ("fewer than nobody must sign", 10, signed(threshold: -1) { _ in }),
        ("from then on as many as it says", 10, adopted(threshold: 3) { $0.act($0.release(by: [ada, bob], $1), in: &$1) }),
        (
            "three must sign the next act", 10,
            adopted(threshold: 3) {
                $0.act($0.adoption(threshold: 2, by: [ada, bob], $1), in: &$1)
            }
        ),
        (
            "three sign the next act", 0,
            adopted(threshold: 3) {
                $0.act($0.adoption(threshold: 2, by: [ada, bob, carol], $1), in: &$1)
            }
        ),
        ("a key is added", 0, adopted { $0.act($0.addition(of: eve, by: [ada, carol], $1), in: &$1) }),
        (
            "a key is added, and other signatures asked for", 10,
            adopted {
                $0.act($0.addition(of: eve, threshold: 3, by: [ada, bob], $1), in: &$1)
            }
        ),
        (
            "a key is removed, and fewer signatures asked for", 10,
            adopted {
                $0.act($0.removal(of: carol, threshold: 1, by: [ada, bob], $1), in: &$1)
            }
        ),
        (
            "a segment forgets the constitution", 10,
            adopted { chain, roster in
                var other = roster
                other.associates = try? Associates(
                    [ada, bob, carol].map(\.key), threshold: 2, act: roster.associates?.act ?? .init(seq: 1, hash: .zero))
                chain.state(&roster, claimed: other)
            }
        ),
        (
            "a segment has one that nobody adopted", 10,
            chain { chain, roster in
                var elsewhere = roster
                var other = chain
                other.act(other.adoption(by: [ada, bob], roster), in: &elsewhere)
                chain.append()
                chain.append()
                chain.state(&roster, claimed: elsewhere)
            }
        ),
        ("stated: no constitution's place", 10, stated { $0.replacing("\"constitution\":null,", with: "") }),
        (
            "stated: a constitution without articles", 10,
            stated { $0.replacing("\"constitution\":null", with: "\"constitution\":{}") }
        ),
        (
            "stated: a constitution of entry 0", 10,
            stated {
                $0.replacing(
                    "\"constitution\":null",
                    with:
                        #""constitution":{"act":{"hash":"\#(Digest.zero)","seq":0},"articles":\#(Articles.standard.json.canonicalText)}"#
                )
            }
        ),
        ("no reason", 10, signed { $0["reason"] = nil }), ("no text", 10, signed { $0["text"] = nil }),
        ("a text too long", 10, signed(text: String(repeating: "#", count: 16_385)) { _ in }),
        ("the longest text", 0, signed(text: String(repeating: "#", count: 16_384)) { _ in }),
        ("a member more", 10, signed { $0["more"] = 1 }), ("no articles", 10, signed { $0["articles"] = nil }),
        ("articles: a member more", 10, with("more", 1)), ("articles: no class", 10, with("classes", [])),
        ("articles: classes", 0, with("classes", ["a-b", "*"])),
        ("articles: one class twice", 10, with("classes", ["a-b", "a_b"])),
        ("articles: no class's name", 10, with("classes", ["A"])),
        ("articles: a class that is no text", 10, with("classes", [1])),
        ("articles: too many classes", 10, with("classes", names(65))), ("articles: many classes", 0, with("classes", names(64))),
        ("articles: a rule", 0, with("pillars", ["integrity": ["a.b", "c"]])),
        ("articles: no pillar", 10, with("pillars", ["power": []])),
        ("articles: no action", 10, with("pillars", ["integrity": ["a."]])),
        ("articles: one action, two pillars", 10, with("pillars", ["evolution": ["a"], "integrity": ["a"]])),
        ("articles: one action twice", 10, with("pillars", ["integrity": ["a", "a"]])),
        ("articles: folders", 0, with("handbooks", ["folders": ["/a/é", "b"]])),
        ("articles: no folder's name", 10, with("handbooks", ["folders": [""]])),
        ("articles: a folder over two lines", 10, with("handbooks", ["folders": ["a\nb"]])),
        ("articles: a folder too long", 10, with("handbooks", ["folders": [.string(String(repeating: "é", count: 513))]])),
        ("articles: the most days", 0, with("retention", ["days": 36_525])),
        ("articles: too many days", 10, with("retention", ["days": 36_526])),
        ("articles: days before none", 10, with("retention", ["days": -1])),
        ("articles: half a day", 10, with("retention", ["days": 0.5])),
        ("articles: the longest life", 0, thresholds(1, 8784)), ("articles: no life", 10, thresholds(1, 0)),
        ("articles: too long a life", 10, thresholds(1, 8785)), ("articles: no recurrence", 10, thresholds(0, 1)),
        (
            "articles: too many bytes", 10,
            with("pillars", ["integrity": .array((0..<64).map { .string("a\($0)" + String(repeating: "b", count: 250)) })])
        ),
        // A release
        ("a release names what holds", 0, released()),
        ("a release of an earlier build", 0, released { $0["constitution"] = nil }),
        ("a release names other articles", 10, released { $0["constitution"] = other }),
        ("a release names other articles, without a repair", 10, released(isRepaired: false) { $0["constitution"] = other }),
        ("a release names no digest", 10, released { $0["constitution"] = "standard" }),
        ("a release names null", 10, released { $0["constitution"] = .null }),
        (
            "a release names articles, and nobody has adopted any", 10,
            chain { chain, roster in
                chain.mend(&roster)
                chain.act(
                    chain.release(by: [ada, bob], roster) {
                        $0["constitution"] = .string(Articles.standard.digest.description)
                    }, in: &roster)
            }
        ),
        (
            "a release behind the damage names other articles", 10,
            adopted { chain, roster in
                chain.mend(&roster, ["acts": acts([chain.release(by: [ada, bob], roster) { $0["constitution"] = other }])])
            }
        ),
        (
            "a release names what a repair took over", 0,
            chain { chain, roster in
                chain.mend(&roster, ["acts": acts([chain.adoption(by: [ada, bob], roster)])])
                chain.act(chain.release(by: [ada, bob], roster), in: &roster)
                chain.append()
            }
        ),
        // A repair
        (
            "an adoption behind the damage, by its signatures", 0,
            chain { chain, roster in
                chain.mend(&roster, ["acts": acts([chain.adoption(threshold: 1, by: [ada, bob], roster)])])
                chain.act(chain.release(by: [carol], roster), in: &roster)
                chain.act(chain.addition(of: eve, threshold: 1, by: [bob], roster), in: &roster)
            }
        ),
        (
            "an adoption behind the damage, signed by too few", 10,
            chain {
                $0.mend(&$1, ["acts": acts([$0.adoption(threshold: 1, by: [ada], $1)])])
            }
        ),
        (
            "while the house is suspended", 10,
            chain { chain, roster in
                chain.mend(&roster)
                chain.act(chain.adoption(by: [ada, bob], roster), in: &roster)
            }
        ),
        (
            "so many withdrawn that too few are left for a constitution", 10,
            chain { chain, roster in
                chain.mend(
                    &roster,
                    [
                        "acts": acts([chain.adoption(threshold: 3, by: [ada, bob], roster)]),
                        "withdrawn": [.string(carol.key.description)],
                    ])
            }
        ),
    ]

    @Test("both verifiers come to the same, with one thread and with two", arguments: cases.indices)
    func forged(number: Int) throws {
        let (name, code, chain) = Self.cases[number]
        let ledger = try CommandLedger(chain, keys: [0])
        let verdict = try ledger.agreedVerdict()
        #expect(verdict.code == code, "\(name): \(verdict)")
        #expect(try ledger.verdict("--threads", "2") == verdict, "\(name)")
        if code == 10 {
            let place = chain.entries[chain.entries.count - 1].start
            #expect(verdict.line.hasPrefix("tampered: \(place)"), "\(name): \(verdict)")
        }
    }
}
