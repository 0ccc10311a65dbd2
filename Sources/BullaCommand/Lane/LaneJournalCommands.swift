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
            declared, and leases that meet are refused. One that is refused refuses all, unless --leave-out is given. The journal stays as \
            it is; its digest is recorded.

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
        let decided = try options.decide(author, writer) { lanes, moment throws(LedgerError) in
            let decision = try lanes.importing(journal, from: source, ttl: ttl, leavesOut: leaveOut, moment)
            return Decision(decision.drafts, reply: (decision.reply, lanes.settings, Instant(moment)))
        }
        let (imported, settings, now) = decided.reply
        let leases = imported.granted.map { granted in
            var lease = granted.lease
            lease.token = decided.receipts[granted.draft].seq
            return lease
        }
        if options.json {
            let leftOut = imported.leftOut.map { left -> JSON in
                ["identity": .string(left.identity.description), "reason": .string(left.reason)]
            }
            Output.line(
                Printable.json([
                    "evicted": .array(imported.evicted.map { .object($0.shown(settings, at: now)) }), "left_out": .array(leftOut),
                    "leases": .array(leases.map { .object($0.shown(settings, at: now)) }),
                    "receipts": .array(decided.receipts.map(\.json)),
                ]))
        } else {
            for lease in leases {
                Output.line(
                    Printable.text(
                        "lease \(lease.id) token \(lease.token) lane \(lease.lane) until \(lease.end(at: now))"
                            + (lease.holder.isEmpty ? "" : ", held by \(lease.holder)")))
            }
            if leases.isEmpty { Output.line("no lease is imported") }
        }
        for left in imported.leftOut { Output.error("bulla: left out: \(Printable.text("\(left.identity): \(left.reason)"))") }
    }
}

struct LaneExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write the ledger's live leases as a lane journal that dos-kernel reads.",
        discussion: """
            Without --file it is printed. A file that is there is never written over. Expired leases stay behind: dos-kernel would hold \
            them for ever.

            Example:
              bulla lane export --file .dos/lane-journal.jsonl
            """)

    @Option(help: ArgumentHelp("The new journal.", valueName: "path"))
    var file: String?

    @OptionGroup var options: LedgerOptions

    func run() throws {
        let fold = try options.lanes()
        let now = Instant(Environment.system)
        let leases = fold.state.ordered.filter { $0.standing(fold.state.settings, at: now) != .expired }
        let bytes = LaneJournal.exporting(leases, upTo: fold.seq)
        guard let file else { return Output.write(bytes) }
        try JournalFile(file).create(bytes)
        if options.json {
            Output.line(
                Printable.json([
                    "file": .string(file), "leases": .number(Double(leases.count)), "seq": .number(Double(fold.seq)),
                ]))
        } else {
            Output.line(Printable.text("\(file): live leases \(leases.count), up to seq \(fold.seq)"))
        }
    }
}
