#if os(Linux)
    import DurableFiles
    import Foundation
    import Glibc
    import TestSupport
    import Testing

    @Suite("The holder of a lock is found")
    struct LockHolderTests {
        @Test(
            "Another process is named, and whether it is stopped",
            .enabled(if: LockingChild.isPossible, "needs python3 and /proc/locks"),
            arguments: [StorageLock.writer, .gate])
        func stopped(_ lock: StorageLock) throws {
            let directory = TemporaryDirectory()
            try directory.make("base")
            try directory.make("base/keys")
            let storage = try POSIXStorage(path: directory("base"))
            #expect(storage.holder(of: lock) == nil)

            let child = try LockingChild(locking: directory(lock == .writer ? "base" : "base/keys"))
            #expect(try !storage.tryLock(lock))
            let running = try #require(storage.holder(of: lock))
            #expect(running.process == child.process)
            #expect(running.command.hasPrefix("python"))
            #expect(!running.isStopped)

            try child.stop()
            let stopped = try #require(storage.holder(of: lock))
            #expect(stopped.process == child.process)
            #expect(stopped.isStopped)
            #expect(try !storage.tryLock(lock), "nobody steals the lock of a stopped process")

            child.end()
            #expect(storage.holder(of: lock) == nil)
            #expect(try storage.tryLock(lock))
            #expect(storage.holder(of: lock)?.process == getpid())
        }
    }

    /// A Python process that holds a lock until it is ended.
    private final class LockingChild {
        private let child = Process()
        private let output = Pipe()

        static let isPossible =
            access("/proc/locks", R_OK) == 0
            && (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").contains {
                access($0 + "/python3", X_OK) == 0
            }

        init(locking path: String) throws {
            child.executableURL = URL(filePath: "/usr/bin/env")
            child.arguments = [
                "python3", "-c",
                "import fcntl, os, sys; fcntl.flock(os.open(sys.argv[1], os.O_RDONLY), fcntl.LOCK_EX);"
                    + "print('locked', flush=True); sys.stdin.read()",
                path,
            ]
            child.standardInput = Pipe()
            child.standardOutput = output
            try child.run()
            // Blocks until the child has said it, or ended.
            let line = try output.fileHandleForReading.read(upToCount: 6)
            try #require(line == Data("locked".utf8))
        }

        deinit { end() }

        var process: Int32 { child.processIdentifier }

        func stop() throws {
            try #require(kill(process, SIGSTOP) == 0)
            // Waits until the system has stopped it, and leaves its end to whoever waits for that.
            var information = siginfo_t()
            try #require(waitid(P_PID, id_t(process), &information, WSTOPPED | WNOWAIT) == 0)
        }

        func end() {
            guard child.isRunning else { return }
            kill(process, SIGKILL)
            child.waitUntilExit()
        }
    }
#endif
