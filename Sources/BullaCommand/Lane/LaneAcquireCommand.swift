import ArgumentParser
import CanonicalJSON
import Kernel
import Lanes
import Ledger
import LedgerFormat

struct LaneAcquireCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "acquire",
        abstract: "Take a lane: a lease with an id and a token, or a refusal that names who stands against it.",
        discussion: """
            Whoever has the lease's id and token has the right to it, so keep them; the holder's name gives no right. The lease lasts \
            for --ttl behind its last heartbeat; behind that and a grace others may take it. Refused is exit code 20, and recorded.

            Without a lane it is the first of the declared order that is free and does not rest. With --force, and signatures of M associates, \
            it is granted beside those who stand against it: without signatures the request is printed.

            Examples:
              bulla lane acquire api --actor process:worker-1 --ttl 20m --json
              bulla lane acquire docs --actor process:writer --tree 'docs/**/*.md' --pid $$
            """)

    @Argument(help: "The lane.")
    var lane: Label?

    @Option(help: "shared, cluster or exclusive; what is more sociable than the declared kind is not given.")
    var kind: LaneKind?

    @OptionGroup var tree: LaneTreeOptions

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("How long it lasts behind each heartbeat, such as 90s, 20m, 2h.", valueName: "time"))
    var ttl = "10m"

    @Option(help: ArgumentHelp("The holder's name in the record (default: the actor).", valueName: "name"))
    var holder: String?

    @Option(help: ArgumentHelp("The process that lives as long as the holder; never that of a helper.", valueName: "n"))
    var pid: Int32?

    @Option(help: ArgumentHelp("What kind of run it is, for who reads it.", valueName: "text"))
    var mode: String?

    @Option(help: ArgumentHelp("Processes that work on if the holder ends, as run=pid.", valueName: "run=pid"))
    var child: [String] = []

    @Option(name: .customLong("env-digest"), help: ArgumentHelp("A digest of the holder's environment.", valueName: "text"))
    var environmentDigest: String?

    @Flag(help: "Let pass a lane or tree that is held, or a spent budget, but no exclusive lease: associates must sign.")
    var force = false

    @OptionGroup var requests: RequestOptions

    @OptionGroup var marks: LaneRunOptions
    @OptionGroup var author: LaneActorOptions
    @OptionGroup var writer: WriterOptions
    @OptionGroup var options: LedgerOptions

    func validate() throws {
        if requests.isSigned, !force { throw ValidationError("--signed and --associate-key go with --force") }
        if force, lane == nil { throw ValidationError("--force takes the name of a lane") }
    }

    func run() throws {
        let request = LaneRequest(
            lane: lane, kind: kind, tree: try tree.parsed(), ttl: try TimeSpan.parsed(ttl, "--ttl"),
            holder: holder ?? author.actor,
            loopTS: marks.loopTS, host: HostFacts.name, process: pid.map { HostFacts.process($0) }, notes: try notes(),
            reason: author.reason ?? "the lane is wanted")
        if pid != nil { HostFacts.sayIfBlind() }
        let decided = force ? try forced(request) : try plain(request)
        guard let (acquisition, settings, now) = decided?.reply else { return }
        guard var lease = acquisition.lease, let receipt = decided?.receipts.last else {
            return try refuse(acquisition.verdict, settings, now)
        }
        lease.token = receipt.seq
        if options.json {
            var object = acquisition.verdict.json(settings, at: now)
            let shown = lease.shown(settings, at: now)
            object["evicted"] = .array(acquisition.evicted.map { .object($0.shown(settings, at: now)) })
            object["expires_at"] = shown["expires_at"]
            object["id"] = .string(lease.id.description)
            object["lease"] = .object(shown)
            object["receipt"] = receipt.json
            object["token"] = .number(Double(lease.token))
            Output.line(Printable.json(.object(object)))
        } else {
            for evicted in acquisition.evicted { Output.line(Printable.text("taken over: \(evicted.named), whose time ran out")) }
            Output.line(Printable.text("lease \(lease.id) token \(lease.token) lane \(lease.lane) until \(lease.end(at: now))"))
            Output.line(receipt.line)
        }
    }

    private typealias Told = (reply: (Acquisition, LaneSettings, Instant), receipts: [Receipt])

    private func plain(_ request: LaneRequest) throws(LedgerError) -> Told {
        let decided = try options.decide(author, writer) { lanes, moment throws(LedgerError) in
            let decision = try lanes.acquire(request, moment)
            return Decision(decision.drafts, reply: (decision.reply, lanes.settings, Instant(moment)))
        }
        return (decided.reply, decided.receipts)
    }

    /// Nil if associates have to sign first: then the request is printed.
    private func forced(_ request: LaneRequest) throws -> Told? {
        let fold = try options.lanes()
        guard let force = try fold.state.force(for: request, moment(fold)) else {
            let told = try plain(request)
            sayUnused(told)
            return told
        }
        let command = "bulla lane acquire \(request.lane?.text ?? "") --force"
        let asked = try requests.signed(.forceLane, ConstitutionHouse(options), options, for: command) {
            _ throws(LedgerError) in force.arguments(reason: request.reason)
        }
        guard let signed = asked else { return nil }
        var decider = try Decider(options, writer, author.signing)
        defer { decider.sayNotices() }
        let told: Told = try decider.carryOut(signed, as: .forceLane, on: Lanes.self, by: author.actor) {
            lanes, moment throws(LedgerError) in
            let decision = try lanes.force(request, signed, moment)
            return SignedDecision(
                decision.drafts, members: decision.members, reply: (decision.reply, lanes.settings, Instant(moment)))
        }
        sayUnused(told)
        return told
    }

    private func sayUnused(_ told: Told) {
        guard requests.isSigned, told.reply.0.verdict.reasonClass == .free else { return }
        Output.error(
            "bulla: nothing stands against it any more: it is granted without what associates signed, which holds until it expires"
        )
    }

    /// As it is now, for who only looks.
    private func moment(_ fold: Fold<Lanes>) -> Moment {
        let environment = Environment.system
        let now = environment.now()
        return Moment(
            actor: author.actor, now: now, boot: environment.bootTime(), latest: fold.mark?.latest ?? now, seq: fold.seq,
            random: 0)
    }

    private func refuse(_ verdict: Verdict, _ settings: LaneSettings, _ now: Instant) throws(LedgerError) {
        if options.json { Output.line(Printable.json(.object(verdict.json(settings, at: now)))) }
        let lane = verdict.lane.map { "the lane \($0)" } ?? "any lane"
        var end = ""
        if verdict.endsWithBlocking, let lease = verdict.blocking {
            let takeable = lease.beat.end(after: lease.ttl + settings.grace, seenAt: now)
            let which = verdict.lane == nil ? "the lease \(lease.id) of \(lease.lane)" : "it"
            end = "; \(which) may be taken over from \(takeable) on unless it beats"
        }
        throw LedgerError(.refused, "\(lane) is refused: \(verdict.reason)\(end)")
    }

    private func notes() throws(LedgerError) -> JSONObject {
        var object: JSONObject = [:]
        object["run_id"] = marks.runID.map { .string($0) }
        object["mode"] = mode.map { .string($0) }
        object["env_digest"] = environmentDigest.map { .string($0) }
        var children: [JSON] = []
        for text in child {
            guard let mark = text.lastIndex(of: "="), let pid = Int32(text[text.index(after: mark)...]), pid > 0 else {
                throw LedgerError(.usage, "--child takes run=pid, and not \"\(text)\"")
            }
            children.append(["pid": .number(Double(pid)), "run_id": .string(String(text[..<mark]))])
        }
        if !children.isEmpty { object["children"] = .array(children) }
        return object
    }
}

extension Lease {
    /// When it ends unless it beats.
    func end(at now: Instant) -> Timestamp { beat.end(after: ttl, seenAt: now) }
}
