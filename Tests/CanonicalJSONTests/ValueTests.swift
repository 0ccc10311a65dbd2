import CanonicalJSON
import Testing

@Suite("Values")
struct ValueTests {
    @Test("texts are equal only if their code points are")
    func codePoints() {
        let composed = "\u{E9}"
        let decomposed = "e\u{301}"
        #expect(composed == decomposed)
        #expect(JSON.string(composed) != .string(decomposed))
        let object: JSONObject = [composed: 1, decomposed: 2]
        #expect(object.count == 2)
        #expect(object[composed] == 1 && object[decomposed] == 2)
        #expect(object != [composed: 2, decomposed: 1])
    }

    @Test("zero has no sign") func zero() {
        #expect(JSON.number(-0.0) == .number(0))
        #expect(JSON.number(-0.0).canonicalText == "0")
    }

    @Test("of several members with one key the last counts")
    func lastCounts() {
        #expect(JSONObject([("b", 1), ("a", 2), ("b", 3), ("a", 4)]).members.map(\.value) == [4, 3])
    }

    @Test("members can be set, replaced and removed, and stay sorted")
    func editing() {
        var object = JSONObject()
        object["b"] = 1
        object["a"] = 2
        object["c"] = 3
        object["b"] = "x"
        object["a"] = nil
        object["z"] = nil
        #expect(object == ["b": "x", "c": 3])
        #expect(!object.isEmpty && object.keys == ["b", "c"])
    }

    @Test("accessors answer nil for other kinds of value")
    func accessors() {
        let value: JSON = ["list": [true, .null, 1.5], "text": "t"]
        #expect(value["list"]?[0]?.bool == true)
        #expect(value["list"]?[1]?.isNull == true)
        #expect(value["list"]?[2]?.number == 1.5)
        #expect(value["list"]?[3] == nil && value["list"]?[-1] == nil)
        #expect(value["text"]?.string == "t" && value["text"]?.array == nil && value["none"] == nil)
        #expect(value.string == nil && value.object?.count == 2 && value["text"]?["x"] == nil)
    }

    @Test("an error is located by line and column in code points")
    func location() throws {
        let text = bytes("{\n  \"é\": tru\n}")
        let fault = try #require(parseFault(text))
        #expect(fault == JSONError(.unexpectedByte, at: 13))
        #expect(fault.location(in: text) == .init(line: 2, column: 11))
        #expect("\(fault.location(in: text))" == "line 2, column 11")
        #expect("\(fault)" == "JSON does not allow the byte found at byte 13")
    }
}
