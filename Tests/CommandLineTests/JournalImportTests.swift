import CanonicalJSON
import Foundation
import TestSupport
import Testing

/// `bulla lane import` and `bulla lane export`.
@Suite("Command line: lane import and export")
struct JournalImportTests {
    private let ledger: CommandLedger

    init() throws {
        ledger = try CommandLedger()
        try #require(try ledger.run("lane", "declare", "--open", "--actor", "user:ada").code == 0)
    }

    private func acquire(_ lane: String, _ more: String...) throws {
        let result = try ledger.run(["lane", "acquire", lane, "--actor", "process:p", "--tree", lane] + more)
        try #require(result.code == 0, "\(result.error)")
    }

    private func importing(_ journal: String, _ more: String..., into other: CommandLedger? = nil) throws -> Program.Result {
        try ledger.directory.write(Array(journal.utf8), to: "journal")
        return try (other ?? ledger).run(
            ["lane", "import", "--file", ledger.directory.path("journal"), "--actor", "user:ada"] + more)
    }

    /// Lane, kind, tree, holder and minutes of what is live.
    private func leases(_ ledger: CommandLedger) throws -> [String] {
        let listed = try ledger.run("lane", "list", "--json")
        let object = try #require(try JSONSerialization.jsonObject(with: Data(listed.output.utf8)) as? [String: Any])
        return try #require(object["leases"] as? [[String: Any]]).map { lease in
            let tree = (lease["tree"] as? [String] ?? []).joined(separator: " ")
            return [lease["lane"], lease["lane_kind"], tree, lease["holder"], lease["ttl_minutes"]].map { "\($0 ?? "")" }.joined(
                separator: ", ")
        }
    }

    private static func lease(_ lane: String, _ more: String = "") -> String {
        #"{"op":"ACQUIRE","lane":"\#(lane)","loop_ts":"t","tree":["\#(lane)"]\#(more)}"# + "\n"
    }

    @Test("what is exported is imported as the same leases, with tokens of their own")
    func roundTrip() throws {
        try acquire("api", "--ttl", "20m", "--holder", "ada")
        try acquire("x", "--kind", "shared", "--loop-ts", "t", "--holder", "one")
        try acquire("x", "--kind", "shared", "--loop-ts", "t", "--holder", "two")
        let path = ledger.directory.path("out")
        let exported = try ledger.run("lane", "export", "--file", path)
        #expect(exported.code == 0 && exported.output == "\(path): live leases 3, up to seq 5\n")
        #expect(try ledger.run("lane", "export").output == String(decoding: try ledger.directory.read("out"), as: UTF8.self))
        #expect(try Program.bulla("lane", "journal", "seq", "--file", path).run().output == "6\n")
        let again = try ledger.run("lane", "export", "--file", path)
        #expect(again.code == 64 && again.error.contains("nothing is written over it"))
        let other = try CommandLedger()
        #expect(try other.run("lane", "declare", "--open", "--actor", "user:ada").code == 0)
        let text = String(decoding: try ledger.directory.read("out"), as: UTF8.self)
        let imported = try importing(text, "--json", into: other)
        #expect(imported.code == 0, "\(imported.error)")
        #expect(try leases(other) == leases(ledger) && leases(other).count == 3)
        #expect(imported.output.contains("\"token\":3") && imported.output.contains("\"token\":5"))
        #expect(try other.run("verify").code == 0)
    }

    @Test("the id and the token that import prints are the right to the lease")
    func right() throws {
        let imported = try importing(Self.lease("api", #","holder":"ada","ttl_minutes":30"#))
        let words = imported.output.split(separator: " ").map(String.init)
        try #require(words.count > 4 && words[0] == "lease" && words[2] == "token")
        let beat = try ledger.run("lane", "heartbeat", "--lease", words[1], "--token", words[3], "--actor", "process:p")
        #expect(beat.code == 0, "\(beat.error)")
        // History begins with the import, and says which journal tells what was before.
        let history = try ledger.run("lane", "history", "api").output
        #expect(history.contains("imported for ada: lease \(words[1]), token \(words[3])\n"))
        #expect(try ledger.laneBodies("reconcile").first?["journal"]?["entries"] == 1)
        #expect(try ledger.run("lane", "acquire", "api", "--actor", "process:q").code == 20)
    }

    @Test("a lease without a time gets one; what is not read alike gets wider; global is exclusive")
    func converted() throws {
        let journal =
            Self.lease("a", #","ttl_minutes":null"#) + #"{"op":"ACQUIRE","lane":"b","lease":{"tree":["d/[xy]/z"]}}"# + "\n"
        #expect(try importing(journal, "--ttl", "5m").code == 0)
        #expect(try leases(ledger) == ["a, cluster, a, , 5", "b, cluster, d/*/z, , 5"])
        let other = try CommandLedger()
        #expect(try other.run("lane", "declare", "--open", "--actor", "user:ada").code == 0)
        #expect(try importing(Self.lease("g", #","lane_kind":"global""#), into: other).code == 0)
        #expect(try leases(other).first?.hasPrefix("g, exclusive") == true)
    }

    @Test("leases that meet are refused: 20, all of them, or only those with --leave-out")
    func refused() throws {
        try acquire("api")
        let seq = try ledger.run("status", "--json").output
        let journal = Self.lease("docs") + Self.lease("src", #","tree":["docs/**"]"#) + Self.lease("api") + Self.lease("web")
        let all = try importing(journal)
        #expect(all.code == 20 && all.error.contains("lane src") && all.error.contains("nothing was written"), "\(all.error)")
        #expect(try ledger.run("status", "--json").output == seq)
        let some = try importing(journal, "--leave-out")
        #expect(some.code == 0 && some.error.contains("lane src") && some.error.contains("lane api"), "\(some.error)")
        #expect(try leases(ledger).map { $0.prefix(3) } == ["api", "doc", "web"])
    }

    @Test("a time that no lease can last is refused: 20", arguments: ["-5", "1e300", "NaN", "\"x\"", "true"])
    func lasting(time: String) throws {
        let refused = try importing(Self.lease("api", #","ttl_minutes":\#(time)"#))
        #expect(refused.code == 20 && refused.error.contains("ttl_minutes"), "\(refused)")
        #expect(try leases(ledger).isEmpty)
    }

    @Test("an undeclared lane and a name that no lane can have are refused: 20")
    func undeclared() throws {
        let closed = try CommandLedger()
        let undeclared = try importing(Self.lease("api"), into: closed)
        #expect(undeclared.code == 20 && undeclared.error.contains("not declared"))
        #expect(try importing(Self.lease("\\ud800")).code == 20)
        #expect(try importing(Self.lease("", #","loop_ts":"t""#)).code == 20)
    }

    @Test("a journal that is none is refused: 64, nothing written")
    func badJournal() throws {
        let seq = try ledger.run("status", "--json").output
        #expect(try importing("{\"a\":\"\(String(repeating: "x", count: 1_000_000))\"}\n{}\n").code == 64)
        #expect(try ledger.run("lane", "import", "--file", ledger.directory.path("none"), "--actor", "user:ada").code == 64)
        #expect(try ledger.run("lane", "import", "--file", ledger.directory.path, "--actor", "user:ada").code == 64)
        #expect(try ledger.run("status", "--json").output == seq)
        #expect(try importing("").output == "no lease is imported\n")
    }
}
