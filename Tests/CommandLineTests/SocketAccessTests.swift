import CanonicalJSON
import Foundation
import TestSupport
import Testing

@Suite("Who reaches a server's socket, and what it replaces") struct SocketAccessTests {
    private func mode(_ path: String) throws -> Int {
        try #require(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int)
    }

    private func serve(_ ledger: CommandLedger, _ socket: String, _ more: String...) throws -> Program.Result {
        try Program.watched(["run", "--ledger", ledger.path, "--socket", socket] + more).run(in: ledger.directory.path)
    }

    @Test("without a group the owner alone: mode 0600, whatever the umask")
    func ownerAlone() throws {
        let house = try SocketLedger()
        #expect(try mode(house.socket) == 0o600)
        #expect(try house.stop().code == 0)
        let ledger = try CommandLedger()
        let script = """
            cd "$1"; umask 0; mkfifo said; exec 3<> said
            "$BULLA" run --ledger L --socket S >&3 2>&1 & server=$!
            read online <&3; stat -c %a S; kill $server; wait $server
            """
        #expect(try Program.shell(script, ledger.directory.path).run().output == "600\n")
    }

    @Test(
        "another user cannot connect; as one of the group he can, and still not read the key",
        .enabled(if: Machine.canBeAnotherUser, Machine.needsUser))
    func anotherUser() throws {
        let append = #""$BULLA" append --socket S --actor a:b --action c.d --pillar integrity --reason r --body '{}'"#
        func asNobody(_ house: SocketLedger, _ command: String, groups: String = "--clear-groups") throws -> Program.Result {
            let script = "cd \"$1\"; exec setpriv --reuid=65534 --regid=65534 \(groups) \(command)"
            return try Program.shell(script, house.directory.path).run()
        }
        let closed = try SocketLedger()
        let refused = try asNobody(closed, append)
        #expect(refused.code == 30 && refused.error.contains("Permission denied; nothing was written"), "\(refused.error)")
        #expect(try closed.clientEntries().isEmpty)

        let open = try SocketLedger("--socket-group", "4711")
        #expect(try mode(open.socket) == 0o660)
        #expect(try asNobody(open, append).code == 30)
        let accepted = try asNobody(open, append, groups: "--groups=4711")
        #expect(accepted.code == 0 && accepted.receipts.count == 1, "\(accepted.error)")
        let recorded = try asNobody(
            open, "\"$BULLA\" record --socket S --actor a:b -- sh -c 'cat L/keys/* L/HEAD'", groups: "--groups=4711")
        #expect(recorded.code == 1 && recorded.error.contains("Permission denied"), "\(recorded.error)")
        let entries = try open.clientEntries()
        #expect(entries.map(\.action) == ["c.d", "record.started", "record.finished", "trauma.recorded"])
        #expect(entries.allSatisfy { $0.peer?["uid"] == 65534 && $0.peer?["gid"] == 65534 })
        try open.ledger.expectIntact()
    }

    @Test("a socket that somebody listens at is refused and left, and so is what is no socket")
    func taken() throws {
        let house = try SocketLedger()
        let second = try serve(house.ledger, house.socket)
        #expect(second.code == 20 && second.error.contains("somebody listens at"), "\(second.error)")
        #expect(try house.append().code == 0)
        let ledger = try CommandLedger()
        try ledger.directory.write([1, 2, 3], to: "file")
        try FileManager.default.createSymbolicLink(atPath: ledger.directory.path("link"), withDestinationPath: "nowhere")
        for name in ["file", "link", "L"] {
            let result = try serve(ledger, ledger.directory.path(name))
            #expect(result.code == 20 && result.error.contains("is no socket and is not replaced"), "\(result.error)")
        }
        #expect(try ledger.directory.read("file") == [1, 2, 3])
        #expect(try !FileManager.default.contentsOfDirectory(atPath: ledger.directory.path).contains { $0.hasPrefix(".bulla-") })
    }

    @Test("a socket that a killed server left is replaced; a stop removes the name only where it is its own")
    func stale() throws {
        let ledger = try CommandLedger()
        let killed = try SocketLedger(ledger: ledger)
        killed.server.send(signal: SIGKILL)
        _ = try killed.server.wait()
        #expect(FileManager.default.fileExists(atPath: killed.socket))
        let gone = try killed.append()
        #expect(gone.code == 30 && gone.error.contains("nobody listens at") && gone.error.contains("nothing was written"))
        let next = try SocketLedger(ledger: ledger)
        #expect(try next.append().code == 0)
        try FileManager.default.removeItem(atPath: next.socket)
        try ledger.directory.write([], to: "S")
        #expect(try next.stop().code == 0)
        #expect(FileManager.default.fileExists(atPath: next.socket))
    }

    @Test("a socket that cannot be made is said before anything is recorded, and nothing is left")
    func impossible() throws {
        let ledger = try CommandLedger(entries: 1)
        let file = ledger.directory.path("file")
        try ledger.directory.write([], to: "file")
        try ledger.expectRefusal(30, "cannot make the socket /no/such/place/S") { try serve(ledger, "/no/such/place/S") }
        try ledger.expectRefusal(20, "is no socket and is not replaced") { try serve(ledger, file) }
        try ledger.expectRefusal(64, "there is no group") {
            try serve(ledger, ledger.directory.path("S"), "--socket-group", "no such group")
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: ledger.directory.path).sorted() == ["L", "file"])
    }

    @Test(
        "one that fails when the process is online already: 30, and the ledger says that it went offline, and why",
        .enabled(if: Machine.hasStrace, Machine.needsStrace))
    func failsOnline() throws {
        let ledger = try CommandLedger(entries: 1)
        let script = """
            cd "$1"; exec strace -f -qq -o trace -e trace=link,linkat -e inject=link,linkat:error=ENOSPC \
                "$BULLA" run --ledger L --socket S
            """
        let result = try Program.shell(script, ledger.directory.path).run()
        #expect(result.code == 30 && result.error.contains("No space left on device"), "\(result)")
        let entries = try ledger.entries().compactMap { $0["entry"] }
        #expect(entries.suffix(2).map { $0["action"]?.string } == ["run.online", "run.offline"])
        let body = entries.last?["body"]
        #expect(body?["signal"] == .null && body?["reason"]?.string?.hasPrefix("failed: cannot make the socket S") == true)
        try ledger.expectIntact(seq: 5)
    }

    @Test("paths that no address holds, groups that nobody has, and two places at once are refused as usage")
    func usage() throws {
        let ledger = try CommandLedger()
        let long = ledger.directory.path(String(repeating: "x", count: 120))
        let tooLong = try serve(ledger, long)
        #expect(tooLong.code == 64 && tooLong.error.contains("too long"), "\(tooLong.error)")
        let group = try serve(ledger, ledger.directory.path("S"), "--socket-group", "no such group")
        #expect(group.code == 64 && group.error.contains("there is no group"), "\(group.error)")
        let append = CommandLedger.appendArguments + ["--body", "{}", "--socket"]
        #expect(try Program.watched(append + [long]).run().code == 64)
        for verb in [append, ["ingest", "-", "--socket"], ["record", "--actor", "a:b", "--socket"]] {
            var arguments = verb + [ledger.directory.path("S"), "--ledger", ledger.path]
            if verb[0] == "record" { arguments += ["--", "true"] }
            let both = try Program.watched(arguments).run()
            #expect(both.code == 64 && both.error.contains("give one"), "\(verb[0]): \(both.error)")
        }
        let nobody = try Program.watched(["record", "--actor", "a:b", "--socket", ledger.directory.path("S"), "--", "true"]).run()
        #expect(nobody.code == 125 && nobody.error.contains("nobody listens at"), "\(nobody.error)")
    }
}
