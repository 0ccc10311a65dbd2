import ArgumentParser

struct LearnCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        .learn,
        abstract: "What went wrong, what was done about it, what is to be learnt, and whether it came again.",
        discussion: """
            A trauma is an entry with four sentences: trauma, root cause, correction, lesson. `bulla record` leaves one when its command \
            fails, and so does the house when it healed itself. What is not known yet is said later, with --answers. Traumas of one \
            signature are the same one come again.

            Examples:
              bulla learn add --actor user:ada --trauma "the release had no notes"
              bulla learn list --open
              bulla learn add --actor user:ada --answers 42 --lesson "write them first"
              bulla learn report
            """,
        subcommands: [LearnAddCommand.self, LearnListCommand.self, LearnReportCommand.self])
}
