import CanonicalJSON
import Foundation
import Testing

@Suite("Codable")
struct CodingTests {
    enum Shape: Codable, Equatable {
        case nothing
        case circle(radius: Double)
        case path([Int], closed: Bool?)
    }

    struct Inner: Codable, Equatable {
        var name: String
        var note: String?
        var shapes: [Shape]
    }

    struct Zoo: Codable, Equatable {
        var inner: Inner
        var list: [Int?]
        var byName: [String: Inner]
        var byNumber: [Int: String]
        var small: Int8
        var large: UInt64
        var ratio: Float
        var free: JSON
    }

    class Base: Codable {
        var base: Int = 0
        init(base: Int) { self.base = base }
    }

    final class Derived: Base {
        var own = "own"
        private enum Keys: CodingKey { case own }

        init() { super.init(base: 7) }

        required init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: Keys.self)
            own = try container.decode(String.self, forKey: .own)
            try super.init(from: container.superDecoder())
        }

        override func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: Keys.self)
            try container.encode(own, forKey: .own)
            try super.encode(to: container.superEncoder())
        }
    }

    /// Asks for every container that the protocols have.
    struct Nested: Codable, Equatable {
        private enum Keys: CodingKey { case list, object, other }
        var values = [1, 2, 3]

        init() {}

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: Keys.self)
            var list = container.nestedUnkeyedContainer(forKey: .list)
            var object = container.nestedContainer(keyedBy: Keys.self, forKey: .object)
            try list.encodeNil()
            try list.encode(values[0])
            var inner = list.nestedUnkeyedContainer()
            var keyed = list.nestedContainer(keyedBy: Keys.self)
            try object.encodeNil(forKey: .other)
            try keyed.encode(values[1], forKey: .other)
            try inner.encode(values[2])
            try "super".encode(to: list.superEncoder())
            try true.encode(to: container.superEncoder(forKey: .other))
            #expect(list.count == 5 && list.codingPath.map(\.stringValue) == ["list"])
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: Keys.self)
            var list = try container.nestedUnkeyedContainer(forKey: .list)
            let object = try container.nestedContainer(keyedBy: Keys.self, forKey: .object)
            #expect(try list.decodeNil() && object.decodeNil(forKey: .other) && list.count == 5)
            #expect(try !list.decodeNil(), "what is no null is not stepped over")
            let first = try list.decode(Int.self)
            var inner = try list.nestedUnkeyedContainer()
            let keyed = try list.nestedContainer(keyedBy: Keys.self)
            values = [first, try keyed.decode(Int.self, forKey: .other), try inner.decode(Int.self)]
            #expect(try String(from: list.superDecoder()) == "super" && list.isAtEnd && list.currentIndex == 5)
            #expect(try Bool(from: container.superDecoder(forKey: .other)))
            #expect(object.allKeys == [.other] && object.contains(.other) && !object.contains(.list))
        }
    }

    @Test("a zoo of types comes back as it was, by way of text")
    func zoo() throws {
        let inner = Inner(name: "é\u{0}", note: nil, shapes: [.nothing, .circle(radius: 0.1), .path([1, -2], closed: nil)])
        let zoo = Zoo(
            inner: inner, list: [1, nil, 3], byName: ["b": inner, "a": inner], byNumber: [-1: "x", 10: "y"], small: -128,
            large: 1 << 63, ratio: 0.1, free: ["any": [1, .null]])
        let json = try JSON(encoding: zoo)
        #expect(try JSON(parsing: json.canonicalBytes()) == json)
        #expect(try json.decoded(as: Zoo.self) == zoo)
        #expect(json["inner"]?["note"] == nil && json["byNumber"] == ["-1": "x", "10": "y"])
        #expect(json["inner"]?["shapes"]?[1] == ["circle": ["radius": 0.1]])
        #expect(json["list"] == [1, .null, 3] && json["free"] == ["any": [1, .null]])
        #expect(json["ratio"]?.number == Double(Float(0.1)))
    }

    @Test("containers may be nested, written in turn, and handed to superclasses")
    func containers() throws {
        let json = try JSON(encoding: Nested())
        #expect(json == ["list": [.null, 1, [3], ["other": 2], "super"], "object": ["other": .null], "other": true])
        #expect(try json.decoded() == Nested())
        let derived = try JSON(encoding: Derived())
        #expect(derived == ["own": "own", "super": ["base": 7]])
        #expect(try derived.decoded(as: Derived.self).base == 7)
    }

    @Test("null and absence are both nil, and nothing encoded is an empty object")
    func absence() throws {
        struct Nothing: Encodable { func encode(to encoder: any Encoder) {} }
        #expect(try JSON(encoding: [Nothing()]) == [[:]])
        for text in [#"{"name":"n","shapes":[]}"#, #"{"name":"n","note":null,"shapes":[]}"#] {
            #expect(try JSON(parsing: bytes(text)).decoded(as: Inner.self).note == nil)
        }
        #expect(try JSON(encoding: Int?.none) == .null && JSON.null.decoded(as: Int?.self) == nil)
        #expect(try JSON.null.decoded(as: JSON.self) == .null)
    }

    private static func refusal(_ value: some Encodable) -> JSONCodingError? {
        do throws(JSONCodingError) {
            _ = try JSON(encoding: value)
            return nil
        } catch {
            return error
        }
    }

    private static func refusal<Value: Decodable>(_ json: JSON, as type: Value.Type) -> JSONCodingError? {
        do throws(JSONCodingError) {
            _ = try json.decoded(as: type)
            return nil
        } catch {
            return error
        }
    }

    private static func error(_ path: String, _ reason: JSONCodingError.Reason) throws -> JSONCodingError {
        JSONCodingError(path: try JSONPointer(parsing: path), reason: reason)
    }

    @Test("what JSON cannot hold exactly is refused with its place, never rounded")
    func encodingRefusals() throws {
        struct Box<Value: Encodable>: Encodable { var a: [Value] }
        let odd = (1 << 53) + 1
        #expect(try Self.refusal(Box(a: [1, odd])) == Self.error("/a/1", .notExact("9007199254740993")))
        #expect(try Self.refusal(Box(a: [-odd])) == Self.error("/a/0", .notExact("-9007199254740993")))
        #expect(try Self.refusal(UInt64.max) == Self.error("", .notExact("18446744073709551615")))
        #expect(Self.refusal(Int128(1)) != nil, "never rounded, as the standard library leaves it out")
        #expect(try JSON(encoding: [odd - 1, 1 << 60]) == .array([.number(0x1p53), .number(0x1p60)]))
        for value in [Double.nan, .infinity, -.infinity] {
            #expect(try Self.refusal(["x/y": value]) == Self.error("/x~1y", .notFinite))
            #expect(try Self.refusal(Box(a: [Float(value)])) == Self.error("/a/0", .notFinite))
        }
        let text = try #require(Self.refusal(Box(a: [Double.nan])))
        #expect("\(text)" == "the value at \"/a/0\" is not finite, and JSON has no such number")
        #expect("\(try #require(Self.refusal(odd)))" == "the value is 9007199254740993, which a double cannot hold exactly")
    }

    @Test("a key that is written twice is refused, also across containers")
    func duplicateKeys() throws {
        struct Twice: Encodable {
            enum Keys: CodingKey { case a, b }
            func encode(to encoder: any Encoder) throws {
                var first = encoder.container(keyedBy: Keys.self)
                try first.encode(1, forKey: .a)
                try first.encode(1, forKey: .b)
                var second = encoder.container(keyedBy: Keys.self)
                _ = second.nestedUnkeyedContainer(forKey: .a)
            }
        }
        #expect(try Self.refusal([Twice()]) == Self.error("/0", .duplicateKey("a")))
    }

    @Test("endless values are refused before they overflow the stack")
    func depth() throws {
        struct Endless: Encodable {
            enum Keys: CodingKey { case next }
            func encode(to encoder: any Encoder) throws {
                var container = encoder.container(keyedBy: Keys.self)
                try container.encode(Endless(), forKey: .next)
            }
        }
        struct Deep: Encodable {
            func encode(to encoder: any Encoder) {
                var container = encoder.unkeyedContainer()
                for _ in 0..<600 { container = container.nestedUnkeyedContainer() }
            }
        }
        #expect(Self.refusal(Endless())?.reason == .tooDeep)
        #expect(Self.refusal(Endless())?.path.tokens.count == 513)
        #expect(Self.refusal(Deep())?.reason == .tooDeep)
    }

    @Test("what a type refuses itself is told in its words, with the place")
    func typesRefuse() throws {
        struct Complaint: Error, CustomStringConvertible { var description: String { "no, thanks" } }
        struct Refusing: Codable {
            init() {}
            init(from decoder: any Decoder) throws { throw Complaint() }
            func encode(to encoder: any Encoder) throws { throw Complaint() }
        }
        struct Standard: Codable {
            init() {}
            init(from decoder: any Decoder) throws {
                enum Keys: CodingKey { case own }
                throw DecodingError.keyNotFound(Keys.own, .init(codingPath: decoder.codingPath, debugDescription: "?"))
            }
            func encode(to encoder: any Encoder) throws {
                throw EncodingError.invalidValue(1, .init(codingPath: encoder.codingPath, debugDescription: "odd"))
            }
        }
        enum Colour: String, Codable { case red }
        #expect(try Self.refusal(["a": Refusing()]) == Self.error("/a", .refused("no, thanks")))
        #expect(try Self.refusal(["a": Standard()]) == Self.error("/a", .refused("odd")))
        #expect(try Self.refusal(["a": 1], as: [String: Refusing].self) == Self.error("/a", .refused("no, thanks")))
        #expect(try Self.refusal([1], as: [Standard].self) == Self.error("/0/own", .missing))
        let colour = try #require(Self.refusal(["mauve"], as: [Colour].self))
        #expect(colour.path == JSONPointer(tokens: ["0"]) && "\(colour)".contains("mauve"))
    }

    @Test("what does not fit a type is refused with its place")
    func decodingRefusals() throws {
        struct Pair: Decodable {
            var a: [Int8]
            var b: String
        }
        let words = JSONCodingError.Reason.wrongKind
        let cases: [(JSON, String, JSONCodingError.Reason)] = [
            (["a": [1]], "/b", .missing), (["a": [1, 128], "b": ""], "/a/1", .outOfRange(type: "Int8", number: 128)),
            (["a": [0.5], "b": ""], "/a/0", .outOfRange(type: "Int8", number: 0.5)),
            (["a": [], "b": .null], "/b", words("a string", "null")),
            (["a": ["x"], "b": ""], "/a/0", words("a number", "a string")),
            (["a": [:], "b": ""], "/a", words("an array", "an object")), ([], "", words("an object", "an array")),
        ]
        for (json, path, reason) in cases {
            #expect(try Self.refusal(json, as: Pair.self) == Self.error(path, reason), "\(json)")
        }
        #expect(Self.refusal(1, as: Bool.self)?.reason == words("true or false", "a number"))
        #expect(Self.refusal(true, as: Float.self)?.reason == words("a number", "true or false"))
        #expect(Self.refusal(1e300, as: Float.self)?.reason == .outOfRange(type: "Float", number: 1e300))
        #expect("\(try #require(Self.refusal(256, as: UInt8.self)))" == "the value is 256, which UInt8 does not hold")
        #expect("\(try #require(Self.refusal(.number(.nan), as: Int.self)))" == "the value is nan, which Int does not hold")
        struct Short: Decodable {
            init(from decoder: any Decoder) throws {
                var list = try decoder.unkeyedContainer()
                _ = try (list.decode(Int.self), list.decode(Int.self))
            }
        }
        #expect(try Self.refusal([1], as: Short.self) == Self.error("/1", .missing))
    }

    @Test("integers keep their value at the borders of every type, and one beyond is refused")
    func integerBorders() throws {
        func check<Value: FixedWidthInteger & Codable>(_ type: Value.Type) throws {
            for power in 0..<type.bitWidth - (type.isSigned ? 1 : 0) {
                let value = Value(1) << power
                #expect(try JSON(encoding: value).decoded(as: type) == value, "\(type)")
            }
            #expect(try JSON(encoding: type.min).decoded(as: type) == type.min, "\(type)")
            let beyond = Double(Value.max / 2 + 1) * 2
            let below = type.isSigned ? Double(type.min).nextDown.rounded(.down) : -1
            for number in [beyond, below, 0.5, beyond * 0x1p200, .infinity, -.infinity, .nan] {
                #expect(Self.refusal(.number(number), as: type) != nil, "\(type) \(number)")
            }
            #expect(try JSON.number(-0.0).decoded(as: type) == 0)
        }
        try check(Int8.self)
        try check(Int16.self)
        try check(Int32.self)
        try check(Int64.self)
        try check(UInt8.self)
        try check(UInt16.self)
        try check(UInt32.self)
        try check(UInt64.self)
    }

    @Test("keys that Swift takes for the same are refused, not dropped")
    func ambiguousKeys() throws {
        for (one, other) in [("\u{E9}", "e\u{301}"), ("K", "\u{212A}")] {
            let json = JSON.object([one: 1, other: 2])
            let error = try #require(Self.refusal(["a": json], as: [String: [String: Int]].self))
            #expect(error.path == JSONPointer(tokens: ["a"]))
            guard case .duplicateKey = error.reason else { throw error }
        }
        #expect(try JSON.object(["\u{E9}": 1, "e": 2]).decoded(as: [String: Int].self).count == 2)
    }

    @Test("a type that tries another after the kind of error that Codable prescribes")
    func alternatives() throws {
        struct Either: Decodable, Equatable {
            var text: String
            init(from decoder: any Decoder) throws {
                var list = try decoder.unkeyedContainer()
                do {
                    text = "\(try list.decode(Int.self))"
                } catch DecodingError.typeMismatch {
                    text = try list.decode(String.self)
                } catch DecodingError.valueNotFound {
                    text = "none"
                }
            }
        }
        #expect(try JSON.array([1]).decoded(as: Either.self).text == "1")
        #expect(try JSON.array(["x"]).decoded(as: Either.self).text == "x")
        #expect(try JSON.array([.null]).decoded(as: Either.self).text == "none")
    }

    @Test("any JSON passes as it is, and through Foundation's coders by its parts", arguments: 0..<8 as Range<UInt64>)
    func passingThrough(seed: UInt64) throws {
        struct Envelope: Codable { var body: JSON }
        var random = RandomDocuments(seed: seed)
        for index in 0..<100 {
            let json = random.value()
            let envelope = try JSON(encoding: Envelope(body: json))
            #expect(envelope["body"] == json, "seed \(seed), document \(index)")
            #expect(try envelope.decoded(as: Envelope.self).body == json, "seed \(seed), document \(index)")
            let tree = try json.decoded(as: Tree.self)
            #expect(try JSON(encoding: tree) == json, "seed \(seed), document \(index)")
        }
        let plain: JSON = ["a": [1, 0.5, true, .null, "é", [:], []], "b": ["c": -3]]
        let data = try JSONEncoder().encode(plain)
        #expect(try JSON(parsing: Array(data)) == plain)
        #expect(try JSONDecoder().decode(JSON.self, from: data) == plain)
    }

    /// A JSON value without `JSON`: every part goes through the containers.
    indirect enum Tree: Codable {
        case scalar(JSON)
        case list([Tree])
        case object([(String, Tree)])

        struct Key: CodingKey {
            let stringValue: String
            var intValue: Int? { nil }
            init(stringValue: String) { self.stringValue = stringValue }
            init?(intValue: Int) { nil }
        }

        init(from decoder: any Decoder) throws {
            if var list = try? decoder.unkeyedContainer() {
                var elements: [Tree] = []
                while !list.isAtEnd { elements.append(try list.decode(Tree.self)) }
                self = .list(elements)
            } else if let object = try? decoder.container(keyedBy: Key.self) {
                self = .object(try object.allKeys.map { ($0.stringValue, try object.decode(Tree.self, forKey: $0)) })
            } else {
                self = .scalar(try JSON(from: decoder))
            }
        }

        func encode(to encoder: any Encoder) throws {
            switch self {
            case .scalar(let json): try json.encode(to: encoder)
            case .list(let elements): try elements.encode(to: encoder)
            case .object(let members):
                var container = encoder.container(keyedBy: Key.self)
                for (key, tree) in members { try container.encode(tree, forKey: Key(stringValue: key)) }
            }
        }
    }

    @Test("a value in two forms stops the process")
    func twoForms() async {
        await #expect(processExitsWith: .failure) {
            struct TwoForms: Encodable {
                func encode(to encoder: any Encoder) throws {
                    _ = encoder.unkeyedContainer()
                    try 1.encode(to: encoder)
                }
            }
            _ = try? JSON(encoding: TwoForms())
        }
    }
}
