import CanonicalJSON
import Foundation
import LedgerFormat
import TestSupport
import Testing

/// Behind an archive no line stands in the ledger that would tell how far a file was followed.
@Suite("ingest --follow behind an archive")
struct FollowBehindArchiveTests {
    @Test("it goes on where it stopped: in the file, in one that was rotated meanwhile, in a line that is kept in parts")
    func resumed() throws {
        let log = try FollowedLog()
        let long = String(repeating: "x", count: 1_500_000)
        try log.write("one\ntwo\n" + long)
        try log.start()
        // All of it but the last part, which may go on.
        try log.wait(count: 13)
        try log.stop(SIGTERM)
        #expect(try log.ledger.archive(to: "A").code == 0)
        #expect(try log.lines().isEmpty)
        // And once more, so that the first archive's entry is gone too.
        #expect(try log.ledger.archive(to: "B").code == 0)
        try log.write("yz\nthree\n")
        try log.rotate(to: "app.log.1")
        try log.write("four\n")
        try log.start()
        try waitUntil("the lines are recorded") { try log.lines().last == "four" }
        #expect(try log.stop(SIGTERM).error.contains("app.log.1"))
        let archives = ["--archive", log.ledger.place("A"), "--archive", log.ledger.place("B")]
        let listed = try log.ledger.run(["log", "--json", "--actor", "service:app"] + archives)
        let bodies = try listed.output.split(separator: "\n").map { try JSON(parsing: Array($0.utf8))["entry"]?["body"] }
        let lines = bodies.map { $0?["line"]?.string ?? "" }
        #expect(lines.first == "one" && lines[1] == "two" && Array(lines.suffix(2)) == ["three", "four"])
        #expect(lines.dropFirst(2).dropLast(2).joined() == long + "yz")
        #expect(bodies.dropFirst(2).dropLast(2).compactMap { $0?["part"]?.integer } == Array(1...12))
    }

    @Test("a follower that signs goes on where it stopped, across rotation and behind an archive", arguments: [false, true])
    func signed(isArchived: Bool) throws {
        let log = try FollowedLog()
        let key = log.ledger.directory.path("app.key")
        let enrolled = try log.ledger.run("actor", "enroll", "service:app", "--class", "logs", "--key-file", key)
        try #require(enrolled.code == 0, "\(enrolled)")
        try log.write("one\ntwo\n")
        try log.start("--actor-key", key)
        try log.wait(for: ["one", "two"])
        try log.stop(SIGTERM)
        if isArchived { #expect(try log.ledger.archive(to: "A").code == 0) }
        try log.write("three\n")
        try log.rotate(to: "app.log.1")
        try log.write("four\n")
        try log.start("--actor-key", key)
        try waitUntil("the lines are recorded") { try log.lines().last == "four" }
        #expect(try log.stop(SIGTERM).error.contains("app.log.1"))
        #expect(try log.lines() == (isArchived ? [] : ["one", "two"]) + ["three", "four"])
    }

    @Test("an archive given to a repair tells it too")
    func repaired() throws {
        let log = try FollowedLog()
        try log.write("one\ntwo\n")
        try log.start()
        try log.wait(for: ["one", "two"])
        try log.stop(SIGTERM)
        #expect(try log.ledger.archive(to: "A").code == 0)
        let file = try log.ledger.firstSegmentLeft
        var bytes = try log.ledger.read(file)
        bytes[300] ^= 1
        try log.ledger.overwrite(file, bytes)
        #expect(try log.ledger.run("repair", "--yes", "--archive", log.ledger.place("A")).code == 0)
        try log.write("three\n")
        try log.start()
        try log.wait(for: ["three"])
        try log.stop(SIGTERM)
        #expect(try log.lines() == ["three"])
    }

    @Test("where the archive's entry does not tell, it is refused until the user says where to begin", arguments: [true, false])
    func unknown(fromStart: Bool) throws {
        var chain = ForgedChain()
        chain.append()
        chain.roll()
        chain.archive(1)
        let head = chain.head()
        chain.drop(1)
        let ledger = try CommandLedger(chain, keys: [0], head: head.sealed(with: ForgedChain.keys[0]))
        let path = ledger.directory.path("app.log")
        try ledger.directory.write(Array("one\ntwo\nthr".utf8), to: "app.log")
        let follow = ["ingest", "--follow", "--raw", "--actor", "service:app", path]
        try ledger.expectRefusal(20, "--from-start", "--from-end") { try ledger.run(follow) }
        let option = fromStart ? "--from-start" : "--from-end"
        let running = try Program.bulla(follow + [option, "--ledger", ledger.path]).start()
        try waitUntil("it follows") { try running.errorOutput.contains("following") }
        let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        try handle.seekToEnd()
        try handle.write(contentsOf: Data("ee\n".utf8))
        try waitUntil("the line is recorded") { try ledger.bodies("--actor", "service:app").last == "three" }
        running.send(signal: SIGTERM)
        #expect(try running.wait().code == 0)
        #expect(try ledger.bodies("--actor", "service:app") == (fromStart ? ["one", "two", "three"] : ["three"]))
    }

    @Test("a place to begin goes with following, and there is one")
    func arguments() throws {
        let ledger = try CommandLedger()
        for more in [["--from-start"], ["--from-end"], ["--follow", "--from-start", "--from-end"]] {
            try ledger.expectRefusal(64, "goes with --follow") {
                try ledger.run(["ingest", "--raw", "--actor", "a:b", "x"] + more)
            }
        }
    }
}
