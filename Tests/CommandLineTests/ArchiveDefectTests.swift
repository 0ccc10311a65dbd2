import CanonicalJSON
import Foundation
import LedgerFormat
import TestSupport
import Testing

/// What somebody found who looked for a way around archives, and what is said in its place.
@Suite("bulla archive: what is not damage, and what is refused")
struct ArchiveDefectTests {
    /// Entries 1 and 2 in A, 3 to 8 in B, 9 to 14 behind them.
    private func twice() throws -> CommandLedger {
        let ledger = try CommandLedger()
        for place in ["A", "B"] {
            let set = try ledger.run("state", "set", "/n", "1", "--actor", "user:ada")
            try #require(set.code == 0, "\(set)")
            #expect(try ledger.archive(to: place).code == 0)
        }
        let set = try ledger.run("state", "set", "/m", "1", "--actor", "user:ada")
        try #require(set.code == 0, "\(set)")
        return ledger
    }

    private static let readers = [
        ["verify"], ["show", "4"], ["receipt", "4"], ["inspect", "4"], ["log"], ["state", "get"], ["state", "diff", "4", "9"],
        ["state", "history", "/n"],
    ]

    @Test(
        "a directory that holds no archive is refused by every verb that reads, and says nothing of the ledger",
        arguments: readers)
    func wrongDirectory(verb: [String]) throws {
        let ledger = try twice()
        try FileManager.default.createDirectory(atPath: ledger.place("E/ledger"), withIntermediateDirectories: true)
        for path in [ledger.place("E"), ledger.place("E/ledger")] { chmod(path, 0o700) }
        for wrong in ["E", "E/ledger", "A/ledger"] {
            for given in [[wrong], ["A", "B", wrong]] {
                try ledger.expectRefusal(20, "\(ledger.place(wrong)) holds no archive") {
                    try ledger.run(verb + given.flatMap { ["--archive", ledger.place($0)] })
                }
            }
        }
    }

    @Test(
        "of entries that are in none of the archives given every verb says which they are",
        arguments: readers.filter { $0[0] != "inspect" })
    func someArchives(verb: [String]) throws {
        let ledger = try twice()
        let found = try ledger.run(verb + ["--archive", ledger.place("A")])
        #expect(found.code == 20 && found.error.contains("entries 3 to "), "\(found)")
        #expect(found.error.contains("in none of the archives given"), "\(found)")
        let all = try ledger.run(verb + ["A", "B"].flatMap { ["--archive", ledger.place($0)] })
        #expect(all.code == 0, "\(all)")
    }

    @Test(
        "damage in an archive is still damage to every verb that meets it",
        arguments: [["log"], ["state", "get"], ["show", "2"]])
    func damagedArchive(verb: [String]) throws {
        let ledger = try twice()
        let name = "A/ledger/00000000000000000001.frames"
        var bytes = try ledger.directory.read(name)
        bytes[bytes.count - 300] ^= 1
        try ledger.directory.write(bytes, to: name)
        chmod(ledger.place(name), 0o600)
        for given in [["A", "B"], ["A"]] {
            let found = try ledger.run(verb + given.flatMap { ["--archive", ledger.place($0)] })
            #expect(found.code == 10, "\(found)")
        }
    }

    @Test("another ledger's archive is no place for this one's, also when only shown")
    func strangersArchive() throws {
        let other = try CommandLedger(entries: 3)
        #expect(try other.archive().code == 0)
        let ledger = try twice()
        for flag in [[], ["--yes"]] {
            try ledger.expectRefusal(20, "holds the archive of another ledger") {
                try ledger.run(["archive", "--before", "99", "--to", other.place()] + flag)
            }
        }
        #expect(try other.run("verify", "--archive", other.place()).code == 0)
    }

    @Test("a state that no entry holds is named before anything is touched, also when only shown")
    func largeState() throws {
        let ledger = try CommandLedger()
        for number in 10...25 {
            let trees = (10..<74).flatMap { ["--tree", "\(number)/\($0)/" + String(repeating: "x", count: 954)] }
            try ledger.lane(["declare", "lane\(number)"] + trees)
        }
        for flag in [[], ["--yes"]] {
            try ledger.expectRefusal(20, "the state of lanes has ", "nothing was archived", "fewer or shorter patterns") {
                try ledger.run(["archive", "--before", "99", "--to", ledger.place()] + flag)
            }
            #expect(!FileManager.default.fileExists(atPath: ledger.place()))
        }
    }

    @Test("what is told behind an archive: a history, an audit, and how a verification goes on")
    func words() throws {
        let ledger = try twice()
        let history = try ledger.run("state", "history", "/n")
        #expect(history.code == 0 && history.error.contains("\"/n\" was not changed since"), "\(history)")
        #expect(try ledger.run("audit").output.contains("full: every entry from seq 10 up to seq 16 was verified"))
        let archives = ["A", "B"].flatMap { ["--archive", ledger.place($0)] }
        let partial = try ledger.run(["verify", "--budget", "0"] + archives)
        let command = " --archive \(ledger.place("A")) --archive \(ledger.place("B")) --ledger \(ledger.path)\n"
        #expect(partial.code == 12 && partial.output.contains("go on with: bulla verify --from "), "\(partial)")
        #expect(partial.output.contains(command), "\(partial)")
        let long = "/" + String(repeating: "x", count: 3000)
        let absent = try ledger.run("state", "get", long)
        #expect(absent.code == 20 && absent.error.utf8.count < 400, "\(absent)")
        let time = try ledger.run("state", "get", "--at", "2026-11-22")
        #expect(time.code == 64 && time.error.contains("2026-01-31T12:00:00Z"), "\(time)")
    }
}
