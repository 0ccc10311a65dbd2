import Foundation
import TestSupport
import Testing

/// The program for use is linked otherwise than the one that all other tests run.
@Suite(
    "The program for use",
    .enabled(if: FileManager.default.isExecutableFile(atPath: path), "SKIPPED: it is not built; `make test` builds it"))
struct ShippedProgramTests {
    @Test("is loaded at an address that changes")
    func address() throws {
        let header = try #require(try FileHandle(forReadingFrom: URL(fileURLWithPath: path)).read(upToCount: 18))
        // e_type is ET_DYN.
        #expect(Array(header.prefix(4)) == [0x7F, 0x45, 0x4C, 0x46] && header[16] == 3)
    }

    @Test("starts where there is no /proc", .enabled(if: Machine.hasPrivateMounts, Machine.needsMounts))
    func sandbox() throws {
        let script = #"umount -l /proc || exit 99; exec "$0" --version"#
        let started = try Program("/usr/bin/env", ["unshare", "-m", "sh", "-c", script, path]).run()
        #expect(started.code == 0 && started.output.hasPrefix("bulla "), "\(started)")
    }

    @Test("finds users and groups, wherever the system has them from, and says when there is none")
    func users() throws {
        let ledger = try CommandLedger(entries: 1)
        let home = try Program("/usr/bin/python3", ["-c", "import os, pwd; print(pwd.getpwuid(os.geteuid()).pw_dir)"]).run()
            .lastLine
        let shown = try Program(
            "/usr/bin/env", ["-u", "BULLA_STATE_DIR", "-u", "XDG_STATE_HOME", "HOME=", path, "anchor", "show"]
        )
        .run(environment: ["BULLA_DIR": ledger.path])
        #expect(shown.output.contains("anchors in \(home)/.local/state/bulla/anchors"), "\(shown)")
        let socket = ledger.directory.path("S")
        for group in ["no such group", "no:such:group", "--help"] {
            let refused = try Program(path, ["run", "--ledger", ledger.path, "--socket", socket, "--socket-group=\(group)"]).run()
            #expect(refused.code == 64 && refused.error.contains("there is no group"), "\(refused)")
        }
    }
}

/// What `make demo` and `make install` build.
private let path = Program.repository + "/.build-static/release/bulla"
