import CanonicalJSON
import LedgerFormat
import TestSupport

/// Any text of a draft: the short way and the tree agree, and what they make can be sealed, verified and read back.
enum DraftProperties {
    private typealias Outcome = Result<Draft, DraftError>

    static func check(_ input: [UInt8]) throws(BrokenProperty) {
        var reader = DraftReader()
        let expected = Outcome { () throws(DraftError) in try Draft(treeOf: input.span) }
        // Twice, because a reader is used for many lines.
        for turn in 1...2 {
            let found = Outcome { () throws(DraftError) in try reader.read(input.span) }
            try hold(found == expected, "reading \(turn): the short way says \(found), the tree \(expected)")
        }
        guard case .success(let draft) = expected else { return }
        try parts(of: draft)
        try sealing(draft, nil)
        try sealing(draft, Part(index: 1, count: 2))
    }

    /// Put together from its parts it is the same draft.
    private static func parts(of draft: Draft) throws(BrokenProperty) {
        guard let context = (try? JSON(parsing: draft.context))?.object else { throw BrokenProperty("the context is no object") }
        let again = Outcome { () throws(DraftError) in
            try Draft(
                action: draft.action, actor: draft.actor, justification: draft.justification, bodyText: draft.body.span,
                context: context)
        }
        try hold(again == .success(draft), "put together from its parts it is \(again)")
        try hold(draft.id == context["id"]?.string, "its id is not the one in its context")
    }

    /// It is sealed into one frame, and the verifier shows what the draft said.
    private static func sealing(_ draft: Draft, _ part: Part?) throws(BrokenProperty) {
        let before = TestLedger.frames(count: 1)
        var writer = FrameWriter(after: before.tip, synced: before.tip.seq, key: TestLedger.key)
        do throws(DraftError) {
            try writer.append(draft, at: before.tip.time, part: part)
        } catch {
            // Inputs are short.
            throw BrokenProperty("it cannot be sealed: \(error)")
        }
        var verifier = ChainVerifier(
            after: before.tip, position: Place(segment: 1, offset: before.bytes.count, seq: 2),
            keys: [TestLedger.key.id: TestLedger.key])
        var entries: [Entry] = []
        var isCanonical = true
        let outcome = verifier.feed(writer.block.span, isEnd: true) { frame, bytes in
            entries.append(Entry(frame, of: bytes))
            isCanonical = isCanonical && CanonicalScanner.firstFault(in: bytes.extracting(frame.payload)) == nil
            return true
        }
        try hold(
            outcome == .wantsMore(consumed: writer.block.count, atLeast: 1) && entries.count == 1, "sealed, it is \(outcome)")
        let entry = entries[0]
        try hold(isCanonical, "its frame is not canonical")
        try hold(
            entry.action.utf8.elementsEqual(draft.action.utf8) && entry.actor.utf8.elementsEqual(draft.actor.utf8)
                && entry.body == draft.body && entry.justification == draft.justification && entry.id == draft.id,
            "sealed, it says something else: \(entry)")
        try hold(part != nil || entry.context == draft.context, "sealed, it has another context")
    }

    static let seeds: [[UInt8]] = [
        draft(),
        draft(context: #"{"base":1,"causes":[1,2],"id":"é1","reads":["","/a/~0"],"trace":"00-ab","writes":["/~1"]}"#),
        draft(body: "{\"a\":" + String(repeating: "[", count: 46) + String(repeating: "]", count: 46) + "}"),
        draft(body: "{\"a\":" + String(repeating: "[", count: 47) + String(repeating: "]", count: 47) + "}"),
        #" { "justification" : { "reason":"\u00e9" , "pillar":"\u0069ntegrity" } , "body":{ "b":1.0,"a":[ ] }, "actor":"user:x","action":"a" } "#,
        draft(action: String(repeating: "a", count: 256)), draft(action: String(repeating: "a", count: 257)),
        draft(actor: "user:" + String(repeating: "é", count: 125)), draft(body: ""), draft(body: "null"), draft(context: "[]"),
        draft(context: ""), draft(context: #"{"id":"a","id":"b"}"#), draft(context: #"{"part":[1,2]}"#),
        #"{"action":"ledger.genesis","actor":"x:y","body":{},"justification":{"pillar":"evolution","reason":"\"}}"}}"#,
        "[]", "",
    ].map { Array($0.utf8) }

    private static func draft(
        action: String = "test.event", actor: String = "process:test", body: String = #"{"n":1,"s":"x\ny"}"#,
        context: String? = nil
    ) -> String {
        #"{"action":"\#(action)","actor":"\#(actor)","body":\#(body)"# + (context.map { #","context":\#($0)"# } ?? "")
            + #","justification":{"pillar":"integrity","reason":"why"}}"#
    }

    static let words = [
        "\"action\":\"", "\"actor\":\"", "\"body\":", "\"context\":", "\"justification\":{", "\"pillar\":\"", "\"reason\":\"",
        "integrity",
        "sovereignty", "resilience", "evolution", "\"id\":\"", "\"base\":", "\"causes\":[", "\"reads\":[\"", "\"writes\":[\"",
        "\"trace\":\"",
        "\"part\":[1,2]", "user:", "{}", "{}}", "\"}}", ",\"", "\\u00", "é", "~0", "~1", "9007199254740991",
    ]
}
