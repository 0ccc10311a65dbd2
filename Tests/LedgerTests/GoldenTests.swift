import DurableFiles
import Foundation
import Ledger
import LedgerFormat
import Synchronization
import TestSupport
import Testing

/// A ledger that was written once and must be read for ever.
@Suite("Golden ledger of format 1")
struct GoldenTests {
    private static let fixture = Program.repository + "/Tests/LedgerTests/Fixtures/golden-1"

    private static let verdict = "intact: segment 00000000000000000007.frames, offset 2018, seq 9"

    @Test("our audit and the independent verifier find it intact, in the same words")
    func verdict() async throws {
        let directory = TemporaryDirectory()
        let path = try Self.copyFixture(to: directory)
        let report = try await Audit(TestLedger.environment()).run(POSIXStorage(path: path))
        #expect(report.verdictLine == Self.verdict)
        #expect(report.entryCount == 9 && report.tip?.key == TestLedger.key.id)
        let judged = try Program.judge(path).run()
        #expect(judged.code == 0 && judged.lastLine == Self.verdict, "\(judged.error)")
    }

    @Test("without its key: unverifiable, in the same words")
    func keyless() async throws {
        let directory = TemporaryDirectory()
        let path = try Self.copyFixture(to: directory)
        try directory.remove("golden-1/keys/" + SealingKey.fileName(TestLedger.key.id))
        let report = try await Audit(TestLedger.environment()).run(POSIXStorage(path: path))
        #expect(report.verdict == .unverifiable)
        let judged = try Program.judge(path).run()
        #expect(judged.code == 11)
        #expect(judged.lastLine.hasPrefix(Self.verdict.replacing("intact", with: "unverifiable")))
        #expect(report.verdictLine.hasPrefix(Self.verdict.replacing("intact", with: "unverifiable")))
    }

    @Test("today's writer makes the same bytes of the same drafts")
    func writer() throws {
        let directory = TemporaryDirectory()
        try Self.write(to: directory)
        if ProcessInfo.processInfo.environment["BULLA_WRITE_GOLDEN"] != nil {
            try FileManager.default.createDirectory(
                atPath: Self.fixture.deletingLastComponent, withIntermediateDirectories: true)
            try FileManager.default.copyItem(atPath: directory.path("golden-1"), toPath: Self.fixture)
        }
        let golden = try Self.files(Self.fixture)
        let written = try Self.files(directory.path("golden-1"))
        #expect(golden.keys.sorted() == written.keys.sorted())
        for (name, bytes) in golden { #expect(written[name]?.withoutPadding == bytes.withoutPadding, "\(name)") }
    }

    @Test("it holds what it should: two segments, a decision, an id, text of all kinds, preallocated space")
    func contents() throws {
        let directory = TemporaryDirectory()
        let path = try Self.copyFixture(to: directory)
        let files = try Self.files(path)
        let last = try #require(files["ledger/00000000000000000007.frames"])
        #expect(last.count > last.withoutPadding.count)
        let first = try #require(files["ledger/00000000000000000001.frames"])
        #expect(first.count == first.withoutPadding.count)
        var entries: [Entry] = []
        let view = try LedgerView(POSIXStorage(path: path))
        try EntryReader(view, TestLedger.environment()).read(from: 1) { frame, bytes in
            entries.append(Entry(frame, of: bytes))
            return true
        }
        #expect(entries.map(\.id) == [nil, nil, "first-id", nil, nil, nil, nil, nil, "last-id"])
        #expect(entries[2].justification.reason == "Grüße, \u{1F3FA} \"Bulla\"\n\u{2028}")
        #expect(entries[3...5].map(\.synced) == [3, 3, 3])
        #expect(view.isSettled(9))
    }

    @Test("it can be written on")
    func goingOn() async throws {
        let directory = TemporaryDirectory()
        let path = try Self.copyFixture(to: directory)
        var session = WriterSession(try POSIXStorage(path: path), TestLedger.environment())
        try session.acquire()
        // The id is known from then.
        let answer = try session.decide([Self.drafts[1][0]])
        #expect(answer.isRepetition && answer.receipts[0].seq == 3)
        let receipt = try session.record(TestLedger.draft(1))
        #expect(receipt.seq == 11, "the clock stepped back between then and the test's time")
        session.release()
        let report = try await Audit(TestLedger.environment()).run(POSIXStorage(path: path))
        #expect(report.verdict == .intact && report.entryCount == 11)
        #expect(try Program.judge(path).run().lastLine == report.verdictLine)
    }
}

extension GoldenTests {
    /// The decisions behind genesis.
    fileprivate static let drafts: [[Draft]] = {
        func draft(_ action: String, _ actor: String, _ reason: String, _ body: String, id: String? = nil) -> Draft {
            let context = id.map { #","context":{"id":"\#($0)","base":1,"causes":[1],"reads":["/a~1b"],"writes":[""]}"# } ?? ""
            let text =
                #"{"action":"\#(action)","actor":"\#(actor)","body":\#(body),"#
                + #""justification":{"pillar":"evolution","reason":"\#(reason)"}\#(context)}"#
            let bytes = Array(text.utf8)
            do throws(DraftError) {
                return try Draft(parsing: bytes.span)
            } catch {
                preconditionFailure("\(error): \(text)")
            }
        }
        let numbers = "[0,-1,1.5,1e21,1e-7,123456789012345680000,5e-324,1.7976931348623157e308,-0.0]"
        return [
            [draft("golden.first", "user:ada", "plain", "{}")],
            [
                draft(
                    "golden.text", "soul:é / \u{1F3FA}", #"Grüße, \ud83c\udffa \"Bulla\"\n\u2028"#,
                    #"{"z":"\u0000\u001f\u007f","é":"e\u0301","\ud83d\ude00":"\/","":{"n":\#(numbers)}}"#, id: "first-id")
            ],
            (1...3).map { draft("golden.decision", "process:p", "part \($0)", #"{"part":\#($0)}"#) },
            [draft("golden.seventh", "service:x", "in a new segment", #"{"pad":"\#(String(repeating: "x", count: 400))"}"#)],
            [draft("golden.eighth", "associate:y", "", #"{"nested":[[[[{"deep":[null,true,false]}]]]]}"#)],
            [draft("golden.last", "user:ada", "the end", "{}", id: "last-id")],
        ]
    }()

    /// Writes the ledger with today's code.
    fileprivate static func write(to directory: TemporaryDirectory) throws {
        _ = try TestLedger.write(to: directory, name: "golden-1", count: 1)
        let time = Mutex(Timestamp("2026-02-28T23:59:58.000000Z")!)
        var environment = TestLedger.environment()
        environment.now = { time.withLock { $0 } }
        var settings = WriterSettings()
        settings.segmentByteCount = 4000
        var session = WriterSession(try POSIXStorage(path: directory.path("golden-1")), environment, settings)
        try session.acquire()
        for drafts in Self.drafts.dropLast() {
            try session.decide(drafts)
            time.withLock { $0 = Timestamp(microseconds: $0.microseconds + 1_000_001) }
        }
        let tip = try #require(session.tip)
        // It says that it had not seen the third entry, which decides the same place: when it was written nobody compared that.
        let last = try #require(Self.drafts.last?.first)
        #expect(ledgerError { () throws(LedgerError) in _ = try session.decide([last]) }?.code == .conflict)
        session.release()
        var writer = FrameWriter(after: tip, synced: tip.seq, key: TestLedger.key)
        try writer.append(last, at: environment.now())
        let segment = "golden-1/ledger/00000000000000000007.frames"
        let frames = try files(directory.path("golden-1"))["ledger/00000000000000000007.frames"]?.withoutPadding ?? []
        try directory.write(Array(frames + writer.block), to: segment)
        let head = Head(alert: false, end: frames.count + writer.block.count, segment: 7, tip: writer.tip)
        try directory.write(head.sealed(with: TestLedger.key), to: "golden-1/HEAD")
    }

    /// A copy with the modes that git does not keep, and the directories that it does not know.
    fileprivate static func copyFixture(to directory: TemporaryDirectory) throws -> String {
        let manager = FileManager.default
        let path = directory.path("golden-1")
        try manager.copyItem(atPath: fixture, toPath: path)
        for folder in ["", "/ledger", "/keys", "/quarantine", "/snapshots"] {
            try manager.createDirectory(atPath: path + folder, withIntermediateDirectories: true)
            try manager.setAttributes([.posixPermissions: 0o700], ofItemAtPath: path + folder)
        }
        for name in try files(path).keys {
            try manager.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path + "/" + name)
        }
        return path
    }

    /// All files under a path, by their path in it.
    fileprivate static func files(_ path: String) throws -> [String: [UInt8]] {
        var files: [String: [UInt8]] = [:]
        for name in try FileManager.default.subpathsOfDirectory(atPath: path) {
            var isDirectory: ObjCBool = false
            guard FileManager.default.fileExists(atPath: path + "/" + name, isDirectory: &isDirectory), !isDirectory.boolValue
            else { continue }
            files[name] = Array(try Data(contentsOf: URL(filePath: path + "/" + name)))
        }
        return files
    }
}

extension [UInt8] {
    fileprivate var withoutPadding: ArraySlice<UInt8> { self[..<((lastIndex { $0 != 0 } ?? -1) + 1)] }
}

extension String {
    fileprivate var deletingLastComponent: String { URL(filePath: self).deletingLastPathComponent().path }
}
