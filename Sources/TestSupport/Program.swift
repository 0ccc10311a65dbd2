import Foundation

/// Runs programs as a user would, and tells what they did.
package struct Program: Sendable {
    package let executable: String
    package let arguments: [String]

    package struct Result: Sendable {
        /// The exit code; 128 + n when it was ended by signal n.
        package var code: Int32
        package var output: String
        package var error: String

        /// The last line of the output.
        package var lastLine: String { output.split(separator: "\n").last.map(String.init) ?? "" }
    }

    package init(_ executable: String, _ arguments: [String] = []) {
        self.executable = executable
        self.arguments = arguments
    }

    /// The built `bulla`, which lies beside the test bundle.
    package static func bulla(_ arguments: [String]) -> Program { Program(bullaPath, arguments) }

    package static func bulla(_ arguments: String...) -> Program { bulla(arguments) }

    /// `tools/verify_ledger.py`, the independent judge.
    package static func judge(_ arguments: String...) -> Program {
        Program("/usr/bin/env", ["python3", repository + "/tools/verify_ledger.py"] + arguments)
    }

    package static let bullaPath: String = {
        let test = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        var folder = test.deletingLastPathComponent()
        // The runner may be a helper elsewhere; the bundle's path is then among its arguments.
        if !FileManager.default.isExecutableFile(atPath: folder.appendingPathComponent("bulla").path),
            let bundle = CommandLine.arguments.first(where: { $0.hasSuffix(".xctest") })
        {
            folder = URL(fileURLWithPath: bundle).deletingLastPathComponent()
        }
        let path = folder.appendingPathComponent("bulla").path
        precondition(FileManager.default.isExecutableFile(atPath: path), "bulla is not built beside the tests: \(path)")
        return path
    }()

    /// The checkout that this was built from.
    package static let repository: String = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path

    /// Starts it and returns at once.
    package func start(
        in directory: String? = nil, input: [UInt8]? = nil, environment: [String: String] = [:]
    ) throws -> Running {
        try Running(self, directory: directory, input: input, environment: environment)
    }

    /// Runs it to its end.
    package func run(
        in directory: String? = nil, input: [UInt8]? = nil, environment: [String: String] = [:]
    ) throws -> Result {
        try start(in: directory, input: input, environment: environment).wait()
    }

    /// A program that runs.
    package final class Running: @unchecked Sendable {
        // Used by one test's thread at a time.
        private let process = Process()
        private let files: TemporaryDirectory

        fileprivate init(_ program: Program, directory: String?, input: [UInt8]?, environment: [String: String]) throws {
            files = TemporaryDirectory()
            process.executableURL = URL(fileURLWithPath: program.executable)
            process.arguments = program.arguments
            if let directory { process.currentDirectoryURL = URL(fileURLWithPath: directory) }
            var variables = ProcessInfo.processInfo.environment
            variables["BULLA_DIR"] = nil
            // No anchors, unless a test names a folder: never the user's own, nor one in which tests would meet.
            variables["BULLA_STATE_DIR"] = ""
            process.environment = variables.merging(environment) { $1 }
            // Files rather than pipes: nothing blocks, however much is written.
            try files.write(input ?? [], to: "in")
            try files.write([], to: "out")
            try files.write([], to: "err")
            process.standardInput = try FileHandle(forReadingFrom: files.url.appendingPathComponent("in"))
            process.standardOutput = try FileHandle(forWritingTo: files.url.appendingPathComponent("out"))
            process.standardError = try FileHandle(forWritingTo: files.url.appendingPathComponent("err"))
            try Self.withoutBlockedSignals { try process.run() }
        }

        /// A child inherits the blocked signals of the thread that starts it, and the threads of a pool block nearly all.
        private static func withoutBlockedSignals(_ body: () throws -> Void) rethrows {
            var none = sigset_t()
            var before = sigset_t()
            sigemptyset(&none)
            pthread_sigmask(SIG_SETMASK, &none, &before)
            defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
            try body()
        }

        package var processID: Int32 { process.processIdentifier }

        /// What it has written so far.
        package var output: String { get throws { String(decoding: try files.read("out"), as: UTF8.self) } }

        package var errorOutput: String { get throws { String(decoding: try files.read("err"), as: UTF8.self) } }

        package func wait() throws -> Result {
            process.waitUntilExit()
            let code = process.terminationReason == .uncaughtSignal ? 128 + process.terminationStatus : process.terminationStatus
            return Result(
                code: code, output: String(decoding: try files.read("out"), as: UTF8.self),
                error: String(decoding: try files.read("err"), as: UTF8.self))
        }

        package func send(signal: Int32) { kill(process.processIdentifier, signal) }
    }
}
