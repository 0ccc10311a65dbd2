import CanonicalJSON
import DurableFiles
import Foundation
import LedgerFormat
import TestSupport
import Testing

/// A ledger that `bulla init` made, in a directory of its own, and what a user does with it.
struct CommandLedger: Sendable {
    let directory: TemporaryDirectory
    let path: String

    /// One that was made before, as `L` in a directory.
    init(at directory: TemporaryDirectory) {
        self.directory = directory
        path = directory.path("L")
    }

    /// - Parameter entries: how many entries stand behind the first one.
    init(entries: Int = 0) throws {
        directory = TemporaryDirectory()
        path = directory.path("L")
        let made = try Program.watched("init", "--ledger", path).run()
        try #require(made.code == 0, "\(made.error)")
        guard entries > 0 else { return }
        let recorded = try ingest((1...entries).map(String.init))
        try #require(recorded.code == 0, "\(recorded.error)")
    }

    /// One of TestLedger's ledgers, the same at every run; its `ends` are where the frames end.
    init(same count: Int, ends: inout [Int]) throws {
        directory = TemporaryDirectory()
        path = directory.path("L")
        ends = try TestLedger.write(to: directory, name: "L", count: count)
    }

    /// A chain that was forged, with the key files of these numbers, and a HEAD that vouches for all of it unless it is given.
    init(_ chain: ForgedChain, keys: some Sequence<Int>, head: [UInt8]? = nil) throws {
        directory = TemporaryDirectory()
        path = directory.path("L")
        let last = chain.head()
        guard let key = ForgedChain.keys.first(where: { $0.id == last.key }) else {
            preconditionFailure("HEAD names no key of ours")
        }
        try chain.write(
            to: directory, name: "L", keys: keys.map { ForgedChain.keys[$0] }, head: head ?? last.sealed(with: key))
    }

    func run(_ arguments: [String], input: [UInt8]? = nil, environment: [String: String] = [:]) throws -> Program.Result {
        try Program.watched(arguments + ["--ledger", path]).run(in: directory.path, input: input, environment: environment)
    }

    func run(_ arguments: String..., input: String? = nil) throws -> Program.Result {
        try run(arguments, input: input.map { Array($0.utf8) })
    }

    static let appendArguments = [
        "append", "--actor", "user:ada", "--action", "test.event", "--pillar", "integrity", "--reason", "a test",
    ]

    func append(_ body: String = "{}", _ more: String..., input: String? = nil) throws -> Program.Result {
        try run(Self.appendArguments + ["--body", body] + more, input: input.map { Array($0.utf8) })
    }

    /// Records lines as they are.
    func ingest(_ lines: [String], actor: String = "service:lines") throws -> Program.Result {
        try run("ingest", "--raw", "--actor", actor, "-", input: lines.map { $0 + "\n" }.joined())
    }

    /// Entries as `log --json` prints them.
    func entries(_ filters: String...) throws -> [JSON] {
        let listed = try run(["log", "--json"] + filters)
        try #require(listed.code == 0, "\(listed.error)")
        return try listed.output.split(separator: "\n").map { try JSON(parsing: Array($0.utf8)) }
    }

    /// The bodies' `n` or `line`, whichever there is.
    func bodies(_ filters: String...) throws -> [String] {
        let listed = try run(["log", "--json"] + filters)
        try #require(listed.code == 0, "\(listed.error)")
        return try listed.output.split(separator: "\n").map { line in
            let body = try JSON(parsing: Array(line.utf8)).object?["entry"]?.object?["body"]?.object
            return body?["line"]?.string ?? body?["n"]?.canonicalText ?? ""
        }
    }
}

// Files
extension CommandLedger {
    static let firstSegment = "ledger/00000000000000000001.frames"

    /// A path below the ledger, as a name for `directory`'s functions.
    func name(_ path: String) -> String { "L/" + path }

    var keyFile: String {
        get throws {
            let names = try FileManager.default.contentsOfDirectory(atPath: path + "/keys")
            return "keys/" + (try #require(names.first))
        }
    }

    func read(_ file: String) throws -> [UInt8] { try directory.read(name(file)) }

    /// Overwrites in place: it stays the same file, as it does under a tamperer's editor.
    func overwrite(_ file: String, _ bytes: [UInt8]) throws {
        let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path + "/" + file))
        try handle.truncate(atOffset: 0)
        try handle.write(contentsOf: Data(bytes))
        try handle.close()
    }

    /// Every regular file with its bytes, and every other path with none.
    func contents() throws -> [String: [UInt8]] {
        var all: [String: [UInt8]] = [:]
        for case let file as String in try #require(FileManager.default.enumerator(atPath: path)) {
            let type = try FileManager.default.attributesOfItem(atPath: path + "/" + file)[.type] as? FileAttributeType
            all[file] = type == .typeRegular ? try read(file) : []
        }
        return all
    }

    /// The directory as it is now, put back by `restore`.
    func backUp(as backup: String) throws { try directory.copy("L", to: backup) }

    func restore(from backup: String) throws {
        try directory.remove("L")
        try directory.copy(backup, to: "L")
    }
}

// Verdicts
/// A verdict line up to its place, without the reason, which each verifier gives in its own words.
struct Verdict: Equatable, CustomStringConvertible {
    var line: String
    var code: Int32

    init(_ line: String, _ code: Int32) {
        let place = line.prefixMatch(of: /[a-z]+: segment [^,]+, offset [0-9]+, seq [0-9]+/)
        self.line = place.map { String($0.output) } ?? line
        self.code = code
    }

    init(_ result: Program.Result) {
        self.init(result.output.split(separator: "\n").first.map(String.init) ?? "no verdict: " + result.error, result.code)
    }

    static func intact(offset: Int, seq: Int) -> Verdict { Verdict("intact: \(place(offset, seq))", 0) }
    static func torn(offset: Int, seq: Int) -> Verdict { Verdict("torn: \(place(offset, seq))", 0) }
    static func tampered(offset: Int, seq: Int) -> Verdict { Verdict("tampered: \(place(offset, seq))", 10) }
    static func headless(seq: Int) -> Verdict { Verdict("tampered: segment HEAD, offset 0, seq \(seq)", 10) }

    private static func place(_ offset: Int, _ seq: Int) -> String {
        "segment 00000000000000000001.frames, offset \(offset), seq \(seq)"
    }

    var description: String { "\(line) (\(code))" }
}

extension CommandLedger {
    /// What `bulla verify` says.
    func verdict(_ arguments: String...) throws -> Verdict { Verdict(try run(["verify"] + arguments)) }

    /// What the independent verifier says.
    func judgement(_ arguments: String...) throws -> Verdict { Verdict(try Program.judge([path] + arguments).run()) }

    /// What both say, which must be the same.
    func agreedVerdict(_ source: SourceLocation = #_sourceLocation) throws -> Verdict {
        let (ours, theirs) = (try verdict(), try judgement())
        #expect(ours == theirs, "the two verifiers disagree", sourceLocation: source)
        return ours
    }

    /// That both find it intact, with so many entries.
    func expectIntact(seq: Int? = nil, _ source: SourceLocation = #_sourceLocation) throws {
        let verdict = try agreedVerdict(source)
        #expect(verdict.code == 0 && verdict.line.hasPrefix("intact: "), "\(verdict)", sourceLocation: source)
        if let seq { #expect(verdict.line.hasSuffix(", seq \(seq)"), "\(verdict)", sourceLocation: source) }
    }

    /// That the call is refused with this code and these words on stderr, that it says nothing on stdout but `output`, and that
    /// not a byte of the ledger changes.
    @discardableResult
    func expectRefusal(
        _ code: Int32, _ words: String..., source: SourceLocation = #_sourceLocation, _ call: () throws -> Program.Result
    ) throws -> Program.Result {
        let before = try contents()
        let result = try call()
        #expect(result.code == code, "\(result.error)", sourceLocation: source)
        for word in words { #expect(result.error.contains(word), sourceLocation: source) }
        #expect(!result.output.contains("bulla-receipt"), sourceLocation: source)
        #expect(try contents() == before, "the ledger changed", sourceLocation: source)
        return result
    }
}
