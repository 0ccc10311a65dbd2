import Foundation
import TestSupport
import Testing

@Suite("init makes a ledger and overwrites nothing")
struct InitTests {
    private let directory = TemporaryDirectory()

    private func mode(_ path: String) throws -> Int {
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? NSNumber
        return try #require(mode).intValue
    }

    @Test("directories have mode 700 and files 600, whatever the umask", arguments: ["0000", "0022", "0077"])
    func modes(umask: String) throws {
        let path = directory.path("L")
        let made = try Program.shell("umask \(umask); exec \"$BULLA\" init --ledger \"$1\"", path).run()
        #expect(made.code == 0, "\(made.error)")
        for folder in ["", "/ledger", "/keys", "/quarantine", "/snapshots"] { #expect(try mode(path + folder) == 0o700) }
        let key = try #require(try FileManager.default.contentsOfDirectory(atPath: path + "/keys").first)
        for file in ["/HEAD", "/" + CommandLedger.firstSegment, "/keys/" + key] { #expect(try mode(path + file) == 0o600) }
    }

    @Test("it answers the path, the id and the first receipt, and both verifiers find the ledger intact")
    func answer() throws {
        let path = directory.path("L")
        let made = try Program.watched("init", "--ledger", path).run()
        #expect(made.output.hasPrefix("made a ledger at \(path), id "))
        #expect(made.receipts.count == 1)
        #expect(made.receipts[0].contains(/^bulla-receipt-v1\/[0-9a-f]{32}\/1\/[0-9a-f]{64}\/[0-9-]{10}T[0-9:.]{15}Z$/))
        for program in [Program.watched("verify", "--ledger", path), Program.judge(path)] {
            let verdict = Verdict(try program.run())
            #expect(verdict.line.hasPrefix("intact: ") && verdict.line.hasSuffix(", seq 1") && verdict.code == 0)
        }
    }

    @Test("with --json it answers one object")
    func json() throws {
        let made = try Program.watched("init", "--ledger", directory.path("L"), "--json").run()
        let object = try JSONSerialization.jsonObject(with: Data(made.output.utf8)) as? [String: Any]
        #expect(object?["ledger"] as? String == directory.path("L"))
        #expect((object?["receipt"] as? [String: Any])?["seq"] as? Int == 1)
    }

    @Test("two ledgers share neither id nor key")
    func fresh() throws {
        for name in ["A", "B"] { #expect(try Program.watched("init", "--ledger", directory.path(name)).run().code == 0) }
        let names = try ["A", "B"].map { try FileManager.default.contentsOfDirectory(atPath: directory.path($0) + "/keys") }
        #expect(names[0] != names[1])
    }

    @Test("what exists is left as it is, and said: exit 20", arguments: ["ledger", "directory", "file", "dangling link"])
    func overwritesNothing(kind: String) throws {
        let path = directory.path("L")
        switch kind {
        case "ledger": #expect(try Program.watched("init", "--ledger", path).run().code == 0)
        case "directory": try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        case "file": try directory.write([1, 2, 3], to: "L")
        default: try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "nowhere")
        }
        let before = try tree()
        let refused = try Program.watched("init", "--ledger", path).run()
        #expect(refused.code == 20)
        #expect(refused.error.contains("\(path) exists already; init overwrites nothing"))
        #expect(refused.output.isEmpty)
        #expect(try tree() == before)
    }

    /// Everything below the directory, with the bytes of what can be read.
    private func tree() throws -> [String: Data?] {
        let names = try FileManager.default.subpathsOfDirectory(atPath: directory.path)
        return Dictionary(uniqueKeysWithValues: names.map { ($0, FileManager.default.contents(atPath: directory.path($0))) })
    }

    @Test("BULLA_DIR names the ledger, --ledger goes before it, and the default is ./.bulla")
    func place() throws {
        let variable = ["BULLA_DIR": directory.path("V")]
        #expect(try Program.watched("init").run(in: directory.path, environment: variable).code == 0)
        #expect(try Program.watched("init", "--ledger", directory.path("O")).run(environment: variable).code == 0)
        #expect(try Program.watched("init").run(in: directory.path).code == 0)
        for name in ["V", "O", ".bulla"] {
            #expect(try Program.watched("verify", "--ledger", directory.path(name)).run().code == 0)
        }
        #expect(try Program.watched("log").run(in: directory.path, environment: variable).code == 0)
    }

    @Test("a path through a symbolic link is refused, at its end or on the way: exit 20")
    func links() throws {
        try FileManager.default.createDirectory(atPath: directory.path("real/inner"), withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(atPath: directory.path("link"), withDestinationPath: "real")
        for path in ["link/L", "link/inner/L", "./link/../link/L"] {
            let refused = try Program.watched("init", "--ledger", path).run(in: directory.path)
            #expect(refused.code == 20)
            #expect(refused.error.contains("symbolic link"))
        }
        #expect(try Program.watched("init", "--ledger", "real/L").run(in: directory.path).code == 0)
        for verb in [["log"], ["verify"], ["status"], CommandLedger.appendArguments + ["--body", "{}"]] {
            let refused = try Program.watched(verb + ["--ledger", "link/L"]).run(in: directory.path)
            #expect(refused.code == 20)
            #expect(refused.error.contains("symbolic link"))
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path("real/inner")).isEmpty)
    }

    @Test("without its parent directory there is no ledger: exit 30")
    func noParent() throws {
        let refused = try Program.watched("init", "--ledger", directory.path("no/L")).run()
        #expect(refused.code == 30)
        #expect(refused.error.contains("cannot make a ledger: cannot open \(directory.path("no")): No such file or directory"))
    }

    @Test(
        "a directory that may not be written gives 30 and stays empty", .enabled(if: Machine.canBeAnotherUser, Machine.needsUser))
    func unwritable() throws {
        let script = "exec setpriv --reuid=65534 --regid=65534 --clear-groups \"$BULLA\" init --ledger \"$1\""
        let refused = try Program.shell("chmod 755 .; " + script, directory.path("L")).run(in: directory.path)
        #expect(refused.code == 30)
        #expect(refused.error.contains("cannot make \(directory.path("L")): Permission denied"))
        #expect(try tree().isEmpty)
    }

    @Test("of eight that run at once one makes the ledger and seven are refused, and nothing else is left")
    func contended() throws {
        let running = try (0..<8).map { _ in try Program.watched("init", "--ledger", directory.path("L")).start() }
        let codes = try running.map { try $0.wait().code }
        #expect(codes.sorted() == [0] + Array(repeating: 20, count: 7))
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path) == ["L"])
        #expect(try Program.judge(directory.path("L")).run().code == 0)
    }
}
