import ArgumentParser
import CanonicalJSON
import Kernel
import Lanes
import Ledger
import LedgerFormat

struct LaneSpawnCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "spawn",
        abstract: "Say that somebody is about to take a lane: it is shown as SPAWNING until he has, 120 s at most.",
        discussion: """
            Example:
              bulla lane spawn api --holder worker-3 --actor process:launcher
            """)

    @Argument(help: "The lane.")
    var lane: Label

    @Option(help: ArgumentHelp("Who is about to take it (default: the actor).", valueName: "name"))
    var holder: String?

    @OptionGroup var marks: LaneRunOptions
    @OptionGroup var author: LaneActorOptions
    @OptionGroup var writer: WriterOptions
    @OptionGroup var options: LedgerOptions

    func run() throws {
        try options.record(author, writer) { lanes, moment throws(LedgerError) in
            try lanes.spawn(lane, by: holder ?? author.actor, marks.evidence(author.reason ?? "a holder is started"), moment)
        }
    }
}

struct LaneAttemptCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "attempt",
        abstract: "Say how an attempt at a unit of work ended; what failed rests for a while.",
        discussion: """
            shipped lets it be tried again at once, error after 30 minutes, drained, blocked and unknown after 6 hours, unless declared \
            otherwise. A lane rests with the latest attempt that names it, and then acquire without a lane passes it by.

            Example:
              bulla lane attempt issue-17 --outcome error --lane api --actor process:worker-1
            """)

    @Argument(help: "The unit of work.")
    var unit: Label

    @Option(help: "shipped, error, drained, blocked or unknown.")
    var outcome: AttemptOutcome

    @Option(help: "The lane that it was tried on.")
    var lane: Label?

    @OptionGroup var right: LaneOptionalRightOptions
    @OptionGroup var marks: LaneRunOptions
    @OptionGroup var author: LaneActorOptions
    @OptionGroup var writer: WriterOptions
    @OptionGroup var options: LedgerOptions

    func run() throws {
        try options.record(author, writer) { lanes, moment throws(LedgerError) in
            try lanes.attempt(
                unit, outcome, lane: lane, right.right, marks.evidence(author.reason ?? "it ended: \(outcome.rawValue)"), moment)
        }
    }
}

struct LaneHaltCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "halt",
        abstract: "Say that a run is to be stopped; the command is recorded and never run.",
        discussion: """
            Example:
              bulla lane halt job-17 --command "kill 4711" --lane api --actor user:ada --reason "wrong branch"
            """)

    @Argument(help: "What the host calls the run.")
    var handle: String

    @Option(help: ArgumentHelp("How it would be stopped.", valueName: "text"))
    var command: String?

    @Option(help: "The lane that it works on.")
    var lane: Label?

    @OptionGroup var marks: LaneRunOptions
    @OptionGroup var author: LaneActorOptions
    @OptionGroup var writer: WriterOptions
    @OptionGroup var options: LedgerOptions

    func run() throws {
        try options.record(author, writer) { lanes, moment throws(LedgerError) in
            try lanes.halt(
                handle, command: command, lane: lane, marks.evidence(author.reason ?? "the run is to be stopped"), moment)
        }
    }
}

struct LaneEnforceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "enforce",
        abstract: "Say what a handler proposed about something that a holder did.",
        discussion: """
            Example:
              bulla lane enforce warn --tool write_file --handler paths --lane api --actor service:policy --reason "outside its tree"
            """)

    @Argument(help: "observe, warn, block or defer.")
    var intervention: Intervention

    @Option(help: ArgumentHelp("The tool that was used.", valueName: "name"))
    var tool: String?

    @Option(help: ArgumentHelp("Who proposes it.", valueName: "name"))
    var handler: String?

    @Option(help: ArgumentHelp("What it is about.", valueName: "name"))
    var holder: String?

    @Option(help: "The lane.")
    var lane: Label?

    @Option(name: .customLong("reason-class"), help: ArgumentHelp("The reason, for programs.", valueName: "word"))
    var reasonClass: String?

    @Option(name: .customLong("dispatch-call"), help: ArgumentHelp("The call that it is about.", valueName: "text"))
    var dispatchCall: String?

    @Flag(help: "The call was not carried out.")
    var withheld = false

    @Option(help: ArgumentHelp("The proposal itself.", valueName: "text"))
    var proposal: String?

    @OptionGroup var right: LaneOptionalRightOptions
    @OptionGroup var marks: LaneRunOptions
    @OptionGroup var author: LaneActorOptions
    @OptionGroup var writer: WriterOptions
    @OptionGroup var options: LedgerOptions

    func run() throws {
        var object: JSONObject = ["holder": .string(holder ?? author.actor), "withheld": .bool(withheld)]
        for (name, text) in [
            ("tool", tool), ("handler", handler), ("reason_class", reasonClass), ("dispatch_call", dispatchCall),
            ("proposal", proposal),
        ] { object[name] = text.map { .string($0) } }
        let proposal = object
        try options.record(author, writer) { lanes, moment throws(LedgerError) in
            try lanes.enforce(
                proposal, intervention, lane: lane, right.right,
                marks.evidence(author.reason ?? "a handler proposes to \(intervention.rawValue)"), moment)
        }
    }
}
