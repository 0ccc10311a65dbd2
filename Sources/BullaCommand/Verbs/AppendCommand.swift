import ArgumentParser
import CanonicalJSON
import DurableFiles
import Ledger
import LedgerFormat

struct AppendCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        .append,
        abstract: "Record one entry and print its receipt.",
        discussion: """
            The receipt is printed when the entry is durable. Kept elsewhere, it later proves a rollback or another history. With --id \
            the same entry can be sent again after an unclear failure: it is recorded once.

            Example:
              bulla append --actor user:ada --action deploy.start --pillar evolution \\
                --reason "release 1.2" --body '{"version":"1.2"}'
            """)

    @Option(help: ArgumentHelp("Who did it, as kind:name.", valueName: "kind:name"))
    var actor: String

    @Option(help: ArgumentHelp("What was done, a dotted verb such as deploy.start.", valueName: "verb"))
    var action: String

    @Option(help: ArgumentHelp("sovereignty, integrity, resilience or evolution.", valueName: "pillar"))
    var pillar: String

    @Option(help: ArgumentHelp("Why it was done.", valueName: "text"))
    var reason: String

    @Option(help: ArgumentHelp("The event as a JSON object, @FILE, or - for stdin.", valueName: "json|@file|-"))
    var body: String

    @Option(
        help: ArgumentHelp(
            "Idempotency key of this actor: repeating it within the next 10,000 entries records nothing new.", valueName: "text"))
    var id: String?

    @Option(
        help: ArgumentHelp(
            "The last entry that you had seen: with --reads or --writes, the entry is compared with what came since.",
            valueName: "seq"))
    var base: UInt64?

    @Option(help: ArgumentHelp("A place (a JSON Pointer) that it builds on; may be repeated.", valueName: "pointer"))
    var reads: [JSONPointer] = []

    @Option(
        help: ArgumentHelp(
            "A place that it decides; what the body holds there is the value, else the whole body. May be repeated.",
            valueName: "pointer"))
    var writes: [JSONPointer] = []

    @OptionGroup var recording: RecorderOptions

    func validate() throws {
        if base == 0 { throw ValidationError("--base takes a seq, and the first one is 1") }
    }

    func run() throws {
        let draft = try draft()
        var recorder = try recording.recorder()
        let answer = try recorder.record([draft])
        let receipt = answer.receipts[0]
        try ConflictPrinter(recording.json).print(
            ["receipt": receipt.json, "repeated": .bool(answer.isRepetition)], receipt, lost: answer.lost,
            overrode: answer.overrode)
    }

    private func draft() throws(LedgerError) -> Draft {
        let bytes = try bodyBytes()
        do throws(DraftError) {
            guard !ReservedNames.contains(action: action) else { throw .reservedAction(action) }
            guard let pillar = Justification.Pillar(rawValue: pillar) else { throw .pillar(pillar) }
            let json: JSON
            do throws(JSONError) {
                json = try JSON(parsing: bytes, maximumDepth: Limits.draftDepth - 1)
            } catch {
                throw .json(error)
            }
            var context: JSONObject = [:]
            context["id"] = id.map { .string($0) }
            context["base"] = base.map { .number(Double($0)) }
            if !reads.isEmpty { context["reads"] = .array(reads.map { .string($0.description) }) }
            if !writes.isEmpty { context["writes"] = .array(writes.map { .string($0.description) }) }
            let draft = try Draft(
                action: action, actor: actor, justification: Justification(pillar, reason), body: json, context: context)
            guard !draft.borrowsHouseName else { throw .houseName }
            return draft
        } catch {
            throw LedgerError(error, bytes: bytes, what: "the body")
        }
    }

    private func bodyBytes() throws(LedgerError) -> [UInt8] {
        if body == "-" || body.hasPrefix("@") {
            return try InputFile(body == "-" ? "-" : String(body.dropFirst())).all(upTo: Limits.payload)
        }
        return Array(body.utf8)
    }
}

extension LedgerError {
    /// A refused draft: a name that is not one's to use is a rule that says no, all else is bad input, with its line and column.
    init(_ error: DraftError, bytes: [UInt8], what: String) {
        switch error {
        case .reservedAction, .houseName: self.init(.refused, error.description)
        case .json(let json):
            let location = json.location(in: bytes)
            self.init(.usage, "\(what) is refused at line \(location.line), column \(location.column): \(json)")
        default: self.init(.usage, error.description)
        }
    }
}
