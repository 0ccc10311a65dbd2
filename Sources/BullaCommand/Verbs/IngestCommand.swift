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

    @OptionGroup var writer: WriterOptions
    @OptionGroup var options: LedgerOptions

    func validate() throws {
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
            session: WriterSession(try options.storage(), .system, writer.settings),
            lines: LineReader(input, lineByteCountMax: Limits.payload), parser: parser)
        let total = input.size ?? 0
        let result = Result { () throws(LedgerError) in try ingestion.run { done in bar.update(done, of: total) } }
        bar.finish()
        report(&ingestion)
        try result.get()
    }

    private func lineParser() throws(LedgerError) -> LineParser {
        guard raw, let actor else { return .draft }
        do throws(DraftError) {
            let action = action ?? "log.line"
            guard !ReservedNames.contains(action: action) else { throw .reservedAction(action) }
            guard let pillar = Justification.Pillar(rawValue: pillar ?? "integrity") else { throw .pillar(pillar ?? "") }
            let justification = Justification(pillar, reason ?? "a log line, kept as it was")
            // Tried once, so that bad names are refused before any line is read.
            _ = try Draft(action: action, actor: actor, justification: justification, body: [:])
            return .raw(action: action, actor: actor, justification)
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

/// What a line becomes.
enum LineParser {
    case draft
    case raw(action: String, actor: String, Justification)

    /// Nil for a blank line between drafts.
    func parse(_ line: [UInt8]) throws(DraftError) -> Draft? {
        switch self {
        case .draft:
            if line.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) { return nil }
            let draft = try Draft(parsing: line.span)
            guard !draft.isReserved else { throw .reservedAction(draft.action) }
            return draft
        case .raw(let action, let actor, let justification):
            var body: JSONObject = ["line": .string(String(decoding: line, as: UTF8.self))]
            if !RawArguments.isText(line) { body["line_base64"] = .string(Base64.text(line)) }
            return try Draft(action: action, actor: actor, justification: justification, body: .object(body))
        }
    }
}

/// The work of `ingest`: lines to durable batches.
struct Ingestion {
    private var session: WriterSession
    private var lines: LineReader
    private let parser: LineParser
    private(set) var recordedCount = 0
    private(set) var repeatedCount = 0
    /// Lines whose entries are durable, and blank ones between them.
    private(set) var settledLineCount = 0
    private(set) var last: Receipt?

    private static let batchCount = 1000
    private static let batchByteCount = 4 << 20

    init(session: WriterSession, lines: LineReader, parser: LineParser) {
        self.session = session
        self.lines = lines
        self.parser = parser
    }

    mutating func takeNotices() -> [String] { session.takeNotices() }

    mutating func run(progress: (Int) -> Void) throws(LedgerError) {
        defer { session.release() }
        while try recordBatch() { progress(lines.byteCount) }
    }

    /// Reads what is there, up to a batch, and records it; false at the end. Waits for input only without the lock.
    private mutating func recordBatch() throws(LedgerError) -> Bool {
        var drafts: [[Draft]] = []
        var lineNumbers: [Int] = []
        var byteCount = 0
        var failure: LedgerError?
        var isOver = false
        collecting: while drafts.count < Self.batchCount, byteCount < Self.batchByteCount {
            do throws(LedgerError) {
                switch try lines.next(waiting: drafts.isEmpty && !session.isHolding) {
                case .end:
                    isOver = true
                    break collecting
                case .mustWait:
                    if drafts.isEmpty { session.release() } else { break collecting }
                case .line(let line):
                    byteCount += line.count
                    if let draft = try parse(line) {
                        drafts.append([draft])
                        lineNumbers.append(lines.lineCount)
                    } else if drafts.isEmpty {
                        settledLineCount = lines.lineCount
                    }
                }
            } catch {
                failure = error
                break collecting
            }
        }
        try record(drafts, lineNumbers)
        if let failure { throw stopping(failure) }
        return !isOver
    }

    private func parse(_ line: [UInt8]) throws(LedgerError) -> Draft? {
        do throws(DraftError) {
            return try parser.parse(line)
        } catch {
            let place = if case .json(let json) = error { ", column \(json.location(in: line).column)" } else { "" }
            let code: ErrorCode = if case .reservedAction = error { .refused } else { .usage }
            throw LedgerError(code, "line \(lines.lineCount)\(place) is refused: \(error)")
        }
    }

    private mutating func record(_ drafts: [[Draft]], _ lineNumbers: [Int]) throws(LedgerError) {
        guard !drafts.isEmpty else { return }
        if !session.isHolding {
            do throws(LedgerError) {
                try session.acquire()
            } catch {
                throw settledLineCount == 0 ? error : stopping(error)
            }
        }
        let answers = session.commit(drafts, stopsAtFailure: true)
        for (answer, line) in zip(answers, lineNumbers) {
            switch answer {
            case .success(let answer):
                if answer.isRepetition { repeatedCount += 1 } else { recordedCount += 1 }
                if let receipt = answer.receipts.last, receipt.seq > last?.seq ?? 0 { last = receipt }
                settledLineCount = line
            case .failure(let error):
                throw stopping(LedgerError(error.code, "line \(line): \(error.message)", at: error.place))
            }
        }
        if session.isWantedByOthers() { session.release() } else { session.replaceHeadIfDue() }
    }

    private func stopping(_ error: LedgerError) -> LedgerError {
        let done =
            settledLineCount == 0 ? "nothing was recorded before it" : "everything up to line \(settledLineCount) is recorded"
        return LedgerError(error.code, "\(error.message); \(done): go on at line \(settledLineCount + 1)", at: error.place)
    }
}
