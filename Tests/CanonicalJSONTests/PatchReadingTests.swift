import CanonicalJSON
import Testing

@Suite("JSON Patch read from the text around it")
struct PatchReadingTests {
    private func check(_ value: JSON, _ note: @autoclosure () -> String) {
        let text = JSON.object(["a": [1, ["b": "c"]], "patch": value, "z": "\u{e9}"]).canonicalBytes()
        let whole = Result { () throws(JSONPatchError) in try JSONPatch(value) }
        let read = Result { () throws(JSONPatchError) in try JSONPatch(member: "patch", ofCanonical: text.span) }
        switch (whole, read) {
        case (.success(let whole), .success(let read)): #expect(whole == read, "\(note())")
        case (.failure(let whole), .failure(let read)): #expect(whole == read, "\(note())")
        default: Issue.record("\(note()): as a tree \(whole), from the text \(read)")
        }
    }

    /// A patch, or something like one: with members that are missing, of the wrong kind, or of nobody's.
    private func patch(_ random: inout RandomDocuments) -> JSON {
        if random.generator.chance(20) { return random.value() }
        return .array(
            (0..<Int.random(in: 0...4, using: &random.generator)).map { _ in
                if random.generator.chance(20) { return random.value() }
                var object = JSONObject()
                object["op"] = .string(
                    ["add", "remove", "replace", "move", "copy", "test", "no"].randomElement(using: &random.generator)!)
                for name in ["path", "from"] where !random.generator.chance(12) {
                    object[name] =
                        random.generator.chance(12)
                        ? random.value()
                        : .string(["", "/a", "/a~1b/0", "/\u{e9}//-", "/~2", "x"].randomElement(using: &random.generator)!)
                }
                if !random.generator.chance(8) { object["value"] = random.value() }
                if random.generator.chance(8) { object[random.string()] = random.value() }
                return .object(object)
            })
    }

    @Test("it is what the tree holds, errors included", arguments: 0..<8 as Range<UInt64>)
    func likeTree(seed: UInt64) throws {
        var random = RandomDocuments(seed: seed)
        for index in 0..<400 {
            let value = patch(&random)
            check(value, "seed \(seed), patch \(index): \(value)")
        }
    }

    @Test("an object without the member has no patch")
    func absent() throws {
        for text in ["{}", #"{"a":[{"patch":[]}],"patches":1}"#] {
            #expect(try JSONPatch(member: "patch", ofCanonical: Array(text.utf8).span) == nil)
        }
    }
}
