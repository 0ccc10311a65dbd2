import CanonicalJSON
import Foundation
import TestSupport
import Testing

/// A namespace of process numbers in which `/proc` is still the one outside: its numbers are other processes there.
@Suite("Lanes: namespaces of process numbers") struct LaneNamespaceTests {
    private static let hasNamespaces = (try? Program.shell("unshare --pid --fork \"$BULLA\" --version").run().code) == 0
    private static let needsNamespaces: Comment = "SKIPPED: this needs root and unshare"

    private func inside(_ ledger: CommandLedger, _ arguments: [String]) throws -> Program.Result {
        try Program.shell(#"exec unshare --pid --fork "$BULLA" "$@""#, arguments + ["--ledger", ledger.path])
            .run(in: ledger.directory.path)
    }

    @Test("the guard starts nothing where it would end other processes", .enabled(if: hasNamespaces, needsNamespaces))
    func guardBlind() throws {
        let ledger = try CommandLedger(lanes: [("api", [])])
        let lease = try ledger.acquire("api")
        let command = ["lane", "guard"] + lease.right + ["--ledger", ledger.path, "--", "touch", ledger.directory.path("ran")]
        let result = try Program.shell(#"exec unshare --pid --fork "$BULLA" "$@""#, command).run(in: ledger.directory.path)
        #expect(result.code == 125 && result.error.contains("/proc shows the processes of another namespace"), "\(result)")
        #expect(!FileManager.default.fileExists(atPath: ledger.directory.path("ran")))
    }

    @Test(
        "a process that is named there is a number that proves nothing, and that is said",
        .enabled(if: hasNamespaces, needsNamespaces))
    func process() throws {
        let ledger = try CommandLedger(lanes: [("api", [])])
        // Somebody has this number outside, whoever it is inside.
        let acquired = try inside(ledger, ["lane", "acquire", "api", "--pid", "1", "--actor", "process:a", "--json"])
        #expect(acquired.code == 0 && acquired.error.contains("a number that proves nothing"), "\(acquired)")
        let lease = try JSON(parsing: Array(acquired.lastLine.utf8))["lease"]
        #expect(lease?["pid"] == 1 && lease?["proc_starttime"] == nil && lease?["proc_space"] == nil)
    }
}
