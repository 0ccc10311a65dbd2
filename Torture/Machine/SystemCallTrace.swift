import Foundation

/// A system call of a traced program, as strace counts it for `inject=…:when=`.
struct SystemCall: Sendable, Hashable {
    var name: String
    /// Among its thread's calls of this name, from 1.
    var number: Int
    /// Bytes that a `pwrite64` wrote.
    var byteCount: Int
    /// It can leave the disk another one.
    var isChange: Bool
}

/// The calls that a program made once it had come to the place where it works.
struct SystemCallTrace {
    private(set) var calls: [SystemCall] = []

    /// These touch neither files nor locks.
    private static let others: Set<String> = [
        "mmap", "munmap", "mprotect", "brk", "madvise", "mremap", "futex", "rt_sigaction", "rt_sigprocmask", "sigaltstack",
        "getrandom", "clock_gettime", "clock_nanosleep", "sched_getaffinity", "sched_yield", "gettid", "getpid", "geteuid",
        "exit", "exit_group", "set_robust_list", "rseq", "clone3", "clone", "prctl", "arch_prctl", "prlimit64", "execve",
        "restart_syscall",
        // Of the queues' own threads, which do not survive a failure here.
        "epoll_ctl", "epoll_wait", "epoll_create1", "eventfd2", "timerfd_create", "timerfd_settime",
    ]
    private static let changes: Set<String> = [
        "mkdirat", "pwrite64", "fdatasync", "fsync", "renameat", "renameat2", "unlinkat", "ftruncate", "write",
    ]

    /// - Parameters:
    ///   - text: what `strace -f -o` wrote.
    ///   - place: a path that the loader and the runtime do not look at.
    init(_ text: String, in place: String) {
        var counts: [String: Int] = [:]
        var hasBegun = false
        for line in text.split(separator: "\n") {
            guard let space = line.firstIndex(of: " "), let parenthesis = line.firstIndex(of: "("), space < parenthesis else {
                continue
            }
            let thread = line[..<space]
            let name = line[space..<parenthesis].drop { $0 == " " }
            guard !name.isEmpty, name.allSatisfy({ $0.isLetter || $0.isNumber || $0 == "_" }) else { continue }
            counts["\(thread) \(name)", default: 0] += 1
            if name != "execve", line.contains(place) { hasBegun = true }
            guard hasBegun, !Self.others.contains(String(name)) else { continue }
            let result = line.range(of: ") = ", options: .backwards).map { line[$0.upperBound...] } ?? ""
            calls.append(
                SystemCall(
                    name: String(name), number: counts["\(thread) \(name)"] ?? 0, byteCount: Int(result) ?? 0,
                    isChange: Self.changes.contains(String(name)) || line.contains("O_CREAT")))
        }
    }
}

/// strace, with one call hindered.
struct Strace {
    let place: Workplace

    static let isHere = (try? Child.run("strace", ["-f", "-qq", "-o", "/dev/null", "true"]).code) == 0

    struct Outcome {
        var result: Child.Result
        /// Evidence that the fault happened.
        var hasFired: Bool
        /// It happened to a call that the queues' library made for itself, which stops the process when it fails.
        var hitTheQueues = false
    }

    func trace(_ command: [String]) throws -> (trace: SystemCallTrace, result: Child.Result) {
        let result = try Child.run("strace", ["-f", "-qq", "-o", place.path("trace")] + command)
        return (SystemCallTrace(try text(), in: place.path), result)
    }

    func kill(_ command: [String], at call: SystemCall) throws -> Outcome {
        let result = try inject(command, call, "signal=SIGKILL")
        return Outcome(result: result, hasFired: try text().contains("killed by SIGKILL") && result.code == 128 + SIGKILL)
    }

    func fail(_ command: [String], at call: SystemCall, with error: String) throws -> Outcome {
        let result = try inject(command, call, "error=\(error)")
        let trace = try text()
        return Outcome(result: result, hasFired: trace.contains("(INJECTED)"), hitTheQueues: Self.queuesTrapped(trace))
    }

    /// Whether a thread was ended by a trap right behind a call to the process table or to a descriptor that is no file:
    /// the queues' library watches its threads through these, and nothing of ours does.
    static func queuesTrapped(_ trace: String) -> Bool {
        let lines = trace.split(separator: "\n")
        guard let trap = lines.firstIndex(where: { $0.contains("--- SIGILL ") }),
            let thread = lines[trap].split(separator: " ").first
        else { return false }
        let last = lines[..<trap].filter { $0.hasPrefix("\(thread) ") }.suffix(2)
        return last.contains { $0.contains("\"/proc/") || $0.contains("</proc/") || $0.contains("<anon_inode:") }
    }

    private func inject(_ command: [String], _ call: SystemCall, _ fault: String) throws -> Child.Result {
        try Child.run(
            "strace",
            [
                "-f", "-y", "-qq", "-o", place.path("trace"), "-e", "trace=\(call.name)", "-e",
                "inject=\(call.name):\(fault):when=\(call.number)",
            ] + command)
    }

    private func text() throws -> String {
        String(decoding: try Data(contentsOf: URL(fileURLWithPath: place.path("trace"))), as: UTF8.self)
    }
}

/// Real short writes: a library that lets a chosen `pwrite` do only a part of its work.
struct ShortWrites: Sendable {
    private let library: String

    static let compiler = ["cc", "clang", "gcc"].first { (try? Child.run($0, ["--version"]).code) == 0 }

    init(in place: Workplace) throws {
        library = place.path("short.so")
        try place.write(Self.source, to: "short.c")
        let made = try Child.run(Self.compiler ?? "cc", ["-shared", "-fPIC", "-o", library, place.path("short.c"), "-ldl"])
        guard made.code == 0 else { throw HarnessError("the shim for short writes does not compile: \(made.error)") }
    }

    /// Cuts the n-th `pwrite` short; what follows it goes on or finds the disk full. Where it writes less than it did when it was
    /// counted, as a time with fewer digits makes it, all but the last byte is written.
    func run(_ command: [String], at number: Int, byteCount: Int, thenFull: Bool, in place: Workplace) throws -> Strace.Outcome {
        place.remove("short")
        let result = try Child.run(
            command[0], Array(command.dropFirst()),
            environment: [
                "LD_PRELOAD": library, "SHORT_AT": String(number), "SHORT_BYTES": String(byteCount),
                "SHORT_FULL": thenFull ? "1" : "0", "SHORT_EVIDENCE": place.path("short"),
            ])
        return Strace.Outcome(result: result, hasFired: access(place.path("short"), F_OK) == 0)
    }

    private static let source = """
        #define _GNU_SOURCE
        #include <dlfcn.h>
        #include <errno.h>
        #include <fcntl.h>
        #include <stdlib.h>
        #include <unistd.h>
        typedef ssize_t (*writer)(int, const void *, size_t, off_t);
        static ssize_t shortened(int file, const void *bytes, size_t count, off_t offset) {
            static writer real;
            static int calls;
            if (!real) real = (writer)dlsym(RTLD_NEXT, "pwrite64");
            int at = atoi(getenv("SHORT_AT")), call = ++calls;
            size_t part = atol(getenv("SHORT_BYTES"));
            if (call == at + 1 && atoi(getenv("SHORT_FULL"))) { errno = ENOSPC; return -1; }
            if (call != at || count < 2) return real(file, bytes, count, offset);
            if (part >= count) part = count - 1;
            close(open(getenv("SHORT_EVIDENCE"), O_CREAT | O_WRONLY, 0600));
            return real(file, bytes, part, offset);
        }
        ssize_t pwrite(int f, const void *b, size_t n, off_t o) { return shortened(f, b, n, o); }
        ssize_t pwrite64(int f, const void *b, size_t n, off_t o) { return shortened(f, b, n, o); }

        """
}
