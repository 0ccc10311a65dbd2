import DurableFiles
import Foundation
import TestSupport
import Testing

@Suite("Where the anchor is kept, and where none can be")
struct AnchorFolderTests {
    /// Runs a verb with these variables, and without those that name the folder otherwise.
    private func run(_ ledger: CommandLedger, _ variables: [String], _ arguments: [String]) throws -> Program.Result {
        let command = ["env", "-u", "BULLA_STATE_DIR", "-u", "XDG_STATE_HOME", "-u", "BULLA_ANCHOR"] + variables
        return try Program("/usr/bin/env", command + [Program.bullaPath] + arguments + ["--ledger", ledger.path])
            .run(in: ledger.directory.path)
    }

    private static let append = CommandLedger.appendArguments + ["--body", "{}"]

    @Test("without a home folder work goes on, and what to set is said")
    func homeless() throws {
        let ledger = try CommandLedger(entries: 1)
        let appended = try run(ledger, ["HOME=relative"], Self.append)
        #expect(appended.code == 0, "\(appended.error)")
        #expect(appended.error.contains("no home folder is known; set BULLA_STATE_DIR"), "\(appended.error)")
        let shown = try run(ledger, ["HOME=relative"], ["anchor", "show"])
        #expect(shown.code == 0 && shown.output.contains("anchors in no folder"), "\(shown.output) \(shown.error)")
        #expect(!FileManager.default.fileExists(atPath: ledger.directory.path("relative")))
        try ledger.expectIntact(seq: 3)
    }

    @Test("a home folder whose path is no UTF-8 is none")
    func oddHome() throws {
        let ledger = try CommandLedger(entries: 1)
        let script = """
            unset BULLA_STATE_DIR XDG_STATE_HOME BULLA_ANCHOR
            HOME=$(printf '/odd\\377') "$BULLA" append --ledger "$1/L" --actor a:b --action c --pillar integrity --reason r --body '{}'
            """
        let appended = try Program.shell(script, ledger.directory.path).run()
        #expect(appended.code == 0, "\(appended.error)")
        #expect(appended.error.contains("the path of the state folder is not UTF-8; set BULLA_STATE_DIR"), "\(appended.error)")
    }

    @Test("where HOME says nothing, the list of users does")
    func listOfUsers() throws {
        let ledger = try CommandLedger(entries: 1)
        // Reads only: it is the folder of whoever runs the tests.
        let home = try Program("/usr/bin/python3", ["-c", "import os, pwd; print(pwd.getpwuid(os.geteuid()).pw_dir)"]).run()
            .lastLine
        try #require(home.hasPrefix("/"))
        let shown = try run(ledger, ["HOME="], ["anchor", "show"])
        #expect(shown.code == 0, "\(shown.error)")
        #expect(shown.output.contains("anchors in \(home)/.local/state/bulla/anchors"), "\(shown.output)")
    }

    @Test("a folder that somebody keeps locked is not waited for long: work goes on, and it is said")
    func locked() throws {
        let ledger = try CommandLedger(entries: 1)
        let state = ledger.directory.path("state")
        #expect(try run(ledger, ["BULLA_STATE_DIR=\(state)"], Self.append).code == 0)
        let holder = try POSIXStorage(path: state + "/anchors")
        try #require(try holder.tryLock(.writer))
        let appended = try run(ledger, ["BULLA_STATE_DIR=\(state)"], Self.append)
        holder.unlock(.writer)
        #expect(appended.code == 0, "\(appended.error)")
        #expect(appended.error.contains("somebody keeps \(state)/anchors locked"), "\(appended.error)")
        let next = try run(ledger, ["BULLA_STATE_DIR=\(state)"], Self.append)
        #expect(next.code == 0 && next.error.isEmpty, "\(next.error)")
    }
}
