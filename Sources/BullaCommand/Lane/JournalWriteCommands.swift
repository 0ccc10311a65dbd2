import ArgumentParser
import CanonicalJSON
import Lanes
import Ledger
import LedgerFormat

/// What verbs take that write to a journal.
struct JournalWriterOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("How long to wait for the journal's lock before giving up with exit code 75.", valueName: "seconds"))
    var wait: Double = 10

    func validate() throws {
        guard wait >= 0, wait <= 1_000_000 else { throw ValidationError("--wait takes seconds from 0 to 1000000") }
    }

    var microseconds: Int64 { Int64(wait * 1_000_000) }
}

struct JournalCompactCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compact",
        abstract: "Write a journal anew as one checkpoint of its live leases and the lines that are no JSON.",
        discussion: """
            What was live stays live, and seqs go on where they were. The history is gone: keep a copy, or `bulla lane import` it before.

            dos-kernel loses leases here whose nested lease names another lane than their entry, and lines with U+2028 in them. Without \
            --compat such leases follow the checkpoint as ACQUIRE entries, which it reads well.

            Example:
              bulla lane journal compact --dry-run
            """)

    @Flag(help: "Print what would be written, and write nothing.")
    var dryRun = false

    @OptionGroup var compatibility: CompatibilityOptions
    @OptionGroup var writer: JournalWriterOptions
    @OptionGroup var options: JournalOptions

    func run() throws {
        let file = options.journal
        if dryRun {
            compatibility.printer.write(try compacted(try file.read(), file).bytes)
            return
        }
        let lock = try JournalLock(beside: file, waiting: writer.microseconds, .system)
        defer { lock.release() }
        let found = try file.found()
        let journal = try file.read(found)
        let compacted = try compacted(journal, file)
        try file.replace(found, with: compacted.bytes)
        tell(found, journal, compacted, file)
    }

    private func compacted(_ journal: LaneJournal, _ file: JournalFile) throws(LedgerError) -> CompactedJournal {
        let compacted = journal.compacted(isCompatible: compatibility.isCompatible)
        let again: LaneJournal
        do throws(JournalError) { again = try LaneJournal(compacted.bytes) } catch {
            throw LedgerError(
                .refused,
                compatibility.isCompatible
                    ? "\(file.path) cannot be compacted with --compat: its leases do not fit into the one line that dos-kernel 0.22.0 writes; without --compat they get lines of their own"
                    : "\(file.path) cannot be compacted: one of its leases does not fit into a line of \(LaneJournal.lineByteCountMax) bytes"
            )
        }
        guard compatibility.isCompatible || again.holdsTheSame(as: journal) else {
            throw LedgerError(
                .refused, "\(file.path) is not compacted: that would change which leases are live; nothing was written")
        }
        return compacted
    }

    private func tell(_ found: JournalFile.Found, _ journal: LaneJournal, _ compacted: CompactedJournal, _ file: JournalFile) {
        if options.json {
            compatibility.printer.print(
                .object(
                    PythonObject([
                        ("file", .text(file.path)), ("bytes_before", number(found.bytes.count)),
                        ("bytes_after", number(compacted.bytes.count)),
                        ("entries_before", number(journal.entryCount)), ("entries_after", number(compacted.entryCount)),
                    ])))
        } else {
            Output.line(
                Printable.text(
                    "\(file.path): from \(journal.entryCount) to \(compacted.entryCount) entries, from \(found.bytes.count) to "
                        + "\(compacted.bytes.count) bytes"))
        }
        if compacted.acquiredCount > 0 {
            Output.error(
                "bulla: as entries of their own, behind the checkpoint, stand \(compacted.acquiredCount) of the leases: its line would be too long, lose them or "
                    + "know them by another name; --compat writes what dos-kernel 0.22.0 writes")
        }
    }

    private func number(_ count: Int) -> PythonJSON { .integer(PythonInteger(count)) }
}

struct JournalAppendCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "append",
        abstract: "Append an entry to a journal, and print it as it was written.",
        discussion: """
            `seq` and `ts` are set unless the entry has them. If the journal's last line was not ended, it is ended first.

            Example:
              bulla lane journal append '{"op": "RELEASE", "lane": "api", "loop_ts": "t1", "reason": "done"}'
            """)

    @Argument(help: ArgumentHelp("A JSON object with an op; or - for stdin.", valueName: "entry|-"))
    var entry: String

    @OptionGroup var writer: JournalWriterOptions
    @OptionGroup var options: JournalOptions

    func run() throws {
        let entry = try parsed()
        let file = options.journal
        let lock = try JournalLock(beside: file, waiting: writer.microseconds, .system)
        defer { lock.release() }
        let found = try file.found(orNone: true)
        let journal = try file.read(found)
        let stamped = journal.stamped(entry, at: Environment.system.now())
        let line = journal.line(of: stamped)
        guard line.count <= LaneJournal.lineByteCountMax else {
            throw LedgerError(
                .usage, "the entry has \(line.count) bytes; a journal's line has \(LaneJournal.lineByteCountMax) at most")
        }
        try file.append(line, to: found)
        JournalPrinter().print(.object(stamped))
    }

    private func parsed() throws(LedgerError) -> PythonObject {
        let bytes = entry == "-" ? try InputFile("-").all(upTo: LaneJournal.lineByteCountMax) : Array(entry.utf8)
        guard let object = PythonJSON(reading: bytes)?.object else {
            throw LedgerError(.usage, "the entry is no JSON object, such as {\"op\": \"RELEASE\", \"lane\": \"api\"}")
        }
        guard case .text(let operation) = object["op"], !operation.isEmpty else {
            throw LedgerError(.usage, "the entry says not what it is: it has no text as its op, such as \"op\": \"RELEASE\"")
        }
        return object
    }
}
