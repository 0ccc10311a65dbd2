import Foundation
import TestSupport
import Testing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// What may stand where a core file should.
enum Intruder: String, CaseIterable, Sendable {
    case symbolicLink = "a symbolic link"
    case hardLink = "hard links"
    case fifo = "a FIFO"
    case socket = "a socket"
    case directory = "a directory"
    case device = "a device"

    /// Puts it at the path of a file, which stays readable through a link.
    func take(_ path: String) throws {
        let aside = path + ".aside"
        if self != .hardLink { try FileManager.default.moveItem(atPath: path, toPath: aside) }
        switch self {
        case .symbolicLink: try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: aside)
        case .hardLink: try FileManager.default.linkItem(atPath: path, toPath: aside)
        case .fifo: try #require(mkfifo(path, 0o600) == 0)
        case .socket:
            let bind =
                "import os,socket,sys;os.chdir(os.path.dirname(sys.argv[1]));socket.socket(socket.AF_UNIX).bind(os.path.basename(sys.argv[1]))"
            try #require(try Program.python(bind, path).run().code == 0)
        case .directory: try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        case .device: try #require(mknod(path, S_IFCHR | 0o600, 0x0103) == 0)
        }
    }
}

@Suite("Links, FIFOs, sockets and devices at core paths are refused before the first byte, and nothing hangs")
struct PathFaultTests {
    private static let verbs = [
        ["verify"], ["verify", "--threads", "2"], ["log"], ["show", "1"], ["status"], ["ingest", "-"],
        CommandLedger.appendArguments + ["--body", "{}"],
    ]

    private func check(_ file: String, _ intruder: Intruder) throws {
        let ledger = try CommandLedger(entries: 1)
        let path = ledger.path + "/" + (file == "key" ? try ledger.keyFile : file)
        try intruder.take(path)
        let before = try ledger.contents()
        for verb in Self.verbs {
            let input = #"{"actor":"a:b","action":"c","justification":{"pillar":"integrity","reason":""},"body":{}}"#
            let refused = try ledger.run(verb, input: Array(input.utf8))
            // Status looks at the key only to say whether it is there.
            #expect(refused.code == 20, "\(verb[0]) of \(file): \(refused.error)")
            #expect(refused.error.contains(path), "\(refused.error)")
            #expect(refused.error.contains(intruder.rawValue), "\(refused.error)")
        }
        #expect(try ledger.judgement().code == 20)
        #expect(try ledger.contents() == before)
    }

    @Test(
        "at HEAD, the segment and the key: exit 20, with the path and what stands there",
        arguments: ["HEAD", CommandLedger.firstSegment, "key"], Intruder.allCases.filter { $0 != .device })
    func files(file: String, intruder: Intruder) throws { try check(file, intruder) }

    @Test(
        "a device: exit 20", .enabled(if: Machine.isRoot, Machine.needsRoot),
        arguments: ["HEAD", CommandLedger.firstSegment, "key"])
    func devices(file: String) throws { try check(file, .device) }

    @Test("directories behind symbolic links: exit 20", arguments: ["ledger", "keys", "quarantine"])
    func directories(name: String) throws {
        let ledger = try CommandLedger(entries: 1)
        let path = ledger.path + "/" + name
        try FileManager.default.moveItem(atPath: path, toPath: ledger.directory.path("elsewhere"))
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: ledger.directory.path("elsewhere"))
        try ledger.expectRefusal(20, path, "symbolic link") { try ledger.append() }
        if name != "quarantine" { try ledger.expectRefusal(20, path, "symbolic link") { try ledger.run("verify") } }
    }

    @Test("a FIFO or a file where a directory should be: exit 20", arguments: ["ledger", "keys"], ["FIFO", "regular file"])
    func noDirectories(name: String, kind: String) throws {
        let ledger = try CommandLedger(entries: 1)
        let path = ledger.path + "/" + name
        try FileManager.default.moveItem(atPath: path, toPath: ledger.directory.path("elsewhere"))
        if kind == "FIFO" {
            try #require(mkfifo(path, 0o600) == 0)
        } else {
            try ledger.directory.write([], to: ledger.name(name))
        }
        for verb in [["verify"], CommandLedger.appendArguments + ["--body", "{}"]] {
            let refused = try ledger.run(verb)
            #expect(refused.code == 20)
            #expect(refused.error.contains(path) && refused.error.contains("is a \(kind), not a directory"), "\(refused.error)")
        }
    }

    @Test("a base directory that is none: refused", arguments: ["FIFO", "regular file", "socket"])
    func base(kind: String) throws {
        let directory = TemporaryDirectory()
        try directory.write([], to: "L")
        if kind == "FIFO" { try Intruder.fifo.take(directory.path("L")) }
        if kind == "socket" { try Intruder.socket.take(directory.path("L")) }
        for verb in Self.verbs {
            let refused = try Program.watched(verb + ["--ledger", directory.path("L")]).run(input: [])
            #expect(refused.code == 20)
            #expect(refused.error.contains("\(directory.path("L")) is a \(kind), not a directory"), "\(refused.error)")
        }
    }

    @Test("an orphan HEAD.new of a crash is harmless; a link there is replaced, never followed")
    func orphan() throws {
        let ledger = try CommandLedger(entries: 1)
        try ledger.directory.write(Array("half".utf8), to: ledger.name("HEAD.new"))
        #expect(try ledger.append().code == 0)
        try ledger.directory.write(Array("precious".utf8), to: "victim")
        try FileManager.default.createSymbolicLink(
            atPath: ledger.path + "/HEAD.new", withDestinationPath: ledger.directory.path("victim"))
        #expect(try ledger.append().code == 0)
        #expect(try ledger.directory.read("victim") == Array("precious".utf8))
        try ledger.expectIntact(seq: 4)
    }
}

@Suite("Keys that are missing, replaced, damaged, readable by others or another's")
struct KeyFaultTests {
    @Test(
        "missing, replaced and damaged: 11, each with its own words; putting the backup back mends it",
        arguments: [
            ("missing", "is missing; put its backup in place"), ("directory missing", "is missing"),
            ("replaced", "holds another key"),
            ("damaged", "is damaged"), ("empty", "is damaged"), ("cut", "is damaged"), ("upper case", "is damaged"),
        ])
    func unusable(kind: String, words: String) throws {
        let ledger = try CommandLedger(entries: 1)
        let keyFile = try ledger.keyFile
        try ledger.backUp(as: "backup")
        let key = try ledger.read(keyFile)
        switch kind {
        case "missing": try ledger.directory.remove(ledger.name(keyFile))
        case "directory missing": try ledger.directory.remove(ledger.name("keys"))
        case "replaced": try ledger.overwrite(keyFile, Array((String(repeating: "0", count: 63) + "1\n").utf8))
        case "damaged": try ledger.overwrite(keyFile, Array("hello\n".utf8))
        case "empty": try ledger.overwrite(keyFile, [])
        case "cut": try ledger.overwrite(keyFile, Array(key.dropLast()))
        default: try ledger.overwrite(keyFile, Array("A".utf8) + key.dropFirst())
        }
        try ledger.expectRefusal(11, words) { try ledger.append() }
        try ledger.expectRefusal(11, words) { try ledger.ingest(["x"]) }
        #expect(try ledger.agreedVerdict().code == 11)
        #expect(try ledger.run("verify").output.contains("all that needs no key was checked"))
        #expect(try ledger.run("log").code == 0)
        try ledger.restore(from: "backup")
        #expect(try ledger.append().code == 0)
        try ledger.expectIntact(seq: 3)
    }

    @Test(
        "open to the group or to others: 20, for writers and readers and the independent verifier",
        arguments: [0o640, 0o604, 0o620, 0o777])
    func openToOthers(mode: Int) throws {
        let ledger = try CommandLedger(entries: 1)
        let path = ledger.path + "/" + (try ledger.keyFile)
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
        for verb in [["verify"], ["log"], CommandLedger.appendArguments + ["--body", "{}"]] {
            let words = "can be read by others (mode \(String(mode, radix: 8))); a sealing key must be 600"
            try ledger.expectRefusal(20, path, words) { try ledger.run(verb) }
        }
        #expect(try ledger.judgement().code == 20)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
        #expect(try ledger.append().code == 0)
    }

    @Test(
        "files of another user: 20, with his number", .enabled(if: Machine.isRoot, Machine.needsRoot),
        arguments: ["HEAD", CommandLedger.firstSegment, "key"])
    func foreignOwner(file: String) throws {
        let ledger = try CommandLedger(entries: 1)
        let path = ledger.path + "/" + (file == "key" ? try ledger.keyFile : file)
        try #require(chown(path, 65534, 65534) == 0)
        for verb in [["verify"], ["log"], CommandLedger.appendArguments + ["--body", "{}"]] {
            try ledger.expectRefusal(20, path, "belongs to user 65534") { try ledger.run(verb) }
        }
        #expect(try ledger.judgement().code == 20)
    }

    @Test(
        "only the directory's owner writes, not even root; whoever may read reads",
        .enabled(if: Machine.canBeAnotherUser, Machine.needsUser))
    func owner() throws {
        let ledger = try CommandLedger(entries: 1)
        try #require(try Program.shell("chown -R 65534:65534 \"$1\"", ledger.path).run().code == 0)
        try ledger.expectRefusal(20, "belongs to user 65534; only its owner writes, and we are user 0") { try ledger.append() }
        #expect(try ledger.run("verify").code == 0)
        let asOwner = "chmod 755 .; exec setpriv --reuid=65534 --regid=65534 --clear-groups \"$BULLA\" "
        let script = asOwner + "append --ledger \"$1\" --actor a:b --action c --pillar integrity --reason r --body '{}'"
        #expect(try Program.shell(script, ledger.path).run(in: ledger.directory.path).code == 0)
        #expect(try ledger.verdict().line.hasSuffix(", seq 3"))
    }
}

@Suite("Permissions that were lost")
struct PermissionTests {
    /// Appends as user 65534, to whom the ledger belongs, after `before`.
    private func append(_ ledger: CommandLedger, after before: String) throws -> Program.Result {
        let script = """
            chmod 755 .; chown -R 65534:65534 "$1"; \(before)
            exec setpriv --reuid=65534 --regid=65534 --clear-groups "$BULLA" \
                append --ledger "$1" --actor a:b --action c --pillar integrity --reason r --body '{}'
            """
        return try Program.shell(script, ledger.path).run(in: ledger.directory.path)
    }

    @Test(
        "what may not be opened gives 30 and the path, and works again afterwards",
        .enabled(if: Machine.canBeAnotherUser, Machine.needsUser),
        arguments: [
            ("chmod 000 \"$1\"", "cannot open"), ("chmod 000 \"$1/ledger\"", "/ledger"),
            ("chmod 400 \"$1\"/ledger/*", "/ledger/"),
            ("chmod 000 \"$1/keys\"", "/keys"), ("chmod 000 \"$1/HEAD\"", "/HEAD"),
            ("chown 0:0 \"$1\"; chmod 700 \"$1\"", "cannot open"),
        ])
    func unreadable(change: String, words: String) throws {
        let ledger = try CommandLedger(entries: 1)
        let refused = try append(ledger, after: change)
        #expect(refused.code == 30, "\(refused.error)")
        #expect(refused.error.contains(words) && refused.error.contains("Permission denied"), "\(refused.error)")
        #expect(refused.receipts.isEmpty)
        let mended = "chmod 700 \"$1\" \"$1\"/*/; chmod 600 \"$1/HEAD\" \"$1\"/ledger/* \"$1\"/keys/*"
        #expect(try append(ledger, after: mended).code == 0)
        #expect(try ledger.verdict().line.hasSuffix(", seq 3"))
    }

    @Test(
        "where only HEAD cannot be replaced the entry is recorded, acknowledged and said to lag",
        .enabled(if: Machine.canBeAnotherUser, Machine.needsUser))
    func headNotReplaced() throws {
        let ledger = try CommandLedger(entries: 1)
        let first = try append(ledger, after: "chmod 500 \"$1\"")
        #expect(first.code == 0)
        #expect(first.error.contains("HEAD was not replaced and lags"))
        #expect(first.receipts.count == 1)
        #expect(try append(ledger, after: "chmod 700 \"$1\"").code == 0)
        #expect(try ledger.verdict().line.hasSuffix(", seq 4"))
        try ledger.directory.write(Array(first.output.utf8), to: "receipt")
        #expect(try ledger.verdict("--receipt", ledger.directory.path("receipt")).code == 0)
    }
}
