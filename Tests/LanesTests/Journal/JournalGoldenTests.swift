import Foundation
import Lanes
import LedgerFormat
import TestSupport
import Testing

/// What dos-kernel 0.22.0 answered on 150 journals, in a folder that is no part of the project.
enum GoldenJournals {
    /// `golden-lanes` in $BULLA_SHARED, or in `shared` beside the checkout; nil, aloud, if it is in neither.
    static let folder: String? = {
        let shared = ProcessInfo.processInfo.environment["BULLA_SHARED"] ?? Program.repository + "/../shared"
        if FileManager.default.fileExists(atPath: shared + "/golden-lanes") { return shared + "/golden-lanes" }
        PythonPeer.skip("the golden journals: there is no \(shared)/golden-lanes; BULLA_SHARED names the folder that holds it")
        return nil
    }()

    static func cases() throws -> [(name: String, journal: [UInt8], expected: PythonObject)] {
        let folder = URL(fileURLWithPath: try #require(folder))
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        return try files.filter { $0.pathExtension == "jsonl" }.sorted { $0.path < $1.path }.map { file in
            let expected = file.deletingPathExtension().appendingPathExtension("expected.json")
            let value = try #require(PythonJSON(reading: Array(try Data(contentsOf: expected))))
            return (file.lastPathComponent, Array(try Data(contentsOf: file)), try #require(value.object))
        }
    }
}

@Suite("Lanes: golden journals", .enabled(if: GoldenJournals.folder != nil, "no golden journals"))
struct JournalGoldenTests {
    @Test("entries, leases, next seq and compaction are the reference's, byte for byte; and the default keeps every lease")
    func golden() throws {
        var count = 0
        for (name, bytes, expected) in try GoldenJournals.cases() where expected["category"]?.pythonText != "crasher" {
            count += 1
            let journal = try LaneJournal(bytes)
            let compacted = journal.compacted(isCompatible: true)
            let own: [(PythonText, PythonJSON)] = [
                ("read_all", .array(try LaneJournal.entries(of: bytes).map(PythonJSON.object))),
                ("next_seq", .integer(journal.nextSeq)),
                ("replay", .array(journal.leases.map { .object($0.lease) })),
                ("compact_text", .text(PythonText(compacted.bytes))),
            ]
            for (member, value) in own {
                let expected = try #require(expected[member]).dumped(keepsOnOneLine: false)
                #expect(value.dumped(keepsOnOneLine: false) == expected, "\(name): \(member)")
            }
            // What is appended is as 0.30.0 does it: 0.22.0 loses a line that was not ended, and its own with it.
            let probe = try #require(expected["append_probe"]?.object)
            let added = try #require(expected["v0_30_0"]?.object?["append_added"]?.pythonText)
            let time = try #require(Timestamp("2026-03-01T12:00:00.000000Z"))
            #expect(journal.line(of: journal.stamped(probe, at: time)) == added.bytes, "\(name): append")
            #expect(try LaneJournal(journal.compacted(isCompatible: false).bytes).holdsTheSame(as: journal), "\(name)")
        }
        #expect(count > 100)
    }

    @Test("journals that crash the reference are read")
    func crashers() throws {
        for (name, bytes, expected) in try GoldenJournals.cases() where expected["category"]?.pythonText == "crasher" {
            #expect(throws: Never.self, "\(name)") { try LaneJournal(bytes) }
        }
    }

    @Test("the program answers the same with --compat")
    func program() throws {
        let directory = TemporaryDirectory()
        for (index, (name, bytes, expected)) in try GoldenJournals.cases().enumerated()
        where index % 6 == 0 && expected["category"]?.pythonText != "crasher" {
            try directory.write(bytes, to: name)
            func answer(_ verb: String, _ more: String...) throws -> String {
                let arguments = ["lane", "journal", verb, "--compat", "--file", directory.path(name)] + more
                let result = try Program.bulla(arguments).run()
                #expect(result.code == 0, "\(name): \(result.error)")
                return result.output
            }
            let text = { (member: PythonText) in
                String(decoding: try #require(expected[member]).dumped(keepsOnOneLine: false), as: UTF8.self) + "\n"
            }
            #expect(try answer("tail", "--json") == text("read_all"), "\(name)")
            #expect(try answer("replay", "--json") == text("replay"), "\(name)")
            #expect(try answer("seq") == text("next_seq"), "\(name)")
            _ = try answer("compact")
            #expect(try directory.read(name) == expected["compact_text"]?.pythonText.bytes, "\(name)")
        }
    }
}
