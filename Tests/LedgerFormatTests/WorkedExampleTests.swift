import CanonicalJSON
import Foundation
import LedgerFormat
import TestSupport
import Testing

@Suite("FORMAT.md's worked example")
struct WorkedExampleTests {
    /// The document's section 8 and the fenced blocks in it, which our code must come to.
    private struct Example {
        let text: String
        let entry: String
        let frame: String
        let head: String
        let receipt: String

        init() throws {
            let page = try String(contentsOfFile: Program.repository + "/FORMAT.md", encoding: .utf8)
            let section = try #require(page.range(of: "## 8. Worked example"))
            text = String(page[section.upperBound...])
            let blocks = text.components(separatedBy: "```").enumerated().filter { $0.offset % 2 == 1 }.map {
                $0.element.trimmingCharacters(in: .newlines)
            }
            try #require(blocks.count == 4)
            (entry, frame, head, receipt) = (blocks[0], blocks[1], blocks[2], blocks[3])
        }

        func expectNames(_ what: String, _ value: some CustomStringConvertible) {
            #expect(text.contains("\(what) `\(value)`"), "\(what) \(value)")
        }
    }

    private func sealed() throws -> (writer: FrameWriter, receipt: Receipt) {
        let key = TestLedger.key
        let ledger = try #require(LedgerID("00112233445566778899aabbccddeeff"))
        var writer = FrameWriter(after: ChainTip(emptyLedger: ledger, key: key.id), synced: 0, key: key)
        let draft = try Draft(
            action: "ledger.genesis", actor: "service:bulla",
            justification: Justification(.sovereignty, "a ledger begins"),
            body: ["software": "bulla 0.1.0", "format": 1])
        let time = try #require(Timestamp("2026-01-31T12:00:00.000000Z"))
        let receipt = try writer.append(draft, at: time)
        return (writer, receipt)
    }

    @Test("entry, seals and frame")
    func frame() throws {
        let example = try Example()
        let (writer, receipt) = try sealed()
        let block = writer.block
        #expect(String(decoding: block, as: UTF8.self) == example.frame + "\n")
        #expect(example.text.contains("(\(block.count) bytes, the last a line feed)"))
        guard case .frame(let view) = FrameView.find(in: block.span, at: 0) else {
            Issue.record("no frame")
            return
        }
        #expect(String(decoding: block[view.entry], as: UTF8.self) == example.entry)
        example.expectNames("Key id", TestLedger.key.id)
        example.expectNames("SIG", SealEngine.seal(block.span.extracting(view.entry), with: TestLedger.key).sig)
        example.expectNames("HASH", view.hash(in: block.span))
        #expect(view.hash(in: block.span) == receipt.hash)
        let entry = Array(example.entry.utf8)
        #expect(try JSON(parsing: entry).canonicalBytes() == entry)
    }

    @Test("HEAD")
    func head() throws {
        let example = try Example()
        let (writer, _) = try sealed()
        let head = Head(alert: false, end: writer.block.count, segment: 1, tip: writer.tip)
        #expect(String(decoding: head.sealed(with: TestLedger.key), as: UTF8.self) == example.head)
        #expect(try Head(file: Array(example.head.utf8), keys: [TestLedger.key.id: TestLedger.key]) == head)
    }

    @Test("the receipt")
    func receipt() throws {
        let example = try Example()
        let (_, receipt) = try sealed()
        #expect(receipt.line == example.receipt)
        #expect(Receipt(line: example.receipt) == receipt)
    }

    @Test("the chain of the example verifies")
    func chain() throws {
        let example = try Example()
        let head = try Head(file: Array(example.head.utf8), keys: [:])
        var verifier = ChainVerifier(keys: [TestLedger.key.id: TestLedger.key], head: head)
        try verifier.beginSegment(firstSeq: 1, isLast: true)
        let bytes = Array((example.frame + "\n").utf8)
        #expect(verifier.feed(bytes.span, isEnd: true) == .wantsMore(consumed: bytes.count, atLeast: 1))
        try verifier.finish()
        #expect(verifier.reachedHead && verifier.absentKeys.isEmpty)
    }

    @Test("the next key, and how it proves itself")
    func introduction() throws {
        let example = try Example()
        let key = SealingKey(bytes: (32..<64).map { UInt8($0) })
        let ledger = try #require(LedgerID("00112233445566778899aabbccddeeff"))
        example.expectNames("Key id", key.id)
        #expect(example.text.contains("behind the first key, `\(key.proof(in: ledger, after: TestLedger.key.id))`"))
    }
}
