import Foundation

/// A program that is run to its end, timed as a whole: from before the spawn until it is reaped.
struct ChildProcess {
    enum Output {
        case discarded, captured
        case file(String)
    }

    struct Result {
        var seconds: Double
        /// What it printed, when that was captured.
        var output: String
    }

    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    var command: [String]
    var output: Output

    init(_ command: [String], output: Output = .discarded) {
        self.command = command
        self.output = output
    }

    func run() throws -> Result {
        try Interrupts.check()
        let captured = try Self.scratchFile()
        let errors = try Self.scratchFile()
        defer { [captured, errors].forEach { fclose($0) } }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        switch output {
        case .discarded: posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0)
        case .captured: posix_spawn_file_actions_adddup2(&actions, fileno(captured), STDOUT_FILENO)
        case .file(let path):
            posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        }
        posix_spawn_file_actions_adddup2(&actions, fileno(errors), STDERR_FILENO)

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // We take interrupts ourselves; a child ends by them.
        var defaults = sigset_t()
        sigemptyset(&defaults)
        for signal in Interrupts.signals { sigaddset(&defaults, signal) }
        posix_spawnattr_setsigdefault(&attributes, &defaults)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF))

        var arguments = command.map { strdup($0) } + [nil]
        defer { arguments.forEach { free($0) } }
        var child: pid_t = 0
        var status: Int32 = 0
        let start = ContinuousClock.now
        let error = posix_spawnp(&child, command[0], &actions, &attributes, &arguments, environ)
        guard error == 0 else { throw Failure(description: "cannot start \(command[0]): \(String(cString: strerror(error)))") }
        Interrupts.watch(child)
        defer { Interrupts.watch(0) }
        while waitpid(child, &status, 0) < 0 { guard errno == EINTR else { throw Failure(description: "waitpid failed") } }
        let seconds = start.secondsSince
        guard status == 0 else {
            let ending = status & 0x7F == 0 ? "code \(status >> 8)" : "signal \(status & 0x7F)"
            throw Failure(
                description: "\(command.prefix(2).joined(separator: " ")) ended with \(ending): \(Self.contents(of: errors))")
        }
        return Result(seconds: seconds, output: Self.contents(of: captured))
    }

    /// A file without a name rather than a pipe: nothing blocks, however much is written.
    private static func scratchFile() throws -> UnsafeMutablePointer<FILE> {
        guard let file = tmpfile() else { throw Failure(description: "cannot make a temporary file") }
        return file
    }

    private static func contents(of file: UnsafeMutablePointer<FILE>) -> String {
        let handle = FileHandle(fileDescriptor: fileno(file), closeOnDealloc: false)
        try? handle.seek(toOffset: 0)
        let data = (try? handle.readToEnd()) ?? Data()
        return String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }
}

extension ContinuousClock.Instant {
    var secondsSince: Double { duration(to: .now) / .seconds(1) }
}
