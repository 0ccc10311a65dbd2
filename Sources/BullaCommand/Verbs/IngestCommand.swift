import ArgumentParser
import CanonicalJSON
import DurableFiles
import Ledger
import LedgerFormat

extension LogFormat: ExpressibleByArgument {}

struct IngestCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        .ingest,
        abstract: "Record many entries from a file or a pipe, durable batch by batch.",
        discussion: """
            By default each line is a draft {"actor":…,"action":…,"justification":{"pillar":…,"reason":…},"body":{…}}, optionally with \
            "context". With another --format each line becomes a body: jsonl takes a JSON object as it is, logfmt key=value pairs, \
            syslog RFC 5424, RFC 3164 and whatever else stands there, raw any bytes. In these what looks like a secret is replaced by a \
            keyed digest, as in record; drafts and raw lines are kept as they are. A line that no entry holds is kept in parts.

            A bad line stops the work: what lies before it is recorded, nothing behind it, and the message says at which line to go on.

            --follow goes on as the file grows, like tail -F, also when it is rotated or truncated, until SIGINT or SIGTERM. Started \
            again, it goes on where the ledger says it stopped, also behind an archive. It keeps a bad line whole, with the reason in "error".

            Examples:
              bulla ingest events.jsonl
              journalctl -o cat -n 1000 | bulla ingest --raw --actor service:journal -
              bulla ingest --format syslog --actor service:syslog --follow /var/log/syslog
            """)

    @Argument(help: ArgumentHelp("The lines' file, or - for stdin.", valueName: "file"))
    var file: String

    @Option(help: ArgumentHelp("How the lines are written (default: drafts).", valueName: "format"))
    var format: LogFormat?

    @Flag(help: "The same as --format raw: lines of any bytes, each kept in the body's \"line\".")
    var raw = false

    @Flag(help: "Go on as the file grows, across rotation and truncation.")
    var follow = false

    @Flag(help: "With --follow: begin with the file's first line, where the ledger does not tell how far it was followed.")
    var fromStart = false

    @Flag(help: "With --follow: begin behind its last line there.")
    var fromEnd = false

    @Option(help: ArgumentHelp("Who writes the lines.", valueName: "kind:name"))
    var actor: String?

    @Option(help: ArgumentHelp("The entries' action (default: log.line).", valueName: "verb"))
    var action: String?

    @Option(help: ArgumentHelp("The pillar (default: integrity).", valueName: "pillar"))
    var pillar: String?

    @Option(help: ArgumentHelp("The reason (default: a log line).", valueName: "text"))
    var reason: String?

    @Flag(name: .customLong("no-redact"), help: "Record lines as they are, secrets too.")
    var keepsSecrets = false

    @OptionGroup var recording: RecorderOptions

    func validate() throws {
        if raw, let format, format != .raw { throw ValidationError("--raw and --format \(format) name two formats: give one") }
        if lineFormat == .drafts {
            if actor != nil || action != nil || pillar != nil || reason != nil || keepsSecrets {
                throw ValidationError(
                    "--actor, --action, --pillar, --reason and --no-redact go with --raw or another --format: a draft brings its own"
                )
            }
            if follow { throw ValidationError("--follow goes with --format jsonl, logfmt, syslog or raw") }
        } else if actor == nil {
            throw ValidationError("\(raw ? "--raw" : "--format \(lineFormat)") needs --actor: who writes the lines?")
        }
        if fromStart || fromEnd, !follow || fromStart && fromEnd {
            throw ValidationError("--from-start or --from-end goes with --follow, one of them")
        }
        if follow, file == "-" { throw ValidationError("stdin is read until its end: --follow goes with a file") }
        if follow, recording.socket != nil {
            throw ValidationError("--follow finds its place in the ledger itself: it goes with --ledger, not with --socket")
        }
    }

    private var lineFormat: LogFormat { raw ? .raw : format ?? .drafts }

    func run() throws {
        let labels = try labels()
        let input = follow ? nil : try InputFile(file)
        var recorder = try recording.recorder()
        var log = labels.map { LineParser.Log(format: lineFormat, labels: $0) }
        let redacts = log != nil && lineFormat != .raw && !keepsSecrets
        if redacts || follow {
            // Whoever opens the ledger first mends what a crash left: where its lines end is certain behind that.
            let key = try recorder.prepare()
            recorder.release()
            if redacts { log?.redactor = Redactor(key) }
            if follow {
                log?.keepsRefused = true
                return try ingest(recorder, try followed(labels, key), LineParser(log: log))
            }
        }
        guard let input else { preconditionFailure("what is not followed is read") }
        try ingest(recorder, LineReader(input, cutsLongLines: log != nil), LineParser(log: log), byteCount: input.size)
    }

    /// - Parameter byteCount: how much there is to read, if that is known.
    private func ingest(
        _ recorder: Recorder, _ lines: some LineSource, _ parser: LineParser, byteCount: Int? = nil
    ) throws {
        let bar = ProgressBar("ingest")
        var ingestion = Ingestion(recorder: recorder, lines: lines, parser: parser)
        let result = Result { () throws(LedgerError) in try ingestion.run { done in bar.update(done, of: byteCount ?? 0) } }
        bar.finish()
        report(&ingestion)
        try result.get()
        if let loss = ingestion.loss {
            let others = ingestion.lostCount > 1 ? "; \(Format.count(ingestion.lostCount - 1)) more lines lost a place" : ""
            throw LedgerError(.conflict, loss.message + others, collisions: loss.collisions)
        }
    }

    private func followed(_ labels: LineParser.Labels?, _ key: SealingKey) throws(LedgerError) -> FollowedFile {
        guard let labels else { preconditionFailure("only logs are followed") }
        let folder = LogFile.parts(of: file).folder
        guard LogFile.status(of: folder) != nil else {
            throw LedgerError(.usage, "there is no folder \(folder) to follow a file in")
        }
        let watch = try FileWatch(folder: folder)
        let fallback: FollowedFile.Resumption.Fallback = fromStart ? .start : fromEnd ? .end : .refuse
        let resumption = try LedgerView.asking(try recording.options.storage()) { view throws(LedgerError) in
            try FollowedFile.Resumption.find(file, actor: labels.actor, view, else: fallback)
        }
        let followed = try FollowedFile(file, from: resumption, key: key, watch: watch)
        let place = resumption.map { "from byte \($0.offset) of \($0.file.path)" } ?? "from its start"
        Output.error("bulla: following \(Printable.text("\(file) \(place)"))")
        return followed
    }

    /// Nil for drafts, which bring their own.
    private func labels() throws(LedgerError) -> LineParser.Labels? {
        guard let actor else { return nil }
        do throws(DraftError) {
            let action = action ?? "log.line"
            guard !ReservedNames.contains(action: action) else { throw .reservedAction(action) }
            guard let pillar = Justification.Pillar(rawValue: pillar ?? "integrity") else { throw .pillar(pillar ?? "") }
            let standard = lineFormat == .raw ? "a log line, kept as it was" : "a log line"
            let justification = Justification(pillar, reason ?? standard)
            // Tried once, so that bad names are refused before any line is read.
            let draft = try Draft(action: action, actor: actor, justification: justification, body: [:])
            guard !draft.borrowsHouseName else { throw .houseName }
            return LineParser.Labels(action: action, actor: actor, justification: justification)
        } catch {
            throw LedgerError(error, bytes: [], what: "")
        }
    }

    private func report(_ ingestion: inout Ingestion<some LineSource>) {
        for notice in ingestion.takeNotices() { Output.error("bulla: \(Printable.text(notice))") }
        if recording.json {
            var object: JSONObject = [
                "recorded": .number(Double(ingestion.recordedCount)), "repeated": .number(Double(ingestion.repeatedCount)),
                "lines": .number(Double(ingestion.settledLineCount)), "last": ingestion.last?.json ?? .null,
            ]
            if ingestion.lostCount > 0 { object["lost"] = .number(Double(ingestion.lostCount)) }
            Output.line(Printable.json(.object(object)))
        } else {
            let repeated = ingestion.repeatedCount > 0 ? " (\(Format.count(ingestion.repeatedCount)) were there already)" : ""
            Output.line(
                "recorded \(Format.count(ingestion.recordedCount)) \(ingestion.recordedCount == 1 ? "entry" : "entries")\(repeated)"
            )
            if let last = ingestion.last { Output.line(last.line) }
        }
    }
}
