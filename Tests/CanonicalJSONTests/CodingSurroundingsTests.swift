import CanonicalJSON
import Testing

@Suite("Codable: what a value may ask of its coder")
struct CodingSurroundingsTests {
    /// Looks at all that is not its own content.
    struct Curious: Codable, Equatable {
        init() {}

        init(from decoder: any Decoder) throws {
            #expect(decoder.userInfo.isEmpty && decoder.codingPath.count == 1)
            let key = try #require(decoder.codingPath.first)
            #expect(key.intValue == 0 && key.stringValue == "0")
            let same = try #require(type(of: key).init(intValue: 7))
            #expect(same.intValue == 7 && same.stringValue == "7")
        }

        func encode(to encoder: any Encoder) throws {
            #expect(encoder.userInfo.isEmpty && encoder.codingPath.count == 1)
            var container = encoder.singleValueContainer()
            try container.encode(true)
        }
    }

    @Test("there is no user info, and a place in a list is a key that can be made again from its number")
    func surroundings() throws {
        let json = try JSON(encoding: [Curious()])
        #expect(json == [true])
        #expect(try json.decoded(as: [Curious].self) == [Curious()])
    }
}
