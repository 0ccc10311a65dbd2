import ArgumentParser

struct JournalCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "journal",
        abstract: "Read and write the lane journal of the Python package dos-kernel.",
        discussion: """
            These verbs work on that package's file, not on the ledger; `bulla lane import` and `bulla lane export` carry leases between \
            both. The file is --file, else $DISPATCH_LANE_JOURNAL_PATH, else $JOB_LANE_JOURNAL_PATH, else .dos/lane-journal.jsonl.

            Who writes takes the package's own lock beside the file (.lane-lease.lock). What is printed is JSON as Python writes it.

            Examples:
              bulla lane journal tail 20
              bulla lane journal replay --file lane-journal.jsonl
              bulla lane journal compact --dry-run
            """,
        subcommands: [
            JournalTailCommand.self, JournalReplayCommand.self, JournalSeqCommand.self, JournalCompactCommand.self,
            JournalAppendCommand.self,
        ])
}
