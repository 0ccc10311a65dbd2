import CanonicalJSON
import Foundation
import TestSupport
import Testing

/// What an init or a backup that was killed leaves beside its target.
@Suite("What a killed init or backup leaves")
struct OrphanTests {
    private func orphans(_ ledger: CommandLedger) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: ledger.directory.path).filter { $0.hasPrefix(".bulla-init-") }
    }

    private func leftovers(_ ledger: CommandLedger) throws -> [JSON] {
        let answer = try JSON(parsing: Array(try ledger.run("doctor", "--no-write", "--json").output.utf8))
        return answer["findings"]?.array?.filter { $0["name"]?.string == "leftovers" } ?? []
    }

    /// A directory as a killed backup leaves it, beside the ledger.
    private func plant(_ ledger: CommandLedger, _ name: String = ".bulla-init-2f", mode: Int = 0o700) throws -> String {
        let path = ledger.directory.path(name)
        try FileManager.default.createDirectory(
            atPath: path + "/keys", withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        try ledger.directory.write([1, 2, 3], to: name + "/keys/a.key")
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
        return path
    }

    @Test(
        "a killed backup or init leaves one, doctor names it, and the next one beside it removes it",
        .enabled(if: Machine.hasStrace, Machine.needsStrace), arguments: ["backup B", "init"])
    func killed(verb: String) throws {
        let ledger = try CommandLedger(entries: 2)
        let script = """
            cd "$1"
            exec strace -f -qq -o /dev/null -e trace=renameat2 -e inject=renameat2:signal=SIGKILL \
                "$BULLA" \(verb == "init" ? "init --ledger X" : "backup B --ledger L")
            """
        #expect(try Program.shell(script, ledger.directory.path).run().code == 137)
        let name = try #require(try orphans(ledger).first)
        #expect(try FileManager.default.contentsOfDirectory(atPath: ledger.directory.path(name) + "/keys").count == 1)
        let found = try leftovers(ledger)
        #expect(found.count == 1 && found[0]["state"]?.string == "advice", "\(found)")
        #expect(
            found[0]["found"]?.string?.contains("/\(name) is left from an init or a backup that was stopped") == true, "\(found)")
        #expect(try orphans(ledger) == [name], "the doctor looks")

        let next = try ledger.run("backup", ledger.directory.path("B2"))
        #expect(
            next.code == 0 && next.error.contains("/\(name), left by an init or a backup that was stopped, was removed"),
            "\(next)")
        #expect(try orphans(ledger).isEmpty)
        #expect(try leftovers(ledger).map { $0["state"]?.string } == ["ok"])
    }

    @Test("init removes it too, and only where it can make a ledger")
    func byInit() throws {
        let ledger = try CommandLedger()
        _ = try plant(ledger)
        #expect(try Program.watched("init", "--ledger", ledger.path).run().code == 20)
        #expect(try orphans(ledger).count == 1)
        let made = try Program.watched("init", "--ledger", ledger.directory.path("X")).run()
        #expect(made.code == 0 && made.error.contains("was removed") && made.receipts.count == 1, "\(made)")
        #expect(try orphans(ledger).isEmpty)
    }

    @Test("one in which somebody works is left alone, and no word is said of it")
    func atWork() throws {
        let ledger = try CommandLedger()
        let path = try plant(ledger)
        // Another init is at work there: it holds the directory's lock.
        let result = try Program.shell(
            #"cd "$1"; flock -n "$2" sh -c '"$BULLA" backup B --ledger L && "$BULLA" doctor --ledger L'"#, ledger.directory.path,
            path
        ).run()
        #expect(result.error.isEmpty && result.output.contains("leftovers    none"), "\(result)")
        #expect(try orphans(ledger).count == 1)
    }

    @Test(
        "one that is taken for an orphan before it is locked is made anew under another name",
        .enabled(if: Machine.hasStrace, Machine.needsStrace))
    func overtaken() throws {
        let ledger = try CommandLedger()
        let script = """
            cd "$1"
            strace -f -qq -o trace -e trace=mkdirat,flock -e inject=flock:error=EAGAIN:when=1 "$BULLA" init --ledger X; code=$?
            grep -c 'mkdirat.*bulla-init' trace; exit $code
            """
        let result = try Program.shell(script, ledger.directory.path).run()
        #expect(result.code == 0 && result.output.hasSuffix("\n2\n") && result.error.isEmpty, "\(result)")
        #expect(try orphans(ledger).isEmpty)
        // Not for ever.
        let never = try Program.shell(
            script.replacing("when=1", with: "when=1+").replacing("X;", with: "Y;"), ledger.directory.path
        )
        .run()
        #expect(never.code == 30 && never.error.contains("cannot make a ledger"), "\(never)")
        #expect(try orphans(ledger).isEmpty)
    }

    @Test(
        "one that cannot be locked or removed is named, and what was to be made is made",
        .enabled(if: Machine.hasStrace, Machine.needsStrace),
        arguments: [
            ("flock:error=EIO:when=2", "nobody can tell whether somebody works in it"),
            ("unlinkat:error=EIO", "it cannot be removed: Input/output error"),
        ])
    func stuck(fault: String, words: String) throws {
        let ledger = try CommandLedger()
        _ = try plant(ledger)
        let script = """
            cd "$1"; exec strace -f -qq -o trace -e trace=flock,unlinkat -e inject=\(fault) "$BULLA" init --ledger X
            """
        let result = try Program.shell(script, ledger.directory.path).run()
        #expect(result.code == 0 && result.error.contains("was not removed: \(words)"), "\(result)")
        #expect(try orphans(ledger).count == 1)
    }

    @Test(
        "what may be somebody's ledger, or is nothing of ours, is named and left alone",
        arguments: ["mode", "parent", "link", "file", "name"])
    func doubtful(_ what: String) throws {
        let ledger = try CommandLedger()
        let path = ledger.directory.path(".bulla-init-2f")
        var words = ""
        switch what {
        case "mode":
            _ = try plant(ledger, mode: 0o755)
            words = "its mode is 755"
        case "parent":
            _ = try plant(ledger)
            try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: ledger.directory.path)
            words = "others can rename what lies beside it"
        case "link":
            try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: ledger.path)
            words = "it is a symbolic link"
        case "file":
            try ledger.directory.write([1], to: ".bulla-init-2f")
            words = "it is a regular file"
        default: _ = try plant(ledger, ".bulla-init-02F")
        }
        let before = try FileManager.default.subpathsOfDirectory(atPath: ledger.directory.path).sorted()
        let made = try ledger.run("backup", ledger.directory.path("B"))
        #expect(made.code == 0, "\(made)")
        if words.isEmpty {
            #expect(made.error.isEmpty, "\(made.error)")
        } else {
            #expect(made.error.contains("was not removed: \(words)"), "\(made.error)")
            #expect(try leftovers(ledger).first?["found"]?.string?.contains(words) == true)
        }
        try ledger.directory.remove("B")
        #expect(try FileManager.default.subpathsOfDirectory(atPath: ledger.directory.path).sorted() == before)
        #expect(try ledger.append().code == 0)
    }
}
