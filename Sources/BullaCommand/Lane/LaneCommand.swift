import ArgumentParser

struct LaneCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lane",
        abstract: "Leases for a fleet of agents.",
        subcommands: [JournalCommand.self])
}
