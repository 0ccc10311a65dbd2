import ArgumentParser
import CanonicalJSON
import DurableFiles
import Ledger
import LedgerFormat

struct IngestCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ingest",
        abstract: "Record many entries from a file or a pipe, durable batch by batch.",
        discussion: """
            Each line is a draft {"actor":…,"action":…,"justification":{"pillar":…,"reason":…},"body":{…}}, optionally with "context"; \
            with --raw each line is kept as it is. A bad line stops the work: what lies before it is recorded, nothing behind it, and \
            the message says at which line to go on.

            Examples:
              bulla ingest events.jsonl
              journalctl -o cat -n 1000 | bulla ingest --raw --actor service:journal -
            """)

    @Argument(help: ArgumentHelp("The lines' file, or - for stdin.", valueName: "file"))
    var file: String

    @Flag(help: "Lines of any bytes, each kept in the body's \"line\".")
    var raw = false

    @Option(help: ArgumentHelp("With --raw: who writes the lines.", valueName: "kind:name"))
    var actor: String?

    @Option(help: ArgumentHelp("With --raw: the entries' action (default: log.line).", valueName: "verb"))
    var action: String?

    @Option(help: ArgumentHelp("With --raw: the pillar (default: integrity).", valueName: "pillar"))
    var pillar: String?

    @Option(help: ArgumentHelp("With --raw: the reason (default: a log line, kept as it was).", valueName: "text"))
    var reason: String?

    @OptionGroup var server: SocketOptions
    @OptionGroup var writer: WriterOptions
    @OptionGroup var options: LedgerOptions

    func validate() throws {
        try server.refuseBoth(options)
        if !raw, actor != nil || action != nil || pillar != nil || reason != nil {
            throw ValidationError("--actor, --action, --pillar and --reason go with --raw: a draft brings its own")
        }
        if raw, actor == nil { throw ValidationError("--raw needs --actor: who writes the lines?") }
    }

    func run() throws {
        let parser = try lineParser()
        let input = try InputFile(file)
        let bar = ProgressBar("ingest")
        var ingestion = Ingestion(
            recorder: try server.recorder(options, writer),
            lines: LineReader(input, lineByteCountMax: Limits.payload), parser: parser)
        let total = input.size ?? 0
        let result = Result { () throws(LedgerError) in try ingestion.run { done in bar.update(done, of: total) } }
        bar.finish()
        report(&ingestion)
        try result.get()
    }

    private func lineParser() throws(LedgerError) -> LineParser {
        guard raw, let actor else { return LineParser() }
        do throws(DraftError) {
            let action = action ?? "log.line"
            guard !ReservedNames.contains(action: action) else { throw .reservedAction(action) }
            guard let pillar = Justification.Pillar(rawValue: pillar ?? "integrity") else { throw .pillar(pillar ?? "") }
            let justification = Justification(pillar, reason ?? "a log line, kept as it was")
            // Tried once, so that bad names are refused before any line is read.
            _ = try Draft(action: action, actor: actor, justification: justification, body: [:])
            return LineParser(raw: .init(action: action, actor: actor, justification: justification))
        } catch {
            throw LedgerError(error, bytes: [], what: "")
        }
    }

    private func report(_ ingestion: inout Ingestion) {
        for notice in ingestion.takeNotices() { Output.error("bulla: \(Printable.text(notice))") }
        if options.json {
            Output.line(
                Printable.json([
                    "recorded": .number(Double(ingestion.recordedCount)), "repeated": .number(Double(ingestion.repeatedCount)),
                    "lines": .number(Double(ingestion.settledLineCount)), "last": ingestion.last?.json ?? .null,
                ]))
        } else {
            let repeated = ingestion.repeatedCount > 0 ? " (\(Format.count(ingestion.repeatedCount)) were there already)" : ""
            Output.line(
                "recorded \(Format.count(ingestion.recordedCount)) \(ingestion.recordedCount == 1 ? "entry" : "entries")\(repeated)"
            )
            if let last = ingestion.last { Output.line(last.line) }
        }
    }
}
