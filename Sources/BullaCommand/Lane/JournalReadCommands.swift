import ArgumentParser
import Lanes

struct JournalTailCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tail",
        abstract: "Print a journal's entries, one a line; with --json as one array.",
        discussion: """
            A line that is no JSON is shown as {"_line": …, "_raw": …, "op": "_CORRUPT"}, with its number from 0. A bad last line is left \
            out: a crash tore it.

            Example:
              bulla lane journal tail 20
            """)

    @Argument(help: "Only the last n.")
    var n: Int?

    @OptionGroup var compatibility: CompatibilityOptions
    @OptionGroup var options: JournalOptions

    func validate() throws {
        if let n, n < 1 { throw ValidationError("tail takes a number from 1 on") }
    }

    func run() throws {
        compatibility.printer.print(try options.journal.entries(last: n ?? .max), asArray: options.json)
    }
}

struct JournalReplayCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Print the leases that are live after a journal's last entry, one a line; with --json as one array.",
        discussion: """
            The entries count in the order in which they stand. No lease expires by this: who reads it judges that.

            Example:
              bulla lane journal replay --json | jq -r '.[].lane'
            """)

    @OptionGroup var compatibility: CompatibilityOptions
    @OptionGroup var options: JournalOptions

    func run() throws {
        let journal = try options.journal.read()
        compatibility.printer.print(journal.leases.map(\.lease), asArray: options.json)
    }
}

struct JournalSeqCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "seq",
        abstract: "Print the seq that a journal's next entry gets.",
        discussion: """
            It is one more than the greatest number that stands as seq or seq_watermark in any entry; what is no integer counts as 0.
            """)

    @OptionGroup var compatibility: CompatibilityOptions
    @OptionGroup var options: JournalOptions

    func run() throws {
        let journal = try options.journal.read()
        let next = PythonJSON.integer(journal.nextSeq)
        guard options.json else { return compatibility.printer.print(next) }
        compatibility.printer.print(.object(PythonObject([("last_seq", .integer(journal.lastSeq)), ("next_seq", next)])))
    }
}
