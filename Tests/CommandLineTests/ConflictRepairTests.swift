import CanonicalJSON
import Foundation
import TestSupport
import Testing

@Suite("Conflicts behind a repair")
struct ConflictRepairTests {
    /// Entry 5 of 10 was damaged: the others stand from 12 on now, and nothing from 5 to 10. `process:guard` has taken `/slot` from
    /// `process:tool`, and `user:ada` has changed `/a` twice.
    private func repaired() throws -> CommandLedger {
        let ledger = try CommandLedger()
        for (name, actorClass) in [("guard", "security-sentinel"), ("tool", "skill-utility")] {
            let enrolled = try ledger.run(
                "actor", "enroll", "process:\(name)", "--class", actorClass, "--key-file", ledger.directory.path(name))
            try #require(enrolled.code == 0, "\(enrolled.error)")
        }
        try #require(try set(ledger, "/a", "1").code == 0)
        try #require(try ledger.append(#"{"n":"victim"}"#).code == 0)
        try #require(try slot(ledger, "guard").code == 0)
        try #require(try slot(ledger, "tool").code == 22)
        try #require(try set(ledger, "/a", "2").code == 0)
        try #require(try ledger.append().code == 0)
        let victim = Array(#"{"n":"victim"}"#.utf8)
        let segment = try #require(
            try ledger.contents().first { $0.key.hasSuffix(".frames") && $0.value.firstRange(of: victim) != nil })
        var bytes = segment.value
        bytes[try #require(bytes.firstRange(of: victim)).lowerBound + 6] ^= 8
        try ledger.overwrite(segment.key, bytes)
        let repair = try ledger.run("repair", "--yes")
        try #require(repair.code == 0, "\(repair)")
        return ledger
    }

    private func set(_ ledger: CommandLedger, _ place: String, _ value: String, _ more: String...) throws -> Program.Result {
        try ledger.run(["state", "set", place, value, "--actor", "user:ada"] + more)
    }

    private func slot(_ ledger: CommandLedger, _ name: String, base: String = "4", id: String = "one") throws -> Program.Result {
        try ledger.append(
            #"{"slot":"\#(name)"}"#, "--actor", "process:\(name)", "--actor-key", ledger.directory.path(name), "--id", id,
            "--writes",
            "/slot", "--base", base)
    }

    @Test("a draft that had lost is told so when it is repeated (22), though its entry was re-admitted")
    func repetition() throws {
        let ledger = try repaired()
        for _ in 0..<2 {
            let again = try slot(ledger, "tool")
            #expect(again.code == 22 && again.receipts.count == 1, "\(again)")
            #expect(
                again.error.contains(#""/slot" belongs to process:guard"#) && again.error.contains("entry 7 keeps"), "\(again)")
        }
        #expect(try slot(ledger, "guard").code == 0)
        #expect(try ledger.entries("--action", "deploy.plan").isEmpty)
        try ledger.expectIntact()
    }

    @Test(
        "a base inside the gap is refused (20); one before it has seen nothing of what was re-admitted, one behind it all that counts"
    )
    func bases() throws {
        let ledger = try repaired()
        for base in ["5", "7", "10"] {
            try ledger.expectRefusal(20, "entry \(base) has lost its place in a repair", "--base") {
                try set(ledger, "/b", "1", "--base", base)
            }
            try ledger.expectRefusal(20, "entry \(base) has lost its place in a repair", "--base") {
                try ledger.append(#"{"slot":1}"#, "--writes", "/slot", "--base", base)
            }
        }
        for base in ["4", "11"] {
            try ledger.expectRefusal(22, "wrote \"/a\"", "9") { try set(ledger, "/a", "9", "--base", base) }
            let late = try ledger.append(#"{"slot":1}"#, "--writes", "/slot", "--base", base)
            #expect(late.code == 22 && late.error.contains("belongs to process:guard"), "\(late)")
        }
        let seq = try #require(try JSON(parsing: Array(try ledger.run("state", "get", "--json").output.utf8))["seq"]?.integer)
        #expect(try set(ledger, "/a", "9", "--base", "\(seq)").code == 0)
        #expect(try ledger.append(#"{"slot":1}"#, "--writes", "/slot", "--base", "\(seq)").code == 0)
        try ledger.expectIntact()
    }
}
