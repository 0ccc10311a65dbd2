import Foundation
import TestSupport
import Testing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

extension Program {
    /// `bulla` with a watchdog: what hangs is killed after a minute, and its code is then 137.
    static func watched(_ arguments: [String]) -> Program {
        Program("/usr/bin/env", ["timeout", "-s", "KILL", "60", bullaPath] + arguments)
    }

    static func watched(_ arguments: String...) -> Program { watched(arguments) }

    static func judge(_ arguments: [String]) -> Program {
        Program("/usr/bin/env", ["timeout", "-s", "KILL", "60", "python3", repository + "/tools/verify_ledger.py"] + arguments)
    }

    /// A script for `sh`, with `$BULLA` as the binary and the arguments as `$1`, `$2` …, under the same watchdog.
    static func shell(_ script: String, _ arguments: String...) -> Program { shell(script, arguments) }

    static func shell(_ script: String, _ arguments: [String]) -> Program {
        Program(
            "/usr/bin/env",
            ["timeout", "-s", "KILL", "120", "env", "BULLA=" + bullaPath, "sh", "-c", script, "sh"] + arguments)
    }

    static func python(_ script: String, _ arguments: String...) -> Program { python(script, arguments) }

    static func python(_ script: String, _ arguments: [String]) -> Program {
        Program("/usr/bin/env", ["timeout", "-s", "KILL", "120", "python3", "-c", script] + arguments)
    }
}

extension Program.Result {
    /// The receipt lines that were printed whole.
    var receipts: [String] {
        guard let end = output.lastIndex(of: "\n") else { return [] }
        return output[...end].split(separator: "\n").map(String.init).filter { $0.hasPrefix("bulla-receipt-v1/") }
    }
}

/// What this machine can do; where it cannot, the test is skipped with the reason.
enum Machine {
    static let isRoot = geteuid() == 0
    /// Whether another user can run the binary: root alone can become one, and the binary must lie where others may go.
    static let canBeAnotherUser = isRoot && succeeds("setpriv --reuid=65534 --regid=65534 --clear-groups \"$BULLA\" --version")
    static let hasPrivateMounts = isRoot && succeeds("unshare -m mount -t tmpfs -o size=1m none /mnt")
    static let hasStrace = succeeds("strace -f -qq -e trace=none true")
    static let hasCompiler = succeeds("echo 'int x;' | cc -xc -shared -fPIC -o /dev/null -")
    static let hasFileSizeLimit = succeeds("prlimit --fsize=1000000 true")

    static let needsUser: Comment = "SKIPPED: this needs root, setpriv, and a build folder that user 65534 may enter"
    static let needsMounts: Comment = "SKIPPED: this needs root and unshare, to mount a small tmpfs of its own"
    static let needsStrace: Comment = "SKIPPED: this needs strace, and the permission to trace"
    static let needsCompiler: Comment = "SKIPPED: this needs a C compiler (cc) for an LD_PRELOAD shim"
    static let needsRoot: Comment = "SKIPPED: this needs root, to make device files and change owners"
    static let needsLimit: Comment = "SKIPPED: this needs prlimit"

    private static func succeeds(_ script: String) -> Bool { (try? Program.shell(script).run().code) == 0 }
}

/// Waits for something to happen; gives up after half a minute, which fails the test.
func waitUntil(_ what: String, _ source: SourceLocation = #_sourceLocation, _ condition: () throws -> Bool) throws {
    for _ in 0..<6000 {
        if try condition() { return }
        usleep(5000)
    }
    Issue.record("waited in vain until \(what)", sourceLocation: source)
    throw CancellationError()
}

extension Program {
    static func parent(of process: Int32) -> Int32? {
        guard let stat = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8),
            let close = stat.lastIndex(of: ")")
        else { return nil }
        return Int32(stat[close...].dropFirst(4).prefix { $0 != " " })
    }

    /// The state letter of a process: T when it is stopped.
    static func state(of process: Int32) -> Character? {
        guard let stat = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8),
            let close = stat.lastIndex(of: ")")
        else { return nil }
        return stat[close...].dropFirst(2).first
    }
}
