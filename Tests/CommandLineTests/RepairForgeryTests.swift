import CanonicalJSON
import Foundation
import LedgerFormat
import TestSupport
import Testing

/// Ledgers whose keys changed, damaged, and with entries in them that were sealed with a key which the chain did not call for there.
@Suite("bulla repair, and entries that an old key sealed")
struct RepairForgeryTests {
    /// A ledger that is damaged: frames as they would be in a chain, of which some are others.
    private struct Scene {
        var chain = ForgedChain()
        /// Instead of these frames, by seq; none for one that is gone.
        var instead: [UInt64: [UInt8]] = [:]
        var keys: [Int] = [0, 1, 2]
        var head: [UInt8]?

        /// Seqs 1 to 5 under the first key, of which the last introduces the second; 6 to 9 under it, of which the last
        /// introduces the third; 10 to 14 under that.
        init() {
            for _ in 2...4 { chain.append { $0.body = #"{"line":"true"}"# } }
            chain.rotate(to: ForgedChain.keys[1])
            for _ in 6...8 { chain.append { $0.body = #"{"line":"true"}"# } }
            chain.rotate(to: ForgedChain.keys[2])
            for _ in 10...14 { chain.append { $0.body = #"{"line":"true"}"# } }
        }

        func frame(_ seq: UInt64) -> [UInt8] {
            let entry = chain.entries[Int(seq) - 1]
            return Array(chain.bytes[entry.start.offset..<entry.end.offset])
        }

        /// Sealed with a key of our choice, behind the entry before.
        func forged(_ seq: UInt64, by number: Int, _ change: (inout Forge) -> Void = { _ in }) -> [UInt8] {
            var tip = chain.entries[Int(seq) - 2].tip
            tip.key = ForgedChain.keys[number].id
            let forge = Forge(after: tip) {
                $0.body = #"{"line":"a lie"}"#
                change(&$0)
            }
            return forge.frame(ForgedChain.keys[number])
        }

        func damaged(_ seq: UInt64) -> [UInt8] {
            var bytes = frame(seq)
            bytes[bytes.count / 2] ^= 1
            return bytes
        }

        func ledger() throws -> CommandLedger {
            let ledger = try CommandLedger(chain, keys: keys, head: head)
            let bytes = (1...UInt64(chain.entries.count)).flatMap { instead[$0] ?? frame($0) }
            try ledger.overwrite(CommandLedger.firstSegment, bytes)
            return ledger
        }

        /// Repairs it, and looks that nothing forged was taken over, and nothing true left behind but what is said.
        @discardableResult
        func expectRepaired(without lost: Set<UInt64>, foreign: Int, _ source: SourceLocation = #_sourceLocation) throws
            -> CommandLedger
        {
            let ledger = try ledger()
            let plan = try JSON(parsing: Array(ledger.run("repair", "--json").lastLine.utf8))["plan"]
            let counts = plan?["foreign"]?.object?.members.compactMap(\.value.integer) ?? []
            #expect(counts.reduce(0, +) == Int64(foreign), "\(plan?.canonicalText ?? "")", sourceLocation: source)
            let shown = try ledger.run("repair")
            #expect(shown.output.contains("the chain does not call there") == (foreign > 0), "\(shown)", sourceLocation: source)
            let done = try ledger.run("repair", "--yes")
            #expect(done.code == 0, "\(done)", sourceLocation: source)
            try ledger.expectIntact(source)
            let log = try ledger.run("log", "--json")
            #expect(!log.output.contains("a lie"), sourceLocation: source)
            for seq in UInt64(2)...14 where ![5, 9].contains(seq) {
                let found = try ledger.run("receipt", String(seq))
                let receipt = Receipt(chain.entries[Int(seq) - 1].tip).line
                let isThere = found.code == 0 && found.output.contains(receipt)
                #expect(isThere == !lost.contains(seq), "\(seq): \(found)", sourceLocation: source)
            }
            #expect(try ledger.append().code == 0, sourceLocation: source)
            try ledger.expectIntact(source)
            return ledger
        }
    }

    @Test(
        "in place of a newer key's entry, behind its introduction in the prefix or among the damaged", arguments: [true, false])
    func replacedEntry(isIntroductionLost: Bool) throws {
        for (number, seq) in [(0, 7), (0, 12), (1, 12)] as [(Int, UInt64)] {
            var scene = Scene()
            scene.instead[seq] = scene.forged(seq, by: number)
            if isIntroductionLost {
                // Then only HEAD tells which key is the newest: of two older ones either may have been called for at 7.
                if seq == 7 { continue }
                scene.instead[5] = scene.damaged(5)
                scene.instead[9] = scene.damaged(9)
            }
            try scene.expectRepaired(without: [seq], foreign: 1)
        }
    }

    @Test("beside the true entry, before it or behind, also where none introduces the new key: the true one counts")
    func doubled() throws {
        for isBefore in [true, false] {
            var scene = Scene()
            let both = [scene.forged(12, by: 0), scene.frame(12)]
            scene.instead[12] = (isBefore ? both : both.reversed()).flatMap(\.self)
            scene.instead[3] = scene.damaged(3)
            try scene.expectRepaired(without: [3], foreign: 1)
            scene.instead[5] = scene.damaged(5)
            try scene.expectRepaired(without: [3], foreign: 1)
        }
    }

    @Test("before its introduction: a key that was stolen later displaces nothing either")
    func tooEarly() throws {
        var scene = Scene()
        scene.instead[2] = scene.damaged(2)
        scene.instead[3] = scene.forged(3, by: 1) + scene.frame(3)
        scene.instead[4] = scene.forged(4, by: 1)
        try scene.expectRepaired(without: [2, 4], foreign: 2)
    }

    @Test("an old key's HEAD, with forged entries up to it, brings no old key back")
    func head() throws {
        for number in [0, 1] {
            var scene = Scene()
            scene.instead[4] = scene.damaged(4)
            scene.instead[14] = scene.frame(14) + scene.forged(14, by: number) { $0.seq = "900" }
            var head = scene.chain.head()
            head.key = ForgedChain.keys[number].id
            head.seq = 900
            scene.head = head.sealed(with: ForgedChain.keys[number])
            let ledger = try scene.expectRepaired(without: [4], foreign: 1)
            let last = try #require(try ledger.entries().last)
            #expect(last["entry"]?["key"]?.string == ForgedChain.keys[2].id.description)
            #expect(try #require(last["entry"]?["seq"]?.integer) < 100)
        }
    }

    @Test(
        "before the true entries, where the chain takes them for its own: HEAD's links lead to the true ones, and all of them are proven"
    )
    func inserted() throws {
        for count in [1, 3, 8] {
            var scene = Scene()
            // A chain of its own behind entry 2, under the key that was called for there; with 8 it swallows the introduction of the next.
            var (tip, run) = (scene.chain.entries[1].tip, [UInt8]())
            for _ in 0..<count {
                let forge = Forge(after: tip) { $0.body = #"{"line":"a lie"}"# }
                run += forge.frame(ForgedChain.keys[0])
                tip.seq += 1
                tip.hash = forge.seal(ForgedChain.keys[0]).hash
            }
            scene.instead[3] = run + scene.frame(3)
            // Behind the introduction of the second key the first was not called for.
            let ledger = try scene.expectRepaired(without: [], foreign: max(0, count - 3))
            let unproven = try ledger.entries("--action", "ledger.readmitted").filter { $0["entry"]?["body"]?["proven"] != true }
            #expect(unproven.isEmpty, "\(count)")
        }
    }

    @Test("without HEAD: of two for one seq the one counts that leads to a newer key")
    func insertedWithoutHead() throws {
        var scene = Scene()
        scene.instead[3] = scene.forged(4, by: 0) + scene.frame(3)
        let ledger = try scene.ledger()
        try ledger.directory.remove(ledger.name("HEAD"))
        #expect(try ledger.run("repair", "--yes").code == 0)
        try ledger.expectIntact()
        #expect(try !ledger.run("log", "--json").output.contains("a lie"))
        #expect(try ledger.run("receipt", "4").output.contains(Receipt(scene.chain.entries[3].tip).line))
    }

    @Test("the file of the key that seals is lost: no repair before it is back, and none goes back to an older key")
    func sealingKeyLost() throws {
        for damages in [[3], [9], [3, 9]] as [[UInt64]] {
            var scene = Scene()
            for seq in damages { scene.instead[seq] = scene.damaged(seq) }
            let ledger = try scene.ledger()
            let file = "keys/\(ForgedChain.keys[2].id).key"
            let bytes = try ledger.read(file)
            try ledger.directory.remove(ledger.name(file))
            try ledger.expectRefusal(11, "missing") { try ledger.run("repair", "--yes") }
            try ledger.directory.write(bytes, to: ledger.name(file))
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: ledger.path + "/" + file)
            #expect(try ledger.run("repair", "--yes").code == 0, "\(damages)")
            try ledger.expectIntact()
        }
    }

    @Test("a whole ledger cut before a key's introduction: the repair goes on with the key that HEAD names")
    func cut() throws {
        var scene = Scene()
        for seq in 8...14 as ClosedRange<UInt64> { scene.instead[seq] = [] }
        let ledger = try scene.ledger()
        #expect(try ledger.run("repair", "--yes").code == 0)
        try ledger.expectIntact()
        let last = try #require(try ledger.entries().last)
        #expect(last["entry"]?["key"]?.string == ForgedChain.keys[1].id.description, "the introduction is under the old key")
        #expect(last["entry"]?["body"]?["key"]?.string == ForgedChain.keys[2].id.description)
    }

    @Test("a HEAD whose key has a flipped digit asks for no key file: it is wrong, for the chain says another")
    func flippedHeadKey() throws {
        var scene = Scene()
        var head = String(decoding: scene.chain.head().sealed(with: ForgedChain.keys[2]), as: UTF8.self)
        let key = ForgedChain.keys[2].id.description
        let other = (key.first == "0" ? "1" : "0") + key.dropFirst()
        head = head.replacingOccurrences(of: "\"key\":\"\(key)\"", with: "\"key\":\"\(other)\"")
        scene.head = Array(head.utf8)
        for damages in [[], [4], [12]] as [[UInt64]] {
            for seq in damages { scene.instead[seq] = scene.damaged(seq) }
            let ledger = try scene.ledger()
            let done = try ledger.run("repair", "--yes")
            #expect(done.code == 0, "\(damages): \(done)")
            try ledger.expectIntact()
            scene.instead = [:]
        }
    }
}
