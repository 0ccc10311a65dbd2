import CanonicalJSON
import DurableFiles
import Kernel
import Ledger
import LedgerFormat
import TestSupport
import Testing

@Suite("Merging changes of the tree")
struct MergeTests {
    private func start(_ tree: JSON, seed: UInt64 = 1) throws -> (SimulatedMachine, base: UInt64) {
        let machine = try SimulatedMachine(seed: seed, count: 1)
        try machine.write { session in
            for name in Classes.names {
                _ = try session.enroll("process:\(name)", as: name, Classes.signers[name]!.key, reason: "test")
            }
        }
        let receipt = try machine.patch(JSONPatch([.replace(JSONPointer(), tree)]))
        return (machine, receipt.seq)
    }

    @Test("other places are merged, the same value is no conflict, and of equal classes the first one stays")
    func equals() throws {
        let (machine, base) = try start(["a": ["b": 0, "c": 0], "list": [1, 2]])
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
        let (machine, base) = try start(["a": 0])
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
            let (machine, base) = try start(["a": ["old": 1]])
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
            let (machine, base) = try start(["a": 0])
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

    @Test("what was built on what lost is lost, and told")
    func groundless() throws {
        let (machine, base) = try start(["a": [:]])
        _ = try machine.merge("/a", ["in": [:]], base, as: "skill-utility")
        _ = try machine.merge("/a/in/x", 1, try machine.tip().seq, as: "worker")
        let resolution = try machine.merge("/a/q", 5, base, as: "operator")
        #expect(resolution.overrode.map(\.at.description) == ["/a", "/a/in/x"])
        #expect(try machine.documents().state.root == ["a": ["q": 5]])
    }

    @Test("the tree is the same in whatever order different classes come", arguments: 1...30 as ClosedRange<UInt64>)
    func orders(seed: UInt64) throws {
        var source = DocumentSource(random: SeededGenerator(seed: seed))
        let tree: JSON = ["a": ["a": 1, "b": ["a": 1], "l": [1, 2]], "b": ["a": 1, "b": 2], "l": [1, ["a": 1], 3]]
        let (machine, base) = try start(tree, seed: seed)
        let patches = (0..<4).map { _ in source.merging(of: tree) }
        let reads = (0..<4).map { _ in source.reads() }
        var first: JSON?
        for order in Self.permutations(4) {
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
        "whatever had been seen, each entry's patch applies, and the tree that is folded is the one that was decided on",
        arguments: 1...10 as ClosedRange<UInt64>)
    func bases(seed: UInt64) throws {
        var source = DocumentSource(random: SeededGenerator(seed: seed))
        let tree: JSON = ["a": ["a": 1, "b": ["a": 1], "l": [1, 2]], "b": ["a": 1, "b": 2], "l": [1, ["a": 1], 3]]
        let (machine, base) = try start(tree, seed: seed)
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

    private static func permutations(_ count: Int) -> [[Int]] {
        if count == 0 { return [[]] }
        return permutations(count - 1).flatMap { shorter in
            (0...shorter.count).map { place in
                var longer = shorter
                longer.insert(count - 1, at: place)
                return longer
            }
        }
    }
}

private enum Classes {
    static let names = ["security-sentinel", "operator", "worker", "skill-utility"]
    static let signers = Dictionary(
        uniqueKeysWithValues: names.enumerated().map {
            ($0.element, ActorSigner(seed: [UInt8](repeating: UInt8($0.offset + 60), count: 32)))
        })
}

extension SimulatedMachine {
    @discardableResult
    fileprivate func patch(_ place: String, _ value: JSON) throws -> Receipt {
        var decider = try decider()
        return try decider.set(place, value)
    }

    /// - Parameter name: a class, whose actor signs; without one nobody has a key.
    fileprivate func merge(
        _ patch: JSONPatch, _ base: UInt64, as name: String? = nil, reads: [String] = [], snapshotInterval: UInt64 = 10_000
    ) throws -> ConflictManager.Resolution {
        var machine = self
        if let name { machine.settings.signer = Classes.signers[name] }
        var decider = try machine.decider(snapshotInterval: snapshotInterval)
        let reads = try reads.map { try JSONPointer(parsing: $0) }
        let actor = name.map { "process:\($0)" } ?? "user:bob"
        return try decider.change(seen: base, reading: reads, as: actor, .test) { _ in patch }.reply
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

extension DocumentSource {
    /// A patch that applies to a tree, at places that others choose too.
    fileprivate mutating func merging(of tree: JSON) -> JSONPatch {
        var (patch, now) = (JSONPatch(), tree)
        let wanted = Int.random(in: 1...2, using: &random)
        for _ in 0..<50 where patch.operations.count < wanted {
            let tokens = (0..<Int.random(in: 1...3, using: &random)).map { _ in
                ["a", "b", "l", "0", "1", "-"][Int.random(in: 0..<6, using: &random)]
            }
            let place = JSONPointer(tokens: tokens)
            let number = JSON.number(Double(Int.random(in: 0...2, using: &random)))
            let values: [JSON] = [number, ["a": 1], [7]]
            let value = values[Int.random(in: 0..<3, using: &random)]
            let operation: JSONPatch.Operation =
                switch Int.random(in: 0..<6, using: &random) {
                case 0: .remove(place)
                case 1: .replace(place, value)
                case 2: .move(from: place, to: JSONPointer(tokens: ["b", "a"]))
                default: .add(place, value)
                }
            guard let next = try? JSONPatch([operation]).apply(to: now) else { continue }
            now = next
            patch.operations.append(operation)
        }
        return patch.operations.isEmpty ? JSONPatch([.add(JSONPointer(tokens: ["new"]), 1)]) : patch
    }

    fileprivate mutating func reads() -> [String] {
        Int.random(in: 0..<3, using: &random) > 0 ? [] : [["/a", "/b/a", "/l", "/a/b"].randomElement(using: &random)!]
    }
}
