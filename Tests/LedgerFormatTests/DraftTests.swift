import CanonicalJSON
import LedgerFormat
import TestSupport
import Testing

@Suite("Drafts")
struct DraftTests {
    private func fault(_ text: String) -> DraftError? {
        do throws(DraftError) {
            let bytes = Array(text.utf8)
            _ = try Draft(parsing: bytes.span)
            return nil
        } catch {
            return error
        }
    }

    private let good =
        #""action":"a.b","actor":"user:ada","body":{},"justification":{"pillar":"integrity","reason":""}"#

    @Test("well-formed ones are read, in any order and spacing")
    func accepted() throws {
        #expect(fault("{\(good)}") == nil)
        #expect(fault("{\(good),\"context\":{}}") == nil)
        #expect(
            fault(
                #"{"context":{"id":"1","base":1,"causes":[1,2],"reads":["","/a"],"writes":["/~1"],"trace":"00-ab"},\#(good)}"#
            ) == nil)
        #expect(fault(" { \(good) } ") == nil)
    }

    @Test("a draft names a thousand places at most, in so many bytes that an entry has room to say which were lost")
    func places() throws {
        func draft(_ name: String, _ places: [String]) throws(DraftError) {
            _ = try Draft(
                action: "a.b", actor: "user:ada", justification: Justification(.integrity, ""), body: [:],
                context: [name: .array(places.map(JSON.string))])
        }
        for name in ["reads", "writes"] {
            try draft(name, (0..<1000).map { "/\($0)" })
            #expect(throws: DraftError.context("\"\(name)\" names more than 1000 places")) {
                try draft(name, (0...1000).map { "/\($0)" })
            }
            // With brackets, quotation marks and the slash.
            try draft(name, ["/" + String(repeating: "x", count: (256 << 10) - 5)])
            #expect(throws: DraftError.context("\"\(name)\" has more than 262144 bytes")) {
                try draft(name, ["/" + String(repeating: "x", count: (256 << 10) - 4)])
            }
        }
    }

    @Test(
        "what is wrong is named",
        arguments: [
            ("[]", .isNoObject), ("{}", .missingKey("action")),
            (#"{"action":"a","seq":1}"#, .unknownKey("seq")),
            (#"{"action":"a"}"#, .missingKey("actor")),
            (#"{"action":"a","actor":"a:b"}"#, .missingKey("body")),
            (#"{"action":"a","actor":"a:b","body":{}}"#, .missingKey("justification")),
            (#"{"action":1,"actor":"a:b","body":{},"justification":{}}"#, .action("1")),
            (#"{"action":"a","actor":[],"body":{},"justification":{}}"#, .actor("[]")),
            (#"{"action":"a","actor":"a:b","body":{},"justification":{}}"#, .reason),
            (#"{"action":"a","actor":"a:b","body":{},"justification":{"pillar":"x","reason":""}}"#, .pillar("x")),
            (#"{"action":"a","actor":"a:b","body":{},"justification":{"pillar":"integrity","reason":1}}"#, .reason),
            (
                #"{"action":"a","actor":"a:b","body":{},"justification":{"pillar":"integrity","reason":"","x":1}}"#,
                .reason
            ),
            (
                #"{"action":"A","actor":"a:b","body":{},"justification":{"pillar":"integrity","reason":""}}"#,
                .action("A")
            ),
            (#"{"action":"a","actor":"b","body":{},"justification":{"pillar":"integrity","reason":""}}"#, .actor("b")),
            (
                #"{"action":"a","actor":"a:b","body":[],"justification":{"pillar":"integrity","reason":""}}"#,
                .bodyIsNoObject
            ),
        ] as [(String, DraftError)])
    func refused(text: String, error: DraftError) { #expect(fault(text) == error) }

    @Test(
        "contexts are refused",
        arguments: [
            "[]", #"{"part":[1,2]}"#, #"{"sign":"x"}"#, #"{"x":1}"#, #"{"id":""}"#, #"{"id":1}"#, #"{"base":0}"#,
            #"{"base":-1}"#, #"{"base":1.5}"#, #"{"causes":1}"#, #"{"causes":[0]}"#, #"{"reads":["a"]}"#,
            #"{"reads":["/~2"]}"#,
            #"{"writes":"/a"}"#, #"{"trace":null}"#,
        ])
    func contexts(context: String) {
        guard case .context = fault("{\(good),\"context\":\(context)}") else {
            Issue.record("\(context) was accepted")
            return
        }
    }

    @Test("names and ids have at most 256 bytes")
    func longNames() throws {
        let justification = Justification(.integrity, "")
        func draft(action: Int, actor: Int, id: Int) throws(DraftError) -> Draft {
            try Draft(
                action: String(repeating: "a", count: action), actor: "a:" + String(repeating: "b", count: actor - 2),
                justification: justification, body: [:], context: ["id": .string(String(repeating: "c", count: id))])
        }
        #expect(throws: Never.self) { _ = try draft(action: 256, actor: 256, id: 256) }
        #expect(throws: DraftError.self) { _ = try draft(action: 257, actor: 256, id: 256) }
        #expect(throws: DraftError.self) { _ = try draft(action: 256, actor: 257, id: 256) }
        #expect(throws: DraftError.self) { _ = try draft(action: 256, actor: 256, id: 257) }
    }

    @Test("a draft nests at most 48 deep, and what is accepted is accepted on disk too")
    func depth() throws {
        func body(_ depth: Int) -> String {
            String(repeating: #"{"a":"#, count: depth - 1) + "{}" + String(repeating: "}", count: depth - 1)
        }
        func text(_ depth: Int) -> String { "{\(good.replacing(#""body":{}"#, with: #""body":\#(body(depth))"#))}" }
        #expect(fault(text(47)) == nil)
        #expect(fault(text(48)) != nil)
        let bytes = Array(body(48).utf8)
        let json = try JSON(parsing: bytes)
        #expect(throws: DraftError.tooDeep) {
            _ = try Draft(action: "a", actor: "a:b", justification: Justification(.integrity, ""), body: json)
        }
    }

    @Test("the size limit is exact, and what is just allowed is a frame that can stand inside another")
    func size() throws {
        func draft(_ count: Int) -> Draft { TestLedger.draft(1, size: count) }
        let (_, tip, _) = TestLedger.frames(count: 1)
        func size(_ count: Int) throws -> Int {
            var writer = FrameWriter(after: tip, synced: 1, key: TestLedger.key)
            try writer.append(draft(count), at: tip.time)
            return writer.block.count
        }
        let overhead = try size(1000) - 1000 - 5
        let largest = Limits.draftPayload - overhead + 3
        var low = largest - 20
        while (try? size(low + 1)) != nil { low += 1 }
        #expect(try size(low) == Limits.draftPayload + 8, "LENGTH has 6 digits")
        #expect(throws: DraftError.tooLarge(byteCount: Limits.draftPayload + 1)) { _ = try size(low + 1) }
    }

    @Test("a refused draft leaves the block as it was, and a mark takes it back")
    func rewinding() throws {
        let (_, tip, _) = TestLedger.frames(count: 1)
        var writer = FrameWriter(after: tip, synced: 1, key: TestLedger.key)
        try writer.append(TestLedger.draft(2), at: tip.time)
        let (block, after, mark) = (writer.block, writer.tip, writer.mark)
        #expect(throws: DraftError.self) { try writer.append(TestLedger.draft(3, size: 1 << 20), at: tip.time) }
        #expect(writer.block == block && writer.tip == after)
        try writer.append(TestLedger.draft(3), at: tip.time)
        writer.rewind(to: mark)
        #expect(writer.block == block && writer.tip == after)
    }

    @Test(
        "the house's names are reserved",
        arguments: [
            ("ledger.genesis", true), ("ledger", true), ("lane.acquire", true), ("run.x.y", true), ("ledgers.x", false),
            ("my.ledger", false), ("test.event", false),
        ])
    func reserved(action: String, isReserved: Bool) { #expect(ReservedNames.contains(action: action) == isReserved) }

    @Test("who asked for it comes into the context, in its order, and nothing else changes; no draft brings it by itself")
    func peer() throws {
        let peer = Peer(user: 4_000_000_000, group: 7, process: 4711)
        let json: JSON = ["gid": 7, "pid": 4711, "uid": 4_000_000_000]
        for context in ["{}", #"{"id":"é"}"#, #"{"base":1,"trace":"x","writes":["/a"]}"#] {
            let text = Array(
                #"{"action":"a.b","actor":"user:ada","body":{"x":1},"context":\#(context),"justification":{"pillar":"integrity","reason":"why"}}"#
                    .utf8)
            let draft = try Draft(parsing: text.span)
            let asked = draft.asked(by: peer)
            var expected = try #require(try JSON(parsing: draft.context).object)
            expected["peer"] = json
            #expect(try JSON(parsing: asked.context).object == expected)
            #expect(asked.context == JSON.object(expected).canonicalBytes())
            #expect(asked.id == draft.id && asked.body == draft.body && asked.justification == draft.justification)
            #expect(asked.action == "a.b" && asked.actor == "user:ada")
            var bytes: [UInt8] = []
            asked.append(to: &bytes)
            #expect(bytes.isCanonicalJSON && bytes.count == asked.byteCount)
            let again = String(decoding: bytes, as: UTF8.self)
            #expect(fault(again) == .context("\"peer\" is not one of its members"))
        }
    }
}
