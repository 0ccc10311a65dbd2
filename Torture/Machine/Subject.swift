import ArgumentParser
import CanonicalJSON
import DurableFiles
import Foundation
import Ledger
import LedgerFormat

/// Processes that stages start: this program in another role. Not for people.
struct SubjectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "subject", abstract: "What stages run as processes of their own.", shouldDisplay: false,
        subcommands: [RollSubject.self, WriteSubject.self, RepeatSubject.self, PowerCutSubject.self])

    /// Runs on the first thread as long as nothing waits: strace counts each thread's calls from its beginning.
    @MainActor
    static func runFromArguments() async {
        do {
            var command = try parseAsRoot(Array(CommandLine.arguments.dropFirst(2)))
            if var later = command as? any AsyncParsableCommand { try await later.run() } else { try command.run() }
        } catch let error as StorageError {
            end(LedgerError(error, doing: "cannot open the ledger"))
        } catch let error as LedgerError {
            end(error)
        } catch {
            Self.exit(withError: error)
        }
    }
}

extension SubjectCommand {
    /// As bulla ends with an error.
    private static func end(_ error: LedgerError) -> Never {
        FileHandle.standardError.write(Data("subject: \(error)\n".utf8))
        Foundation.exit(error.code.rawValue)
    }
}

/// Acknowledgements, printed at once.
enum Answer {
    static func print(_ line: String) {
        let bytes = Array((line + "\n").utf8)
        // One call: a killed writer leaves a whole line or a part that nobody counts.
        if write(1, bytes, bytes.count) == bytes.count { return }
        FileHandle.standardError.write(Data("subject: cannot answer: \(String(cString: strerror(errno)))\n".utf8))
        Foundation.exit(30)
    }
}

/// One writer that rolls often and replaces HEAD after each commit.
struct RollSubject: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "roll")

    @Argument var ledger: String
    @Option var segmentBytes: Int
    @Option var entries: Int
    @Option var size = 20

    func run() throws {
        var settings = WriterSettings()
        settings.segmentByteCount = segmentBytes
        settings.headCommitCount = 1
        settings.preallocationByteCountMax = 1 << 16
        var session = WriterSession(try POSIXStorage(path: ledger), .system, settings)
        try session.acquire()
        defer { session.release() }
        for number in 0..<entries {
            let body = String(repeating: "r", count: size)
            let draft = try Draft(
                action: "torture.roll", actor: "process:roll", justification: Justification(.resilience, "torture"),
                body: ["n": .number(Double(number)), "pad": .string(body)])
            let answers = session.commit([[draft]])
            Answer.print(try answers[0].get().receipts[0].line)
            session.replaceHeadIfDue()
            for notice in session.takeNotices() { FileHandle.standardError.write(Data((notice + "\n").utf8)) }
        }
    }
}

/// Several tasks that share a writer. Every draft but each fifth has an id, so that it can be sent again.
struct WriteSubject: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "write")

    @Argument var ledger: String
    @Option var actor = "process:write"
    @Option var from = 0
    @Option var tasks = 4
    /// How many drafts; without end by default.
    @Option var count = Int.max
    @Option var lockMilliseconds: Int64 = 10_000
    @Option var segmentBytes = 1 << 28

    func run() async throws {
        var settings = WriterSettings()
        settings.lockTimeoutMicroseconds = lockMilliseconds * 1000
        settings.segmentByteCount = segmentBytes
        settings.preallocationByteCountMax = 1 << 18
        let committer = GroupCommitter(try POSIXStorage(path: ledger), .system, settings)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for task in 0..<tasks {
                group.addTask {
                    var number = from + task
                    while number - from < count {
                        try await append(number, to: committer)
                        number += tasks
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    private func append(_ number: Int, to committer: GroupCommitter) async throws {
        let draft = try Draft(
            action: "torture.write", actor: actor, justification: Justification(.resilience, "torture"),
            body: ["n": .number(Double(number))], context: number % 5 == 4 ? [:] : ["id": .string(String(number))])
        while true {
            do throws(LedgerError) {
                let answer = try await committer.append([draft])
                return Answer.print("\(answer.receipts[0].line) \(number) \(answer.isRepetition ? "again" : "new")")
            } catch {
                guard error.code == .busy else { throw error }
                Answer.print("busy \(error)")
            }
        }
    }
}

/// Runs a verb of bulla again and again, until one run fails; `%` in an argument becomes the run's number.
struct RepeatSubject: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "repeat")

    @Option var bulla: String
    @Argument(parsing: .postTerminator) var arguments: [String]

    func run() throws {
        for number in 0... {
            let result = try Child.run(bulla, arguments.map { $0.replacingOccurrences(of: "%", with: String(number)) })
            for receipt in result.receipts { Answer.print(receipt) }
            if result.code != 0 {
                FileHandle.standardError.write(Data(result.error.utf8))
                throw ExitCode(result.code)
            }
        }
    }
}
