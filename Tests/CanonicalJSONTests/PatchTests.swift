import CanonicalJSON
import Testing

@Suite("JSON Patch")
struct PatchTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let document: String
        let patch: String
        let result: String

        init(_ name: String, _ document: String, _ patch: String, _ result: String) {
            testDescription = name
            self.document = document
            self.patch = patch
            self.result = result
        }
    }

    private static func apply(_ patch: String, to document: String) throws -> JSON {
        try JSONPatch(JSON(parsing: bytes(patch))).apply(to: JSON(parsing: bytes(document)))
    }

    @Test(
        "the situations of RFC 6902, appendix A, give the documents shown there",
        arguments: [
            Case(
                "A.1 adding a member", #"{"foo":"bar"}"#, #"[{"op":"add","path":"/baz","value":"qux"}]"#,
                #"{"baz":"qux","foo":"bar"}"#),
            Case(
                "A.2 adding an element", #"{"foo":["bar","baz"]}"#, #"[{"op":"add","path":"/foo/1","value":"qux"}]"#,
                #"{"foo":["bar","qux","baz"]}"#),
            Case(
                "A.3 removing a member", #"{"baz":"qux","foo":"bar"}"#, #"[{"op":"remove","path":"/baz"}]"#,
                #"{"foo":"bar"}"#),
            Case(
                "A.4 removing an element", #"{"foo":["bar","qux","baz"]}"#, #"[{"op":"remove","path":"/foo/1"}]"#,
                #"{"foo":["bar","baz"]}"#),
            Case(
                "A.5 replacing a value", #"{"baz":"qux","foo":"bar"}"#,
                #"[{"op":"replace","path":"/baz","value":"boo"}]"#, #"{"baz":"boo","foo":"bar"}"#),
            Case(
                "A.6 moving a value", #"{"foo":{"bar":"baz","waldo":"fred"},"qux":{"corge":"grault"}}"#,
                #"[{"op":"move","from":"/foo/waldo","path":"/qux/thud"}]"#,
                #"{"foo":{"bar":"baz"},"qux":{"corge":"grault","thud":"fred"}}"#),
            Case(
                "A.7 moving an element", #"{"foo":["all","grass","cows","eat"]}"#,
                #"[{"op":"move","from":"/foo/1","path":"/foo/3"}]"#, #"{"foo":["all","cows","eat","grass"]}"#),
            Case(
                "A.8 a test that holds", #"{"baz":"qux","foo":["a",2,"c"]}"#,
                #"[{"op":"test","path":"/baz","value":"qux"},{"op":"test","path":"/foo/1","value":2}]"#,
                #"{"baz":"qux","foo":["a",2,"c"]}"#),
            Case(
                "A.10 adding a nested object", #"{"foo":"bar"}"#,
                #"[{"op":"add","path":"/child","value":{"grandchild":{}}}]"#,
                #"{"child":{"grandchild":{}},"foo":"bar"}"#),
            Case(
                "A.11 unknown members", #"{"foo":"bar"}"#, #"[{"op":"add","path":"/baz","value":"qux","xyz":123}]"#,
                #"{"baz":"qux","foo":"bar"}"#),
            Case(
                "A.14 escapes in order", #"{"/":9,"~1":10}"#, #"[{"op":"test","path":"/~01","value":10}]"#,
                #"{"/":9,"~1":10}"#),
            Case(
                "A.16 adding an array as element", #"{"foo":["bar"]}"#,
                #"[{"op":"add","path":"/foo/-","value":["abc","def"]}]"#, #"{"foo":["bar",["abc","def"]]}"#),
            Case(
                "copying a value", #"{"a":[1],"b":{}}"#,
                #"[{"op":"copy","from":"/a","path":"/b/c"},{"op":"add","path":"/b/c/-","value":2}]"#,
                #"{"a":[1],"b":{"c":[1,2]}}"#),
            Case(
                "replacing the whole document", #"{"a":1}"#, #"[{"op":"replace","path":"","value":[null]}]"#, "[null]"),
            Case("adding over a member", #"{"a":1}"#, #"[{"op":"add","path":"/a","value":null}]"#, #"{"a":null}"#),
            Case("moving a value onto itself", #"{"a":1}"#, #"[{"op":"move","from":"/a","path":"/a"}]"#, #"{"a":1}"#),
            Case(
                "moving a value over its parent", #"{"a":{"b":2}}"#, #"[{"op":"move","from":"/a/b","path":"/a"}]"#,
                #"{"a":2}"#),
            Case(
                "comparing numbers, not spellings", #"{"a":100}"#, #"[{"op":"test","path":"/a","value":1.0e2}]"#,
                #"{"a":100}"#),
        ])
    func application(_ sample: Case) throws {
        #expect(try Self.apply(sample.patch, to: sample.document).canonicalText == sample.result)
    }

    @Test("a failing operation is named by its index, with the reason, and nothing is changed")
    func failures() throws {
        let document = #"{"baz":"qux","foo":["bar"]}"#
        let first = #"{"op":"add","path":"/new","value":1}"#
        func pointer(_ text: String) throws -> JSONPointer { try JSONPointer(parsing: text) }
        let cases: [(String, JSONPatchError.Reason)] = [
            (#"{"op":"test","path":"/baz","value":"bar"}"#, .testFailed(try pointer("/baz"))),
            (#"{"op":"add","path":"/no/way","value":1}"#, .notFound(try pointer("/no/way"))),
            (#"{"op":"add","path":"/baz/bat","value":1}"#, .notFound(try pointer("/baz/bat"))),
            (#"{"op":"add","path":"/foo/2","value":1}"#, .notFound(try pointer("/foo/2"))),
            (#"{"op":"add","path":"/foo/x","value":1}"#, .notAnIndex(try pointer("/foo/x"))),
            (#"{"op":"add","path":"/foo/01","value":1}"#, .notAnIndex(try pointer("/foo/01"))),
            (#"{"op":"remove","path":"/foo/1"}"#, .notFound(try pointer("/foo/1"))),
            (#"{"op":"remove","path":"/foo/-"}"#, .notFound(try pointer("/foo/-"))),
            (#"{"op":"remove","path":""}"#, .removesRoot),
            (#"{"op":"replace","path":"/none","value":1}"#, .notFound(try pointer("/none"))),
            (#"{"op":"move","from":"/none","path":"/baz"}"#, .notFound(try pointer("/none"))),
            (#"{"op":"move","from":"/foo","path":"/foo/0"}"#, .movesIntoItself),
            (#"{"op":"copy","from":"/none","path":"/baz"}"#, .notFound(try pointer("/none"))),
            (#"{"op":"test","path":"/baz","value":10}"#, .testFailed(try pointer("/baz"))),
            (#"{"op":"test","path":"/none","value":null}"#, .notFound(try pointer("/none"))),
        ]
        for (operation, reason) in cases {
            #expect(throws: JSONPatchError(operation: 1, reason: reason), "\(operation)") {
                try Self.apply("[\(first),\(operation)]", to: document)
            }
        }
    }

    @Test("a patch that is none is refused, with the operation to blame")
    func malformed() {
        let cases: [(String, Int?, JSONPatchError.Reason)] = [
            ("{}", nil, .notAnArray), ("[1]", 0, .notAnObject), ("[{}]", 0, .badMember("op")),
            (#"[{"op":"spam","path":""}]"#, 0, .unknownOperation),
            (#"[{"op":"add","value":1}]"#, 0, .badMember("path")),
            (#"[{"op":"add","path":""}]"#, 0, .badMember("value")),
            (#"[{"op":"remove","path":7}]"#, 0, .badMember("path")),
            (#"[{"op":"move","path":""}]"#, 0, .badMember("from")),
            (#"[{"op":"remove","path":"/a"},{"op":"remove","path":"a"}]"#, 1, .badPointer(.noLeadingSlash)),
            (#"[{"op":"copy","path":"","from":"/~"}]"#, 0, .badPointer(.badEscape(offset: 1))),
        ]
        for (text, operation, reason) in cases {
            #expect(throws: JSONPatchError(operation: operation, reason: reason), "\(text)") {
                try JSONPatch(JSON(parsing: bytes(text)))
            }
        }
        // RFC 6902, appendix A.13: the same member twice.
        #expect(parseFault(bytes(#"[{"op":"add","path":"/baz","value":"qux","op":"remove"}]"#))?.kind == .duplicateKey)
    }

    @Test("errors say what happened")
    func descriptions() throws {
        let error = JSONPatchError(operation: 3, reason: .notFound(try JSONPointer(parsing: "/a~1b")))
        #expect("\(error)" == "operation 3 of the patch fails: there is nothing at \"/a~1b\"")
        #expect("\(JSONPatchError(operation: nil, reason: .notAnArray))" == "the patch fails: a patch must be an array")
    }

    @Test("a patch is the same after being written and read")
    func coding() throws {
        let a = try JSONPointer(parsing: "/a~0/0")
        let b = try JSONPointer(parsing: "")
        let patch = JSONPatch([
            .add(a, .null), .remove(b), .replace(b, ["x": 1]), .move(from: a, to: b), .copy(from: b, to: a),
            .test(a, "t"),
        ])
        #expect(try JSONPatch(JSON(parsing: patch.json.canonicalBytes())) == patch)
    }

    @Test("the difference of two documents turns one into the other", arguments: 0..<16 as Range<UInt64>)
    func difference(seed: UInt64) throws {
        var random = RandomDocuments(seed: seed)
        for index in 0..<150 {
            let old = random.value()
            var new = old
            for _ in 0..<Int.random(in: 0...4, using: &random.generator) { new = random.variation(of: new) }
            let patch = JSONPatch.diff(from: old, to: new)
            #expect(try patch.apply(to: old) == new, "seed \(seed), document \(index)")
            #expect(patch.operations.isEmpty == (old == new), "seed \(seed), document \(index)")
            #expect(try JSONPatch(patch.json) == patch, "seed \(seed), document \(index)")
        }
    }

    @Test("a difference touches only what differs")
    func smallDifference() throws {
        let old: JSON = ["kept": [1, 2, 3], "list": [1, 2, 3, 4], "gone": 1]
        let new: JSON = ["kept": [1, 2, 3], "list": [1, 9, 2, 3, 4], "new": [:]]
        #expect(
            JSONPatch.diff(from: old, to: new).operations.map { "\($0.json)" } == [
                #"{"op":"remove","path":"/gone"}"#,
                #"{"op":"add","path":"/list/1","value":9}"#,
                #"{"op":"add","path":"/new","value":{}}"#,
            ])
    }

    @Test("what is added at the root takes the document's place, and later operations see it")
    func root() throws {
        let patch = #"[{"op":"add","path":"","value":{"b":[1]}},{"op":"add","path":"/b/-","value":2}]"#
        #expect(try Self.apply(patch, to: #"{"a":1}"#) == JSON(parsing: bytes(#"{"b":[1,2]}"#)))
    }
}
