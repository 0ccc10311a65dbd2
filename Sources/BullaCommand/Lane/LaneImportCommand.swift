import ArgumentParser
import CanonicalJSON
import Kernel
import Lanes
import Ledger
import LedgerFormat

struct LaneImportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Take the live leases of a dos-kernel lane journal over into the ledger.",
        discussion: """
            Each gets an id and a token, which are printed, and its time begins now. Each is judged as if it were acquired: a lane must be \
            declared, and leases that meet are refused. One that is refused refuses all, unless --leave-out is given. A long journal is \
            taken over in several decisions, so that others can write between them. The journal stays as it is; its digest is recorded.

            Example:
              bulla lane import --file .dos/lane-journal.jsonl --actor user:ada
            """)

    @OptionGroup var place: JournalPlace

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("How long a lease lasts behind each heartbeat if the journal does not say.", valueName: "time"))
    var ttl = "10m"

    @Flag(help: "Leave leases out that are refused, and tell which.")
    var leaveOut = false

    @OptionGroup var author: LaneActorOptions
    @OptionGroup var writer: WriterOptions
    @OptionGroup var options: LedgerOptions

    func run() throws {
        let ttl = try TimeSpan.parsed(ttl, "--ttl")
        let file = place.journal
        let found = try file.found()
        let journal = try file.read(found)
        let source: JSONObject = [
            "entries": .number(Double(journal.entryCount)),
            "last_seq": .string(String(decoding: journal.lastSeq.text, as: UTF8.self)),
            "sha256": .string(Digest(sha256: found.bytes.span).description),
        ]
        let leases = journal.leases
        if !leaveOut { try refuseInAdvance(leases, ttl) }
        var decider = try Decider(options, writer, author.signing)
        decider.snapshotInterval = LedgerOptions.laneSnapshotInterval
        defer { decider.sayNotices() }
        var told = Told()
        var next = leases.startIndex
        var trouble: LedgerError?
        repeat {
            do throws(LedgerError) {
                let rest = leases[next...]
                let decided = try decider.decide(on: Lanes.self, as: author.actor) { lanes, moment throws(LedgerError) in
                    let decision = try lanes.importing(rest, from: source, ttl: ttl, leavesOut: leaveOut, HostFacts.name, moment)
                    return Decision(decision.drafts, reply: (decision.reply, lanes.settings, Instant(moment)))
                }
                told.add(decided)
                next += decided.reply.0.count
                if let refusal = decided.reply.0.refusal { throw Self.refused(refusal, importedCount: told.leases.count) }
            } catch {
                trouble = error
            }
        } while trouble == nil && next < leases.endIndex
        // Whose right it is must know it, whatever went wrong behind it.
        if trouble == nil || !told.leases.isEmpty { tell(told) }
        if let trouble { throw trouble }
    }

    /// What is refused now is known before anything is written, however many decisions it takes.
    private func refuseInAdvance(_ leases: Lanes.JournalLeases, _ ttl: Int64) throws(LedgerError) {
        let fold = try options.lanes()
        let now = Instant(Environment.system)
        let moment = Moment(
            actor: author.actor, now: now.time, boot: now.boot, latest: now.time, seq: fold.seq,
            random: Environment.system.random())
        if let refusal = fold.state.refusal(of: leases, ttl: ttl, moment) { throw Self.refused(refusal, importedCount: 0) }
    }

    private static func refused(_ refused: JournalImport.Refused, importedCount: Int) -> LedgerError {
        let written = importedCount == 0 ? "nothing was written" : "\(importedCount) before it are imported"
        return LedgerError(
            .refused,
            "the lease of \(refused.identity) is not imported: \(refused.reason); \(written); --leave-out imports the others")
    }

    /// What came of all decisions so far.
    private struct Told {
        var leases: [Lease] = []
        var leftOut: [JournalImport.Refused] = []
        var evicted: [Lease] = []
        var receipts: [Receipt] = []
        var settings = LaneSettings()
        var now: Instant?

        mutating func add(_ decided: Decided<(JournalImport, LaneSettings, Instant)>) {
            let (imported, settings, now) = decided.reply
            leases += imported.granted.map { granted in
                var lease = granted.lease
                lease.token = decided.receipts[granted.draft].seq
                return lease
            }
            leftOut += imported.leftOut
            evicted += imported.evicted
            receipts += decided.receipts
            (self.settings, self.now) = (settings, now)
        }
    }

    private func tell(_ told: Told) {
        let now = told.now ?? Instant(Environment.system)
        if options.json {
            let leftOut = told.leftOut.map { left -> JSON in
                ["identity": .string(left.identity.description), "reason": .string(left.reason)]
            }
            Output.line(
                Printable.json([
                    "evicted": .array(told.evicted.map { .object($0.shown(told.settings, at: now)) }),
                    "left_out": .array(leftOut),
                    "leases": .array(told.leases.map { .object($0.shown(told.settings, at: now)) }),
                    "receipts": .array(told.receipts.map(\.json)),
                ]))
        } else {
            for lease in told.leases {
                Output.line(
                    Printable.text(
                        "lease \(lease.id) token \(lease.token) lane \(lease.lane) until \(lease.end(at: now))"
                            + (lease.holder.isEmpty ? "" : ", held by \(lease.holder)")))
            }
            if told.leases.isEmpty { Output.line("no lease is imported") }
        }
        for left in told.leftOut { Output.error("bulla: left out: \(Printable.text("\(left.identity): \(left.reason)"))") }
    }
}
