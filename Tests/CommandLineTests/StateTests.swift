import CanonicalJSON
import Foundation
import TestSupport
import Testing

@Suite("state, restore and snapshot")
struct StateTests {
    private let ada = ["--actor", "user:ada"]

    /// Entry 2 sets version 1.2, entry 3 version 1.3, entry 4 a host.
    private func deployed() throws -> CommandLedger {
        let ledger = try CommandLedger()
        for (pointer, value, reason) in [
            ("/deploy", #"{"version":"1.2","hosts":[]}"#, "release"), ("/deploy/version", #""1.3""#, "hot fix"),
            ("/deploy/hosts/-", #""a""#, "more room"),
        ] {
            let result = try ledger.run(["state", "set", pointer, value, "--reason", reason] + ada)
            try #require(result.code == 0 && result.receipts.count == 1, "\(result.error)")
        }
        return ledger
    }

    private func value(_ ledger: CommandLedger, _ arguments: String...) throws -> JSON {
        let result = try ledger.run(["state", "get", "--json"] + arguments)
        try #require(result.code == 0, "\(result.error)")
        return try #require(try JSON(parsing: Array(result.output.dropLast().utf8))["value"])
    }

    @Test("set, get, remove, patch: what is read is what was written, and both verifiers find the ledger intact")
    func life() throws {
        let ledger = try deployed()
        #expect(try value(ledger) == ["deploy": ["version": "1.3", "hosts": ["a"]]])
        #expect(try ledger.run("state", "get", "/deploy/version").output == "\"1.3\"\n")
        #expect(try ledger.run(["state", "remove", "/deploy/hosts"] + ada).code == 0)
        let patch = #"[{"op":"test","path":"/deploy/version","value":"1.3"},{"op":"add","path":"/n","value":1}]"#
        #expect(try ledger.run(["state", "patch", "-"] + ada, input: Array(patch.utf8)).code == 0)
        #expect(try value(ledger) == ["deploy": ["version": "1.3"], "n": 1])
        try ledger.expectIntact(seq: 6)
        let entry = try #require(try ledger.entries("--last", "1").first?["entry"])
        #expect(entry["action"] == "state.patched" && entry["context"] == ["base": 5, "writes": ["/n"]])
    }

    @Test("a restore that is shown can be done, also over hundreds of long names")
    func longPaths() throws {
        let ledger = try CommandLedger()
        for part in 0..<2 {
            let names = (0..<120).map { "k\(part * 120 + $0)" + String(repeating: "x", count: 3000) }
            let patch = "[" + names.map { #"{"op":"add","path":"/\#($0)","value":1}"# }.joined(separator: ",") + "]"
            let applied = try ledger.run(["state", "patch", "-"] + ada, input: Array(patch.utf8))
            try #require(applied.code == 0, "\(applied.error.prefix(500))")
        }
        let restored = try ledger.run(["restore", "--to", "1", "--reason", "back", "--yes"] + ada)
        #expect(restored.code == 0, "\(restored.error.prefix(500))")
        #expect(try value(ledger) == [:])
        let entry = try #require(try ledger.entries("--last", "1").first?["entry"])
        #expect(entry["context"]?["writes"] == [""])
    }

    @Test("--at tells the state at a seq, a hash and a time")
    func at() throws {
        let ledger = try deployed()
        let third = try #require(try ledger.entries()[2].object)
        let time = try #require(third["entry"]?["time"]?.string)
        let hash = try #require(third["hash"]?.string)
        for point in ["3", hash, time] {
            #expect(try value(ledger, "--at", point) == ["deploy": ["version": "1.3", "hosts": []]], "\(point)")
        }
        #expect(try value(ledger, "--at", "1") == [:])
        #expect(try ledger.run("state", "get", "--at", "2000-01-01T00:00:00Z").code == 20)
        #expect(try ledger.run("state", "get", "--at", "5").code == 20)
        #expect(try ledger.run("state", "get", "--at", "yesterday").code == 64)
    }

    @Test("history says who, when, what and why; diff is a patch that leads from one to the other")
    func history() throws {
        let ledger = try deployed()
        let lines = try ledger.run("state", "history", "/deploy/version").output.split(separator: "\n")
        #expect(lines.count == 4)
        #expect(lines[0].hasPrefix("seq 2  20") && lines[0].hasSuffix(#"user:ada  set to "1.2""#) && lines[1] == "    release")
        #expect(lines[2].hasSuffix(#"set to "1.3""#) && lines[3] == "    hot fix")
        let diff = try ledger.run("state", "diff", "2", "--json")
        let patch = try JSONPatch(try #require(try JSON(parsing: Array(diff.output.dropLast().utf8))["patch"]))
        #expect(try patch.apply(to: value(ledger, "--at", "2")) == value(ledger))
    }

    @Test("restore shows the patch, does it with --yes, and can be taken back; what was left stays readable")
    func restore() throws {
        let ledger = try deployed()
        let before = try ledger.contents()
        let shown = try ledger.run("restore", "--to", "2")
        #expect(shown.code == 0 && shown.output.contains(#"{"op":"replace","path":"/deploy/version","value":"1.2"}"#))
        #expect(try ledger.contents() == before)
        #expect(try ledger.run("restore", "--to", "2", "--yes").code == 64)
        let done = try ledger.run(["restore", "--to", "2", "--yes", "--reason", "it failed"] + ada)
        #expect(done.code == 0 && done.receipts.count == 1, "\(done.error)")
        #expect(try value(ledger) == ["deploy": ["version": "1.2", "hosts": []]])
        #expect(try value(ledger, "--at", "4") == ["deploy": ["version": "1.3", "hosts": ["a"]]])
        #expect(try ledger.run(["restore", "--to", "4", "--yes", "--reason", "it did not"] + ada).code == 0)
        #expect(try value(ledger) == ["deploy": ["version": "1.3", "hosts": ["a"]]])
        let again = try ledger.run(["restore", "--to", "4", "--yes", "--reason", "again"] + ada)
        #expect(again.code == 0 && again.receipts.isEmpty)
        try ledger.expectIntact(seq: 6)
    }

    @Test("what is refused, with its reason, and nothing written")
    func refusals() throws {
        let ledger = try deployed()
        func patch(_ text: String) throws -> Program.Result {
            try ledger.run(["state", "patch", "-"] + ada, input: Array(text.utf8))
        }
        try ledger.expectRefusal(20, "/nowhere/x") { try ledger.run(["state", "set", "/nowhere/x", "1"] + ada) }
        try ledger.expectRefusal(20, "/nothing") { try ledger.run(["state", "remove", "/nothing"] + ada) }
        try ledger.expectRefusal(20, "operation 1") {
            try patch(#"[{"op":"add","path":"/n","value":1},{"op":"test","path":"/n","value":2}]"#)
        }
        try ledger.expectRefusal(64, "line 1, column 2") { try ledger.run(["state", "set", "/n", "text"] + ada) }
        try ledger.expectRefusal(64) { try ledger.run(["state", "set", "n", "1"] + ada) }
        try ledger.expectRefusal(64, "operation 0") { try patch(#"[{"op":"jump","path":"/n"}]"#) }
        try ledger.expectRefusal(64, "no operation") { try patch("[]") }
        try ledger.expectRefusal(20, "bytes") {
            try patch(#"[{"op":"add","path":"/n","value":"\#(String(repeating: "x", count: 800_000))"}]"#)
        }
        let deep = String(repeating: "[", count: 40) + String(repeating: "]", count: 40)
        try ledger.expectRefusal(20, "deeper") { try ledger.run(["state", "set", "/n", deep] + ada) }
        try ledger.expectRefusal(20, "no entry 9") { try ledger.run(["restore", "--to", "9"]) }
    }

    @Test("the namespaces of state and snapshots are written by their own verbs only")
    func reserved() throws {
        let ledger = try CommandLedger()
        for action in ["state.patched", "state.restored", "snapshot.ignored", "effect.finished"] {
            try ledger.expectRefusal(20) {
                try ledger.run([
                    "append", "--actor", "user:ada", "--action", action, "--pillar", "integrity", "--reason", "x", "--body", "{}",
                ])
            }
        }
    }

    @Test("a snapshot is used and says so; a damaged one is passed over aloud, then recorded and put away by the next writer")
    func snapshots() throws {
        let ledger = try deployed()
        #expect(try ledger.run("snapshot", "list").output.contains("no snapshot"))
        #expect(try ledger.run("snapshot", "create").code == 0)
        let file = "snapshots/documents-00000000000000000004"
        #expect(try ledger.run("snapshot", "list").output == "\(file)  fits the ledger\n")
        let verified = try ledger.run("snapshot", "verify")
        #expect(verified.code == 0 && verified.output == "\(file)  is what the entries fold to\n")
        #expect(try ledger.run("state", "get", "--json").output.contains(#""snapshot":4"#))
        #expect(try status(ledger)["snapshot_loaded"] == true)

        var bytes = try ledger.read(file)
        let index = try #require(bytes.firstIndex(of: UInt8(ascii: "3")))
        bytes[index] = UInt8(ascii: "9")
        try ledger.overwrite(file, bytes)
        let read = try ledger.run("state", "get", "/deploy/version")
        #expect(read.code == 0 && read.output == "\"1.3\"\n" && read.error.contains("ignored"))
        #expect(try status(ledger)["snapshot_loaded"] == false)
        #expect(try ledger.run("snapshot", "verify").code == 10)
        let set = try ledger.run(["state", "set", "/n", "1"] + ada)
        #expect(set.code == 0 && set.error.contains("quarantine"))
        #expect(try ledger.entries("--action", "snapshot.ignored").count == 1)
        #expect(try value(ledger) == ["deploy": ["version": "1.3", "hosts": ["a"]], "n": 1])
        try ledger.expectIntact(seq: 6)
    }

    private func status(_ ledger: CommandLedger) throws -> JSONObject {
        let result = try ledger.run("status", "--json")
        try #require(result.code == 0, "\(result.error)")
        return try #require(try JSON(parsing: Array(result.output.dropLast().utf8)).object)
    }

    @Test("what a repair re-admits counts as it did; a change that builds on a lost one is passed over, and that is told")
    func repaired() throws {
        let ledger = try CommandLedger()
        for (pointer, value) in [("/a", "1"), ("/b", "{}"), ("/b/c", "2"), ("/d", "3")] {
            try #require(try ledger.run(["state", "set", pointer, value] + ada).code == 0)
        }
        var bytes = try ledger.read(CommandLedger.firstSegment)
        // Entry 3 made /b, on which entry 4 builds.
        let feeds = bytes.indices.filter { bytes[$0] == 0x0A }
        bytes[feeds[2] - 200] ^= 1
        try ledger.overwrite(CommandLedger.firstSegment, bytes)
        let damaged = try ledger.run("state", "get")
        #expect(damaged.code == 10 && damaged.error.contains("--at 2"))
        #expect(try value(ledger, "--at", "2") == ["a": 1])
        #expect(try ledger.run("audit").code == 10)
        #expect(try ledger.run("repair", "--yes").code == 0)
        let told = try ledger.run("state", "get", "--json")
        #expect(told.code == 0 && told.error.contains("entry 4"))
        #expect(try value(ledger) == ["a": 1, "d": 3])
        #expect(try value(ledger, "--at", "5") == ["a": 1, "d": 3])
        try ledger.expectRefusal(20, "lost in repair") { try ledger.run("restore", "--to", "3") }
    }
}
