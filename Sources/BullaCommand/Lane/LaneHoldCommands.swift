import ArgumentParser
import CanonicalJSON
import Kernel
import Lanes
import Ledger
import LedgerFormat

struct LaneReleaseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "release",
        abstract: "Give a lease back.",
        discussion: """
            Example:
              bulla lane release --lease 0123456789abcdef --token 42 --actor process:worker-1
            """)

    @OptionGroup var right: LaneRightOptions
    @OptionGroup var author: LaneActorOptions
    @OptionGroup var writer: WriterOptions
    @OptionGroup var options: LedgerOptions

    func run() throws {
        let decided = try options.decide(author, writer) { lanes, moment throws(LedgerError) in
            try lanes.release(right.right, author.reason ?? "the work is done", HostFacts.name, moment)
        }
        options.tell(decided, "released")
    }
}

struct LaneHeartbeatCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "heartbeat",
        abstract: "Keep a lease alive; with --event also say what was done.",
        discussion: """
            Its time begins anew. Who beats and never says an event is shown as SPINNING. A lease that is expired is not brought back: \
            acquire the lane again.

            Example:
              bulla lane heartbeat --lease 0123456789abcdef --token 42 --actor process:worker-1 --event "tests pass"
            """)

    @OptionGroup var right: LaneRightOptions

    @Option(help: ArgumentHelp("What was done since.", valueName: "text"))
    var event: String?

    @Option(help: ArgumentHelp("When the holder lived, if not now; the future counts as now.", valueName: "time"))
    var at: String?

    @OptionGroup var author: LaneActorOptions
    @OptionGroup var writer: WriterOptions
    @OptionGroup var options: LedgerOptions

    func run() throws {
        var time: Timestamp?
        if let at {
            guard let found = Timestamp(anyFraction: at) else {
                throw LedgerError(.usage, "--at takes a time in UTC, such as 2026-01-31T12:00:00Z, and not \"\(at)\"")
            }
            time = found
        }
        let decided = try options.decide(author, writer) { lanes, moment throws(LedgerError) in
            try lanes.heartbeat(right.right, at: time, event: event, HostFacts.name, moment)
        }
        options.tell(decided, "alive")
    }
}

extension LedgerOptions {
    /// What became of a lease.
    func tell(_ decided: Decided<Lease>, _ word: String) {
        let (lease, now) = (decided.reply, Instant(Environment.system))
        guard let receipt = decided.receipts.last else { return }
        if json {
            var object: JSONObject = [
                "id": .string(lease.id.description), "lane": .string(lease.lane.text), "lease": .object(lease.json),
                "outcome": .string(word), "receipt": receipt.json, "token": .number(Double(lease.token)),
            ]
            object["expires_at"] = .string(lease.end(at: now).description)
            Output.line(Printable.json(.object(object)))
        } else {
            let end = word == "alive" || word == "adopted" ? " until \(lease.end(at: now))" : ""
            Output.line(
                Printable.text("\(word): lease \(lease.id) token \(lease.token) lane \(lease.lane) of \(lease.holder)\(end)"))
        }
    }
}
