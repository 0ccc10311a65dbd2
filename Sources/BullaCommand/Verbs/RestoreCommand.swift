import ArgumentParser
import CanonicalJSON
import DurableFiles
import Kernel
import Ledger
import LedgerFormat

struct RestoreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        .restore,
        abstract: "Take the state back to an earlier point, or a handbook; history stays, and this can be taken back too.",
        discussion: """
            Without --yes the patch is shown that it would cause, and nothing is changed. With it that patch becomes one entry. What came \
            since stays in the ledger and readable with --at. Only the state tree goes back: keys, alerts, leases and whatever else keeps \
            the house in order never do.

            With --handbook the text of a handbook is shown that associates had signed then, as its difference to what stands there, or \
            written to a new file with --out. --yes puts it back, without new signatures only if it is what they signed last; what \
            stands there is recorded.

            Examples:
              bulla restore --to 42
              bulla restore --to 2026-01-31T12:00:00Z --reason "the migration failed" --actor user:ada --yes
              bulla restore --handbook agents/builder/AGENT.md --to 42 --out AGENT.42.md
            """)

    @Option(help: ArgumentHelp("A seq, a hash, or a time in UTC such as 2026-01-31T12:00:00Z.", valueName: "seq|hash|time"))
    var to: Point

    @Option(help: ArgumentHelp("The text of this handbook, instead of the state.", valueName: "handbook"))
    var handbook: String?

    @Option(help: ArgumentHelp("Write the handbook's text to this new file.", valueName: "file"))
    var out: String?

    @Option(help: ArgumentHelp("Why.", valueName: "text"))
    var reason: String?

    @Option(help: ArgumentHelp("Who does it, as kind:name.", valueName: "kind:name"))
    var actor: String?

    @Flag(help: "Do it.")
    var yes = false

    @OptionGroup var signing: SignerOptions
    @OptionGroup var archives: ArchiveOptions
    @OptionGroup var writer: WriterOptions
    @OptionGroup var options: LedgerOptions

    func validate() throws {
        if out != nil, handbook == nil || yes { throw ValidationError("--out takes the text of a --handbook, without --yes") }
        if !archives.archive.isEmpty, handbook == nil {
            throw ValidationError("--archive goes with --handbook; `bulla state get --at --archive` shows an earlier state")
        }
        guard yes else { return }
        if reason == nil { throw ValidationError("--yes needs a --reason: it is recorded") }
        if actor == nil { throw ValidationError("--yes needs an --actor: it is recorded") }
    }

    func run() throws {
        if let handbook { return try HandbookRestore(command: self, handbook: handbook).run() }
        let storage = try options.storage()
        let earlier = try earlier(storage).fold
        guard let mark = earlier.mark else { throw LedgerError(.refused, "there is no entry at \(to)") }
        guard yes, let reason, let actor else {
            let now = try StateReading<Documents>(storage).fold
            return show(now.state.restoration(of: earlier.state), mark, receipt: nil)
        }
        var decider = try Decider(options, writer, signing)
        defer { decider.sayNotices() }
        let decided = try decider.decide(on: Documents.self, as: actor) { documents, moment throws(LedgerError) in
            try documents.restore(to: earlier.state, at: mark, Justification(.resilience, reason), moment)
        }
        show(decided.reply, mark, receipt: decided.receipts.first)
    }

    /// The state that is to come back: only what the ledger's own entries tell.
    private func earlier(_ storage: any Storage) throws(LedgerError) -> StateReading<Documents> {
        do throws(LedgerError) { return try StateReading(storage, at: to) } catch {
            let view = try LedgerView(storage)
            guard error.cause == .archived, let found = try EntryReader(view, .system).explanation() else { throw error }
            let first = max(view.firstSeq, found.statement.last + 1)
            let what =
                if case .seq(let seq) = to { found.whereabouts(of: seq) } else {
                    "\(found.whereabouts(of: 1)), and \(to) is before it"
                }
            throw LedgerError(
                .refused,
                "\(what): a restore goes back to entries behind the archive, from seq \(first) on; "
                    + "`bulla state get --at \(to.argument) --archive DIR` shows what was then", .archived)
        }
    }

    private func show(_ patch: JSONPatch, _ mark: Mark, receipt: Receipt?) {
        if options.json {
            Output.line(
                Printable.json([
                    "applied": .bool(receipt != nil), "patch": patch.json, "receipt": receipt?.json ?? .null,
                    "to": .number(Double(mark.seq)),
                ]))
            return
        }
        if patch.operations.isEmpty {
            Output.line("the state is what it was at seq \(mark.seq): there is nothing to restore")
        } else {
            Output.line(Printable.patch(patch.json))
            if let receipt {
                Output.line(receipt.line)
            } else {
                Output.line("nothing was changed; do it with --yes, --reason and --actor")
            }
        }
    }
}
