import ArgumentParser
import CanonicalJSON
import Kernel
import Ledger
import LedgerFormat

struct LearnAddCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Record a trauma, or answer one.",
        discussion: """
            A trauma without a correction or without a lesson is open, and wants an answer. An answer is about the trauma with that seq and \
            all of its signature that were recorded before; one that comes later is open again. Without --signature it is derived from \
            the words: the first eight, in lower case, with # for numbers.

            Examples:
              bulla learn add --actor user:ada --trauma "deploy 17 hung" --evidence 40
              bulla learn add --actor user:ada --answers 42 --correction "set a timeout" \\
                --lesson "every call has one" --owner specialist:deployer
            """)

    @Option(help: ArgumentHelp("Who says it, as kind:name.", valueName: "kind:name"))
    var actor: String

    @Option(help: ArgumentHelp("What went wrong.", valueName: "text"))
    var trauma: String?

    @Option(help: ArgumentHelp("The trauma that this answers.", valueName: "seq"))
    var answers: UInt64?

    @Option(help: ArgumentHelp("What made it happen.", valueName: "text"))
    var rootCause: String?

    @Option(help: ArgumentHelp("What was done about it.", valueName: "text"))
    var correction: String?

    @Option(help: ArgumentHelp("What to do so that it does not happen again.", valueName: "text"))
    var lesson: String?

    @Option(help: ArgumentHelp("What contributed to it (may be repeated).", valueName: "text"))
    var factor: [String] = []

    @Option(help: ArgumentHelp("An entry that shows it (may be repeated).", valueName: "seq"))
    var evidence: [UInt64] = []

    @Option(help: ArgumentHelp("Whose lesson it is (default: who had the trauma).", valueName: "kind:name"))
    var owner: String?

    @Option(help: ArgumentHelp("What makes it the same trauma come again: up to 96 bytes without blanks.", valueName: "text"))
    var signature: String?

    @Option(help: ArgumentHelp("sovereignty, integrity, resilience or evolution.", valueName: "pillar"))
    var pillar = Justification.Pillar.evolution

    @Option(help: ArgumentHelp("Why it is recorded.", valueName: "text"))
    var reason = "what failed once is learnt from"

    @OptionGroup var signing: SignerOptions
    @OptionGroup var archives: ArchiveOptions
    @OptionGroup var writer: WriterOptions
    @OptionGroup var options: LedgerOptions

    func validate() throws {
        guard (trauma == nil) != (answers == nil) else {
            throw ValidationError("give --trauma to record one, or --answers to answer one")
        }
        if answers != nil, signature != nil {
            throw ValidationError("an answer has the signature of its trauma: leave --signature out")
        }
    }

    func run() throws {
        var findings = Findings(rootCause: rootCause, correction: correction, lesson: lesson)
        (findings.factors, findings.evidence, findings.owner) = (factor, evidence, owner)
        try findings.check()
        let signature = try signature.map { text throws(LedgerError) in try Signature(option: text) }
        let (cited, seen) = try citations()
        let justification = Justification(pillar, reason)
        var decider = try Decider(options, writer, signing)
        defer { decider.sayNotices() }
        let decided = try decider.decide(on: Learning.self, as: actor) { [findings] learning, moment throws(LedgerError) in
            if let answers, let seen {
                return try learning.answer(answers, seen: seen, findings, evidence: cited, justification, moment)
            }
            return try learning.record(
                trauma ?? "", findings, signature: signature, evidence: cited, justification, moment)
        }
        show(decided.reply, decided.receipts[0])
    }

    /// The entries that are named, read before the lock is taken: what stands in the ledger stays as it is.
    private func citations() throws(LedgerError) -> (evidence: [Citation], seen: Result<Citation, LedgerError>?) {
        try LedgerView.asking(try archives.storage(of: options)) { view throws(LedgerError) in
            let cited = try Citation.all(evidence, in: view, .system)
            guard let answers else { return (cited, nil) }
            do throws(LedgerError) { return (cited, .success(try Citation(answers, in: view, .system))) } catch {
                guard error.cause == .archived else { throw error }
                return (cited, .failure(error))
            }
        }
    }

    private func show(_ reply: Learning.Reply, _ receipt: Receipt) {
        let (count, open) = (reply.before?.count ?? 0, reply.before?.openCount ?? 0)
        if options.json {
            Output.line(
                Printable.json([
                    "before": .number(Double(count)), "open_before": .number(Double(open)), "receipt": receipt.json,
                    "signature": .string(reply.signature.text),
                ]))
            return
        }
        let history =
            answers == nil
            ? (count == 0 ? "the first of its kind" : "it was there \(Format.times(count)) before")
            : "\(open == 0 ? "none was" : open == 1 ? "1 was" : "\(open) were") open"
        Output.line(Printable.text("signature \(reply.signature): \(history)"))
        Output.line(receipt.line)
    }
}

extension Signature {
    /// Reads what `--signature` takes.
    init(option text: String) throws(LedgerError) {
        guard let signature = Self(text) else {
            throw LedgerError(
                .usage,
                "the signature \"\(text)\" is refused: it has 1 to \(Self.byteCountMax) bytes, without blanks and control characters"
            )
        }
        self = signature
    }
}

extension Format {
    /// Once, twice, 3 times.
    static func times(_ count: UInt64) -> String { count == 1 ? "once" : count == 2 ? "twice" : "\(Self.count(count)) times" }
}
