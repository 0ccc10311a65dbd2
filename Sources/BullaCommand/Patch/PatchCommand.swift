import ArgumentParser

struct PatchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        .patch,
        abstract: "Let specialists learn: propose changes of their handbooks, and apply what associates sign.",
        discussion: """
            A handbook is an AGENT.md in one of the folders that the constitution names. A patch is a unified diff for one, with the digest of \
            the text that it was made for and the entries that show why. It changes nothing until associates have signed it, and then it is \
            applied in one step, if the handbook is still that text. bulla patch review drafts patches from traumas that nobody answered, \
            and so does bulla run.

            Example:
              bulla patch propose agents/builder/AGENT.md --from edited.md --actor user:ada --evidence 42
              bulla patch show 57
              bulla patch approve 57 --associate-key ada.key --associate-key bob.key
              bulla patch revert 57 --associate-key ada.key --associate-key bob.key
            """,
        subcommands: [
            PatchProposeCommand.self, PatchReviewCommand.self, PatchListCommand.self, PatchShowCommand.self,
            PatchApproveCommand.self,
            PatchRejectCommand.self, PatchRevertCommand.self,
        ])
}
