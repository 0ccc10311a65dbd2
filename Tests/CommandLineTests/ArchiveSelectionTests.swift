import Foundation
import TestSupport
import Testing

/// Directories that hold more than what left this ledger, and archives that were not finished.
@Suite("bulla archive: which history a directory is of")
struct ArchiveSelectionTests {
    private func set(_ ledger: CommandLedger, _ pointer: String, _ value: Int) throws {
        let set = try ledger.run("state", "set", pointer, "\(value)", "--actor", "user:ada")
        try #require(set.code == 0, "\(set)")
    }

    private func value(_ ledger: CommandLedger, at seq: Int, _ places: String...) throws -> Program.Result {
        try ledger.run(
            ["state", "get", "/a", "--at", "\(seq)"] + places.flatMap { ["--archive", ledger.place($0)] })
    }

    @Test("a backup was put back: of two files with one name the one is read that left this ledger")
    func branches() throws {
        let ledger = try CommandLedger()
        try set(ledger, "/a", 1)
        try #require(ledger.archive(to: "A").code == 0)
        try set(ledger, "/a", 2)
        try ledger.backUp(as: "old")
        for isFirst in [true, false] {
            if !isFirst { try ledger.restore(from: "old") }
            try set(ledger, "/a", isFirst ? 3 : 4)
            // The first history's segment goes where the one before went, as it would; the second's cannot.
            let place = isFirst ? "A" : "B"
            if !isFirst {
                try ledger.expectRefusal(20, "is no copy of this ledger's") {
                    try ledger.run("archive", "--before", "99", "--to", ledger.place("A"), "--yes")
                }
            }
            try #require(ledger.archive(to: place).code == 0)
        }
        for places in [["A", "B"], ["B", "A"]] {
            let verified = try ledger.run(["verify"] + places.flatMap { ["--archive", ledger.place($0)] })
            #expect(verified.code == 0, "\(verified)")
            #expect(try value(ledger, at: 10, places[0], places[1]).output == "4\n")
            #expect(try value(ledger, at: 2, places[0], places[1]).output == "1\n")
        }
        // Alone, the other history's file is no part of this ledger, also for who reads only in it.
        let wrong = try value(ledger, at: 10, "A")
        #expect(wrong.code == 10 && wrong.output.isEmpty, "\(wrong)")
        #expect(wrong.error.contains("is not the file that left this ledger"), "\(wrong)")
        #expect(try ledger.run("verify", "--archive", ledger.place("A")).code == 10)
    }

    @Test("a backup was put back: what the archive took since stands in the ledger again, and is read there")
    func leftAgain() throws {
        let ledger = try CommandLedger()
        try set(ledger, "/a", 1)
        try #require(ledger.archive(to: "A").code == 0)
        try ledger.backUp(as: "old")
        for _ in 1...2 { try #require(ledger.archive(to: "A").code == 0) }
        try ledger.restore(from: "old")
        try set(ledger, "/a", 2)
        let verified = try ledger.run("verify", "--archive", ledger.place("A"))
        #expect(verified.code == 0 && verified.output.contains("archived segments: 1 of 1"), "\(verified)")
        #expect(try ledger.run("state", "get", "/a", "--archive", ledger.place("A")).output == "2\n")
    }

    @Test(
        "another ledger's archive is refused by whoever reads, and says nothing of this one",
        arguments: [["verify"], ["log"], ["show", "1"], ["state", "get"], ["learn", "list"]])
    func foreign(verb: [String]) throws {
        let (ledger, other) = (try CommandLedger(), try CommandLedger(entries: 2))
        try set(ledger, "/a", 1)
        for each in [ledger, other] { try #require(each.archive(to: "A").code == 0) }
        for given in [[other.place("A")], [ledger.place("A"), other.place("A")]] {
            try ledger.expectRefusal(20, "\(other.place("A")) holds the archive of another ledger") {
                try ledger.run(verb + given.flatMap { ["--archive", $0] })
            }
        }
    }

    @Test(
        "an archive stopped before all was removed, and one of its entries is damaged: the state goes on behind the repair",
        arguments: [1, 2])
    func interrupted(damaged: Int) throws {
        let ledger = try CommandLedger()
        try set(ledger, "/a", 1)
        // Somebody's enrolment begins a segment.
        let enrolled = try ledger.run("actor", "enroll", "user:u", "--class", "op", "--key-file", ledger.place("k.key"))
        try #require(enrolled.code == 0, "\(enrolled)")
        for number in 2...3 { try set(ledger, "/a", number) }
        try #require(ledger.archive(to: "A").code == 0)
        try set(ledger, "/b", 4)
        // As if it had been killed behind the first file.
        let second = "ledger/00000000000000000003.frames"
        var bytes = try ledger.directory.read("A/" + second)
        let ends = [-1] + bytes.indices.filter { bytes[$0] == 0x0A }
        #expect(ends.count == 4)
        bytes[ends[damaged + 1] - 200] ^= 1
        try ledger.directory.write(bytes, to: "L/" + second)
        chmod(ledger.path + "/" + second, 0o600)
        #expect(try ledger.agreedVerdict().code == 10)
        let repaired = try ledger.run("repair", "--yes")
        #expect(repaired.code == 0, "\(repaired)")
        #expect(try ledger.agreedVerdict().code == 0)
        #expect(try ledger.run("state", "get", "--json").output.contains(#""value":{"a":3,"b":4}"#))
        try set(ledger, "/c", 5)
        let archived = try ledger.archive(to: "B")
        #expect(archived.code == 0, "\(archived)")
        #expect(try ledger.run("state", "get", "--json").output.contains(#""value":{"a":3,"b":4,"c":5}"#))
    }

    @Test("an entry that was lost in a repair is answered as that, also where archives are given")
    func lost() throws {
        let ledger = try CommandLedger(entries: 4)
        var bytes = try ledger.read(CommandLedger.firstSegment)
        let ends = [-1] + bytes.indices.filter { bytes[$0] == 0x0A }
        bytes[ends[2] - 200] ^= 1
        try ledger.overwrite(CommandLedger.firstSegment, bytes)
        try #require(ledger.run("repair", "--yes").code == 0)
        try #require(ledger.archive(to: "A").code == 0)
        let shown = try ledger.run("show", "2", "--archive", ledger.place("A"))
        #expect(shown.code == 10 && shown.error.contains("lost in repair 6"), "\(shown)")
    }

    @Test("what a destroyed key has sealed leaves the ledger too, if the entry that retires the key stays")
    func destroyedKey() throws {
        let ledger = try CommandLedger(entries: 2)
        let old = try String(ledger.keyFile.dropFirst("keys/".count).prefix(16))
        try #require(ledger.run("key", "rotate", "--reason", "r").code == 0)
        // Somebody's enrolment begins a segment, in which the key is retired.
        let enrolled = try ledger.run("actor", "enroll", "user:u", "--class", "op", "--key-file", ledger.place("k.key"))
        try #require(enrolled.code == 0, "\(enrolled)")
        let retired = try ledger.run("key", "retire", old, "--reason", "r", "--destroy")
        try #require(retired.code == 0, "\(retired)")
        let archived = try ledger.run("archive", "--before", "5", "--to", ledger.place(), "--yes")
        #expect(archived.code == 0, "\(archived)")
        #expect(try ledger.agreedVerdict().code == 0)
        let whole = try ledger.run("verify", "--archive", ledger.place())
        #expect(whole.code == 0, "\(whole)")
    }

    @Test("an honest snapshot of a damaged or repaired ledger is nobody's work")
    func honestSnapshot() throws {
        let ledger = try CommandLedger()
        for number in 1...4 { try set(ledger, "/a", number) }
        try #require(ledger.run("snapshot", "create").code == 0)
        var bytes = try ledger.read(CommandLedger.firstSegment)
        let ends = [-1] + bytes.indices.filter { bytes[$0] == 0x0A }
        bytes[ends[3] - 200] ^= 1
        try ledger.overwrite(CommandLedger.firstSegment, bytes)
        let refused = try ledger.run("state", "set", "/b", "1", "--actor", "user:ada")
        #expect(refused.code == 10, "\(refused)")
        func kept() throws -> [String] {
            try FileManager.default.contentsOfDirectory(atPath: ledger.path + "/quarantine").filter { $0.hasPrefix("snapshot-") }
        }
        #expect(try kept().isEmpty)
        try #require(ledger.run("repair", "--yes").code == 0)
        try set(ledger, "/b", 1)
        let ignored = try ledger.run("log", "--json", "--action", "snapshot.ignored").output
        #expect(!ignored.isEmpty && !ignored.contains("Something other than bulla"), "\(ignored)")
        #expect(ignored.contains("re-admitted in a repair"), "\(ignored)")
    }
}
