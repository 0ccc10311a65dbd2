import CSystemCalls
import Foundation

/// A process of the harness. Cheaper than Foundation's, and its output can be waited for.
final class Child {
    let processID: pid_t
    private let errors: Int32
    private var output: Int32
    private var pending: [UInt8] = []
    private var code: Int32?

    /// - Parameters:
    ///   - input: a file's path.
    ///   - isPiped: whether the output is read while it runs, by `readLines`; otherwise it goes to a file.
    init(
        _ program: String, _ arguments: [String], input: String = "/dev/null", environment: [String: String] = [:],
        isPiped: Bool = true
    ) throws {
        errors = try Self.unnamedFile()
        var writing: Int32 = -1
        output = -1
        if isPiped {
            guard csystem_open_pipe(&output, &writing) == 0 else { throw HarnessError("pipe", errno) }
        } else {
            output = try Self.unnamedFile()
            writing = output
        }
        defer { if isPiped { close(writing) } }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, input, O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, writing, 1)
        posix_spawn_file_actions_adddup2(&actions, errors, 2)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // The threads of a pool block nearly all signals, and a child would inherit that.
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        var words: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) } + [nil]
        var variables =
            Self.inherited.filter { line in !environment.keys.contains { line.hasPrefix($0 + "=") } }
            .map { strdup($0) } + environment.map { strdup("\($0)=\($1)") } + [nil]
        defer { for pointer in words + variables { free(pointer) } }
        var number: pid_t = 0
        let failure = posix_spawnp(&number, program, &actions, &attributes, &words, &variables)
        guard failure == 0 else { throw HarnessError("spawn of \(program)", failure) }
        processID = number
    }

    deinit {
        if code == nil {
            send(SIGKILL)
            _ = wait()
        }
        close(output)
        close(errors)
    }

    /// Without anchors: the harness puts older states back as it likes, and the user's own folder is none of its business.
    private static let inherited: [String] =
        ProcessInfo.processInfo.environment.filter { !["BULLA_DIR", "BULLA_STATE_DIR"].contains($0.key) }
        .map { "\($0)=\($1)" } + ["BULLA_STATE_DIR="]

    private static func unnamedFile() throws -> Int32 {
        let name = Workplace.parent + "/bulla-torture-\(UInt64.random(in: .min ... .max))"
        let file = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw HarnessError("open \(name)", errno) }
        unlink(name)
        return file
    }

    var hasEnded: Bool { code != nil }

    /// Whether it is still at work; its end is left for `wait`.
    var isRunning: Bool {
        if code != nil { return false }
        var information = siginfo_t()
        return waitid(P_PID, id_t(processID), &information, WEXITED | WNOHANG | WNOWAIT) == 0 && information.si_signo == 0
    }

    func send(_ signal: Int32) { if code == nil { kill(processID, signal) } }

    /// Waits for its end: the exit code, 128 + n when signal n ended it.
    @discardableResult
    func wait() -> Int32 {
        if let code { return code }
        var status: Int32 = 0
        while waitpid(processID, &status, 0) < 0, errno == EINTR {}
        let result = status & 0x7F == 0 ? (status >> 8) & 0xFF : 128 + (status & 0x7F)
        code = result
        return result
    }

    /// Where its piped output can be polled.
    var outputDescriptor: Int32 { output }

    /// Waits for output and returns the lines that are whole; nil at its end.
    func readLines() -> [String]? {
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        var count = -1
        repeat { count = read(output, &buffer, buffer.count) } while count < 0 && errno == EINTR
        guard count > 0 else { return nil }
        pending += buffer[..<count]
        guard let end = pending.lastIndex(of: 10) else { return [] }
        let lines = pending[...end].split(separator: 10).map { String(decoding: $0, as: UTF8.self) }
        pending.removeFirst(end + 1)
        return lines
    }

    /// The lines up to the output's end.
    func remainingLines() -> [String] {
        var lines: [String] = []
        while let more = readLines() { lines += more }
        return lines
    }

    /// The whole lines that wait to be read; waits for none.
    func linesSoFar() -> [String] {
        var lines: [String] = []
        var waiting = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
        while poll(&waiting, 1, 0) > 0, let more = readLines() { lines += more }
        return lines
    }

    /// What it said on stderr so far.
    var complaint: String { Self.text(errors) }

    private static func text(_ file: Int32) -> String {
        let size = Int(lseek(file, 0, SEEK_END))
        guard size > 0 else { return "" }
        var bytes = [UInt8](repeating: 0, count: size)
        let count = pread(file, &bytes, size, 0)
        return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    }

    struct Result {
        var code: Int32
        var output: String
        var error: String

        /// Receipts that were printed with their line's end: what the caller was told.
        var receipts: [String] { Acknowledged.receipts(output) }
    }

    /// Runs a program to its end.
    static func run(
        _ program: String, _ arguments: [String], input: String = "/dev/null", environment: [String: String] = [:]
    ) throws -> Result {
        let child = try Child(program, arguments, input: input, environment: environment, isPiped: false)
        let code = child.wait()
        return Result(code: code, output: text(child.output), error: child.complaint)
    }
}

/// The harness could not do its own work.
struct HarnessError: Error, CustomStringConvertible {
    let description: String

    init(_ what: String) { description = what }

    init(_ what: String, _ errno: Int32) { description = "\(what): \(String(cString: strerror(errno)))" }
}
