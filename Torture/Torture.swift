import ArgumentParser

/// `Torture`: tries to break what Bulla promises. See `TORTURE.md`, which it writes.
@main
struct Torture: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "torture", abstract: "Tries to break what Bulla promises, and counts how often it tried.",
        subcommands: [RunCommand.self, CanariesCommand.self, SubjectCommand.self], defaultSubcommand: RunCommand.self)

    /// All stages, in the order in which they run.
    static let stages: [any Stage] = [
        Schedules(), BitFlips(), JudgedFlips(), SnapshotFlips(), Truncations(), SystemCalls(), PowerCuts(), Processes(), Races(),
        Fuzzing(),
    ]

    @MainActor
    static func main() async {
        if CommandLine.arguments.dropFirst().first == SubjectCommand.configuration.commandName {
            await SubjectCommand.runFromArguments()
        } else {
            await main(nil)
        }
    }
}
