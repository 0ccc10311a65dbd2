import ArgumentParser
import Kernel
import Lanes
import Ledger
import LedgerFormat

struct LaneScavengeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scavenge",
        abstract: "Take an orphan away: a lease that is expired, or whose recorded process is gone.",
        discussion: """
            A process is evidence only if acquire was given its number with --pid, and it is looked for on the same machine since the \
            same boot, by its number and its start. For all others their time must have run out.

            Example:
              bulla lane scavenge --lease 0123456789abcdef --actor user:ada --reason "it crashed"
            """)

    @Option(help: ArgumentHelp("The lease's id, as list prints it.", valueName: "id"))
    var lease: LeaseID

    @OptionGroup var author: LaneActorOptions
    @OptionGroup var writer: WriterOptions
    @OptionGroup var options: LedgerOptions

    func run() throws {
        let sighting = try options.sighting(of: lease)
        let decided = try options.decide(author, writer) { lanes, moment throws(LedgerError) in
            try lanes.scavenge(
                lease, sighting, author.reason ?? "it is an orphan", by: author.actor, HostFacts.name, moment)
        }
        options.tell(decided, "taken away")
    }
}

struct LaneAdoptCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "adopt",
        abstract: "Take a live lease over whose holder is gone and whose children work on.",
        discussion: """
            Its identity, tree, time and children stay, and its token, with which they work on. With --new-token it gets a higher one, \
            which is printed: the old one is stale, for the children and for a holder who is not gone after all. It takes the lease's \
            token, or that its recorded process is gone on this machine.

            Examples:
              bulla lane adopt --lease 0123456789abcdef --token 42 --holder worker-2 --actor process:worker-2 --pid $$
              bulla lane adopt --lease 0123456789abcdef --new-token --actor process:worker-2
            """)

    @Option(help: ArgumentHelp("The lease's id.", valueName: "id"))
    var lease: LeaseID

    @Option(help: ArgumentHelp("Its token.", valueName: "n"))
    var token: UInt64?

    @Flag(help: "Give it a new token, so that whoever works with the old one is shut out.")
    var newToken = false

    @Option(help: ArgumentHelp("The new holder's name (default: the actor).", valueName: "name"))
    var holder: String?

    @Option(help: ArgumentHelp("The process that lives as long as the new holder.", valueName: "n"))
    var pid: Int32?

    @OptionGroup var author: LaneActorOptions
    @OptionGroup var writer: WriterOptions
    @OptionGroup var options: LedgerOptions

    func run() throws {
        let sighting = try options.sighting(of: lease)
        let process = pid.map { HostFacts.process($0) }
        if pid != nil { HostFacts.sayIfBlind() }
        var decided = try options.decide(author, writer) { lanes, moment throws(LedgerError) in
            try lanes.adopt(
                lease, token: token, sighting, by: holder ?? author.actor, process, renewsToken: newToken,
                author.reason ?? "its holder is gone", HostFacts.name, moment)
        }
        if newToken, let receipt = decided.receipts.last { decided.reply.token = receipt.seq }
        options.tell(decided, "adopted")
    }
}

extension LedgerOptions {
    /// What is to be seen of a lease's process; nil if the lease names none.
    fileprivate func sighting(of id: LeaseID) throws(LedgerError) -> ProcessSighting? {
        try lanes().state.leases[id]?.process.map { HostFacts.sighting(of: $0.pid) }
    }
}
