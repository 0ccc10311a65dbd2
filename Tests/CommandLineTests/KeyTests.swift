import CanonicalJSON
import Foundation
import LedgerFormat
import TestSupport
import Testing

@Suite("key: list, rotate, retire")
struct KeyTests {
    private func keys(_ ledger: CommandLedger) throws -> [JSONObject] {
        let listed = try ledger.run("key", "list", "--json")
        try #require(listed.code == 0, "\(listed.error)")
        return try #require(try JSON(parsing: Array(listed.output.dropLast().utf8)).object?["keys"]?.array).compactMap(\.object)
    }

    private func rotate(_ ledger: CommandLedger) throws -> (old: String, new: String) {
        let result = try ledger.run("key", "rotate", "--reason", "a test", "--json")
        try #require(result.code == 0, "\(result.error)")
        let answer = try #require(try JSON(parsing: Array(result.output.dropLast().utf8)).object)
        return (try #require(answer["old"]?.string), try #require(answer["new"]?.string))
    }

    private func states(_ ledger: CommandLedger) throws -> [String?] { try keys(ledger).map { $0["state"]?.string } }

    @Test("a key's life: it seals, is rotated away, is retired and destroyed, and the ledger is intact for both verifiers")
    func life() throws {
        let ledger = try CommandLedger(entries: 3)
        #expect(try states(ledger) == ["sealing"])
        let (old, new) = try rotate(ledger)
        try ledger.expectIntact(seq: 5)
        #expect(try states(ledger) == ["rotated", "sealing"], "it has sealed nothing yet")
        #expect(try ledger.append().code == 0)
        try ledger.expectIntact(seq: 6)
        let rows = try keys(ledger)
        #expect(rows.map { $0["key"]?.string } == [old, new])
        #expect(rows.map { $0["first"]?.integer } == [1, 6] && rows.map { $0["last"]?.integer } == [5, 6])
        let shown = try ledger.run("key", "list").output
        #expect(shown.contains("\(old)  rotated   1 to 5") && shown.contains("\(new)  sealing   6 to 6"))

        let retired = try ledger.run("key", "retire", old, "--reason", "a test", "--destroy")
        #expect(
            retired.code == 0 && retired.output.hasPrefix("key \(old) is retired, and its file is removed\nbulla-receipt-v1/"))
        try ledger.expectIntact(seq: 7)
        #expect(try !ledger.contents().keys.contains("keys/\(old).key"))
        #expect(try states(ledger) == ["retired", "sealing"])
        #expect(try ledger.run("key", "list").output.contains("gone, and not needed"))
        let again = try ledger.run("key", "retire", old, "--reason", "a test", "--json")
        #expect(again.code == 0 && again.output.contains(#""receipt":null"#))
        try ledger.expectIntact(seq: 7)
        // What vouches for the first key is sealed with the second, and that can go as well.
        let second = try rotate(ledger)
        #expect(second.old == new)
        #expect(try ledger.run("key", "retire", new, "--reason", "a test", "--destroy").code == 0)
        #expect(try ledger.append().code == 0)
        try ledger.expectIntact(seq: 10)
        for threads in ["1", "3"] { #expect(try ledger.verdict("--threads", threads).code == 0) }
    }

    @Test("what is refused: the key that seals 20, one that sealed nothing 64, no id at all 64, one whose file is absent 11")
    func refusals() throws {
        let ledger = try CommandLedger(entries: 1)
        let (old, new) = try rotate(ledger)
        func retire(_ key: String) throws -> Program.Result { try ledger.run("key", "retire", key, "--reason", "x", "--destroy") }
        try ledger.expectRefusal(20, "is the one that seals", "rotate first") { try retire(new) }
        try ledger.expectRefusal(64, "no entry was sealed with key 0123456789abcdef") { try retire("0123456789abcdef") }
        try ledger.expectRefusal(64, "is no key's id") { try retire("../../etc/passwd") }
        try ledger.expectRefusal(64) { try ledger.run("key", "retire", old) }
        try ledger.expectRefusal(64) { try ledger.run("key", "rotate") }
        try ledger.directory.remove(ledger.name("keys/\(old).key"))
        try ledger.expectRefusal(11, "cannot be verified", "is missing; put its backup in place") { try retire(old) }
        #expect(try ledger.agreedVerdict().code == 11)
        #expect(try ledger.run("key", "list").output.contains("is missing"))
        #expect(try ledger.append().code == 0, "writing needs the key that seals, and what HEAD vouches for is not looked at")
        try ledger.directory.remove(ledger.name("keys/\(new).key"))
        try ledger.expectRefusal(11, "is missing") { try ledger.run("key", "rotate", "--reason", "x") }
    }

    @Test("keys that are given by name are taken instead of the ledger's own")
    func given() throws {
        let ledger = try CommandLedger(entries: 1)
        let (old, new) = try rotate(ledger)
        #expect(try ledger.append().code == 0)
        for key in [old, new] {
            try ledger.directory.write(ledger.read("keys/\(key).key"), to: key)
            try ledger.directory.remove(ledger.name("keys/\(key).key"))
        }
        func verdict(_ names: String...) throws -> Int32 {
            let arguments = names.flatMap { ["--key", ledger.directory.path($0)] }
            let ours = Verdict(try ledger.run(["verify"] + arguments))
            let theirs = Verdict(
                try Program(
                    "/usr/bin/env",
                    ["python3", Program.repository + "/tools/verify_ledger.py", ledger.path] + arguments
                ).run())
            #expect(ours == theirs)
            return ours.code
        }
        #expect(try ledger.agreedVerdict().code == 11)
        #expect(try verdict(old, new) == 0 && verdict(new, old) == 0)
        #expect(try verdict(old) == 11 && verdict(new) == 11)
    }

    // Forged chains, judged by both verifiers

    /// Each with the code that both must come to: the last entry is what is forged.
    private static let forgeries: [(name: String, code: Int32, chain: ForgedChain)] = {
        let keys = ForgedChain.keys
        func chain(_ name: String, _ code: Int32, _ last: (inout ForgedChain) -> Void) -> (String, Int32, ForgedChain) {
            var chain = ForgedChain()
            chain.append()
            chain.rotate(to: keys[1])
            chain.append()
            last(&chain)
            return (name, code, chain)
        }
        return [
            chain("honest", 0) { $0.rotate(to: keys[2]) },
            chain("retired", 0) { $0.retire(keys[0]) },
            chain("a gap", 0) { $0.repair(gap: (5, 9)) },
            chain("a repair without a gap", 0) { $0.repair(gap: nil) },
            chain("an old key's rotation", 10) {
                let proof = keys[2].proof(in: $0.tip.ledger, after: keys[0].id)
                $0.append {
                    $0.action = ChainTurn.rotated
                    $0.key = keys[0].id.description
                    $0.body = #"{"key":"\#(keys[2].id)","proof":"\#(proof)"}"#
                }
            },
            chain("an entry under the old key", 10) { $0.append { $0.key = keys[0].id.description } },
            chain("an entry sealed with the old key", 10) { $0.append(by: keys[0]) },
            chain("an entry under a key of which nobody said anything", 10) { $0.append { $0.key = keys[3].id.description } },
            chain("a rotation without proof", 10) {
                $0.append {
                    $0.action = ChainTurn.rotated
                    $0.body = #"{"key":"\#(keys[2].id)"}"#
                }
            },
            chain("a wrong proof", 10) { $0.rotate(to: keys[2], proof: String(repeating: "0", count: 64)) },
            chain("a proof behind another key", 10) {
                $0.rotate(to: keys[2], proof: keys[2].proof(in: $0.tip.ledger, after: keys[0].id).description)
            },
            chain("to the first key again", 10) { $0.rotate(to: keys[0]) },
            chain("to itself", 10) { $0.rotate(to: keys[1]) },
            chain("retires itself", 10) { $0.retire(keys[1]) },
            chain("a gap that overlaps", 10) { $0.repair(gap: (4, 9)) },
            chain("a gap too small", 10) { $0.repair(gap: (6, 9)) },
            chain("a seq behind the gap's end", 10) { $0.repair(gap: (5, 9), seq: 11) },
            chain("a seq in the gap", 10) { $0.repair(gap: (5, 9), seq: 9) },
            chain("a gap of which nobody said anything", 10) { $0.append { $0.seq = "9" } },
            chain("a gap with more members", 10) {
                $0.append {
                    $0.action = ChainTurn.repaired
                    $0.body = #"{"gap":{"first":5,"last":9,"x":0}}"#
                    $0.seq = "10"
                }
            },
        ]
    }()

    @Test("forged rotations, retirements and gaps", arguments: KeyTests.forgeries.indices)
    func forged(number: Int) throws {
        let (name, code, chain) = Self.forgeries[number]
        let ledger = try CommandLedger(chain, keys: 0..<4)
        let verdict = try ledger.agreedVerdict()
        #expect(verdict.code == code, "\(name)")
        #expect(try ledger.verdict("--threads", "2") == verdict, "\(name)")
        guard code == 10 else { return }
        // Behind HEAD a frame whose own seal holds, and which nobody knew as durable, is nothing that counts: it is cut.
        let before = chain.head(chain.entries.count - 2)
        try ledger.overwrite("HEAD", before.sealed(with: ForgedChain.keys[1]))
        let isSealed = name != "an entry sealed with the old key"
        #expect(
            try ledger.agreedVerdict().line == (isSealed ? verdict.line.replacing("tampered", with: "torn") : verdict.line),
            "\(name)")
    }

    @Test("nothing of the beginning survived, and segments named by what was expected")
    func beginnings() throws {
        var repaired = ForgedChain(begins: false)
        repaired.repair(gap: (1, 7))
        repaired.append()
        #expect(try CommandLedger(repaired, keys: [0]).agreedVerdict().code == 0)
        for (name, code) in [(3, 0), (8, 10)] as [(UInt64, Int32)] {
            var chain = ForgedChain()
            chain.append()
            chain.roll(firstSeq: name)
            chain.repair(gap: (3, 7))
            chain.append()
            let ledger = try CommandLedger(chain, keys: [0])
            #expect(try ledger.agreedVerdict().code == code)
            #expect(try ledger.verdict("--threads", "2").code == code)
        }
    }

    @Test("any of four key files missing, with and without retirements, and HEAD at any entry, under any key")
    func missing() throws {
        var chain = ForgedChain()
        for number in 1...3 {
            chain.rotate(to: ForgedChain.keys[number])
            chain.append()
        }
        var retired = chain
        for number in 0...2 { retired.retire(ForgedChain.keys[number]) }
        for (chain, isRetired) in [(chain, false), (retired, true)] {
            for number in 0..<16 {
                let present = (0..<4).filter { number >> $0 & 1 == 1 }
                let verdict = try CommandLedger(chain, keys: present).agreedVerdict()
                #expect(verdict.code == (number == 15 || isRetired && present.contains(3) ? 0 : 11), "\(present)")
            }
        }
        let ledger = try CommandLedger(chain, keys: 0..<4)
        for index in chain.entries.indices {
            for key in ForgedChain.keys[..<4] {
                var head = chain.head(index)
                let isRight = head.key == key.id
                head.key = key.id
                try ledger.overwrite("HEAD", head.sealed(with: key))
                #expect(try ledger.agreedVerdict().code == (isRight ? 0 : 10), "entry \(index)")
            }
        }
    }

    @Test("a HEAD in a gap vouches for nothing that is there")
    func headInGap() throws {
        var chain = ForgedChain()
        chain.append()
        chain.repair(gap: (3, 7))
        chain.append()
        let ledger = try CommandLedger(chain, keys: [0])
        for index in 1...2 {
            for seq in [3, 5, 7] as [UInt64] {
                var head = chain.head(index)
                head.seq = seq
                try ledger.overwrite("HEAD", head.sealed(with: ForgedChain.keys[0]))
                let verdict = try ledger.agreedVerdict()
                #expect(verdict == .tampered(offset: chain.entries[2].start.offset, seq: 3))
            }
        }
    }

    @Test("a torn tail behind a rotation, with any keys")
    func torn() throws {
        var chain = ForgedChain()
        chain.append()
        let head = chain.head().sealed(with: ForgedChain.keys[0])
        chain.rotate(to: ForgedChain.keys[1])
        chain.append()
        chain.append()
        for present in [[0, 1], [0], [1], []] {
            let ledger = try CommandLedger(chain, keys: present, head: head)
            for end in [chain.entries[2].end.offset + 200, chain.entries[1].end.offset + 3, chain.entries[4].end.offset - 1] {
                try ledger.overwrite(CommandLedger.firstSegment, Array(chain.bytes[..<end]))
                let isKnown = present == [0, 1] || present == [0] && end < chain.entries[3].end.offset
                let verdict = try ledger.agreedVerdict()
                #expect(verdict.code == (isKnown ? 0 : 11) && verdict.line.hasPrefix("torn") == isKnown, "\(present) \(end)")
            }
            // A whole frame behind damage that is no crash's.
            var bytes = chain.bytes
            bytes[chain.entries[3].start.offset + 40] ^= 1
            try ledger.overwrite(CommandLedger.firstSegment, bytes)
            #expect(try ledger.agreedVerdict().code == 10, "\(present)")
        }
    }

    @Test("the judge lists the keys once more where one is absent: a rotation may have brought it meanwhile")
    func judgeDuringRotation() throws {
        let ledger = try CommandLedger(entries: 2)
        #expect(try ledger.run("key", "rotate", "--reason", "r").code == 0)
        #expect(try ledger.append().code == 0)
        // The first listing is that of a moment before the new key's file was there.
        let script = """
            import sys
            sys.dont_write_bytecode = True
            sys.path.insert(0, sys.argv[1])
            import verify_ledger as judge
            listed, early = judge.Ledger.read_keys, int(sys.argv[3])
            def read_keys(self, named):
                global early
                early -= 1
                keys = listed(self, named)
                return keys if early < 0 else {self.first["key"]: keys[self.first["key"]]}
            judge.Ledger.read_keys = read_keys
            print(judge.verify(sys.argv[2])[:2])
            """
        func judge(_ early: String) throws -> String {
            let tools = Program.repository + "/tools"
            let result = try Program("/usr/bin/env", ["python3", "-c", script, tools, ledger.path, early]).run()
            #expect(result.code == 0, "\(result.error)")
            return result.output
        }
        #expect(try judge("1") == "('intact', 0)\n")
        #expect(try judge("9") == "('unverifiable', 11)\n")
    }
}
