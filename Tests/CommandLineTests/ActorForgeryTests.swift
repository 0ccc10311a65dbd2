import CanonicalJSON
import LedgerFormat
import TestSupport
import Testing

/// Chains that were sealed with the true key, and in which actors' names were abused all the same: both verifiers say where.
@Suite("Forged actors")
struct ActorForgeryTests {
    /// A chain in which Ada was enrolled by entry 3, and has signed entry 4; the last entry is what is forged.
    private static func chain(_ last: (inout ForgedChain, inout ActorRoster) -> Void) -> ForgedChain {
        var chain = ForgedChain()
        var roster = ActorRoster()
        chain.append { $0.actor = "user:ada" }
        chain.enroll("user:ada", TestActors.ada, in: &roster)
        chain.sign("user:ada", TestActors.ada)
        last(&chain, &roster)
        return chain
    }

    private static let other = LedgerID(7, 7)
    private static func enrolment(_ actor: String, _ key: String) -> String {
        #"{"actor":"\#(actor)","class":"worker","key":"\#(key)","roster":"#
    }

    /// An enrolment that is sealed as it stands.
    private static func enrolling(_ actor: String, _ key: String) -> ForgedChain {
        chain { chain, roster in
            chain.roll()
            chain.append {
                $0.action = RosterStatement.enrolled
                $0.actor = ActorRoster.house
                $0.body = enrolment(actor, key) + roster.json.canonicalText + "}"
            }
        }
    }

    private static func mixed(_ number: Int) -> ForgedChain { enrolling("user:bob", TestActors.adaMixed[number]) }

    /// Each with the code that both must come to.
    private static let cases: [(name: String, code: Int32, chain: ForgedChain)] = [
        ("honest", 0, chain { chain, _ in chain.sign("user:ada", TestActors.ada) }),
        ("somebody else, unsigned", 0, chain { chain, _ in chain.append { $0.actor = "user:bob" } }),
        ("a base of the future", 10, chain { chain, _ in chain.sign("user:ada", TestActors.ada, base: 5) }),
        ("unsigned", 10, chain { chain, _ in chain.append { $0.actor = "user:ada" } }),
        ("signed with another key", 10, chain { chain, _ in chain.sign("user:ada", TestActors.eve) }),
        ("signed for another ledger", 10, chain { chain, _ in chain.sign("user:ada", TestActors.ada, for: other) }),
        ("another body", 10, chain { chain, _ in chain.sign("user:ada", TestActors.ada) { $0.body = #"{"n":1}"# } }),
        ("another action", 10, chain { chain, _ in chain.sign("user:ada", TestActors.ada) { $0.action = "test.other" } }),
        (
            "another reason", 10,
            chain { chain, _ in
                chain.sign("user:ada", TestActors.ada) { $0.justification = #"{"pillar":"integrity","reason":"other"}"# }
            }
        ),
        (
            "another id", 10,
            chain { chain, _ in
                chain.sign("user:ada", TestActors.ada) { $0.context = $0.context.replacing(#""id":"id "#, with: #""id":"ix "#) }
            }
        ),
        (
            "another's peer, which is none of the draft's", 0,
            chain { chain, _ in
                chain.sign("user:ada", TestActors.ada) {
                    $0.context = $0.context.replacing(#","sign""#, with: #","peer":{"gid":1,"pid":2,"uid":3},"sign""#)
                }
            }
        ),
        (
            "without an id", 10,
            chain { chain, _ in
                chain.sign("user:ada", TestActors.ada) { $0.context = $0.context.replacing(#""id":"id 4","#, with: "") }
            }
        ),
        (
            "two actors with their own keys", 0,
            chain { chain, roster in
                chain.enroll("user:bob", TestActors.bob, in: &roster)
                chain.sign("user:bob", TestActors.bob)
            }
        ),
        (
            "in another enrolled actor's name", 10,
            chain { chain, roster in
                chain.enroll("user:bob", TestActors.bob, in: &roster)
                chain.sign("user:ada", TestActors.bob)
            }
        ),
        ("the same key under two names", 10, chain { $0.enroll("user:bob", TestActors.ada, in: &$1) }),
        ("enrolled twice", 10, chain { $0.enroll("user:ada", TestActors.bob, in: &$1) }),
        ("the house itself", 10, chain { $0.enroll(ActorRoster.house, TestActors.bob, in: &$1) }),
        (
            "revoked", 0,
            chain { chain, roster in
                chain.state(&roster, .revocation(actor: "user:ada"))
                chain.append()
            }
        ),
        (
            "signed behind the revocation", 10,
            chain { chain, roster in
                chain.state(&roster, .revocation(actor: "user:ada"))
                chain.sign("user:ada", TestActors.ada)
            }
        ),
        (
            "unsigned behind the revocation", 10,
            chain { chain, roster in
                chain.state(&roster, .revocation(actor: "user:ada"))
                chain.append { $0.actor = "user:ada" }
            }
        ),
        (
            "enrolled anew, with another key", 0,
            chain { chain, roster in
                chain.state(&roster, .revocation(actor: "user:ada"))
                chain.enroll("user:ada", TestActors.bob, in: &roster)
                chain.sign("user:ada", TestActors.bob)
            }
        ),
        (
            "enrolled anew with the revoked key", 10,
            chain { chain, roster in
                chain.state(&roster, .revocation(actor: "user:ada"))
                chain.enroll("user:ada", TestActors.ada, in: &roster)
            }
        ),
        ("a revocation of nobody", 10, chain { $0.state(&$1, .revocation(actor: "user:bob")) }),
        ("a segment that says who is enrolled", 0, chain { chain, roster in chain.state(&roster) }),
        (
            "a segment that does not", 10,
            chain { chain, _ in
                chain.roll()
                chain.append()
            }
        ),
        ("a segment that says: nobody", 10, chain { $0.state(&$1, claimed: ActorRoster()) }),
        ("an enrolment in the midst of a segment", 10, chain { $0.state(&$1, rolls: false) }),
        (
            "a key of small order", 10,
            chain { chain, roster in
                let text = "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"
                chain.roll()
                chain.append {
                    $0.action = RosterStatement.enrolled
                    $0.actor = ActorRoster.house
                    $0.body = enrolment("user:bob", text) + roster.json.canonicalText + "}"
                }
            }
        ),
        ("a key of mixed order, with a point of order 8", 10, mixed(0)),
        ("a key of mixed order, with a point of order 4", 10, mixed(1)),
        ("a key of mixed order, with a point of order 2", 10, mixed(2)),
        (
            "an enrolled name that is too long", 10,
            enrolling("user:" + String(repeating: "b", count: 252), "\(TestActors.bob.key)")
        ),
        (
            "an enrolled name that is as long as it may be", 0,
            enrolling("user:" + String(repeating: "b", count: 251), "\(TestActors.bob.key)")
        ),
        (
            "an entry of no day that is taken over as proven, so that it is only shown", 0,
            chain { chain, _ in
                let frame =
                    String(decoding: chain.segments[chain.segments.count - 1].bytes, as: UTF8.self)
                    .split(separator: "\n").last?.drop { $0 != "{" } ?? ""
                chain.append {
                    $0.action = Readmission.action
                    $0.body = "{\"frame\":\(frame.replacing(/"time":"[0-9]{4}-../, with: "\"time\":\"2026-91")),\"proven\":true}"
                }
            }
        ),
        (
            "a key that is no point", 10,
            chain { chain, roster in
                chain.roll()
                chain.append {
                    $0.action = RosterStatement.enrolled
                    $0.actor = ActorRoster.house
                    $0.body = enrolment("user:bob", "02" + String(repeating: "0", count: 62)) + roster.json.canonicalText + "}"
                }
            }
        ),
        (
            "a repair that forgets", 10,
            chain { chain, _ in
                chain.roll()
                chain.append {
                    $0.action = ChainTurn.repaired
                    $0.body = #"{"gap":{"first":5,"last":9},"roster":[]}"#
                    $0.seq = "10"
                }
            }
        ),
        (
            "a repair that knows more", 0,
            chain { chain, roster in
                var more = roster
                let bob = RosterStatement.Change.enrolment(actor: "user:bob", actorClass: "x", key: TestActors.bob.key)
                more = RosterStatement(roster, bob).after(7, .zero) ?? more
                chain.roll()
                chain.append {
                    $0.action = ChainTurn.repaired
                    $0.body = #"{"gap":{"first":5,"last":9},"roster":"# + more.json.canonicalText + "}"
                    $0.seq = "10"
                }
                chain.sign("user:bob", TestActors.bob)
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

    @Test("a base may lie 10,000 below the entry before, and no further", arguments: [(10_000, Int32(0)), (10_001, 10)])
    func bases(distance: Int, code: Int32) throws {
        var chain = ForgedChain()
        var roster = ActorRoster()
        chain.enroll("user:ada", TestActors.ada, in: &roster)
        for _ in 0..<10_010 { chain.append() }
        chain.sign("user:ada", TestActors.ada, base: chain.tip.seq - UInt64(distance))
        #expect(try CommandLedger(chain, keys: [0]).agreedVerdict().code == code)
    }
}
