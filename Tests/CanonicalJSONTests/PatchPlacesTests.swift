import CanonicalJSON
import Testing

@Suite("What patches say of places")
struct PatchPlacesTests {
    private static let document: JSON = ["a": ["x": 1, "y": [1, 2]], "b": 2, "l": [1, ["c": 3], 5]]

    private func patch(_ text: String) throws -> JSONPatch { try JSONPatch(JSON(parsing: Array(text.utf8))) }

    @Test("each operation's places: a move writes both, a copy reads the one and writes the other, a test reads")
    func operations() throws {
        for (text, writes, reads) in [
            (#"[{"op":"move","from":"/b","path":"/a/z"}]"#, ["/a/z", "/b"], []),
            (#"[{"op":"move","from":"/l/1","path":"/m"}]"#, ["/l", "/m"], []),
            (#"[{"op":"copy","from":"/a/x","path":"/l/-"}]"#, ["/l"], ["/a/x"]),
            (#"[{"op":"test","path":"/b","value":2},{"op":"replace","path":"/l/0","value":7}]"#, ["/l/0"], ["/b"]),
            (#"[{"op":"add","path":"","value":[]},{"op":"add","path":"/0","value":1}]"#, [""], []),
        ] as [(String, [String], [String])] {
            let places = try patch(text).places(on: Self.document)
            #expect(places.writes.map(\.description) == writes && places.reads.map(\.description) == reads, "\(text)")
            #expect(places.result == (try patch(text).apply(to: Self.document)))
        }
    }

    @Test(
        "a value is put where there is no room for it: an element that is in the way becomes an object, and an array without the element too"
    )
    func putting() throws {
        for (place, value, result) in [
            ("/l/0/x", 2, ["l": [["x": 2], ["c": 3], 5]]),
            ("/l/1/c", nil, ["l": [1, [:], 5]]),
            ("/l/1", nil, ["l": ["0": 1, "2": 5]]),
            ("/l/3", 7, ["l": ["0": 1, "1": ["c": 3], "2": 5, "3": 7]]),
            ("/l/x/y", 7, ["l": ["0": 1, "1": ["c": 3], "2": 5, "x": ["y": 7]]]),
            ("/l/2", 7, ["l": [1, ["c": 3], 7]]),
            ("/m/n", 1, ["l": [1, ["c": 3], 5], "m": ["n": 1]]),
            ("/m", nil, ["l": [1, ["c": 3], 5]]),
            ("", nil, [:]),
        ] as [(String, JSON?, JSON)] {
            var document: JSON = ["l": [1, ["c": 3], 5]]
            document.put(value, at: try JSONPointer(parsing: place))
            #expect(document == result, "\(place)")
        }
    }

    @Test("the operation that fails is named")
    func failure() throws {
        let patch = try patch(#"[{"op":"remove","path":"/b"},{"op":"remove","path":"/b"}]"#)
        let error = #expect(throws: JSONPatchError.self) { try patch.places(on: Self.document) }
        #expect(error == JSONPatchError(operation: 1, reason: .notFound(JSONPointer(tokens: ["b"]))))
    }

    @Test("what can be told of a place without the document")
    func outcomes() throws {
        for (text, place, outcome) in [
            (#"[{"op":"add","path":"/a","value":{}},{"op":"add","path":"/a/x","value":1}]"#, "/a", .value(["x": 1])),
            (#"[{"op":"add","path":"/a","value":{"x":1}}]"#, "/a/x", .value(1)),
            (#"[{"op":"add","path":"/a","value":{"x":1}}]"#, "/a/y", .absent),
            (#"[{"op":"remove","path":"/a"}]"#, "/a/x", .absent),
            (#"[{"op":"add","path":"/a/x","value":1}]"#, "/a", .unknown),
            (#"[{"op":"test","path":"/a","value":1},{"op":"copy","from":"/a","path":"/b"}]"#, "/b", .value(1)),
            (#"[{"op":"replace","path":"/a","value":1},{"op":"move","from":"/a","path":"/b"}]"#, "/a", .absent),
            (
                #"[{"op":"replace","path":"/a","value":{"x":1,"y":2}},{"op":"move","from":"/a/x","path":"/a/y"}]"#, "/a",
                .value(["y": 1])
            ),
            (#"[{"op":"replace","path":"/a","value":{"x":1}},{"op":"copy","from":"/b","path":"/a/y"}]"#, "/a", .unknown),
            (#"[{"op":"replace","path":"/a","value":1},{"op":"replace","path":"/b","value":2}]"#, "/a", .value(1)),
            (
                #"[{"op":"replace","path":"/l/1","value":7},{"op":"add","path":"/l/0","value":3},{"op":"move","from":"/l/1","path":"/x"}]"#,
                "/x", .unknown
            ),
            (#"[]"#, "/a", .unknown),
        ] as [(String, String, JSONPatch.Outcome)] {
            #expect(try patch(text).outcome(at: try JSONPointer(parsing: place)) == outcome, "\(text) \(place)")
        }
    }

    @Test("what is told of a place that a patch writes is what stands there behind it", arguments: 1...300 as ClosedRange<UInt64>)
    func agreement(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        var told = 0
        for _ in 0..<20 {
            var (operations, now): ([JSONPatch.Operation], JSON) = ([], Self.document)
            for _ in 0..<30 where operations.count < 5 {
                func place() -> JSONPointer {
                    JSONPointer(
                        tokens: (0..<Int.random(in: 1...2, using: &random)).map { _ in
                            ["a", "b", "l", "x", "0", "1", "-"].randomElement(using: &random)!
                        })
                }
                let value: JSON = [1, ["x": 1], [7, 8]].randomElement(using: &random)!
                let (at, from) = (place(), place())
                let operation: JSONPatch.Operation =
                    switch Int.random(in: 0..<6, using: &random) {
                    case 0: .remove(at)
                    case 1: .replace(at, value)
                    case 2: .move(from: from, to: at)
                    case 3: .copy(from: from, to: at)
                    case 4: .test(at, now[at] ?? value)
                    default: .add(at, value)
                    }
                guard (try? JSONPatch([operation]).apply(to: &now)) != nil else { continue }
                operations.append(operation)
            }
            let patch = JSONPatch(operations)
            for write in try patch.places(on: Self.document).writes {
                switch patch.outcome(at: write) {
                case .value(let value): #expect(now[write] == value, "seed \(seed): \(patch.json.canonicalText) \(write)")
                case .absent: #expect(now[write] == nil, "seed \(seed): \(patch.json.canonicalText) \(write)")
                case .unknown: continue
                }
                told += 1
            }
        }
        #expect(told > 5, "seed \(seed)")
    }
}
