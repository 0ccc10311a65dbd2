import CanonicalJSON
import Foundation
import LedgerFormat
import TestSupport
import Testing

@Suite("bulla inspect")
struct InspectTests {
    private func ledger(_ count: Int = 6) throws -> (CommandLedger, ends: [Int]) {
        var ends: [Int] = []
        let ledger = try CommandLedger(same: count, ends: &ends)
        return (ledger, ends)
    }

    /// That it answers, changes nothing, and lets no control character through.
    @discardableResult
    private func inspect(
        _ ledger: CommandLedger, _ arguments: String..., source: SourceLocation = #_sourceLocation
    ) throws -> String {
        let before = try ledger.contents()
        let result = try ledger.run(["inspect"] + arguments)
        #expect(result.code == 0 && result.error.isEmpty, "\(result.error)", sourceLocation: source)
        #expect(!result.output.utf8.contains { $0 < 0x20 && $0 != 0x0A || $0 == 0x7F }, sourceLocation: source)
        #expect(try ledger.contents() == before, sourceLocation: source)
        return result.output
    }

    @Test("an entry by its seq and by an offset inside it, with its neighbours")
    func whole() throws {
        let (ledger, ends) = try ledger()
        let bySeq = try inspect(ledger, "4")
        #expect(bySeq.contains("> offset \(ends[2]), \(ends[3] - ends[2]) bytes: seq 4, sound\n"))
        #expect(bySeq.contains("  offset \(ends[0]), ") && bySeq.contains(": seq 6, sound"))
        #expect(!bySeq.contains(": seq 1, "))
        #expect(bySeq.contains("HEAD vouches for what lies before this line"))
        #expect(try inspect(ledger, "@\(ends[2] + 17)") == bySeq)
        #expect(try inspect(ledger, "@\(ends[2])", "--segment", "00000000000000000001.frames") == bySeq)
        #expect(try inspect(ledger, "4", "--around", "0").split(separator: "\n").count == 5)
    }

    @Test("--full shows every byte, and --hex in the classic form")
    func bytes() throws {
        let (ledger, ends) = try ledger()
        let frame = Array(try ledger.read(CommandLedger.firstSegment)[ends[1]..<ends[2]])
        let full = try inspect(ledger, "3", "--full", "--around", "0")
        #expect(full.contains(String(decoding: frame.dropLast(), as: UTF8.self) + "\\x0a\n"))
        #expect(!full.contains("more bytes"))
        #expect(try inspect(ledger, "3", "--around", "0").contains("… \(frame.count - 400) more bytes; --full shows them"))
        let dumped = try inspect(ledger, "3", "--full", "--hex", "--around", "0").split(separator: "\n").filter {
            $0.hasSuffix("|")
        }
        var bytes: [UInt8] = []
        for (index, line) in dumped.enumerated() {
            #expect(
                line.dropFirst(4).prefix(10) == String(repeating: "0", count: 10 - String(ends[1] + index * 16).count)
                    + "\(ends[1] + index * 16)")
            let columns = line.dropFirst(14).prefix { $0 != "|" }.split(separator: " ")
            bytes += columns.compactMap { UInt8($0, radix: 16) }
        }
        #expect(bytes == frame)
    }

    @Test("damaged samples of every kind")
    func damaged() throws {
        func sample(
            _ expected: String..., source: SourceLocation = #_sourceLocation, _ change: (inout [UInt8], Range<Int>) -> Void
        ) throws {
            let (ledger, ends) = try ledger()
            var bytes = try ledger.read(CommandLedger.firstSegment)
            change(&bytes, ends[2]..<ends[3])
            try ledger.overwrite(CommandLedger.firstSegment, bytes)
            for arguments in [["4"], ["@\(ends[2])"], ["4", "--full"], ["4", "--hex"]] {
                let result = try ledger.run(["inspect"] + arguments)
                #expect(result.code == 0, "\(result.error)", sourceLocation: source)
                #expect(!result.output.utf8.contains { $0 < 0x20 && $0 != 0x0A || $0 == 0x7F }, sourceLocation: source)
                for words in expected {
                    #expect(result.output.contains(words), "\(words): \(result.output)", sourceLocation: source)
                }
            }
            let json = try JSON(
                parsing: Array(try ledger.run("inspect", "@0", "--json", "--hex", "--full", "--around", "1000").output.utf8))
            var end: Int64 = 0
            for piece in try #require(json["pieces"]?.array) {
                #expect(piece["offset"]?.integer == end, sourceLocation: source)
                end += try #require(piece["bytes"]?.integer)
                if let hex = piece["hex"]?.string { #expect(hex.utf8.count == (piece["bytes"]?.integer).map { Int($0) * 2 }) }
            }
            #expect(end == Int64(bytes.count), sourceLocation: source)
        }
        try sample("not a frame: no frame starts here") { $0[$1.lowerBound] = 0x78 }
        try sample("seal wrong: its hash does not match") { bytes, range in
            let at = range.lowerBound + (bytes[range].firstRange(of: Array("test 4".utf8))!.lowerBound - range.lowerBound)
            bytes[at] = 0x54
        }
        try sample("seal wrong: its hash does not match") { $0[$1.upperBound - 5] = $0[$1.upperBound - 5] == 0x30 ? 0x31 : 0x30 }
        try sample(": NULs") { bytes, range in for index in range { bytes[index] = 0 } }
        try sample("not a frame", #"\x1b[31m\x07"#, #"\u{202e}"#, #"\xff\xfe"#) { bytes, range in
            let evil = Array("\u{1B}[31m\u{7}\u{202E}".utf8) + [0xFF, 0xFE]
            bytes.replaceSubrange(range.lowerBound + 4..<range.lowerBound + 4 + evil.count, with: evil)
        }
        try sample("the segment ends inside a frame") { $0.removeSubrange($1.lowerBound + 100..<$0.count) }
        try sample("link wrong", "out of order") { bytes, range in bytes.insert(contentsOf: bytes[range], at: range.lowerBound) }
    }

    @Test("of an entry that cannot be read, the place where it must have stood")
    func lost() throws {
        let (ledger, ends) = try ledger()
        var bytes = try ledger.read(CommandLedger.firstSegment)
        for index in ends[2]..<ends[4] { bytes[index] = 0xFF }
        try ledger.overwrite(CommandLedger.firstSegment, bytes)
        for seq in ["4", "5"] {
            let output = try inspect(ledger, seq)
            #expect(output.contains("no frame that can be read has seq \(seq): it must have stood at the place marked >"))
            #expect(output.contains("> offset \(ends[2]), "))
        }
    }

    @Test("evil text inside a sound entry does not reach the terminal")
    func evilText() throws {
        let ledger = try CommandLedger()
        #expect(try ledger.append(#"{"x":"\u001b]0;owned\u0007 \u202e"}"#, "--id", "1").code == 0)
        for arguments in [["2"], ["2", "--full"], ["2", "--json"], ["2", "--hex"]] {
            let output = try ledger.run(["inspect"] + arguments).output
            #expect(!output.utf8.contains { $0 < 0x20 && $0 != 0x0A } && !output.unicodeScalars.contains("\u{202E}"))
        }
    }

    @Test("a missing segment, a missing HEAD, a missing key, and a key that must not be used")
    func missing() throws {
        let (ledger, ends) = try ledger()
        let bytes = try ledger.read(CommandLedger.firstSegment)
        try ledger.overwrite(CommandLedger.firstSegment, Array(bytes[..<ends[1]]))
        try ledger.directory.write(Array(bytes[ends[3]...]), to: ledger.name("ledger/00000000000000000005.frames"))
        #expect(try inspect(ledger, "5").contains("> offset 0, "))
        #expect(try inspect(ledger, "@0", "--segment", "5").contains("link wrong"))
        try ledger.expectRefusal(64, "segment 00000000000000000001.frames, which holds seq 1 to 2") {
            try ledger.run("inspect", "4")
        }
        try ledger.expectRefusal(64, "--segment") { try ledger.run("inspect", "@0") }
        try ledger.directory.remove(ledger.name("HEAD"))
        #expect(try inspect(ledger, "2").contains("seq 2, sound"))
        let key = ledger.path + "/" + (try ledger.keyFile)
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: key)
        #expect(try inspect(ledger, "2").contains("sig not checked"))
        try FileManager.default.removeItem(atPath: key)
        #expect(try inspect(ledger, "2").contains("sig not checked"))
    }

    @Test("an entry that a repair re-admitted is shown where it stands now, and a lost one is said to be lost (10)")
    func repaired() throws {
        let ledger = try CommandLedger(entries: 8)
        var bytes = try ledger.read(CommandLedger.firstSegment)
        let range = try #require(bytes.firstRange(of: Array(#"{"line":"3""#.utf8)))
        bytes[range.upperBound - 2] ^= 8
        try ledger.overwrite(CommandLedger.firstSegment, bytes)
        try #require(try ledger.run("repair", "--yes").code == 0)
        let text = try inspect(ledger, "5", "--around", "0")
        #expect(text.contains("entry 5 was re-admitted by a repair: it stands in entry 11, marked >\n"), "\(text)")
        #expect(text.contains(": seq 11, sound") && text.contains("ledger.readmitted"), "\(text)")
        let json = try JSON(parsing: Array(try inspect(ledger, "5", "--json").utf8))
        #expect(json["readmitted"]?["in"] == 11 && json["readmitted"]?["proven"] == true && json["seq_lost"] == false)
        let inPlace = try JSON(parsing: Array(try inspect(ledger, "3", "--json").utf8))
        #expect(inPlace["readmitted"] == .null)
        try ledger.expectRefusal(10, "seq 4 was lost in repair 10") { try ledger.run("inspect", "4") }
        try ledger.expectRefusal(64, "there is no entry 99") { try ledger.run("inspect", "99") }
    }

    @Test("places that are none")
    func refused() throws {
        let (ledger, ends) = try ledger()
        for (place, words) in [
            ("7", "holds seq 1 to 6"), ("9007199254740993", "holds seq"), ("@\(ends[5])", "from 0 to \(ends[5] - 1)"),
            ("0", "from 1 on"), ("x", "from 1 on"), ("@", "byte offset"), ("@-1", "byte offset"),
            ("@99999999999999999999", "byte offset"), ("", "from 1 on"),
        ] { try ledger.expectRefusal(64, words) { try ledger.run("inspect", place) } }
        try ledger.expectRefusal(64, "goes with an @offset") { try ledger.run("inspect", "3", "--segment", "1") }
        try ledger.expectRefusal(64, "no segment 2") { try ledger.run("inspect", "@3", "--segment", "2") }
        try ledger.expectRefusal(64, "--around") { try ledger.run("inspect", "3", "--around", "1001") }
    }
}
