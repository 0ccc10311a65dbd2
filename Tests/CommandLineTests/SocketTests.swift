import CanonicalJSON
import Foundation
import TestSupport
import Testing

@Suite("Recording through a server's socket") struct SocketTests {
    @Test("append: a receipt that holds, an id that is recorded once, and who asked stands in the context")
    func append() throws {
        let house = try SocketLedger()
        let first = try house.append(#"{"n":1}"#, "--id", "once")
        let again = try house.append(#"{"n":1}"#, "--id", "once", "--json")
        #expect(first.code == 0 && first.receipts.count == 1, "\(first.error)")
        #expect(again.code == 0 && again.output.contains(#""repeated":true"#))
        let other = try house.append(#"{"n":2}"#, "--id", "once")
        #expect(other.code == 22 && other.error.contains("used the id \"once\" before"), "\(other.error)")
        let entries = try house.clientEntries()
        try #require(entries.count == 1)
        let peer = try #require(entries[0].peer?.object)
        #expect(peer.keys == ["gid", "pid", "uid"])
        #expect(peer["uid"]?.integer == Int64(geteuid()) && peer["gid"]?.integer == Int64(getegid()))
        #expect(peer["pid"]?.integer ?? 0 > 1)
        try house.directory.write(Array(first.output.utf8), to: "receipt")
        #expect(try house.ledger.verdict("--receipt", house.directory.path("receipt")).code == 0)
        #expect(try house.stop().code == 0)
        #expect(!FileManager.default.fileExists(atPath: house.socket))
        try house.ledger.expectIntact()
    }

    @Test("ingest: many lines in their order; what follows a bad one is not recorded, and the message says where to go on")
    func ingest() throws {
        let house = try SocketLedger()
        let count = 5000
        let lines = (1...count).map(String.init).joined(separator: "\n")
        let whole = try house.run(["ingest", "--raw", "--actor", "service:lines", "-"], input: lines)
        #expect(whole.code == 0 && whole.output.hasPrefix("recorded 5,000 entries\n"), "\(whole.error)")
        #expect(try house.ledger.bodies("--action", "log.line") == (1...count).map(String.init))

        #expect(try house.append(#"{"n":0}"#, "--id", "taken").code == 0)
        let drafts = [1, 2, 3].map { SocketLedger.draft($0, context: $0 == 2 ? #"{"id":"taken"}"# : "{}") + "\n" }.joined()
        let stopped = try house.run(["ingest", "-"], input: drafts)
        #expect(stopped.code == 22 && stopped.output.hasPrefix("recorded 1 entry\n"), "\(stopped.output)")
        #expect(stopped.error.contains("line 2: ") && stopped.error.contains("go on at line 2"), "\(stopped.error)")
        #expect(try house.ledger.bodies("--action", "test.event") == ["0", "1"])
        try house.ledger.expectIntact()
    }

    @Test("lines that are nearly as long as a request may be are sent alone; what is longer goes in parts")
    func longLines() throws {
        let house = try SocketLedger()
        let lines = [900_000, 900_000, 10].map { String(repeating: "x", count: $0) }.joined(separator: "\n")
        let whole = try house.run(["ingest", "--raw", "--actor", "service:lines", "-"], input: lines)
        #expect(whole.code == 0 && whole.output.hasPrefix("recorded 3 entries\n"), "\(whole.error)")
        // Escaped it is longer than what came in, and longer than a line.
        let escaped = String(repeating: "\u{1}", count: 300_000)
        let long = try house.run(["ingest", "--raw", "--actor", "service:lines", "-"], input: escaped)
        #expect(long.code == 0, "\(long.error)")
        #expect(try house.ledger.bodies("--action", "log.line").dropFirst(3).joined() == escaped)
        try house.ledger.expectIntact()
    }

    @Test("record: the command's code, entries that belong together, secrets replaced; the ledger is not looked at")
    func record() throws {
        let house = try SocketLedger()
        let result = try Program.watched([
            "record", "--socket", house.socket, "--actor", "user:ada", "--json", "--", "sh", "-c", "echo out; exit 3",
            "--password", "hunter2",
        ]).run(in: "/")
        #expect(result.code == 3 && result.output == "out\n", "\(result.error)")
        let entries = try house.clientEntries()
        #expect(entries.map(\.action) == ["record.started", "record.finished", "trauma.recorded"])
        let (started, finished) = (entries[0]["entry"], entries[1]["entry"])
        #expect(finished?["context"]?["causes"]?[0] == started?["seq"])
        #expect(finished?["body"]?["status"] == ["exit": 3])
        #expect(entries.allSatisfy { $0.peer != nil })
        let text = String(decoding: try house.ledger.read(CommandLedger.firstSegment), as: UTF8.self)
        #expect(!text.contains("hunter2") && text.contains("[redacted:"))
        #expect(result.error.contains(#""finished":{"#))
    }

    @Test("several clients and writers without the server at once: every receipt holds, none is doubled, no gap")
    func together() throws {
        let house = try SocketLedger()
        let script = """
            cd "$1"
            draft="--actor a:b --action c.d --pillar integrity --reason r --body {}"
            for i in 1 2 3 4 5 6; do
                ( for j in 1 2 3 4; do "$BULLA" append --socket S $draft || echo FAILED; done > out.$i 2>&1 ) &
            done
            ( for j in 1 2 3 4; do "$BULLA" append --ledger L --wait 60 $draft || echo FAILED; done > out.7 2>&1 ) &
            seq 1 500 | "$BULLA" ingest --socket S --raw --actor a:lines - > out.8 2>&1 || echo FAILED >> out.8
            wait
            cat out.*
            """
        let result = try Program.shell(script, house.directory.path).run()
        #expect(!result.output.contains("FAILED"), "\(result.output)")
        #expect(result.receipts.count == 29 && Set(result.receipts).count == 29)
        try house.directory.write(Array(result.output.utf8), to: "receipts")
        #expect(try house.ledger.verdict("--receipt", house.directory.path("receipts")).code == 0)
        #expect(try house.clientEntries().count == 7 * 4 + 500)
        try house.ledger.expectIntact()
    }

    @Test("a stop lets a request that is under way finish, and takes the name away before that")
    func stopUnderWay() throws {
        let house = try SocketLedger()
        let holder = try Program.python(
            "import fcntl,os,sys,time;fcntl.flock(os.open(sys.argv[1],os.O_RDONLY),fcntl.LOCK_EX);print('held',flush=True);time.sleep(100)",
            house.ledger.path
        ).start()
        defer { holder.send(signal: SIGKILL) }
        try waitUntil("the lock is held") { try holder.output.contains("held") }
        let client = try Program.bulla(CommandLedger.appendArguments + ["--body", "{}", "--socket", house.socket]).start()
        // The server stands at the gate for it.
        try waitUntil("the request is under way") {
            try Program.python(
                "import fcntl,os,sys;fcntl.flock(os.open(sys.argv[1],os.O_RDONLY),fcntl.LOCK_EX|fcntl.LOCK_NB)",
                house.ledger.path + "/keys"
            ).run().code != 0
        }
        house.server.send(signal: SIGTERM)
        try waitUntil("the name is gone") { !FileManager.default.fileExists(atPath: house.socket) }
        // `timeout` passes it on to python.
        holder.send(signal: SIGTERM)
        let result = try client.wait()
        #expect(result.code == 0 && result.receipts.count == 1, "\(result.error)")
        #expect(try house.server.wait().code == 0)
        try house.ledger.expectIntact()
    }

    @Test(
        "the server is killed between the request and its answer: 30, unknown; with the same id it is recorded once",
        .enabled(if: Machine.hasStrace, Machine.needsStrace), arguments: ["pwrite64", "fdatasync", "sendto"])
    func killed(call: String) throws {
        let house = try SocketLedger()
        // Attached when the server is online, so that the first such call is for the request.
        let script = """
            cd "$1"; mkfifo said; exec 3<> said
            strace -f -o trace -p $2 -e trace=\(call) -e inject=\(call):signal=SIGKILL:when=1 2>&3 &
            read attached <&3
            "$BULLA" append --socket S --actor a:b --action c.d --pillar integrity --reason r --body '{}' --id once
            code=$?; wait; exit $code
            """
        let result = try Program.shell(script, house.directory.path, "\(house.server.processID)").run()
        #expect(result.code == 30 && result.receipts.isEmpty, "\(result.error)")
        #expect(result.error.contains("the outcome is unknown; repeat with the same id"), "\(result.error)")
        #expect(try house.server.wait().code == 137)

        let next = try SocketLedger(ledger: house.ledger)
        let arguments = ["append", "--actor", "a:b", "--action", "c.d", "--pillar", "integrity", "--reason", "r", "--body", "{}"]
        let repeated = try (1...2).map { _ in try next.run(arguments + ["--id", "once"]) }
        #expect(repeated.allSatisfy { $0.code == 0 && $0.receipts.count == 1 } && repeated[0].output == repeated[1].output)
        #expect(try next.clientEntries().count == 1)
        try house.ledger.expectIntact()
    }
}
