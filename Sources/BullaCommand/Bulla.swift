import ArgumentParser
import CanonicalJSON
import Ledger
import LedgerFormat
import PlantedDefects

/// The command line: `bulla VERB …`.
struct Bulla: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bulla",
        abstract: "A tamper-evident flight recorder for agents and other unattended software.",
        discussion: """
            Bulla keeps one append-only, hash-chained ledger on your own disk. Whatever is recorded can be verified later, by \
            `bulla verify` or by an independent script, and nobody without the sealing key can change a byte unnoticed.

            Start with:
              bulla init
              bulla record --actor user:you -- make test
              bulla log
              bulla verify

            Exit codes: 0 done or intact, 10 tampered, 11 key missing, 12 partial, 20 refused, 21 locked, 22 conflict, 30 disk, \
            64 bad arguments, 75 busy; `record` and `lane guard` pass their command's code on, or 125 if they failed themselves.
            """,
        version: "bulla 0.1.0" + buildNote,
        subcommands: Verb.allCases.map(\.command))
}

@main
enum Main {
    static func main() async {
        Output.fillStandardStreams()
        Output.ignoreFileSizeSignal()
        let isJSONWanted = RawArguments.wantJSON
        do {
            try RawArguments.checkText()
            var command = try parsed()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch let error as LedgerError {
            // What stands on stdout already says what is wrong, or is a stream that ends here.
            if isJSONWanted, !Output.hasAnswered { Output.line(Printable.json(error.json)) }
            Output.error("bulla: \(Printable.text(error.message))")
            Output.exit(error.code.rawValue)
        } catch {
            if isJSONWanted, Bulla.exitCode(for: error) == .validationFailure {
                Output.line(Printable.json(LedgerError(.usage, Bulla.message(for: error)).json))
            }
            finish(error)
        }
        Output.exit(0)
    }

    /// The verb's parser alone, which spares making the others'. All but a sound command line of that verb is left to the whole one.
    private static func parsed() throws -> any ParsableCommand {
        let arguments = RawArguments.texts
        if let verb = arguments.first.flatMap(Verb.init(rawValue:)), arguments.allSatisfy({ !Self.builtIn.contains($0) }),
            let command = try? verb.command.parseAsRoot(Array(arguments.dropFirst()))
        {
            return command
        }
        return try Bulla.parseAsRoot(arguments)
    }

    /// What is asked of the whole program.
    private static let builtIn = ["--version", "--help", "-h"]

    /// Help and versions go to stdout as they are; what the parser says of arguments may quote them.
    private static func finish(_ error: any Error) -> Never {
        let code = Bulla.exitCode(for: error).rawValue
        let message = Bulla.fullMessage(for: error)
        if code == 0 {
            Output.line(message)
        } else if !message.isEmpty {
            for line in message.split(separator: "\n", omittingEmptySubsequences: false) {
                Output.error(Printable.text(String(line)))
            }
        }
        Output.exit(code)
    }
}

extension LedgerError {
    /// `{"error":{"code":20,"message":"…","verdict":"refused"}}`, and of a conflict both sides in `conflicts`.
    fileprivate var json: JSON {
        var error: JSONObject = [
            "code": .number(Double(code.rawValue)), "message": .string(message), "verdict": .string(code.verdict),
        ]
        if !collisions.isEmpty { error["conflicts"] = .array(collisions.map(\.json)) }
        return ["error": .object(error)]
    }
}

extension ErrorCode {
    /// The name of the verdict in design §4.
    fileprivate var verdict: String {
        switch self {
        case .tampered: "tampered"
        case .unverifiable: "unverifiable"
        case .refused: "refused"
        case .locked: "locked"
        case .conflict: "conflict"
        case .inputOutput: "io"
        case .usage: "usage"
        case .busy: "busy"
        }
    }
}
