import Foundation
import TestSupport
import Testing

/// What a program's system calls have changed and not synchronised, read from a trace of strace.
private struct Unsynchronized {
    private var paths: Set<String> = []
    /// What was wrong when something was renamed into place, or said.
    private(set) var faults: [String] = []
    private(set) var saidCount = 0
    private(set) var syncCount = 0

    /// - Parameter said: how a line begins that promises durability.
    init(trace: String, said: String) {
        for line in trace.split(separator: "\n").map(String.init) where !line.contains(" = -1 ") { read(line, said) }
    }

    private mutating func read(_ line: String, _ said: String) {
        if let call = line.firstMatch(of: #/\bftruncate\(\d+<([^>]+)>/#) {
            for path in paths { faults.append("\(path) is not synchronised when \(call.1) is cut") }
            paths.insert(String(call.1))
        } else if let call = line.firstMatch(of: #/\b(?:pwrite64\(\d+|write\((?![12]<)\d+)<(\/[^>]+)>/#) {
            // The journal's lock is that it is there; what stands in it is for people.
            if !call.1.hasSuffix("/.lane-lease.lock") { paths.insert(String(call.1)) }
        } else if let call = line.firstMatch(of: #/\bopenat\(AT_FDCWD.*O_CREAT.* = \d+<([^>]+)>/#) {
            paths.insert(Self.folder(of: call.1))
        } else if let call = line.firstMatch(of: #/\brename\("([^"]+)", "([^"]+)"\)/#) {
            if paths.contains(String(call.1)) { faults.append("\(call.1) is not synchronised when it is renamed") }
            paths.insert(Self.folder(of: call.2))
        } else if let call = line.firstMatch(of: #/\b(?:fdatasync|fsync)\(\d+<([^>]+)>/#) {
            paths.remove(String(call.1))
            syncCount += 1
        } else if let call = line.firstMatch(of: #/\bopenat\(\d+<([^>]+)>, "[^"]+", [A-Z_|]*O_CREAT/#) {
            paths.insert(String(call.1))
        } else if let call = line.firstMatch(of: #/\b(?:mkdirat|unlinkat)\(\d+<([^>]+)>/#) {
            paths.insert(String(call.1))
        } else if let call = line.firstMatch(of: #/\brenameat2?\(\d+<([^>]+)>, "([^"]+)", \d+<([^>]+)>, "([^"]+)"/#) {
            let source = "\(call.1)/\(call.2)"
            for path in paths where path == source || path.hasPrefix(source + "/") {
                faults.append("\(path) is not synchronised when \(call.2) becomes \(call.4)")
            }
            paths.insert(String(call.3))
        } else if line.contains("write(1<"), line.contains("\"" + said) {
            saidCount += 1
            for path in paths { faults.append("\(path) is not synchronised when it says \(said)") }
        }
    }
}

extension Unsynchronized {
    private static func folder(of path: Substring) -> String { String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)]) }
}

@Suite(
    "What is said to be done is on the disk before: the order of writes, syncs and names",
    .enabled(if: Machine.hasStrace, Machine.needsStrace))
struct SyncOrderTests {
    private static let calls = "pwrite64,ftruncate,fdatasync,fsync,openat,mkdirat,unlinkat,?rename,renameat,renameat2,write"

    private func expectOrder(
        _ script: String, said: String, _ ledger: CommandLedger, _ source: SourceLocation = #_sourceLocation
    ) throws {
        let result = try Program.shell(
            "cd \"$1\" && strace -f -qq -y -s 200 -o trace -e trace=\(Self.calls) \(script)", ledger.directory.path
        ).run()
        #expect(result.code == 0, "\(result.error)", sourceLocation: source)
        let trace = String(decoding: try ledger.directory.read("trace"), as: UTF8.self)
        let found = Unsynchronized(trace: trace, said: said)
        #expect(found.faults.isEmpty, sourceLocation: source)
        #expect(found.saidCount > 0 && found.syncCount > 0, "\(trace)", sourceLocation: source)
    }

    @Test("init: every file and directory, then its name, then the answer")
    func initialization() throws {
        try expectOrder("\"$BULLA\" init --ledger new", said: "", CommandLedger())
    }

    @Test("append: the entry and HEAD, then the receipt")
    func append() throws {
        try expectOrder(
            "\"$BULLA\" append --ledger L --actor a:b --action c --pillar integrity --reason r --body '{}'",
            said: "bulla-receipt-v1", CommandLedger(entries: 3))
    }

    @Test("backup: every file and directory, then its name, then the answer")
    func backup() throws {
        let ledger = try CommandLedger(entries: 3)
        try ledger.directory.write([1, 2, 3], to: ledger.name("quarantine/evidence.bin"))
        try expectOrder("\"$BULLA\" backup --ledger L B", said: "backed up", ledger)
    }

    @Test("archive: what the directory is made of, then its name; every copy, then its name; then the answer")
    func archive() throws {
        try expectOrder(
            "\"$BULLA\" archive --before 9999 --to A --yes --ledger L", said: "archived", CommandLedger(entries: 3))
    }

    private static let journalLine = #"{"op":"ACQUIRE","lane":"api","loop_ts":"t1"}"#

    @Test("a lane journal, appended to, written anew, and exported: its bytes, then its name, then the answer")
    func journal() throws {
        let ledger = try CommandLedger()
        try expectOrder("\"$BULLA\" lane journal append '\(Self.journalLine)' --file J", said: "", ledger)
        try expectOrder("\"$BULLA\" lane journal compact --file J", said: "", ledger)
        try expectOrder("\"$BULLA\" lane export --ledger L --file E", said: "", ledger)
    }

    @Test("a torn tail: the evidence and its name, the cut, the entry, then the receipt; also where `quarantine/` is made anew")
    func recovery() throws {
        let ledger = try CommandLedger(entries: 2)
        let head = try ledger.read("HEAD")
        let end = try #require(try ledger.read(CommandLedger.firstSegment).lastIndex { $0 != 0 }) + 1
        #expect(try ledger.append().code == 0)
        try ledger.overwrite(CommandLedger.firstSegment, Array(try ledger.read(CommandLedger.firstSegment)[..<(end + 100)]))
        try ledger.overwrite("HEAD", head)
        try ledger.directory.remove(ledger.name("quarantine"))
        try expectOrder(
            "\"$BULLA\" append --ledger L --actor a:b --action c --pillar integrity --reason r --body '{}'",
            said: "bulla-receipt-v1", ledger)
        #expect(try FileManager.default.contentsOfDirectory(atPath: ledger.path + "/quarantine").count == 1)
    }
}
