import CanonicalJSON
import DurableFiles
import Foundation
import Ledger
import LedgerFormat
import TestSupport
import Testing

@Suite("bulla doctor")
struct DoctorCommandTests {
    /// The findings by name, and the exit code, which must agree with them.
    private func examine(
        _ ledger: CommandLedger, _ arguments: String..., source: SourceLocation = #_sourceLocation
    ) throws -> [String: [JSON]] {
        let before = try ledger.contents()
        let result = try ledger.run(["doctor", "--json"] + arguments)
        let answer = try JSON(parsing: Array(result.output.utf8))
        let findings = try #require(answer["findings"]?.array)
        let problems = findings.count { $0["state"]?.string == "problem" }
        #expect(result.code == (problems > 0 ? 20 : 0) && answer["problems"]?.integer == Int64(problems), sourceLocation: source)
        #expect(try ledger.contents() == before, sourceLocation: source)
        for finding in findings where finding["state"]?.string == "problem" || finding["state"]?.string == "advice" {
            #expect(finding["remedy"]?.string?.isEmpty == false, sourceLocation: source)
        }
        return Dictionary(grouping: findings) { $0["name"]?.string ?? "" }
    }

    /// The one problem that a change makes, besides what is wrong with the machine itself.
    private func expectProblem(
        _ name: String, _ words: String, entries: Int = 1, source: SourceLocation = #_sourceLocation,
        _ change: (CommandLedger) throws -> Void
    ) throws {
        let ledger = try CommandLedger(entries: entries)
        let healthy = try examine(ledger, source: source)
        #expect(healthy[name]?.contains { $0["state"]?.string == "problem" } == false, sourceLocation: source)
        try change(ledger)
        let ill = try examine(ledger, source: source)
        let problem = ill[name]?.first { $0["state"]?.string == "problem" }
        #expect(problem?["found"]?.string?.contains(words) == true, "\(ill[name] ?? [])", sourceLocation: source)
        let text = try ledger.run("doctor")
        #expect(text.code == 20 && text.output.contains("PROBLEM") && text.output.contains(words), sourceLocation: source)
    }

    private func setMode(_ mode: Int, _ path: String) throws {
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
    }

    @Test("a healthy ledger")
    func healthy() throws {
        let ledger = try CommandLedger(entries: 3)
        let findings = try examine(ledger)
        for name in ["permissions", "links", "key", "HEAD", "leftovers", "lock"] {
            #expect(findings[name]?.map { $0["state"]?.string } == ["ok"], "\(name)")
        }
        let advice = try #require(findings["last audit"]?.first)
        #expect(advice["state"]?.string == "advice", "there was none")
        // What it advises makes the advice go away.
        #expect(advice["remedy"]?.string?.hasPrefix("run bulla audit, ") == true)
        #expect(try ledger.run("audit").code == 0)
        #expect(try examine(ledger)["last audit"]?.first?["state"]?.string == "ok")
        #expect(findings["syncs"]?.first?["found"]?.string?.contains("median of 20") == true)
        let untouched = try examine(ledger, "--no-write")
        #expect(untouched["syncs"]?.first?["state"]?.string == "unknown")
        let isOnDisk = findings["file system"]?.first?["state"]?.string == "ok"
        if isOnDisk { #expect(try ledger.run("doctor").code == 0) }
        // The audit's own entry is the last.
        try ledger.expectIntact(seq: 5)
    }

    @Test("how many entries more there is room for is told by the entries, not by the room made for them", arguments: [0, 1, 4])
    func room(entries: Int) throws {
        let found = try #require(try examine(CommandLedger(entries: entries))["free space"]?.first?["found"]?.string)
        let numbers = found.split { !$0.isNumber }.compactMap { Int($0) }
        let (free, room) = (try #require(numbers.first) << 20, try #require(numbers.last))
        #expect(found.hasSuffix("more entries") && (200...2000).contains(free / max(1, room)), "\(found)")
    }

    @Test("a raised alert: what it names releases it")
    func alert() throws {
        let ledger = try CommandLedger(entries: 1)
        try ledger.directory.remove(ledger.name("HEAD"))
        #expect(try ledger.append().code == 10)
        let problem = try #require(try examine(ledger)["HEAD"]?.first)
        #expect(problem["remedy"]?.string?.contains("bulla repair --yes mends what is damaged, and releases the alert") == true)
        #expect(try ledger.run("repair", "--yes").code == 0)
        #expect(try examine(ledger)["HEAD"]?.first?["state"]?.string == "ok")
    }

    @Test("the plan of a repair that was stopped is a leftover")
    func stoppedRepair() throws {
        let ledger = try CommandLedger(entries: 1)
        try ledger.directory.write([1], to: ledger.name("repair"))
        let finding = try #require(try examine(ledger)["leftovers"]?.first)
        #expect(finding["found"]?.string?.hasSuffix("/repair is the plan of a repair that was stopped") == true, "\(finding)")
    }

    @Test("a base that others can write")
    func base() throws { try expectProblem("permissions", "mode 777") { try setMode(0o777, $0.path) } }

    @Test("a parent that others can write")
    func parent() throws { try expectProblem("parents", "/L/..") { try setMode(0o777, $0.directory.path) } }

    @Test("a key that others can read")
    func keyMode() throws { try expectProblem("permissions", "mode 640") { try setMode(0o640, $0.path + "/" + $0.keyFile) } }

    @Test("a key that is not there")
    func keyMissing() throws {
        try expectProblem("key", "is missing") { try FileManager.default.removeItem(atPath: $0.path + "/" + $0.keyFile) }
    }

    @Test("a hard link")
    func hardLink() throws {
        try expectProblem("links", "2 hard links") {
            try FileManager.default.linkItem(
                atPath: $0.path + "/" + CommandLedger.firstSegment, toPath: $0.directory.path("other"))
        }
    }

    @Test("a symbolic link inside")
    func symbolicLink() throws {
        try expectProblem("links", "symbolic link") {
            let (path, aside) = ($0.path + "/HEAD", $0.directory.path("HEAD"))
            try FileManager.default.moveItem(atPath: path, toPath: aside)
            try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: aside)
        }
    }

    @Test("a symbolic link on the way, and no ledger at all")
    func path() throws {
        let ledger = try CommandLedger()
        let link = ledger.directory.path("Z")
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: ledger.path)
        let result = try Program.watched("doctor", "--ledger", link).run()
        #expect(result.code == 20 && result.output.contains("PROBLEM  path") && result.output.contains("symbolic link"))
        #expect(try Program.watched("doctor", "--ledger", ledger.directory.path("none")).run().code == 64)
    }

    @Test("a damaged HEAD, a damaged end, and a raised alert")
    func head() throws {
        try expectProblem("HEAD", "mac") { ledger in
            var bytes = try ledger.read("HEAD")
            let mac = try #require(bytes.firstRange(of: Array(#""mac":""#.utf8)))
            bytes[mac.upperBound] = bytes[mac.upperBound] == 0x30 ? 0x31 : 0x30
            try ledger.overwrite("HEAD", bytes)
        }
        try expectProblem("HEAD", "seq 3", entries: 2) { ledger in
            var bytes = try ledger.read(CommandLedger.firstSegment)
            let last = try #require(bytes.lastIndex(of: UInt8(ascii: "}")))
            bytes[last - 10] ^= 1
            try ledger.overwrite(CommandLedger.firstSegment, bytes)
        }
        try expectProblem("HEAD", "alert") { ledger in
            try FileManager.default.removeItem(atPath: ledger.path + "/HEAD")
            #expect(try ledger.append().code == 10)
        }
    }

    @Test("a clock before the last entry")
    func clock() throws {
        try expectProblem("clock", "before the last entry's time (seq 3, 2100-") { ledger in
            var environment = Environment.system
            environment.now = { Timestamp("2100-01-01T00:00:00.000000Z") ?? Timestamp(microseconds: 0) }
            var session = WriterSession(try POSIXStorage(path: ledger.path), environment)
            try session.acquire()
            try session.record(TestLedger.draft(1))
            session.release()
        }
    }

    @Test("a ledger in memory", .enabled(if: FileManager.default.isWritableFile(atPath: "/dev/shm")))
    func memory() throws {
        let path = "/dev/shm/bulla-test-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try #require(try Program.watched("init", "--ledger", path).run().code == 0)
        let result = try Program.watched("doctor", "--ledger", path).run()
        #expect(result.code == 20 && result.output.contains("PROBLEM  file system  tmpfs"))
    }

    @Test("another user may look, and writes nothing", .enabled(if: Machine.canBeAnotherUser, Machine.needsUser))
    func otherUser() throws {
        let ledger = try CommandLedger(entries: 1)
        let before = try ledger.contents()
        for path in [ledger.directory.path, ledger.path] { try setMode(0o755, path) }
        let result = try Program.shell(
            "exec setpriv --reuid=65534 --regid=65534 --clear-groups \"$BULLA\" doctor --ledger \"$1\"", ledger.path
        ).run()
        #expect(result.code == 20 || result.code == 30, "what lies in ledger/ is not for others: \(result.output)\(result.error)")
        #expect(try ledger.contents() == before)
    }

    @Test(
        "killed at any system call of the timing, it leaves doctor.tmp at most, which the next one names",
        .enabled(if: Machine.hasStrace))
    func killed() throws {
        for call in ["pwrite64", "fdatasync", "unlinkat"] {
            let ledger = try CommandLedger(entries: 1)
            let killed = try Program.shell(
                "strace -f -qq -o /dev/null -e trace=\(call) -e inject=\(call):signal=SIGKILL:when=1 \"$BULLA\" doctor --ledger \"$1\"",
                ledger.path
            ).run()
            #expect(killed.code == 137, "\(call): \(killed.code)")
            try ledger.expectIntact(seq: 2)
            let after = try ledger.run("doctor")
            if call != "unlinkat" {
                #expect(after.output.contains("doctor.tmp is of a doctor that was stopped"), "\(after.output)")
            }
            #expect(try ledger.append().code == 0)
        }
    }
}
