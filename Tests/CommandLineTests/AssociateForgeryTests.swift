import CanonicalJSON
import LedgerFormat
import TestSupport
import Testing

/// Chains that were sealed with the true key, and in which associates' signatures were abused all the same: both verifiers say where.
@Suite("Forged associates")
struct AssociateForgeryTests {
    private typealias Actors = TestActors

    /// A chain of Ada, Bob and Carol, two of whom must sign; the last entry is what is forged.
    private static func chain(_ last: (inout ForgedChain, inout ActorRoster) -> Void) -> ForgedChain {
        var roster = ActorRoster()
        var chain = ForgedChain(founders: [Actors.ada, Actors.bob, Actors.carol], threshold: 2, in: &roster)
        chain.append()
        last(&chain, &roster)
        return chain
    }

    /// The same, in a house that a repair has suspended.
    private static func suspended(_ members: JSONObject = [:], _ last: (inout ForgedChain, inout ActorRoster) -> Void)
        -> ForgedChain
    {
        chain { chain, roster in
            chain.mend(&roster, members)
            last(&chain, &roster)
        }
    }

    /// A patch of a handbook from one text to another, as its entry and as its request say it.
    private static func patched(
        before: String? = "before", after: String? = "after", by signers: [ActorSigner] = [ada, bob], action: String? = nil,
        _ change: (inout JSONObject) -> Void = { _ in }
    ) -> ForgedChain {
        chain { chain, roster in
            let digest = { (text: String) in Digest(sha256: Array(text.utf8).span) }
            let patch = HandbookChange(
                proposal: 2, handbook: "a/AGENT.md", base: digest("before"), result: digest("after"), diff: digest("diff"))
            var arguments = patch.arguments(reason: "test")
            change(&arguments)
            chain.act(chain.request(.approvePatch, arguments, by: signers, roster), in: &roster, action: action) { body in
                let texts = [("before", before), ("after", after)].compactMap { name, text in text.map { "\"\(name)\":\"\($0)\"" }
                }
                let members = texts.joined(separator: ",") + ","
                return (try? JSON(parsing: Array(("{" + members + body.dropFirst()).utf8)))?.canonicalText ?? ""
            }
        }
    }

    private static func forced(
        by signers: [ActorSigner] = [ada, bob], action: String? = nil, arguments change: (inout JSONObject) -> Void = { _ in },
        _ grant: (inout JSONObject) -> Void = { _ in }
    ) -> ForgedChain {
        chain { chain, roster in
            var lease: JSONObject = [
                "holder": "process:b", "lane": "api", "lane_kind": "cluster", "tree": ["src/**"], "ttl_minutes": 10,
            ]
            var arguments = LaneForce(of: lease).arguments(reason: "test")
            change(&arguments)
            grant(&lease)
            chain.act(chain.request(.forceLane, arguments, by: signers, roster), in: &roster, action: action) { body in
                var object = (try? JSON(parsing: Array(body.utf8)))?.object ?? [:]
                object["lease"] = .object(lease)
                return JSON.object(object).canonicalText
            }
        }
    }

    /// The addition of a key, whatever it is.
    private static func adding(_ key: String) -> ForgedChain {
        chain { chain, roster in
            let arguments: JSONObject = ["key": .string(key), "reason": "test", "threshold": 2]
            chain.act(chain.request(.add, arguments, by: [ada, bob], roster), in: &roster)
        }
    }

    /// A request with another time than was signed, which may be none.
    private static func expiring(_ time: String) -> ForgedChain {
        chain { chain, roster in
            chain.act(chain.addition(of: Actors.eve, by: [ada, bob], roster), in: &roster) {
                $0.replacing("2026-03-01T00:00:00.000000Z", with: time)
            }
        }
    }

    private static func genesis(_ associates: String) -> ForgedChain {
        var chain = ForgedChain(begins: false)
        chain.append {
            $0.action = "ledger.genesis"
            $0.body = #"{"associates":\#(associates)}"#
        }
        return chain
    }

    private static let (ada, bob) = (Actors.ada, Actors.bob)
    private static let key = "\"\(Actors.ada.key)\""
    private static let eveSigned = #""key":"\#(Actors.eve.key)""#

    /// Each with the code that both must come to.
    private static let cases: [(name: String, code: Int32, chain: ForgedChain)] = [
        ("honest", 0, chain { $0.act($0.addition(of: Actors.eve, by: [ada, bob], $1), in: &$1) }),
        ("signed by all", 0, chain { $0.act($0.addition(of: Actors.eve, by: [ada, bob, Actors.carol], $1), in: &$1) }),
        (
            "a second act behind the first", 0,
            chain { chain, roster in
                chain.act(chain.addition(of: Actors.eve, threshold: 3, by: [ada, bob], roster), in: &roster)
                chain.append()
                chain.act(chain.removal(of: ada, threshold: 3, by: [ada, bob, Actors.eve], roster), in: &roster)
                chain.append()
            }
        ),
        ("unsigned", 10, chain { $0.act($0.addition(of: Actors.eve, by: [], $1), in: &$1) }),
        ("signed by too few", 10, chain { $0.act($0.addition(of: Actors.eve, by: [bob], $1), in: &$1) }),
        ("signed by a stranger", 10, chain { $0.act($0.addition(of: Actors.eve, by: [ada, Actors.eve], $1), in: &$1) }),
        (
            "signed by a stranger besides enough others", 10,
            chain { $0.act($0.addition(of: Actors.eve, by: [ada, bob, Actors.eve], $1), in: &$1) }
        ),
        (
            "one signature, twice", 10,
            chain { chain, roster in
                chain.act(chain.addition(of: Actors.eve, by: [ada], roster), in: &roster) { body in
                    let signature = body.firstMatch(of: /"signatures":\[(\{[^}]*\})\]/)?.output.1 ?? ""
                    return body.replacing(signature, with: signature + "," + signature)
                }
            }
        ),
        (
            "another's key over a signature", 10,
            chain { chain, roster in
                chain.act(chain.addition(of: Actors.eve, by: [ada, Actors.eve], roster), in: &roster) {
                    $0.replacing(#"{\#(eveSigned)"#, with: #"{"key":"\#(bob.key)""#)
                }
            }
        ),
        (
            "another argument than was signed", 10,
            chain { chain, roster in
                chain.act(chain.addition(of: Actors.eve, threshold: 3, by: [ada, bob], roster), in: &roster) {
                    $0.replacing(#""reason":"test","threshold":3"#, with: #""reason":"test","threshold":1"#)
                }
            }
        ),
        (
            "another verb than was signed", 10,
            chain { chain, roster in
                let request = chain.addition(of: Actors.eve, by: [ada, bob], roster)
                chain.act(request, in: &roster, action: "associate.removed")
            }
        ),
        (
            "signed for another ledger", 10,
            chain { chain, roster in
                let arguments = SignedRequest.addition(of: Actors.eve.key, threshold: 2, reason: "test")
                chain.act(chain.request(.add, arguments, by: [ada, bob], roster, for: LedgerID(7, 7)), in: &roster)
            }
        ),
        (
            "expired", 10,
            chain { chain, roster in
                let arguments = SignedRequest.addition(of: Actors.eve.key, threshold: 2, reason: "test")
                let expires = Timestamp("2026-01-31T23:59:59.999999Z")
                chain.act(chain.request(.add, arguments, by: [ada, bob], roster, expires: expires), in: &roster)
            }
        ),
        (
            "played again", 10,
            chain { chain, roster in
                let old = chain.addition(of: Actors.eve, by: [ada, bob], roster)
                chain.act(old, in: &roster)
                chain.act(chain.removal(of: Actors.eve, by: [ada, bob], roster), in: &roster)
                chain.act(old, in: &roster)
            }
        ),
        ("the same key again", 10, chain { $0.act($0.addition(of: ada, by: [ada, bob], $1), in: &$1) }),
        ("a removal of nobody", 10, chain { $0.act($0.removal(of: Actors.eve, by: [ada, bob], $1), in: &$1) }),
        (
            "a removal below the threshold", 10,
            chain { $0.act($0.removal(of: Actors.carol, threshold: 3, by: [ada, bob], $1), in: &$1) }
        ),
        ("a threshold of none", 10, chain { $0.act($0.removal(of: Actors.carol, threshold: 0, by: [ada, bob], $1), in: &$1) }),
        ("a key of small order", 10, adding("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05")),
        ("a key of mixed order, with a point of order 8", 10, adding(Actors.adaMixed[0])),
        ("a key of mixed order, with a point of order 4", 10, adding(Actors.adaMixed[1])),
        ("a key of mixed order, with a point of order 2", 10, adding(Actors.adaMixed[2])),
        ("a request until a month that is none", 10, expiring("2026-91-01T00:00:00.000000Z")),
        ("a request until a day that is none", 10, expiring("2026-02-30T00:00:00.000000Z")),
        ("a request until the year 0", 10, expiring("0000-03-01T00:00:00.000000Z")),
        ("a request until the 61st second", 10, expiring("2026-03-01T00:00:60.000000Z")),
        (
            "an act behind the damage, until a month that is none", 10,
            chain { chain, roster in
                var request = chain.removal(of: Actors.carol, by: [ada, bob], roster).json.object ?? [:]
                request["expires"] = "2026-91-01T00:00:00.000000Z"
                chain.mend(
                    &roster, ["acts": [["hash": .string(String(repeating: "1", count: 64)), "request": .object(request)]]])
            }
        ),
        (
            "others than there are", 10,
            chain { chain, roster in
                var claimed = roster
                claimed.associates = try? Associates([Actors.eve.key], threshold: 1, act: .init(seq: 1, hash: .zero))
                chain.state(&roster, claimed: claimed)
            }
        ),
        ("nobody", 10, chain { $0.state(&$1, claimed: ActorRoster()) }),
        ("a segment that says who", 0, chain { $0.state(&$1) }),
        (
            "a segment that does not", 10,
            chain { chain, _ in
                chain.roll()
                chain.append()
            }
        ),
        // Handbooks
        ("a patch", 0, patched()),
        ("a patch: another text behind it than was signed", 10, patched(after: "other")),
        ("a patch: another text before it than was signed", 10, patched(before: "other")),
        ("a patch without its texts", 10, patched(before: nil)),
        ("a patch: an argument more", 10, patched { $0["threshold"] = 1 }),
        ("a patch: an argument less", 10, patched { $0["diff"] = nil }),
        ("a patch: a path that is too long", 10, patched { $0["handbook"] = .string(String(repeating: "a", count: 513)) }),
        ("a patch of nothing", 10, patched { $0["proposal"] = 0 }),
        ("a patch signed by too few", 10, patched(by: [ada])),
        ("a patch signed to be taken back", 10, patched(action: "patch.reverted")),
        // Lanes
        ("a lane by force", 0, forced()),
        ("a lane by force: another holder than was signed", 10, forced { $0["holder"] = "process:eve" }),
        ("a lane by force: another tree than was signed", 10, forced { $0["tree"] = [] }),
        ("a lane by force: no lease", 10, forced { $0 = [:] }),
        ("a lane by force: an argument more", 10, forced(arguments: { $0["threshold"] = 1 })),
        ("a lane by force: an argument less", 10, forced(arguments: { $0["holder"] = nil })),
        ("a lane by force: a tree of numbers", 10, forced(arguments: { $0["tree"] = [1] }) { $0["tree"] = [1] }),
        ("a lane by force, signed by too few", 10, forced(by: [ada])),
        ("a lane by force, as another act", 10, forced(action: "patch.approved")),
        ("associates where there are none", 10, forgedHouse),
        ("founders: no list", 10, genesis("1")),
        ("founders: nobody", 10, genesis(#"{"keys":[],"threshold":1}"#)),
        ("founders: one key twice", 10, genesis("{\"keys\":[\(key),\(key)],\"threshold\":1}")),
        ("founders: more must sign than there are", 10, genesis("{\"keys\":[\(key)],\"threshold\":2}")),
        ("founders: nobody must sign", 10, genesis("{\"keys\":[\(key)],\"threshold\":0}")),
        (
            "founders: a key that is no point", 10,
            genesis("{\"keys\":[\"02\(String(repeating: "0", count: 62))\"],\"threshold\":1}")
        ),
        (
            "founders: one of them twice, by a key of mixed order", 10,
            genesis("{\"keys\":[\(key),\"\(Actors.adaMixed[2])\"],\"threshold\":2}")
        ),
        ("founders", 0, genesis("{\"keys\":[\(key)],\"threshold\":1}")),
        // A repair
        (
            "suspended: the house mends", 0,
            suspended { chain, roster in
                chain.append { $0.action = "ledger.note" }
                chain.state(&roster)
            }
        ),
        ("suspended: others write", 10, suspended { chain, _ in chain.append() }),
        (
            "suspended: another act", 10,
            suspended { $0.act($0.addition(of: Actors.eve, by: [ada, bob], $1), in: &$1) }
        ),
        (
            "released", 0,
            suspended { chain, roster in
                chain.act(chain.release(by: [ada, bob], roster), in: &roster)
                chain.append()
            }
        ),
        ("released by too few", 10, suspended { $0.act($0.release(by: [ada], $1), in: &$1) }),
        (
            "released as another alert", 10,
            suspended { $0.act($0.release(by: [ada, bob], $1, tip: $0.entries[0].tip.hash), in: &$1) }
        ),
        (
            "a release of other associates", 10,
            suspended { chain, roster in
                var other = roster
                other.associates = try? Associates(
                    [ada.key, bob.key], threshold: 2, act: roster.associates?.act ?? .init(seq: 1, hash: .zero))
                chain.act(chain.release(by: [ada, bob], other), in: &roster)
            }
        ),
        (
            "a repair that says nothing of associates", 10,
            chain { chain, _ in
                chain.roll()
                chain.append {
                    $0.action = ChainTurn.repaired
                    $0.body = #"{"gap":{"first":3,"last":4},"roster":[]}"#
                    $0.seq = "5"
                }
            }
        ),
        ("a repair in the midst of a segment", 10, chain { chain, _ in chain.repair(gap: nil) }),
        (
            "an act behind the damage, by its signatures", 0,
            chain { chain, roster in
                chain.mend(&roster, ["acts": acts([chain.removal(of: Actors.carol, by: [ada, bob], roster)])])
                chain.act(chain.release(by: [ada, bob], roster), in: &roster)
            }
        ),
        (
            "an act behind the damage, signed by too few", 10,
            chain { $0.mend(&$1, ["acts": acts([$0.removal(of: Actors.carol, by: [ada], $1)])]) }
        ),
        (
            "who was removed behind the damage does not sign", 10,
            chain { chain, roster in
                chain.mend(&roster, ["acts": acts([chain.removal(of: Actors.carol, by: [ada, bob], roster)])])
                chain.act(chain.release(by: [ada, Actors.carol], roster), in: &roster)
            }
        ),
        (
            "who was withdrawn does not sign", 10,
            suspended(["withdrawn": [.string(Actors.carol.key.description)]]) {
                $0.act($0.release(by: [ada, Actors.carol], $1), in: &$1)
            }
        ),
        (
            "who was withdrawn is gone", 0,
            suspended(["withdrawn": [.string(Actors.carol.key.description)]]) { chain, roster in
                chain.act(chain.release(by: [ada, bob], roster), in: &roster)
                chain.append()
            }
        ),
        (
            "so many withdrawn that nobody can sign", 10,
            suspended(["withdrawn": .array([bob, Actors.carol].map { .string($0.key.description) })]) { _, _ in }
        ),
        (
            "as many as a lost act asked for release it", 0,
            suspended(["threshold": 3]) { chain, roster in
                chain.act(chain.release(by: [ada, bob, Actors.carol], roster), in: &roster)
                chain.append()
            }
        ),
        ("fewer release it", 10, suspended(["threshold": 3]) { $0.act($0.release(by: [ada, bob], $1), in: &$1) }),
        ("a repair by which as many sign as before", 10, suspended(["threshold": 2]) { _, _ in }),
        ("a repair by which fewer sign", 10, suspended(["threshold": 1]) { _, _ in }),
        ("a repair by which more sign than there are", 10, suspended(["threshold": 4]) { _, _ in }),
        (
            "a repair by which more sign than are left", 10,
            suspended(["threshold": 3, "withdrawn": [.string(Actors.carol.key.description)]]) { _, _ in }
        ),
        ("a repair by which no number signs", 10, suspended(["threshold": "3"]) { _, _ in }),
        (
            "an act behind one of which nothing is known", 10,
            chain { chain, roster in
                let first = chain.removal(of: Actors.carol, by: [ada, bob], roster)
                var behind = roster
                behind.associates = try? Associates([ada.key, bob.key], threshold: 2, act: .init(seq: 1, hash: .zero))
                let second = chain.addition(of: Actors.eve, by: [ada, bob], behind)
                let hash = JSON.string(String(repeating: "0", count: 64))
                chain.mend(&roster, ["acts": .array([first, second].map { ["hash": hash, "request": $0.json] })])
            }
        ),
    ]

    /// A ledger without associates, in which a segment names some.
    private static var forgedHouse: ForgedChain {
        var chain = ForgedChain()
        var roster = ActorRoster()
        var claimed = roster
        claimed.associates = try? Associates([Actors.eve.key], threshold: 1, act: .init(seq: 1, hash: chain.tip.hash))
        chain.state(&roster, claimed: claimed)
        return chain
    }

    private static func acts(_ requests: [SignedRequest]) -> JSON {
        .array(requests.map { ["hash": .string(String(repeating: "1", count: 64)), "request": $0.json] })
    }

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
