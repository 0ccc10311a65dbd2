import ArgumentParser
import CanonicalJSON
import Kernel
import Ledger
import LedgerFormat

struct PatchProposeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "propose",
        abstract: "Propose a change of a handbook, as an edited copy or as a unified diff; nothing is changed yet.",
        discussion: """
            The handbook is named as the constitution's folder begins it. A diff is what `diff -u` writes, with this name in both headings; \
            it must fit exactly.

            Examples:
              bulla patch propose agents/builder/AGENT.md --from edited.md --actor user:ada --evidence 42
              bulla patch propose agents/builder/AGENT.md --diff change.diff --actor user:ada --reason "lesson of entry 42"
            """)

    @Argument(help: ArgumentHelp("The handbook, such as agents/builder/AGENT.md.", valueName: "handbook"))
    var handbook: String

    @Option(help: ArgumentHelp("The text as it shall be, or - for stdin.", valueName: "file"))
    var from: String?

    @Option(help: ArgumentHelp("The unified diff, or - for stdin.", valueName: "file"))
    var diff: String?

    @Option(help: ArgumentHelp("Who proposes it, as kind:name.", valueName: "kind:name"))
    var actor: String

    @Option(help: ArgumentHelp("An entry that shows why (may be repeated).", valueName: "seq"))
    var evidence: [UInt64] = []

    @Option(help: ArgumentHelp("Why.", valueName: "text"))
    var reason = "a handbook learns"

    @OptionGroup var signing: SignerOptions
    @OptionGroup var archives: ArchiveOptions
    @OptionGroup var writer: WriterOptions
    @OptionGroup var options: LedgerOptions

    func validate() throws {
        guard (from == nil) != (diff == nil) else {
            throw ValidationError("give the edited text with --from, or a diff with --diff")
        }
        guard evidence.count <= Findings.evidenceCountMax else {
            throw ValidationError("--evidence takes \(Findings.evidenceCountMax) entries at most")
        }
    }

    func run() throws {
        let house = try ConstitutionHouse(options)
        try house.checkOpen()
        let shelf = options.shelf(house.actors.articles)
        var decider = try Decider(options, writer, signing)
        decider.archives = try archives.storages(of: house.ledger)
        defer { decider.sayNotices() }
        try decider.finishAndTell(shelf)
        try shelf.checkFolders(house.actors)
        let proposal = try proposal(shelf)
        let cited = try LedgerView.asking(try archives.storage(of: options)) { view throws(LedgerError) in
            try Citation.all(evidence, in: view, .system)
        }
        let justification = Justification(.evolution, reason)
        let decided = try decider.decide(on: Patches.self, as: actor, reading: { $0.ranks }) {
            patches, ranks, moment throws(LedgerError) in
            try patches.propose(proposal, evidence: cited, justification, moment, ranks)
        }
        if let patch = decided.reply { Output.error("bulla: \(Printable.text(patch.toldToYield))") }
        // Behind the rejection of what gave way.
        let receipt = decided.receipts[decided.receipts.count - 1]
        if options.json {
            Output.line(
                Printable.json(["handbook": .string(handbook), "patch": .number(Double(receipt.seq)), "receipt": receipt.json]))
        } else {
            Output.line(
                Printable.text(
                    "patch \(receipt.seq) is proposed for \(proposal.handbook); `bulla patch approve \(receipt.seq)` asks associates"
                ))
            Output.line(receipt.line)
        }
    }

    private func proposal(_ shelf: Shelf) throws(LedgerError) -> PatchProposal {
        let name = try HandbookName.refusing(handbook.hasPrefix("./") ? String(handbook.dropFirst(2)) : handbook)
        let base = try shelf.read(name)
        let limit = from == nil ? PatchProposal.diffByteCountMax : Handbook.byteCountMax
        let given = try InputFile(from ?? diff ?? "-").all(upTo: limit)
        do throws(HandbookFault) {
            let (change, changed) = from == nil ? try Self.read(given, for: base) : try Self.compare(base, given)
            try change.checkVisible()
            return PatchProposal(base, to: changed, change, evidence: evidence)
        } catch { throw LedgerError(error) }
    }

    private static func read(
        _ diff: [UInt8], for base: Handbook
    ) throws(HandbookFault) -> (change: UnifiedDiff, changed: Handbook) {
        let change: UnifiedDiff
        do throws(UnifiedDiffFault) { change = try UnifiedDiff(parsing: diff, of: base.name.text) } catch { throw .diff(error) }
        return (change, try base.applying(change))
    }

    private static func compare(
        _ base: Handbook, _ edited: [UInt8]
    ) throws(HandbookFault) -> (change: UnifiedDiff, changed: Handbook) {
        let changed = try Handbook(base.name, edited)
        let change = UnifiedDiff(from: base.bytes, to: changed.bytes)
        if change.hunks.isEmpty { throw .diff(.empty) }
        return (change, changed)
    }
}
