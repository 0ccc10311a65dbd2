import ArgumentParser

struct StateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        .state,
        abstract: "Keep one JSON tree in the ledger, and look at it as it was at any entry.",
        discussion: """
            The tree is folded from the ledger's entries: each change is one, with who made it, when and why. Places are JSON Pointers \
            (/team/ada/role), changes are JSON Patches (RFC 6901, RFC 6902). A point in time is a seq, a hash, or a time in UTC.

            Examples:
              bulla state set /deploy '{"version":"1.2"}' --actor user:ada --reason "release"
              bulla state get /deploy
              bulla state get --at 2026-01-31T12:00:00Z
              bulla state history /deploy/version
              bulla state diff 42 57
            """,
        subcommands: [
            StateGetCommand.self, StateSetCommand.self, StateRemoveCommand.self, StatePatchCommand.self, StateDiffCommand.self,
            StateHistoryCommand.self,
        ])
}
