import ArgumentParser

struct LaneCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        .lane,
        abstract: "Leases for a fleet of agents: no two in the same place, and a record of who, when and why.",
        discussion: """
            A lane is a named region of work, usually paths of a repository; a lease is a hold of it, limited in time. The right to a \
            lease is its id and its token, never a name. Every grant, refusal and beat is an entry of the ledger.

            Examples:
              bulla lane declare api --actor user:ada --tree src/api --tree 'docs/**/api.md'
              bulla lane acquire api --actor process:worker-1 --ttl 20m --json
              bulla lane heartbeat --lease 0f3c… --token 42 --actor process:worker-1 --event "tests pass"
              bulla lane guard --lease 0f3c… --token 42 -- make test
              bulla lane release --lease 0f3c… --token 42 --actor process:worker-1
              bulla lane history api
            """,
        subcommands: [
            LaneDeclareCommand.self, LaneAcquireCommand.self, LaneReleaseCommand.self, LaneHeartbeatCommand.self,
            LaneListCommand.self, LaneCheckCommand.self, LaneHistoryCommand.self, LaneAdoptCommand.self, LaneScavengeCommand.self,
            LaneSpawnCommand.self, LaneAttemptCommand.self, LaneHaltCommand.self, LaneEnforceCommand.self, LaneGuardCommand.self,
            LaneGuardWatcherCommand.self, LaneTopCommand.self,
            LaneImportCommand.self, LaneExportCommand.self, JournalCommand.self,
        ])
}
