import CanonicalJSON
import Foundation
import LedgerFormat
import TestSupport
import Testing

/// Ledgers whose first key was retired and destroyed: nobody can check its seals, so who can write the directory can make such frames. Links
/// from HEAD's tip tell which of them are true.
@Suite("bulla repair, and what links from HEAD prove")
struct RepairLinkTests {
    /// A ledger with state, made by the program: seqs 1 to 4 and the rotation under the first key, 6 to 9 under the second.
    private struct Scene {
        let ledger: CommandLedger
        let old: String
        let state: String
        var frames: [[UInt8]] = []
        var tips: [ChainTip] = []

        init() throws {
            let ledger = try CommandLedger()
            self.ledger = ledger
            func set(_ pointer: String, _ value: String) throws {
                let set = try ledger.run("state", "set", pointer, value, "--reason", "r", "--actor", "user:ada")
                try #require(set.code == 0, "\(set.error)")
            }
            try set("/a", "[1]")
            try set("/a/-", "2")
            try set("/b", "{}")
            let rotated = try ledger.run("key", "rotate", "--reason", "r", "--json")
            old = try #require(try JSON(parsing: Array(rotated.lastLine.utf8))["old"]?.string)
            try set("/a/-", "3")
            try #require(try ledger.run("key", "retire", old, "--reason", "r", "--destroy").code == 0)
            try set("/a/-", "4")
            try set("/a/-", "5")
            state = try ledger.run("state", "get").output
            let bytes = try ledger.read(CommandLedger.firstSegment)
            var start = 0
            while case .frame(let view) = FrameView.find(in: bytes.span, at: start) {
                frames.append(Array(bytes[start..<view.frame.upperBound]))
                tips.append(ChainTip(view, of: bytes.span))
                start = view.frame.upperBound
            }
            try #require(frames.count == 9 && tips[3].key.description == old)
        }

        /// A frame behind an entry, under the key that it calls for, and with a SIG that nobody can check.
        func forged(behind tip: ChainTip, _ change: (inout Forge) -> Void = { _ in }) -> (bytes: [UInt8], tip: ChainTip) {
            let forge = Forge(after: tip) {
                $0.body = #"{"line":"a lie"}"#
                change(&$0)
            }
            let bytes = forge.frame(ForgedChain.keys[5])
            guard case .frame(let view) = FrameView.find(in: bytes.span, at: 0) else { preconditionFailure("no frame") }
            return (bytes, ChainTip(view, of: bytes.span))
        }

        func rotation(behind tip: ChainTip) -> (bytes: [UInt8], tip: ChainTip) {
            forged(behind: tip) {
                $0.action = ChainTurn.rotated
                $0.body = #"{"key":"0123456789abcdef","line":"a lie","proof":"\#(Digest.zero)"}"#
            }
        }

        func damaged(_ seq: Int) -> [UInt8] {
            var bytes = frames[seq - 1]
            bytes[bytes.count / 2] ^= 1
            return bytes
        }

        /// Puts frames before these, by seq, or others in their place.
        func write(before: [Int: [UInt8]] = [:], instead: [Int: [UInt8]] = [:]) throws {
            let bytes = frames.indices.flatMap { (before[$0 + 1] ?? []) + (instead[$0 + 1] ?? frames[$0]) }
            try ledger.overwrite(CommandLedger.firstSegment, bytes)
        }

        /// Repairs it: all entries are there afterwards, as proven, but the lost ones; and the state is as it was, if none is.
        func expectRepaired(without lost: Set<Int> = [], keyless: Int64, _ source: SourceLocation = #_sourceLocation) throws {
            let shown = try ledger.run("repair", "--json")
            let plan = try #require(try JSON(parsing: Array(shown.lastLine.utf8))["plan"], "\(shown)", sourceLocation: source)
            let counts = plan["keyless"]?.object?.members.compactMap(\.value.integer) ?? []
            #expect(counts.reduce(0, +) == keyless, "\(plan.canonicalText)", sourceLocation: source)
            #expect(plan["unproven"] == 0 && plan["left_out"] == 0, "\(plan.canonicalText)", sourceLocation: source)
            let done = try ledger.run("repair", "--yes", "--without-associates")
            #expect(done.code == 0, "\(done)", sourceLocation: source)
            try ledger.expectIntact(source)
            #expect(try !ledger.run("log", "--json").output.contains("a lie"), sourceLocation: source)
            for (index, tip) in tips.enumerated() {
                let found = try ledger.run("receipt", String(index + 1))
                let isThere = found.code == 0 && found.output.contains(Receipt(tip).line)
                #expect(isThere == !lost.contains(index + 1), "\(index + 1): \(found)", sourceLocation: source)
            }
            if lost.isEmpty { #expect(try ledger.run("state", "get").output == state, sourceLocation: source) }
            #expect(try ledger.append().code == 0, sourceLocation: source)
            try ledger.expectIntact(source)
        }
    }

    enum Forgery: CaseIterable { case rotation, twoRotations, laterVersion, gap, branch, ending }

    @Test(
        "frames under the destroyed key, put between true ones: none is taken over, and all true ones are",
        arguments: Forgery.allCases)
    func inserted(forgery: Forgery) throws {
        for seq in [2, 4] {
            let scene = try Scene()
            let tip = scene.tips[seq - 1]
            var bytes: [UInt8] = []
            var count: Int64 = 1
            switch forgery {
            case .rotation: bytes = scene.rotation(behind: tip).bytes
            case .twoRotations:
                let first = scene.rotation(behind: tip)
                bytes = first.bytes + scene.forged(behind: first.tip).bytes
                count = 2
            case .laterVersion: bytes = scene.forged(behind: tip) { $0.version = "2" }.bytes
            case .gap:
                bytes =
                    scene.forged(behind: tip) {
                        $0.action = ChainTurn.repaired
                        $0.seq = "1000000"
                        $0.body = #"{"gap":{"first":\#(seq + 1),"last":999999},"line":"a lie"}"#
                    }.bytes
            case .branch:
                var last = tip
                for _ in 0..<9 {
                    let forged = scene.forged(behind: last)
                    bytes += forged.bytes
                    last = forged.tip
                }
                count = 9
            case .ending:
                // Links lead from it, and none to it.
                bytes = scene.forged(behind: tip).bytes
                bytes += scene.forged(behind: scene.tips[seq]) { $0.key = scene.old }.bytes
                count = 2
            }
            try scene.write(before: [seq + 1: bytes])
            try scene.expectRepaired(keyless: count)
        }
    }

    @Test("a first entry put before the true one, of this ledger or of another")
    func genesis() throws {
        for ledger in [nil, String(repeating: "ab", count: 16)] {
            let scene = try Scene()
            var tip = scene.tips[0]
            (tip.seq, tip.hash, tip.synced) = (0, .zero, 0)
            let forged = scene.forged(behind: tip) {
                $0.action = "ledger.genesis"
                if let ledger { $0.ledger = ledger }
            }
            try scene.write(before: [1: forged.bytes])
            try scene.expectRepaired(keyless: ledger == nil ? 1 : 0)
        }
    }

    @Test("a first entry in the place of the true one, under a key that never was: what HEAD proves names another before it")
    func otherGenesis() throws {
        let scene = try Scene()
        var tip = scene.tips[0]
        (tip.seq, tip.hash, tip.synced) = (0, .zero, 0)
        let forged = scene.forged(behind: tip) {
            $0.action = "ledger.genesis"
            $0.key = "0000000000000000"
        }
        try scene.write(instead: [1: forged.bytes])
        try scene.expectRepaired(without: [1], keyless: 1)
    }

    @Test("true entries under the destroyed key behind a damage are proven; those before it are only evidence")
    func behindDamage() throws {
        for seq in [1, 2, 3, 5, 6, 8] {
            let scene = try Scene()
            try scene.write(instead: [seq: scene.damaged(seq)])
            // Behind the rotation the key is there that the chain calls for, but nothing that it sealed, until seq 6, vouches for the rotation.
            let isKept = seq > 6
            try scene.expectRepaired(without: isKept ? [seq] : Set(1...seq), keyless: isKept ? 0 : Int64(seq - 1))
        }
    }

    @Test("the plan names the bytes that are damaged, and no others")
    func damages() throws {
        let scene = try Scene()
        try scene.write(instead: [3: scene.damaged(3)])
        let plan = try JSON(parsing: Array(scene.ledger.run("repair", "--json").lastLine.utf8))["plan"]
        let damages = try #require(plan?["damages"]?.array)
        #expect(damages.count == 1 && damages[0]["bytes"] == .number(Double(scene.frames[2].count)), "\(damages)")
        #expect(damages[0]["sha256"]?.string == Digest(sha256: scene.damaged(3).span).description && damages[0]["next"] == 4)
    }

    @Test("a damage between the forged frame and HEAD: links lead as far as it, and the forged one is evidence")
    func forgedBeforeDamage() throws {
        let scene = try Scene()
        let forged = scene.forged(behind: scene.tips[1]) { $0.version = "2" }
        try scene.write(before: [3: forged.bytes], instead: [4: scene.damaged(4)])
        try scene.expectRepaired(without: [1, 2, 3, 4], keyless: 4)
    }

    @Test(
        "all that the destroyed key sealed is written anew, up to the next key's introduction with its true proof: it proves nothing"
    )
    func rewritten() throws {
        let scene = try Scene()
        let bytes = rewrittenFrames(scene)
        try scene.write(instead: [2: bytes, 3: [], 4: [], 5: []])
        try scene.expectRepaired(without: [1, 2, 3, 4, 5], keyless: 5)
        // The same, and nothing behind it.
        let cut = try Scene()
        let lost: [Int: [UInt8]] = Dictionary(uniqueKeysWithValues: (3...9).map { ($0, []) })
        try cut.write(instead: lost.merging([2: rewrittenFrames(cut)]) { $1 })
        let refused = try cut.ledger.run("repair", "--yes", "--without-associates")
        #expect(refused.code == 11 && refused.error.contains("is sealed with key \(cut.old)"), "\(refused)")
        // Whoever knows that no backup will turn up gives up what only that key could prove.
        #expect(refused.error.contains("bulla repair --gone \(cut.old)"), "\(refused)")
        let done = try cut.ledger.run("repair", "--yes", "--without-associates", "--gone", cut.old.description)
        #expect(done.code == 0, "\(done)")
        #expect(try cut.ledger.run("verify").code == 0)
        #expect(try cut.ledger.run("repair", "--gone", "x").code == 64)
    }

    private func rewrittenFrames(_ scene: Scene) -> [UInt8] {
        var (tip, bytes) = (scene.tips[0], [UInt8]())
        for seq in 2...5 {
            let forged = scene.forged(behind: tip) {
                guard seq == 5 else { return }
                let text = String(decoding: scene.frames[4], as: UTF8.self)
                $0.action = ChainTurn.rotated
                $0.body = text.firstMatch(of: /"body":({[^}]*})/).map { String($0.output.1) } ?? ""
            }
            bytes += forged.bytes
            tip = forged.tip
        }
        #expect(tip.key == scene.tips[4].key)
        return bytes
    }

    @Test("frames in another order, and a copy: links find them")
    func disordered() throws {
        let scene = try Scene()
        try scene.write(before: [2: scene.frames[3]], instead: [3: scene.frames[6], 7: scene.frames[2]])
        let plan = try JSON(parsing: Array(scene.ledger.run("repair", "--json").lastLine.utf8))["plan"]
        #expect(plan?["lost"] == 0 && plan?["proven"] == 9 && plan?["unproven"] == 0, "\(plan?.canonicalText ?? "")")
        #expect(try scene.ledger.run("repair", "--yes", "--without-associates").code == 0)
        try scene.ledger.expectIntact()
        #expect(try scene.ledger.run("state", "get").output == scene.state)
    }

    @Test(
        "without HEAD nothing tells a forged frame from a true one: none of them is taken over; what claims a later version stops the repair"
    )
    func withoutHead() throws {
        for isLater in [true, false] {
            let scene = try Scene()
            let later = scene.forged(behind: scene.tips[1]) { $0.version = "2" }
            try scene.write(before: [3: isLater ? later.bytes : scene.rotation(behind: scene.tips[1]).bytes])
            try scene.ledger.directory.remove(scene.ledger.name("HEAD"))
            if isLater {
                try scene.ledger.expectRefusal(11, "a later version") {
                    try scene.ledger.run("repair", "--yes", "--without-associates")
                }
            } else {
                let done = try scene.ledger.run("repair", "--yes", "--without-associates")
                #expect(done.code == 0 && done.output.contains("6 entries are sealed with key \(scene.old)"), "\(done)")
                try scene.ledger.expectIntact()
                #expect(
                    try scene.ledger.entries("--action", "ledger.readmitted").allSatisfy {
                        $0["entry"]?["body"]?["proven"] == false
                    })
                #expect(try !scene.ledger.run("log", "--json").output.contains("a lie"))
            }
        }
    }

    @Test("what a later version has truly written is its own to repair, wherever the damage is")
    func trueLaterVersion() throws {
        for damage in [2, 3, 5] {
            var chain = ForgedChain()
            for seq in 2...6 { chain.append { if seq == 4 { $0.version = "2" } } }
            let ledger = try CommandLedger(chain, keys: [0])
            var bytes = chain.bytes
            bytes[chain.entries[damage - 1].start.offset + 200] ^= 1
            try ledger.overwrite(CommandLedger.firstSegment, bytes)
            try ledger.expectRefusal(11, "a later version of bulla") { try ledger.run("repair", "--yes", "--without-associates") }
        }
    }
}
