import ArgumentParser
import CanonicalJSON
import DurableFiles
import Kernel
import Ledger
import LedgerFormat
import PlantedDefects
import SystemPackage

struct RecordCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        .record,
        abstract: "Run a command, and record that it ran, how it ended, and what it wrote.",
        discussion: """
            One entry is durable before the command starts, and one follows its end: status, duration, arguments, working directory, and \
            byte counts and SHA-256 of stdout and stderr. Its output, signals and exit code are passed through; it sees pipes, not a \
            terminal. Arguments that look like secrets are replaced by a keyed digest. A command that fails leaves a trauma (`bulla learn \
            list`), together with its end. The exit code is the command's, 128 + n when signal n ended it, 127 or 126 when it could not \
            be started, 125 when recording itself failed.

            Example:
              bulla record --actor specialist:builder -- make -j2 all
            """)

    @Option(help: ArgumentHelp("Who runs it, as kind:name.", valueName: "kind:name"))
    var actor: String

    @Option(help: ArgumentHelp("sovereignty, integrity, resilience or evolution.", valueName: "pillar"))
    var pillar: String = "integrity"

    @Option(help: ArgumentHelp("Why it is run.", valueName: "text"))
    var reason: String = "a recorded run"

    @Flag(name: .customLong("no-redact"), help: "Record arguments as they are, secrets too.")
    var keepsSecrets = false

    @Flag(name: .customLong("no-trauma"), help: "Leave no trauma when the command fails.")
    var leavesNoTrauma = false

    @Option(help: ArgumentHelp("What makes its failure the same one come again (see bulla learn).", valueName: "text"))
    var signature: String?

    @OptionGroup var recording: RecorderOptions

    @Argument(parsing: .postTerminator, help: "The command and its arguments, behind --.")
    var command: [String] = []

    func validate() throws {
        do throws(LedgerError) { _ = try givenSignature() } catch { throw ValidationError(error.message) }
        if command.isEmpty {
            throw ValidationError("no command: write it behind --, as in bulla record --actor user:ada -- make test")
        }
    }

    func run() throws {
        do throws(LedgerError) {
            Output.exit(try record())
        } catch {
            // Codes of the ledger would be taken for the command's.
            Output.error("bulla: \(Printable.text(error.message))")
            Output.exit(125)
        }
    }

    private func record() throws(LedgerError) -> Int32 {
        var recorder = try recording.recorder()
        let invocation = Invocation(arguments: RawArguments.last(command.count), directory: Invocation.workingDirectory())
        let key = try recorder.prepare()
        let described = invocation.described(by: keepsSecrets ? nil : Redactor(key))
        let started = try recorder.finish([try draft("record.started", described)]).receipts[0]

        var body = described
        let status: Int32
        var failure: Trauma.Ending?
        var output = StreamingDigest()
        var errors = StreamingDigest()
        do throws(ChildError) {
            let outcome = try ChildProcess.run(
                arguments: invocation.arguments, standardOutput: { output.update($0) }, standardError: { errors.update($0) })
            status = outcome.exitCode
            failure = outcome.status.failure
            body["status"] = outcome.status.json
            body["microseconds"] = .number(Double(outcome.durationMicroseconds))
            body["stdout"] = outcome.standardOutput.json(output.finish())
            body["stderr"] = outcome.standardError.json(errors.finish())
            warn("stdout", outcome.standardOutput)
            warn("stderr", outcome.standardError)
        } catch {
            status = error.exitCode
            failure = .notStarted
            body["error"] = .string("\(error)")
            Output.error("bulla: \(Printable.text(invocation.name)): \(error)")
        }
        do throws(LedgerError) {
            var drafts = [try draft("record.finished", body, cause: started.seq)]
            if let failure, !leavesNoTrauma, !planted(.failureUntold) {
                drafts.append(try trauma(of: described, failure, started.seq))
            }
            let receipts = try recorder.record(drafts).receipts
            guard recording.json else { return status }
            var told: JSONObject = ["finished": receipts[0].json, "started": started.json]
            if receipts.count > 1 { told["trauma"] = receipts[1].json }
            Output.error(Printable.json(.object(told)))
        } catch {
            throw LedgerError(
                error.code, "the command ended with code \(status), but that could not be recorded: \(error.message)")
        }
        return status
    }

    /// Output that our own stream did not take is counted and digested, but lost; a reader who left wants no more.
    private func warn(_ stream: String, _ passage: ChildProcess.Passage) {
        guard let failure = passage.failure.map({ Errno(rawValue: $0) }), failure != .brokenPipe else { return }
        Output.error("bulla: the command's \(stream) could not be passed on: \(failure)")
    }

    private func givenSignature() throws(LedgerError) -> Signature? {
        try signature.map { text throws(LedgerError) in try Signature(option: text) }
    }

    /// What goes beside the command's end, and says no more than that it failed.
    private func trauma(
        of described: JSONObject, _ ending: Trauma.Ending, _ started: UInt64
    ) throws(LedgerError) -> Draft {
        let arguments = (described["argv"]?.array ?? []).compactMap(\.string)
        let trauma = Trauma(command: arguments, ending, signature: try givenSignature(), started: started)
        return try draft(Trauma.recorded, trauma.body, cause: started)
    }

    private func draft(_ action: String, _ body: JSONObject, cause: UInt64? = nil) throws(LedgerError) -> Draft {
        do throws(DraftError) {
            guard let known = Justification.Pillar(rawValue: pillar) else { throw .pillar(pillar) }
            let context: JSONObject = cause.map { ["causes": [.number(Double($0))]] } ?? [:]
            return try Draft(
                action: action, actor: actor, justification: Justification(known, reason), body: .object(body), context: context)
        } catch {
            throw LedgerError(.usage, error.description)
        }
    }
}

extension ChildProcess.Status {
    /// `{"exit":n}` or `{"signal":n}`.
    fileprivate var json: JSON {
        switch self {
        case .exited(let code): ["exit": .number(Double(code))]
        case .signaled(let signal): ["signal": .number(Double(signal))]
        }
    }

    fileprivate var failure: Trauma.Ending? {
        switch self {
        case .exited(0): nil
        case .exited(let code): .exit(code)
        case .signaled(let signal): .signal(signal)
        }
    }
}

extension ChildProcess.Passage {
    /// What a stream carried; `error` is the errno after which nothing more could be passed on.
    fileprivate func json(_ digest: Digest) -> JSON {
        var object: JSONObject = ["bytes": .number(Double(byteCount)), "sha256": .string(digest.description)]
        if let failure { object["error"] = .number(Double(failure)) }
        return .object(object)
    }
}
