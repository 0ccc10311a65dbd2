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

    /// Another draft of Ada's, with the id of her first one.
    private static func adasSecond(_ chain: inout ForgedChain, base: UInt64) {
        chain.sign("user:ada", TestActors.ada, base: base, id: "id 3")
    }

    /// Entry 5, which Ada has signed, is lost with what came behind it; a repair in entry 8 finds it, and takes it over.
    private static func lost(_ last: (inout ForgedChain, _ payload: String) -> Void) -> ForgedChain { lost(as: "5", last) }

    /// - Parameter seq: what the frame that is taken over says that it is.
    private static func lost(as seq: String, _ last: (inout ForgedChain, _ payload: String) -> Void = { _, _ in }) -> ForgedChain
    {
        chain { chain, _ in
            var other = chain
            other.sign("user:ada", TestActors.ada)
            let payload = other.payload(other.entries.count - 1).replacing(#","seq":5,"#, with: ",\"seq\":\(seq),")
            chain.repair(gap: (5, 7))
            chain.readmit(payload)
            last(&chain, payload)
        }
    }

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
        ("recorded twice", 10, chain { chain, _ in chain.replay(3) }),
        (
            "recorded twice, the second time in another segment", 10,
            chain { chain, roster in
                chain.append()
                chain.state(&roster)
                chain.replay(3)
            }
        ),
        ("another draft with the same id, of the same base", 10, chain { chain, _ in adasSecond(&chain, base: 3) }),
        ("another draft with the same id, whose base is the first one", 0, chain { chain, _ in adasSecond(&chain, base: 4) }),
        (
            "another actor with the same id", 0,
            chain { chain, roster in
                chain.enroll("user:bob", TestActors.bob, in: &roster)
                chain.sign("user:bob", TestActors.bob, base: 3, id: "id 3")
            }
        ),
        ("re-admitted as proven beside itself", 10, chain { chain, _ in chain.readmit(chain.payload(3)) }),
        ("re-admitted as unproven beside itself", 0, chain { chain, _ in chain.readmit(chain.payload(3), isProven: false) }),
        ("lost, and re-admitted", 0, lost { _, _ in }),
        ("lost, and re-admitted as what was recorded last", 0, lost(as: "8")),
        ("lost, and re-admitted as what is still to come", 10, lost(as: "9")),
        ("lost, and re-admitted twice", 10, lost { chain, payload in chain.readmit(payload) }),
        (
            "lost, re-admitted, and recorded again", 10,
            lost { chain, _ in chain.sign("user:ada", TestActors.ada, base: 4, id: "id 4") }
        ),
        (
            "re-admitted so late that its id is forgotten", 10,
            chain { chain, _ in
                chain.repair(gap: (5, 30_000))
                chain.sign("user:ada", TestActors.ada)
                chain.readmit(chain.payload(3))
            }
        ),
        (
            "re-admitted, and its decision began before the first entry", 10,
            chain { chain, _ in chain.readmit(chain.payload(3).replacing(#","sign":"#, with: #","part":[9,9],"sign":"#)) }
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

    @Test("a draft that was recorded twice: what is repaired counts it once, and both verifiers find it whole")
    func repaired() throws {
        let chain = Self.chain { chain, _ in
            chain.append()
            chain.replay(3)
            chain.append()
        }
        let ledger = try CommandLedger(chain, keys: [0])
        #expect(try ledger.agreedVerdict().line.hasPrefix("tampered: \(chain.entries[5].start)"))
        #expect(try ledger.run("verify").output.contains("the signed draft of user:ada was recorded before: entry 4"))
        let repaired = try ledger.run("repair", "--yes")
        #expect(repaired.code == 0, "\(repaired)")
        try ledger.expectIntact()
        let readmitted = try ledger.entries("--action", Readmission.action).compactMap { $0["entry"]?["body"] }
        #expect(readmitted.map { $0["frame"]?["entry"]?["seq"]?.integer } == [6, 7])
        #expect(readmitted.map { $0["proven"]?.canonicalText } == ["false", "true"])
        let appended = try ledger.ingest(["behind it"])
        #expect(appended.code == 0, "\(appended)")
        try ledger.expectIntact()
    }

    @Test("a repeat in another piece than what it repeats, verified by two threads")
    func pieces() throws {
        var chain = ForgedChain()
        var roster = ActorRoster()
        chain.enroll("user:ada", TestActors.ada, in: &roster)
        // The first piece has 8 MiB.
        let body = "{\"text\":\"\(String(repeating: "x", count: 1500))\"}"
        for _ in 0..<3900 { chain.append { $0.body = body } }
        chain.sign("user:ada", TestActors.ada)
        let signed = chain.entries.count - 1
        for _ in 0..<1000 { chain.append { $0.body = body } }
        chain.sign("user:ada", TestActors.ada)
        #expect(chain.entries[signed].end.offset < 8 << 20 && chain.entries[chain.entries.count - 1].start.offset > 9 << 20)
        var ledger = try CommandLedger(chain, keys: [0])
        #expect(try ledger.verdict("--threads", "2").code == 0)
        chain.replay(signed)
        chain.append()
        ledger = try CommandLedger(chain, keys: [0])
        let verdict = try ledger.agreedVerdict()
        #expect(verdict.line.hasPrefix("tampered: \(chain.entries[chain.entries.count - 2].start)"), "\(verdict)")
        #expect(try ledger.verdict("--threads", "2") == verdict && ledger.verdict("--threads", "1") == verdict)
    }
}
