import CanonicalJSON
import DurableFiles
import Kernel
import Ledger
import LedgerFormat
import TestSupport
import Testing

@Suite("Merging changes of the tree")
struct MergeTests {
    @Test("other places are merged, the same value is no conflict, and of equal classes the first one stays")
    func equals() throws {
        let (machine, base) = try SimulatedMachine.classed(["a": ["b": 0, "c": 0], "list": [1, 2]])
        try machine.patch("/a/b", 1)
        #expect(try machine.merge("/a/c", 2, base).isClean)
        #expect(try machine.merge("/a/b", 1, base).isClean)
        #expect(try machine.merge("/list/0", 5, base).isClean)
        #expect(try machine.merge("/list/1", 6, base).isClean)
        let tree: JSON = ["a": ["b": 1, "c": 2], "list": [5, 6]]
        #expect(try machine.documents().state.root == tree)
        let before = machine.files
        for (place, value) in [("/a/b", 7), ("/a", 7), ("/a/b/x", 7), ("/list/-", 7)] as [(String, JSON)] {
            let error = try machine.mergeError(place, value, base)
            #expect(error?.code == (place == "/a/b/x" ? .refused : .conflict), "\(place) \(error.debugDescription)")
        }
        #expect(try machine.mergeError("/z", 1, base, reads: ["/a"])?.code == .conflict)
        #expect(machine.files == before)
        #expect(try machine.merge("/z", 1, base, reads: ["/z/y"]).isClean)
    }

    @Test("whoever saw what he changes may change it, whatever his class")
    func seen() throws {
        let (machine, base) = try SimulatedMachine.classed(["a": 0])
        _ = try machine.merge("/a", 1, base, as: "security-sentinel")
        let tip = try machine.tip().seq
        #expect(try machine.merge("/a", 2, tip, as: "skill-utility").isClean)
        #expect(try machine.merge("/b", 2, base, as: "skill-utility").isClean)
        #expect(try machine.documents().state.root == ["a": 2, "b": 2])
        #expect(try machine.mergeError("/a", 2, tip + 9)?.code == .refused)
    }

    @Test("a higher class has the place; what lost it is kept in an entry, and the fold asks for no class")
    func classes() async throws {
        for names in [["security-sentinel", "skill-utility"], ["skill-utility", "security-sentinel"]] {
            let (machine, base) = try SimulatedMachine.classed(["a": ["old": 1]])
            for name in names {
                // The utility writes what the sentinel's place lies in, and another place besides.
                let patch: [JSONPatch.Operation] =
                    name == "security-sentinel"
                    ? [.add(JSONPointer(tokens: ["a", "x"]), 1)]
                    : [.replace(JSONPointer(tokens: ["a"]), ["y": 1]), .add(JSONPointer(tokens: ["u"]), 1)]
                let resolution = try machine.merge(JSONPatch(patch), base, as: name)
                #expect(resolution.lost.count == (name == names[1] && name == "skill-utility" ? 1 : 0))
                #expect(resolution.overrode.count == (name == names[1] && name == "security-sentinel" ? 1 : 0))
            }
            #expect(try machine.documents().state.root == ["a": ["old": 1, "x": 1], "u": 1], "\(names)")
            let body = try JSON(parsing: try #require(try machine.entries().last).body)
            let list = try #require(body[names[1] == "skill-utility" ? "lost" : "overrode"]?.array)
            #expect(list[0]["loser"]?["value"] == ["y": 1] && body["meant"] != nil)
            #expect(try await machine.audit().verdict == .intact)
        }
    }

    @Test("what was built on a place that a higher class writes goes with it, whichever came first")
    func premises() throws {
        for names in [["operator", "worker"], ["worker", "operator"]] {
            let (machine, base) = try SimulatedMachine.classed(["a": 0])
            for name in names {
                if name == "operator" {
                    _ = try machine.merge("/a", 1, base, as: name)
                } else {
                    _ = try machine.merge("/b", 1, base, as: name, reads: ["/a"])
                }
            }
            #expect(try machine.documents().state.root == ["a": 1], "\(names)")
        }
    }

    @Test("what counts has room, also where what it was built on has lost")
    func groundless() throws {
        let (machine, base) = try SimulatedMachine.classed(["a": [:]])
        _ = try machine.merge("/a", ["in": [:]], base, as: "skill-utility")
        _ = try machine.merge("/a/in/x", 1, try machine.tip().seq, as: "worker")
        let resolution = try machine.merge("/a/q", 5, base, as: "operator")
        #expect(resolution.overrode.map(\.at.description) == ["/a"])
        #expect(try machine.documents().state.root == ["a": ["in": ["x": 1], "q": 5]])
    }

    @Test("what was seen and has lost since does not come back with a place that is taken around it")
    func ground() throws {
        let (machine, start) = try SimulatedMachine.classed(["a": ["old": 0]])
        _ = try machine.merge("/a", ["b": 1], start, as: "worker")
        let seen = try machine.tip().seq
        _ = try machine.merge("/a/c", 9, start, as: "security-sentinel")
        _ = try machine.merge("/a", ["z": 1], try machine.tip().seq, as: "skill-utility")
        let resolution = try machine.merge("/a/q", 7, seen, as: "operator")
        #expect(resolution.overrode.map(\.at.description) == ["/a"] && resolution.lost.isEmpty)
        #expect(try machine.documents().state.root == ["a": ["old": 0, "c": 9, "q": 7]])
    }

    @Test(
        "what went with its premise is compared with others by what it was, though it is told by a digest, or takes something away"
    )
    func lostValues() throws {
        let long = JSON.string(String(repeating: "x", count: 5000))
        for patch in [JSONPatch([.remove(JSONPointer(tokens: ["b"]))]), JSONPatch([.replace(JSONPointer(tokens: ["b"]), long)])] {
            var trees: [JSON] = []
            for order in Classes.permutations(3) {
                let (machine, base) = try SimulatedMachine.classed(["a": 0, "b": 0])
                for index in order {
                    switch index {
                    case 0: _ = try machine.merge("/a", 1, base, as: "operator")
                    case 1: _ = try machine.merge(patch, base, as: "worker", reads: ["/a"])
                    default: #expect(try machine.merge(patch, base, as: "skill-utility").lost.isEmpty, "\(order)")
                    }
                }
                trees.append(try machine.documents().state.root)
            }
            let seen: JSON = ["a": 1, "b": 0]
            let expected = try patch.apply(to: seen)
            #expect(trees.allSatisfy { $0 == expected }, "\(trees.map { $0["b"] == nil })")
        }
    }

    @Test("the tree is the same in whatever order different classes come", arguments: 1...12 as ClosedRange<UInt64>)
    func orders(seed: UInt64) throws {
        var source = DocumentSource(random: SeededGenerator(seed: seed))
        let tree: JSON = ["a": ["a": 1, "b": ["a": 1], "l": [1, 2]], "b": ["a": 1, "b": 2], "l": [1, ["a": 1], 3]]
        let (machine, base) = try SimulatedMachine.classed(tree, seed: seed)
        let patches = (0..<4).map { _ in source.merging(of: tree) }
        let reads = (0..<4).map { _ in source.reads() }
        var first: JSON?
        for order in Classes.permutations(4) {
            let copy = machine.copy()
            for index in order {
                _ = try copy.merge(patches[index], base, as: Classes.names[index], reads: reads[index])
            }
            let documents = try copy.documents().state
            #expect(documents.skippedCount == 0, "seed \(seed)")
            if let first { #expect(documents.root == first, "seed \(seed), order \(order)") } else { first = documents.root }
        }
    }

    @Test(
        "the tree is the same in whatever order different classes come, whatever came before and whatever of it each had seen",
        arguments: 1...40 as ClosedRange<UInt64>)
    func histories(seed: UInt64) throws {
        var source = DocumentSource(random: SeededGenerator(seed: seed))
        let tree: JSON = ["a": ["a": 1, "b": ["a": 1], "l": [1, 2]], "b": ["a": 1, "b": 2], "l": [1, ["a": 1], 3]]
        let (machine, base) = try SimulatedMachine.classed(tree, seed: seed)
        func draft(seen: UInt64? = nil) throws -> (patch: JSONPatch, seen: UInt64, reads: [String]) {
            let seen = try seen ?? [base, machine.tip().seq].randomElement(using: &source.random)!
            let patch = source.merging(of: try machine.documents(FoldEnd(seq: seen)).state.root)
            return (patch, seen, Bool.random(using: &source.random) ? source.reads() : [])
        }
        for _ in 0..<Int.random(in: 0...3, using: &source.random) {
            let (name, draft) = (Classes.names.randomElement(using: &source.random)!, try draft())
            _ = try? machine.merge(draft.patch, draft.seen, as: name, reads: draft.reads)
        }
        // Who ranks highest has seen nothing of that, and so takes what others have seen.
        let tip = try machine.tip().seq
        let drafts = try [base, tip, nil, tip].map { try draft(seen: $0) }
        var first: (tree: JSON, refused: Set<Int>)?
        for order in Classes.permutations(drafts.count).shuffled(using: &source.random).prefix(8) {
            let copy = machine.copy()
            var refused: Set<Int> = []
            for index in order {
                let draft = drafts[index]
                do {
                    _ = try copy.merge(draft.patch, draft.seen, as: Classes.names[index], reads: draft.reads)
                } catch let error as LedgerError {
                    // An equal class was first, long before.
                    #expect(error.code == .conflict, "seed \(seed), order \(order): \(error)")
                    refused.insert(index)
                }
            }
            let found = (tree: try copy.documents().state.root, refused: refused)
            if let first { #expect(first == found, "seed \(seed), order \(order)") } else { first = found }
        }
    }

    @Test(
        "what had lost before does not come back with what is taken later, and nobody takes the ground from under who ranks higher"
    )
    func lostBefore() throws {
        let machine = try SimulatedMachine.classed(["z": 0]).0
        func step(_ place: String, _ value: JSON, _ base: UInt64, _ name: String, reads: [String] = []) throws -> UInt64 {
            _ = try machine.merge(place, value, base, as: name, reads: reads)
            return try machine.tip().seq
        }
        let start = try machine.tip().seq
        let made = try step("/a", [:], start, "worker")
        let filled = try step("/a", ["b": 1, "c": 2], made, "worker")
        let taken = try step("/a/b", 9, made, "security-sentinel")
        _ = try step("/z", 1, taken, "worker")
        _ = try step("/z", 2, filled, "operator")
        #expect(try machine.documents().state.root == ["a": ["b": 9], "z": 2])
        _ = try step("/a", 7, start, "operator")
        #expect(try machine.documents().state.root == ["a": ["b": 9], "z": 2])
        let last = try #require(try machine.entries().last { $0.action == "state.patched" })
        #expect(try JSON(parsing: last.body)["lost"]?[0]?["loser"]?["value"] == 7)
    }

    @Test(
        "whatever had been seen, each entry's patch applies, and the tree that is folded is the one that was decided on",
        arguments: 1...10 as ClosedRange<UInt64>)
    func bases(seed: UInt64) throws {
        var source = DocumentSource(random: SeededGenerator(seed: seed))
        let tree: JSON = ["a": ["a": 1, "b": ["a": 1], "l": [1, 2]], "b": ["a": 1, "b": 2], "l": [1, ["a": 1], 3]]
        let (machine, base) = try SimulatedMachine.classed(tree, seed: seed)
        var recordedCount = 0
        for _ in 0..<40 {
            let seen = UInt64.random(in: base...(try machine.tip().seq), using: &source.random)
            let patch = source.merging(of: try machine.documents(FoldEnd(seq: seen)).state.root)
            let name = Classes.names.randomElement(using: &source.random)!
            do {
                _ = try machine.merge(patch, seen, as: name, snapshotInterval: 7)
                recordedCount += 1
            } catch let error as LedgerError {
                #expect(error.code == .conflict, "seed \(seed): \(error)")
            }
            let documents = try machine.documents().state
            let found = try machine.found().fold.state
            #expect(documents.skippedCount == 0 && documents == found, "seed \(seed)")
        }
        #expect(recordedCount > 10)
    }
}

extension SimulatedMachine {
    @discardableResult
    fileprivate func patch(_ place: String, _ value: JSON) throws -> Receipt {
        var decider = try decider()
        return try decider.set(place, value)
    }

    @discardableResult
    fileprivate func merge(
        _ place: String, _ value: JSON, _ base: UInt64, as name: String? = nil, reads: [String] = []
    ) throws -> ConflictManager.Resolution {
        let seen = try documents(FoldEnd(seq: base)).state
        return try merge(seen.setting(try JSONPointer(parsing: place), to: value), base, as: name, reads: reads)
    }

    fileprivate func mergeError(_ place: String, _ value: JSON, _ base: UInt64, reads: [String] = []) throws -> LedgerError? {
        do {
            _ = try merge(place, value, base, reads: reads)
            return nil
        } catch let error as LedgerError {
            return error
        }
    }
}
