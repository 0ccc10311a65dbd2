import CanonicalJSON
import Testing

@Suite("JSON Pointer")
struct PointerTests {
    private static let document: JSON = [
        "foo": ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "e^f": 3, "g|h": 4, "i\\j": 5, "k\"l": 6, " ": 7, "m~n": 8,
    ]

    @Test(
        "the pointers of RFC 6901, section 5, find their values",
        arguments: [
            ("", document), ("/foo", ["bar", "baz"]), ("/foo/0", "bar"), ("/", 0), ("/a~1b", 1), ("/c%d", 2),
            ("/e^f", 3),
            ("/g|h", 4), ("/i\\j", 5), ("/k\"l", 6), ("/ ", 7), ("/m~0n", 8),
        ] as [(String, JSON)])
    func evaluation(text: String, value: JSON) throws {
        let pointer = try JSONPointer(parsing: text)
        #expect(pointer.evaluate(on: Self.document) == value)
        #expect(Self.document[pointer] == value)
        #expect("\(pointer)" == text)
    }

    @Test(
        "a pointer to nothing finds nothing",
        arguments: [
            "/bar", "/foo/2", "/foo/-", "/foo/00", "/foo/01", "/foo/+1", "/foo/1e0", "/foo/", "/foo/0/x",
            "/foo/99999999999999999999",
        ])
    func nothing(text: String) throws {
        #expect(try JSONPointer(parsing: text).evaluate(on: Self.document) == nil)
    }

    @Test("a text that is no pointer is refused")
    func syntax() {
        #expect(throws: JSONPointer.SyntaxError.noLeadingSlash) { try JSONPointer(parsing: "foo") }
        #expect(throws: JSONPointer.SyntaxError.badEscape(offset: 2)) { try JSONPointer(parsing: "/a~") }
        #expect(throws: JSONPointer.SyntaxError.badEscape(offset: 1)) { try JSONPointer(parsing: "/~2") }
        #expect(throws: JSONPointer.SyntaxError.badEscape(offset: 1)) { try JSONPointer(parsing: "/~/0") }
        #expect(throws: JSONPointer.SyntaxError.badEscape(offset: 1)) { try JSONPointer(parsing: "/~~0") }
    }

    @Test("~01 stands for ~1, not for a slash")
    func escapeOrder() throws {
        #expect(try JSONPointer(parsing: "/~01").tokens == ["~1"])
        #expect(try JSONPointer(parsing: "/~01/~10").tokens == ["~1", "/0"])
    }

    @Test("any tokens survive being written and read", arguments: 0..<8 as Range<UInt64>)
    func roundTrip(seed: UInt64) throws {
        var random = RandomDocuments(seed: seed)
        for _ in 0..<200 {
            let tokens = (0..<Int.random(in: 0...3, using: &random.generator)).map { _ in
                random.string() + ["", "~", "/", "~1"].randomElement(using: &random.generator)!
            }
            let pointer = JSONPointer(tokens: tokens)
            #expect(try JSONPointer(parsing: "\(pointer)") == pointer, "seed \(seed)")
        }
    }

    @Test("pointers are compared by code points")
    func equality() {
        #expect(JSONPointer(tokens: ["\u{E9}"]) != JSONPointer(tokens: ["e\u{301}"]))
        #expect(JSONPointer(tokens: ["a"]).isPrefix(of: JSONPointer(tokens: ["a", "b"])))
        #expect(!JSONPointer(tokens: ["a"]).isPrefix(of: JSONPointer(tokens: ["ab"])))
    }
}
