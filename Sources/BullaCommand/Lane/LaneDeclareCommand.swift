import ArgumentParser
import CanonicalJSON
import Kernel
import Lanes
import Ledger

struct LaneDeclareCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "declare",
        abstract: "Say which lanes there are, and what holds for all of them.",
        discussion: """
            Kinds: a shared lane may have several holders at once, a cluster lane (the default) one, and while an exclusive one is held \
            nothing else is. A tree is a list of patterns; a lane without one is about everything. What is declared of a lane replaces \
            what was; leases that are live keep what they were granted.

            Examples:
              bulla lane declare api --tree src/api --class backend --actor user:ada
              bulla lane declare release --kind exclusive --actor user:ada
              bulla lane declare --order api,web --budget backend=2 --grace 10s --actor user:ada
            """)

    @Argument(help: "The lane; without one only settings are declared.")
    var lane: Label?

    @Option(help: "shared, cluster or exclusive (default: cluster).")
    var kind: LaneKind?

    @OptionGroup var tree: LaneTreeOptions

    @Option(name: .customLong("class"), help: ArgumentHelp("The class whose budget it uses.", valueName: "name"))
    var laneClass: Label?

    @Flag(help: "Take the lane's declaration away.")
    var remove = false

    @Flag(inversion: .prefixedNo, help: "Lanes may be acquired that nobody declared.")
    var open: Bool?

    @Option(help: ArgumentHelp("Lanes for who names none, in this order, with commas.", valueName: "lanes"))
    var order: String?

    @Option(help: ArgumentHelp("How many leases of a class may be live; none for no limit.", valueName: "class=n"))
    var budget: [String] = []

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("From a lease's end until others may take it (at first 30s).", valueName: "time"))
    var grace: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("How long an event or a beat counts as a sign of life (at first 5m).", valueName: "time"))
    var liveness: String?

    @Option(
        help: ArgumentHelp("How long work rests after error, drained, blocked or unknown; 0 for not.", valueName: "outcome=time"))
    var cooldown: [String] = []

    @OptionGroup var author: LaneActorOptions
    @OptionGroup var writer: WriterOptions
    @OptionGroup var options: LedgerOptions

    func validate() throws {
        let isDescribed = kind != nil || !tree.tree.isEmpty || laneClass != nil
        if lane == nil, isDescribed { throw ValidationError("--kind, --tree and --class are about a lane; name it") }
        if lane == nil, remove { throw ValidationError("--remove takes a lane's declaration away; name the lane") }
        if remove, isDescribed {
            throw ValidationError(
                "--remove takes the declaration away, and --kind, --tree and --class make one; give one of both")
        }
    }

    func run() throws {
        let declaration =
            remove ? nil : LaneDeclaration(kind: kind ?? .cluster, tree: try tree.parsed() ?? .everything, laneClass: laneClass)
        let settings = try settings()
        try options.record(author, writer) { lanes, moment throws(LedgerError) in
            try lanes.declare(lane, declaration, settings, author.reason ?? "lanes are declared", moment)
        }
    }

    private func settings() throws(LedgerError) -> JSONObject {
        var object: JSONObject = [:]
        object["open"] = open.map { .bool($0) }
        if let order {
            let names = order.split(separator: ",").map(String.init)
            guard names.count <= LaneSettings.orderCountMax, names.allSatisfy({ Label($0) != nil }) else {
                throw LedgerError(
                    .usage, "--order takes up to \(LaneSettings.orderCountMax) names of lanes, with commas between them")
            }
            object["order"] = .array(names.map { .string($0) })
        }
        object["grace_minutes"] = try grace.map { text throws(LedgerError) in
            .number(TimeSpan.minutes(try TimeSpan.parsed(text, "--grace")))
        }
        object["liveness_minutes"] = try liveness.map { text throws(LedgerError) in
            .number(TimeSpan.minutes(try TimeSpan.parsed(text, "--liveness")))
        }
        if !budget.isEmpty {
            object["budgets"] = .object(
                try Self.pairs(budget, "--budget", "class=n") { name, value in
                    guard Label(name) != nil else { return nil }
                    return value == "none" ? .null : UInt32(value).map { .number(Double($0)) }
                })
        }
        if !cooldown.isEmpty {
            object["cooldown_minutes"] = .object(
                try Self.pairs(cooldown, "--cooldown", "outcome=time") { name, value in
                    guard AttemptOutcome.resting.map(\.rawValue).contains(name) else { return nil }
                    return value == "0" ? 0 : TimeSpan.microseconds(value).map { .number(TimeSpan.minutes($0)) }
                })
        }
        return object
    }

    private static func pairs(
        _ texts: [String], _ option: String, _ form: String, _ read: (String, String) -> JSON?
    ) throws(LedgerError) -> JSONObject {
        var object: JSONObject = [:]
        for text in texts {
            guard let mark = text.lastIndex(of: "="),
                let value = read(String(text[..<mark]), String(text[text.index(after: mark)...]))
            else { throw LedgerError(.usage, "\(option) takes \(form), and not \"\(text)\"") }
            object[String(text[..<mark])] = value
        }
        return object
    }
}
