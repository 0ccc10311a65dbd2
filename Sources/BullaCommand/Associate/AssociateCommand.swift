import ArgumentParser

struct AssociateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        .associate,
        abstract: "Say whose signatures release the house, and how many of them.",
        discussion: """
            A ledger has associates if it was made with them (bulla init --associate KEY). What they decide is a request, which M of them \
            sign, each where his key is; it works once, in this ledger, for what it says, until it expires.

            Example:
              bulla associate add 3b6a27bc… > request
              bulla associate sign request --associate-key ada.key > ada.json       # on Ada's machine
              bulla associate sign request --associate-key bob.key > bob.json       # on Bob's
              bulla associate add 3b6a27bc… --signed ada.json --signed bob.json
            """,
        subcommands: [
            AssociateAddCommand.self, AssociateRemoveCommand.self, AssociateListCommand.self, AssociateSignCommand.self,
        ])
}
