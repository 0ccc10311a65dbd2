import CanonicalJSON
import Testing

@Suite("JSON Patch in place")
struct PatchInPlaceTests {
    /// Where something is in `document`, or close to it: also new members, ends of arrays, and nothing at all.
    private static func place(in document: JSON, _ random: inout RandomDocuments) -> JSONPointer {
        var pointer = JSONPointer()
        var current = document
        while !random.generator.chance(4) {
            switch current {
            case .object(let object):
                let member = object.members.randomElement(using: &random.generator)
                guard let member, !random.generator.chance(6) else { return pointer.appending("new") }
                pointer.tokens.append(member.key)
                current = member.value
            case .array(let elements):
                let index = Int.random(in: 0...elements.count, using: &random.generator)
                guard index < elements.count else {
                    return pointer.appending(random.generator.chance(2) ? "-" : "\(index)")
                }
                pointer.tokens.append("\(index)")
                current = elements[index]
            default: return random.generator.chance(5) ? pointer.appending("x") : pointer
            }
        }
        return pointer
    }

    private static func operation(on document: JSON, _ random: inout RandomDocuments) -> JSONPatch.Operation {
        let path = place(in: document, &random)
        switch Int.random(in: 0..<6, using: &random.generator) {
        case 0: return .add(path, random.value(depth: 2))
        case 1: return .remove(path)
        case 2: return .replace(path, random.value(depth: 2))
        case 3: return .move(from: place(in: document, &random), to: path)
        case 4: return .copy(from: place(in: document, &random), to: path)
        default: return .test(path, random.generator.chance(4) ? .null : document[path] ?? .null)
        }
    }

    @Test("a patch is made whole, as by a copying model, or not at all", arguments: 0..<16 as Range<UInt64>)
    func model(seed: UInt64) throws {
        var random = RandomDocuments(seed: seed)
        var (made, refused) = (0, 0)
        for index in 0..<300 {
            let before = random.value()
            var expected: JSON? = before
            var operations: [JSONPatch.Operation] = []
            for _ in 0..<Int.random(in: 1...6, using: &random.generator) {
                let operation = Self.operation(on: expected ?? before, &random)
                operations.append(operation)
                if let document = expected { expected = Model.make(operation, on: document) }
            }
            var document = before
            let patch = JSONPatch(operations)
            if let expected {
                made += 1
                try patch.apply(to: &document)
                #expect(document == expected, "seed \(seed), patch \(index)")
                #expect(try patch.apply(to: before) == expected, "seed \(seed), patch \(index)")
            } else {
                refused += 1
                #expect(throws: JSONPatchError.self) { try patch.apply(to: &document) }
                #expect(document == before, "seed \(seed), patch \(index): \(patch.json)")
            }
        }
        #expect(made > 30 && refused > 30, "seed \(seed)")
    }

    @Test("every kind of step is taken back when a later operation fails")
    func undo() throws {
        let before: JSON = ["a": ["b": [1, 2, 3]], "c": "x", "-": ["y"]]
        let steps = [
            #"{"op":"add","path":"/a/b/-","value":4}"#, #"{"op":"add","path":"/a/b/1","value":4}"#,
            #"{"op":"add","path":"/-/-","value":4}"#, #"{"op":"add","path":"/c","value":4}"#,
            #"{"op":"add","path":"/n","value":4}"#,
            #"{"op":"add","path":"","value":4}"#, #"{"op":"remove","path":"/a"}"#, #"{"op":"remove","path":"/a/b/0"}"#,
            #"{"op":"replace","path":"/a","value":4}"#, #"{"op":"replace","path":"","value":4}"#,
            #"{"op":"move","from":"/a/b","path":"/a"}"#, #"{"op":"move","from":"/a/b/0","path":"/a/b/2"}"#,
            #"{"op":"move","from":"/c","path":"/a"}"#, #"{"op":"copy","from":"/a","path":"/a/b/0"}"#,
            #"{"op":"copy","from":"/a","path":""}"#,
        ]
        for step in steps {
            var document = before
            let patch = try JSONPatch(JSON(parsing: bytes("[\(step),{\"op\":\"remove\",\"path\":\"/none\"}]")))
            #expect(throws: JSONPatchError(operation: 1, reason: .notFound(JSONPointer(tokens: ["none"]))), "\(step)") {
                try patch.apply(to: &document)
            }
            #expect(document == before, "\(step)")
        }
    }

    @Test("a move whose second half fails leaves the value where it was")
    func halfMove() throws {
        for path in ["/none/x", "/list/9", "/list/x", "/text/x"] {
            var document: JSON = ["a": 1, "list": [1], "text": "t"]
            let before = document
            let patch = JSONPatch([.move(from: JSONPointer(tokens: ["a"]), to: try JSONPointer(parsing: path))])
            #expect(throws: JSONPatchError.self) { try patch.apply(to: &document) }
            #expect(document == before, "\(path)")
        }
    }

    @Test("copies and whoever holds the document before see nothing of later changes")
    func aliasing() throws {
        var document: JSON = ["a": ["x": [1]]]
        let before = document
        let (a, b) = (JSONPointer(tokens: ["a"]), JSONPointer(tokens: ["b"]))
        let deep = b.appending("x").appending("0")
        try JSONPatch([.copy(from: a, to: b), .replace(deep, 2)]).apply(to: &document)
        #expect(document == ["a": ["x": [1]], "b": ["x": [2]]] && before == ["a": ["x": [1]]])
        let added: JSON = [1]
        let patch = JSONPatch([.add(b, added), .add(b.appending("-"), 2)])
        try patch.apply(to: &document)
        try patch.apply(to: &document)
        #expect(document["b"] == [1, 2] && added == [1])
    }

    @Test("changing a leaf in place copies none of its containers")
    func noCopies() throws {
        var document: JSON = .object(["o": .object(JSONObject((0..<100).map { ("k\($0)", [.number(Double($0))]) }))])
        func homes(_ document: borrowing JSON) -> [UInt] {
            let outer = document.object!.members
            let inner = outer[0].value.object!.members
            let leaf = inner[50].value.array!
            return [
                outer.withUnsafeBufferPointer { UInt(bitPattern: $0.baseAddress) },
                inner.withUnsafeBufferPointer { UInt(bitPattern: $0.baseAddress) },
                leaf.withUnsafeBufferPointer { UInt(bitPattern: $0.baseAddress) },
            ]
        }
        let key = document["o"]!.object!.members[50].key
        let leaf = JSONPointer(tokens: ["o", key, "0"])
        let before = homes(document)
        try JSONPatch([.replace(leaf, -1), .test(leaf, -1), .add(JSONPointer(tokens: ["o", key]).appending("0"), -2)]).apply(
            to: &document)
        #expect(document[leaf] == -2)
        // The last one grew an array, which may have moved; what is above it has not.
        #expect(homes(document).prefix(2) == before.prefix(2))
        #expect(document.withValue(at: leaf) { (value) in value = 5 } != nil && document[leaf] == 5)
        #expect(document.withValue(at: leaf.appending("x")) { _ in 1 } == nil)
        #expect(document.withValue(at: JSONPointer(tokens: ["o", "none"])) { _ in 1 } == nil)
        #expect(homes(document).prefix(2) == before.prefix(2))
    }

    @Test("the difference of large trees leads from one to the other", arguments: 0..<2 as Range<UInt64>)
    func largeDifference(seed: UInt64) throws {
        var random = RandomDocuments(seed: seed)
        func tree() -> [(String, JSON)] {
            (0..<100).map { outer in
                ("\(outer)", .object(JSONObject((0..<100).map { ("\($0)", JSON.number(Double($0 * outer))) })))
            }
        }
        let old: JSON = .object(JSONObject(tree()))
        var new = old
        for _ in 0..<500 {
            let outer = JSONPointer(tokens: ["\(Int.random(in: 0..<100, using: &random.generator))"])
            let key = "\(Int.random(in: 0..<120, using: &random.generator))"
            let value: JSON? = random.generator.chance(3) ? nil : random.value(depth: 1)
            new.withValue(at: outer) { (object) in
                var members = object.object!
                members[key] = value
                object = .object(members)
            }
        }
        let patch = JSONPatch.diff(from: old, to: new)
        #expect(patch.operations.count <= 500, "seed \(seed)")
        var document = old
        try patch.apply(to: &document)
        #expect(document == new, "seed \(seed)")
        try JSONPatch.diff(from: new, to: old).apply(to: &document)
        #expect(document == old, "seed \(seed)")
    }
}

/// RFC 6902 the slow way: each step builds a new document on the way back from its place. Nil where an operation must fail.
private enum Model {
    static func make(_ operation: JSONPatch.Operation, on document: JSON) -> JSON? {
        switch operation {
        case .add(let path, let value): return add(value, path.tokens[...], document)
        case .remove(let path): return remove(path.tokens[...], document)
        case .replace(let path, let value):
            guard document[path] != nil else { return nil }
            if path.tokens.isEmpty { return value }
            return remove(path.tokens[...], document).flatMap { add(value, path.tokens[...], $0) }
        case .move(let from, let path):
            guard let value = document[from] else { return nil }
            if from == path { return document }
            if from.isPrefix(of: path) { return nil }
            return remove(from.tokens[...], document).flatMap { add(value, path.tokens[...], $0) }
        case .copy(let from, let path): return document[from].flatMap { add($0, path.tokens[...], document) }
        case .test(let path, let value): return document[path] == value ? document : nil
        }
    }

    private static func add(_ value: JSON, _ path: ArraySlice<String>, _ document: JSON) -> JSON? {
        guard let token = path.first else { return value }
        let isLast = path.count == 1
        switch document {
        case .object(let object):
            guard let child = isLast ? value : object[token].flatMap({ add(value, path.dropFirst(), $0) }) else { return nil }
            return .object(JSONObject(object.members.map { ($0.key, $0.value) } + [(token, child)]))
        case .array(let elements):
            let index = isLast && token == "-" ? elements.count : Int(token) ?? -1
            guard 0...elements.count ~= index else { return nil }
            if isLast { return .array(Array(elements[..<index]) + [value] + elements[index...]) }
            guard index < elements.count, let child = add(value, path.dropFirst(), elements[index]) else { return nil }
            return .array(Array(elements[..<index]) + [child] + elements[(index + 1)...])
        default: return nil
        }
    }

    private static func remove(_ path: ArraySlice<String>, _ document: JSON) -> JSON? {
        guard let token = path.first else { return nil }
        let isLast = path.count == 1
        switch document {
        case .object(let object):
            guard let old = object[token] else { return nil }
            let others = object.members.filter { $0.key.utf8.elementsEqual(token.utf8) == false }.map { ($0.key, $0.value) }
            if isLast { return .object(JSONObject(others)) }
            return remove(path.dropFirst(), old).map { .object(JSONObject(others + [(token, $0)])) }
        case .array(let elements):
            guard let index = Int(token), elements.indices.contains(index) else { return nil }
            if isLast { return .array(Array(elements[..<index]) + Array(elements[(index + 1)...])) }
            return remove(path.dropFirst(), elements[index]).map {
                .array(Array(elements[..<index]) + [$0] + elements[(index + 1)...])
            }
        default: return nil
        }
    }
}
